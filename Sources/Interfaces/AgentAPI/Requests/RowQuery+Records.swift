internal import LedgerCore
internal import Primitives
internal import Records

/// The reads of records. All of them seek by a primary key or an index.
extension RowQuery {
  static func collection(_ name: String) -> RowQuery {
    RowQuery(
      "SELECT \(CollectionRow.columns) FROM collection WHERE name = ?", [.text(name)])
  }

  static func collections(after name: String, limit: Int) -> RowQuery {
    RowQuery(
      "SELECT \(CollectionRow.columns) FROM collection WHERE name > ? ORDER BY name LIMIT ?",
      [.text(name), .integer(Int64(limit))])
  }

  /// Records of a collection in the order of their keys' bytes, which is that of their scalars.
  static func records(
    in collection: String, prefix: String, after key: String?, limit: Int
  ) -> RowQuery {
    var conditions = ["collection = ?", "key >= ?"]
    var parameters: [ColumnValue] = [.text(collection), .text(prefix)]
    if let key {
      conditions.append("key > ?")
      parameters.append(.text(key))
    }
    if let end = end(ofPrefix: prefix) {
      conditions.append("key < ?")
      parameters.append(.text(end))
    }
    parameters.append(.integer(Int64(limit)))
    return RowQuery(
      "SELECT \(RecordRow.columns) FROM record WHERE \(conditions.joined(separator: " AND "))"
        + " ORDER BY key LIMIT ?", parameters)
  }

  /// The least text above every text that starts with `prefix`; `nil` when there is none.
  static func end(ofPrefix prefix: String) -> String? {
    var scalars = Array(prefix.unicodeScalars)
    while let last = scalars.popLast() {
      guard last.value < 0x10_FFFF else { continue }
      // The surrogates are no scalars.
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let scalar = Unicode.Scalar(next) else { continue }
      var view = String.UnicodeScalarView(scalars)
      view.append(scalar)
      return String(view)
    }
    return nil
  }

  static func write(_ record: RecordID, _ stamp: OperationStamp, valueBytesMax: Int) -> RowQuery {
    RowQuery(
      "SELECT \(RecordWriteRow.columns(valueBytesMax: valueBytesMax)) FROM record_write"
        + " WHERE record = ? AND time = ? AND lane = ? AND number = ? AND idx = ?",
      [
        .bytes(record.bytes), .integer(Int64(bitPattern: stamp.time.raw)),
        .bytes(stamp.lane.digest.bytes), .integer(Int64(bitPattern: stamp.number)),
        .integer(Int64(stamp.index)),
      ])
  }

  static func write(_ record: RecordID, named dot: RecordDot, valueBytesMax: Int) -> RowQuery {
    RowQuery(
      "SELECT \(RecordWriteRow.columns(valueBytesMax: valueBytesMax)) FROM record_write"
        + " WHERE record = ? AND time = ? AND lane = ? LIMIT 1",
      [
        .bytes(record.bytes), .integer(Int64(bitPattern: dot.time.raw)),
        .bytes(dot.lane.digest.bytes),
      ])
  }

  static func elements(of record: RecordID, limit: Int) -> RowQuery {
    RowQuery(
      "SELECT element FROM set_element WHERE record = ? AND present = 1 ORDER BY element LIMIT ?",
      [.bytes(record.bytes), .integer(Int64(limit))])
  }

  /// The numbers of the policies under which writes can be in conflict.
  private static let registers = CollectionPolicy.allCases.filter(\.isRegister)
    .map { "\($0.rawValue)" }.joined(separator: ", ")

  /// Records of which several writes stand, the last written first.
  static func openConflicts(
    in collection: String?, after cursor: PageCursor?, limit: Int
  ) -> RowQuery {
    conflicts(
      columns: "r.collection, r.key, r.record, r.conflict",
      tables: "record r CROSS JOIN collection c ON c.name = r.collection", time: "r.conflict",
      key: "r.record", collection, cursor, limit)
  }

  /// Writes that superseded several, the last first, each with the name of its record.
  static func resolvedConflicts(
    in collection: String?, after cursor: PageCursor?, limit: Int, valueBytesMax: Int
  ) -> RowQuery {
    conflicts(
      columns: RecordWriteRow.columns("w.", valueBytesMax: valueBytesMax)
        + ", r.collection, r.key, r.record, r.conflict",
      tables: "record_write w CROSS JOIN record r ON r.record = w.record"
        + " CROSS JOIN collection c ON c.name = r.collection", time: "w.resolves", key: "w.lane",
      collection, cursor, limit)
  }

  /// A read along the index over times: SQLite keeps the order of a cross join, and uses no index
  /// for a column behind a plus sign.
  private static func conflicts(
    columns: String, tables: String, time: String, key: String, _ collection: String?,
    _ cursor: PageCursor?, _ limit: Int
  ) -> RowQuery {
    var conditions = ["\(time) > 0", "c.policy IN (\(registers))"]
    var parameters: [ColumnValue] = []
    if let cursor {
      conditions.append("(\(time), \(key)) < (?, ?)")
      parameters += [.integer(cursor.key), .bytes(cursor.identifier.bytes)]
    }
    if let collection {
      conditions.append("+r.collection = ?")
      parameters.append(.text(collection))
    }
    parameters.append(.integer(Int64(limit)))
    return RowQuery(
      "SELECT \(columns) FROM \(tables) WHERE \(conditions.joined(separator: " AND "))"
        + " ORDER BY \(time) DESC, \(key) DESC LIMIT ?", parameters)
  }
}
