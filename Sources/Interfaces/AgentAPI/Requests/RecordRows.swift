internal import LedgerCore
internal import Primitives
internal import Records
internal import Wire

/// A collection as stored.
struct CollectionRow {
  let name: String
  let policy: CollectionPolicy
  let agent: AgentID
  let createdMilliseconds: UInt64

  static let columns = "name, policy, agent, time"

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    name = try reader.text()
    guard let policy = CollectionPolicy(rawValue: UInt8(clamping: try reader.integer())) else {
      throw APIProblem(.storageFailed, "a stored collection has an unknown policy")
    }
    self.policy = policy
    agent = try reader.identifier()
    createdMilliseconds = HybridTime(raw: UInt64(bitPattern: try reader.integer())).milliseconds
  }
}

/// The name of a record as stored.
struct RecordRow {
  let name: RecordName
  let record: RecordID
  /// The time of the last of several writes that stand, or 0.
  let conflict: Int64

  static let columns = "collection, key, record, conflict"

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    name = RecordName(collection: try reader.text(), key: try reader.text())
    record = try reader.identifier()
    conflict = try reader.integer()
  }
}

/// A write of a record as stored.
struct RecordWriteRow {
  let record: RecordID
  let stamp: OperationStamp
  let agent: AgentID
  let isDelete: Bool
  let priority: Int64
  let seen: [RecordDot]
  /// The bytes of the value; 0 of a deletion.
  let valueBytes: Int64
  /// The value, empty when it was too long for the query.
  let value: String
  /// What follows the columns of a write.
  let rest: [ColumnValue]

  /// The columns, with values of more than `valueBytesMax` left out.
  static func columns(_ prefix: String = "", valueBytesMax: Int) -> String {
    let names = ["record", "time", "lane", "number", "idx", "agent", "kind", "priority", "seen"]
    let size = "length(CAST(\(prefix)value AS BLOB))"
    return names.map { prefix + $0 }.joined(separator: ", ")
      + ", \(size), CASE WHEN \(size) <= \(valueBytesMax) THEN \(prefix)value ELSE '' END"
  }

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    record = try reader.identifier()
    let time = HybridTime(raw: UInt64(bitPattern: try reader.integer()))
    let lane = LaneID(digest: try reader.digest())
    let number = UInt64(bitPattern: try reader.integer())
    stamp = OperationStamp(
      time: time, lane: lane, number: number, index: Int(clamping: try reader.integer()))
    agent = try reader.identifier()
    // 1 is a put, 2 a deletion.
    isDelete = try reader.integer() == 2
    priority = try reader.integer()
    let bytes = try reader.bytes()
    do throws(WireError) {
      var cursor = WireCursor()
      seen = try RecordDot.decodeList(from: bytes.span.bytes, at: &cursor)
    } catch {
      throw APIProblem(.storageFailed, "a stored write names what it saw in an unknown form")
    }
    valueBytes = try reader.integer()
    value = try reader.text()
    rest = Array(row.dropFirst(11))
  }
}

extension ColumnReader {
  mutating func digest() throws(APIProblem) -> Digest {
    guard let value = Digest(try bytes()) else {
      throw APIProblem(.storageFailed, "a stored row has no digest where one belongs")
    }
    return value
  }
}
