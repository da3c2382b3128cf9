internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// Shared records: changes merge by the policy of their collection (I7, I8).
extension LiveTables {
  mutating func define(
    _ definition: CollectionDefinition, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    let index = Int(index(ofCollection: definition.name))
    let old = collections[index].defined
    if let old, !precedes(compact, old.stamp) { return }
    let row = LiveTables.row(of: definition, at: stamp)
    collections[index].defined = CollectionEntry.Defined(
      policy: definition.policy, agent: definition.agent, stamp: compact, rowDigest: row.digest)
    if old == nil { definedCollections += 1 }
    replaceDigest(old?.rowDigest, with: row.digest)
    rows.append(row)
  }

  mutating func change(
    _ change: RecordChange, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    guard advance(to: compact) else { return }
    let index = index(ofRecord: change.name)
    let growth = note(change, in: index, stamp, compact, into: &rows)
    // No sum overflows: 2^63 additions of less than 2^53 stay below 2^117.
    if growth != 0 { records[Int(index)].total = (records[Int(index)].total ?? 0) + growth }
    switch change.action {
    case .put(_, let priority, let seen):
      write(
        change, LiveWrite(stamp: compact, priority: priority, isDelete: false), seen, stamp,
        in: index, into: &rows)
    case .delete(let priority, let seen):
      write(
        change, LiveWrite(stamp: compact, priority: priority, isDelete: true), seen, stamp,
        in: index, into: &rows)
    case .add:
      if records[Int(index)].total == nil { records[Int(index)].total = 0 }
    case .insert(let element, let seen):
      merge(element, seen, adding: true, compact, in: index, into: &rows)
    case .remove(let element, let seen):
      merge(element, seen, adding: false, compact, in: index, into: &rows)
    }
    writeRow(of: change.name, at: index, into: &rows)
  }

  /// Whether the operation is the next of its lane's changes (I8); an earlier one was applied.
  private mutating func advance(to stamp: CompactStamp) -> Bool {
    let last = lastChanges[Int(stamp.lane)]
    guard (stamp.number, stamp.index) > (last.number, last.index) else { return false }
    lastChanges[Int(stamp.lane)] = (stamp.number, stamp.index)
    return true
  }

  /// Keeps the operation for its request if it has the smallest stamp, and gives what the counter
  /// is to grow by: a request that was repeated at another node counts once. Another kind of change
  /// under the same request can take an addition back.
  private mutating func note(
    _ change: RecordChange, in index: UInt32, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) -> Int128 {
    var delta: Int64 = 0
    if case .add(let amount) = change.action { delta = amount }
    guard let request = change.request else { return Int128(delta) }
    let record = records[Int(index)].record
    let key = LiveTables.requestKey(record, request)
    let old = requests[key]
    if let old, !precedes(compact, old.stamp) { return 0 }
    let fingerprint = change.fingerprint
    let row = LiveTables.row(
      of: request, record: record, fingerprint: fingerprint, delta: delta, at: stamp)
    replaceDigest(old?.rowDigest, with: row.digest)
    requests[key] = RequestEntry(
      fingerprint: fingerprint, delta: delta, stamp: compact, rowDigest: row.digest)
    rows.append(row)
    return Int128(delta) - Int128(old?.delta ?? 0)
  }

  /// Puts a write beside or above those that stand.
  private mutating func write(
    _ change: RecordChange, _ write: LiveWrite, _ seen: [RecordDot], _ stamp: OperationStamp,
    in index: UInt32, into rows: inout [Row]
  ) {
    let counted = seen.filter { $0.time < stamp.time }
    for dot in counted {
      records[Int(index)].clock.see(lane: laneIndex(of: dot.lane), time: dot.time.raw)
    }
    records[Int(index)].clock.add(write, siblings: LedgerLimits.siblingsPerLane)
    let row = LiveTables.row(
      of: change, record: records[Int(index)].record, seen: counted, at: stamp)
    replaceDigest(nil, with: row.digest)
    rows.append(row)
  }

  /// Adds or takes back an element.
  private mutating func merge(
    _ element: String, _ seen: [RecordDot], adding: Bool, _ stamp: CompactStamp,
    in index: UInt32, into rows: inout [Row]
  ) {
    let record = records[Int(index)].record
    let key = LiveTables.elementKey(record, element)
    var entry = elements[key] ?? ElementEntry()
    let wasPresent = entry.isPresent
    for dot in seen where dot.time.raw < stamp.time {
      entry.clock.see(lane: laneIndex(of: dot.lane), time: dot.time.raw)
    }
    if adding {
      // The newest addition of a lane stands for its earlier ones.
      entry.clock.add(LiveWrite(stamp: stamp, priority: 0, isDelete: false), siblings: 1)
    }
    switch (wasPresent, entry.isPresent) {
    case (false, true): records[Int(index)].elements += 1
    case (true, false): records[Int(index)].elements -= 1
    case (true, true), (false, false): break
    }
    let row = LiveTables.row(
      of: element, record: record, isPresent: entry.isPresent, clock: encoded(entry.clock))
    let digest = row.digest
    if digest != entry.rowDigest {
      replaceDigest(entry.rowDigest, with: digest)
      entry.rowDigest = digest
      rows.append(row)
    }
    elements[key] = entry
  }

  private mutating func writeRow(of name: RecordName, at index: UInt32, into rows: inout [Row]) {
    let entry = records[Int(index)]
    let row = LiveTables.row(of: entry, named: name, clock: encoded(entry.clock))
    let digest = row.digest
    if digest == entry.rowDigest { return }
    replaceDigest(entry.rowDigest, with: digest)
    records[Int(index)].rowDigest = digest
    rows.append(row)
  }

  private func encoded(_ clock: RecordClock) -> [UInt8] {
    clock.encoded(name: { lanes[Int($0)] }, precedes: precedes)
  }
}

// MARK: - Dense indices and keys

extension LiveTables {
  /// The index of a collection, as a placeholder when it is new.
  mutating func index(ofCollection name: String) -> UInt32 {
    if let index = collectionIndexes[name] { return index }
    let index = UInt32(collections.count)
    collections.append(CollectionEntry(name: name))
    collectionIndexes[name] = index
    return index
  }

  /// The index of a record, as an empty one when it is new.
  mutating func index(ofRecord name: RecordName) -> UInt32 {
    let record = name.record
    if let index = recordIndexes[record] { return index }
    let collection = index(ofCollection: name.collection)
    let index = UInt32(records.count)
    records.append(RecordEntry(record: record, collection: collection))
    recordIndexes[record] = index
    return index
  }

  /// The key of an element of a record in the lookup table.
  static func elementKey(_ record: RecordID, _ element: String) -> Identifier<ElementKind> {
    var hash = RecordHash(.element)
    hash.update(record.bytes)
    hash.update(element)
    return hash.identifier()
  }

  /// The key of a request to one record in the lookup table: repeated for another record it is
  /// another request.
  static func requestKey(_ record: RecordID, _ request: RecordRequestID) -> RecordRequestID {
    var hash = RecordHash(.request)
    hash.update(record.bytes)
    hash.update(request.bytes)
    return hash.identifier()
  }
}
