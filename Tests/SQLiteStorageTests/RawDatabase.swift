import CSQLite
import Testing

/// SQLite without storage in between: how the tests plant what storage should find.
enum RawDatabase {
  /// Runs statements on a file.
  static func execute(_ sql: String, on path: String) throws {
    var handle: OpaquePointer?
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    defer { sqlite3_close(handle) }
    let status = sqlite3_exec(handle, sql, nil, nil, nil)
    let message = sqlite3_errmsg(handle).map { String(cString: $0) } ?? ""
    try #require(status == SQLITE_OK, "\(message) in \(sql)")
  }

  /// The first column of the first row as an integer.
  static func integer(_ sql: String, on path: String) throws -> Int64 {
    var handle: OpaquePointer?
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    defer { sqlite3_close(handle) }
    var statement: OpaquePointer?
    try #require(sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK)
    defer { sqlite3_finalize(statement) }
    try #require(sqlite3_step(statement) == SQLITE_ROW)
    return sqlite3_column_int64(statement, 0)
  }
}
