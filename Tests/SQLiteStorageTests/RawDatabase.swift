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

  /// Every value of every table of `names` as SQLite reads it, in order of the tables' trees; `nil`
  /// when something cannot be read.
  static func content(of names: [String], in path: String) -> [String]? {
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK else { return nil }
    defer { sqlite3_close(handle) }
    var lines: [String] = []
    for name in names {
      var statement: OpaquePointer?
      let sql = "SELECT * FROM \(name) NOT INDEXED"
      guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { return nil }
      defer { sqlite3_finalize(statement) }
      while true {
        let status = sqlite3_step(statement)
        if status == SQLITE_DONE { break }
        guard status == SQLITE_ROW else { return nil }
        let values = (0..<sqlite3_column_count(statement)).map { column in
          let start = sqlite3_column_blob(statement, column)
          let count = Int(sqlite3_column_bytes(statement, column))
          let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
          return "\(sqlite3_column_type(statement, column)) \(Array(bytes))"
        }
        lines.append("\(name): \(values)")
      }
    }
    return lines
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
