import AgentAPI
import CSQLite
import LedgerCore
import Records

/// The state tables in a SQLite database in memory, so that the interface's SQL is really run.
final class MemoryDatabase {
  private var handle: OpaquePointer?

  init() {
    let status = sqlite3_open(":memory:", &handle)
    precondition(status == SQLITE_OK, "SQLite does not open a database: \(status)")
    for schema in LiveTables.schemas {
      let columns = schema.columns.map(\.name)
      let key = columns.prefix(schema.keyColumnCount).joined(separator: ", ")
      execute(
        "CREATE TABLE \(schema.name) (\(columns.joined(separator: ", ")), PRIMARY KEY (\(key)))"
          + " WITHOUT ROWID")
      for (index, names) in schema.indexes.enumerated() {
        let list = names.joined(separator: ", ")
        execute("CREATE INDEX \(schema.name)_\(index) ON \(schema.name) (\(list))")
      }
    }
  }

  deinit { sqlite3_close(handle) }

  func store(_ row: Row) {
    guard let schema = LiveTables.schemas.first(where: { $0.number == row.table }) else {
      preconditionFailure("no table \(row.table)")
    }
    let marks = Array(repeating: "?", count: row.values.count).joined(separator: ", ")
    _ = rows("INSERT OR REPLACE INTO \(schema.name) VALUES (\(marks))", row.values)
  }

  func rows(_ query: RowQuery) -> RowSet { rows(query.sql, query.parameters) }

  /// How SQLite goes about a query: one line per step.
  func plan(_ query: RowQuery) -> [String] {
    rows("EXPLAIN QUERY PLAN " + query.sql, query.parameters).compactMap { row in
      if case .text(let line)? = row.last { line } else { nil }
    }
  }

  private func execute(_ sql: String) {
    _ = rows(sql, [])
  }

  private func rows(_ sql: String, _ parameters: [ColumnValue]) -> RowSet {
    var statement: OpaquePointer?
    let status = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    precondition(status == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle))): \(sql)")
    defer { sqlite3_finalize(statement) }
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    for (index, value) in parameters.enumerated() {
      let place = Int32(index + 1)
      switch value {
      case .null: sqlite3_bind_null(statement, place)
      case .integer(let number): sqlite3_bind_int64(statement, place, number)
      case .text(let text):
        sqlite3_bind_text(statement, place, text, Int32(text.utf8.count), transient)
      case .bytes(let bytes):
        // An empty blob needs a pointer all the same, or it is NULL.
        (bytes.isEmpty ? [0] : bytes).withUnsafeBytes {
          _ = sqlite3_bind_blob(statement, place, $0.baseAddress, Int32(bytes.count), transient)
        }
      }
    }
    var result: RowSet = []
    while sqlite3_step(statement) == SQLITE_ROW {
      result.append((0..<sqlite3_column_count(statement)).map { column(statement, $0) })
    }
    return result
  }

  private func column(_ statement: OpaquePointer?, _ index: Int32) -> ColumnValue {
    let count = Int(sqlite3_column_bytes(statement, index))
    switch sqlite3_column_type(statement, index) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
    case SQLITE_TEXT:
      let bytes = UnsafeBufferPointer(start: sqlite3_column_text(statement, index), count: count)
      return .text(String(decoding: bytes, as: UTF8.self))
    case SQLITE_BLOB:
      let bytes = UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, index), count: count)
      return .bytes(Array(bytes))
    default: return .null
    }
  }
}
