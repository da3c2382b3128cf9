internal import Primitives
internal import Records
internal import Wire

/// Rows of records: columns in the order of the schemas.
extension LiveTables {
  /// What a row of writes calls a put.
  static let putKind: Int64 = 1
  /// What a row of writes calls a deletion.
  static let deleteKind: Int64 = 2

  static func row(of definition: CollectionDefinition, at stamp: OperationStamp) -> Row {
    Row(
      collectionSchema,
      [
        .text(definition.name), .integer(Int64(definition.policy.rawValue)),
        .bytes(definition.agent.bytes), time(stamp), lane(stamp), number(stamp), place(stamp),
      ])
  }

  static func row(of entry: RecordEntry, named name: RecordName, clock: [UInt8]) -> Row {
    Row(
      recordSchema,
      [
        .text(name.collection), .text(name.key), .bytes(entry.record.bytes),
        .integer(conflictTime(of: entry.clock)),
        .text(entry.total.map { String($0) } ?? ""), .integer(Int64(entry.elements)),
        .bytes(clock),
      ])
  }

  /// The time of the last of several writes that stand; 0 when there are not several.
  static func conflictTime(of clock: RecordClock) -> Int64 {
    guard clock.live.count > 1 else { return 0 }
    return Int64(bitPattern: clock.live.reduce(0) { max($0, $1.stamp.time) })
  }

  /// The row of a write; `seen` are the names that count.
  static func row(
    of change: RecordChange, record: RecordID, seen: [RecordDot], at stamp: OperationStamp
  ) -> Row {
    let kind: Int64
    let value: String
    let priority: UInt8
    switch change.action {
    case .put(let text, let matters, _): (kind, value, priority) = (putKind, text, matters)
    case .delete(let matters, _): (kind, value, priority) = (deleteKind, "", matters)
    case .add, .insert, .remove: preconditionFailure("\(change.action) is no write")
    }
    var writer = WireWriter(capacity: 2 + seen.count * 40)
    RecordDot.encode(seen, into: &writer)
    return Row(
      recordWriteSchema,
      [
        .bytes(record.bytes), time(stamp), lane(stamp), number(stamp), place(stamp),
        .bytes(change.agent.bytes), .integer(kind), .text(value), .integer(Int64(priority)),
        .bytes(writer.bytes), seen.count > 1 ? time(stamp) : .integer(0),
      ])
  }

  static func row(
    of element: String, record: RecordID, isPresent: Bool, clock: [UInt8]
  ) -> Row {
    Row(
      setElementSchema,
      [.bytes(record.bytes), .text(element), .integer(isPresent ? 1 : 0), .bytes(clock)])
  }

  static func row(
    of request: RecordRequestID, record: RecordID, fingerprint: RecordRequestID, delta: Int64,
    at stamp: OperationStamp
  ) -> Row {
    Row(
      recordRequestSchema,
      [
        .bytes(record.bytes), .bytes(request.bytes), .bytes(fingerprint.bytes), .integer(delta),
        time(stamp), lane(stamp), number(stamp), place(stamp),
      ])
  }
}
