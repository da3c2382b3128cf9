internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Shared records as JSON.
extension JSONWriter {
  typealias NodeLookup = (LaneID) -> NodeID?

  mutating func write(_ row: CollectionRow) {
    beginObject()
    key("name")
    string(row.name)
    key("policy")
    string(PolicyNames.name(of: row.policy))
    key("agent")
    string(row.agent.description)
    key("createdAt")
    timestamp(row.createdMilliseconds)
    endObject()
  }

  /// Writes the members that name a record, without the braces.
  mutating func writeMembers(of name: RecordName) {
    key("collection")
    string(name.collection)
    key("key")
    string(name.key)
  }

  /// Writes a counter or a set.
  mutating func write(_ name: RecordName, _ known: RecordSummary, elements: [String]) {
    beginObject()
    writeMembers(of: name)
    key("policy")
    string(PolicyNames.name(of: known.policy))
    key("conflict")
    bool(false)
    if known.policy == .counter {
      key("total")
      total(known)
    } else {
      key("count")
      unsigned(UInt64(known.elements))
      key("elements")
      beginArray()
      for element in elements { string(element) }
      endArray()
    }
    endObject()
  }

  /// Writes a record of the other policies with the writes that stand, oldest first.
  mutating func write(
    _ name: RecordName, _ known: RecordSummary, writes: [RecordWriteRow], node: NodeLookup
  ) {
    beginObject()
    writeMembers(of: name)
    key("policy")
    string(PolicyNames.name(of: known.policy))
    key("conflict")
    bool(known.isConflict)
    key("context")
    string(RecordContext(record: known.record, seen: known.seen).text)
    if let shown = known.shown, let row = writes.first(where: { $0.stamp == shown.stamp }) {
      key("value")
      recordValue(row.value)
      key("operation")
      string(OperationID(shown.stamp).description)
    }
    key("writes")
    beginArray()
    for write in writes { self.write(write, node: node) }
    endArray()
    endObject()
  }

  /// Writes a record as a list shows it.
  mutating func write(_ recordKey: String, _ known: RecordSummary, value: String?) {
    beginObject()
    key("key")
    string(recordKey)
    key("conflict")
    bool(known.isConflict)
    switch known.policy {
    case .lastWriter, .siblings, .priority:
      if let value {
        key("value")
        recordValue(value)
      }
    case .counter:
      key("total")
      total(known)
    case .set:
      key("count")
      unsigned(UInt64(known.elements))
    }
    endObject()
  }

  mutating func write(_ view: ConflictView, node: NodeLookup) {
    beginObject()
    writeMembers(of: view.name)
    key("policy")
    string(PolicyNames.name(of: view.policy))
    key("status")
    string(view.resolver == nil ? "open" : "resolved")
    key("writes")
    beginArray()
    for write in view.writes { self.write(write, node: node) }
    endArray()
    key("winner")
    if let winner = view.winner { string(OperationID(winner).description) } else { null() }
    key("resolvedBy")
    if let resolver = view.resolver { write(resolver, node: node) } else { null() }
    endObject()
  }

  /// Writes one write; a value that the query left out is told by its size alone.
  private mutating func write(_ row: RecordWriteRow, node: NodeLookup) {
    beginObject()
    key("operation")
    string(OperationID(row.stamp).description)
    key("agent")
    string(row.agent.description)
    key("node")
    if let node = node(row.stamp.lane) { string(node.key.hexadecimal) } else { null() }
    key("at")
    timestamp(row.stamp.time.milliseconds)
    key("priority")
    integer(row.priority)
    key("deleted")
    bool(row.isDelete)
    key("valueBytes")
    integer(row.valueBytes)
    if !row.isDelete && !row.value.isEmpty {
      key("value")
      recordValue(row.value)
    }
    endObject()
  }

  /// Writes a value as the JSON that it is; as a string if a dishonest node wrote something else.
  private mutating func recordValue(_ text: String) {
    do throws(JSONError) {
      let value = try JSONValue.parse(Array(text.utf8))
      self.value(value)
    } catch {
      string(text)
    }
  }

  /// Writes a counter, which may have more than 64 bits.
  private mutating func total(_ known: RecordSummary) {
    raw(Array(String(known.total ?? 0).utf8))
  }
}
