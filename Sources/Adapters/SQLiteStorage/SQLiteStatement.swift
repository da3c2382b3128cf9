internal import CSQLite
package import Records

/// A prepared statement, finalized with its last reference; used by one thread at a time.
package final class SQLiteStatement {
  private let handle: OpaquePointer
  private let sql: String

  /// Compiles the first statement of `sql`; refuses text after it and text without any.
  init(_ sql: String, in database: OpaquePointer) throws(SQLiteError) {
    var compiled: OpaquePointer?
    var isWhole = false
    let status = sql.withCString { text in
      var tail: UnsafePointer<CChar>?
      let status = unsafe sqlite3_prepare_v3(
        database, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, &tail)
      isWhole = tail.map { unsafe $0.pointee == 0 } ?? false
      return status
    }
    guard status == SQLITE_OK else { throw SQLiteConnection.error(status, of: database, in: sql) }
    guard let handle = compiled else {
      throw SQLiteError(code: SQLITE_MISUSE, message: "no statement", context: sql)
    }
    self.handle = handle
    self.sql = sql
    guard isWhole else {
      throw SQLiteError(code: SQLITE_MISUSE, message: "more than one statement", context: sql)
    }
  }

  deinit {
    _ = unsafe sqlite3_finalize(handle)
  }

  /// Runs the statement once with `values` as its parameters, ignoring rows.
  package func run(_ values: [ColumnValue] = []) throws(SQLiteError) {
    try withBound(values) { () throws(SQLiteError) in
      while try step() {}
    }
  }

  /// Whether the statement returned another row.
  package func step() throws(SQLiteError) -> Bool {
    let status = unsafe sqlite3_step(handle)
    switch status {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw SQLiteConnection.error(status, of: unsafe sqlite3_db_handle(handle), in: sql)
    }
  }

  /// Binds `values`, runs `body` and resets. SQLite reads the values' own bytes: each level of the
  /// recursion keeps one value in place until the body is done.
  package func withBound<Result>(
    _ values: [ColumnValue], _ body: () throws(SQLiteError) -> Result
  ) throws(SQLiteError) -> Result {
    defer {
      // The codes repeat the failure of the last step, which was already thrown.
      _ = unsafe sqlite3_reset(handle)
      _ = unsafe sqlite3_clear_bindings(handle)
    }
    let expected = Int(unsafe sqlite3_bind_parameter_count(handle))
    guard values.count == expected else {
      throw SQLiteError(
        code: SQLITE_RANGE, message: "\(values.count) values for \(expected) parameters",
        context: sql)
    }
    return try bind(values, from: 0, body)
  }

  private func bind<Result>(
    _ values: [ColumnValue], from index: Int, _ body: () throws(SQLiteError) -> Result
  ) throws(SQLiteError) -> Result {
    guard index < values.count else { return try body() }
    let place = Int32(index + 1)
    switch values[index] {
    case .null:
      try check(unsafe sqlite3_bind_null(handle, place))
      return try bind(values, from: index + 1, body)
    case .integer(let number):
      try check(unsafe sqlite3_bind_int64(handle, place, number))
      return try bind(values, from: index + 1, body)
    case .text(let text):
      return try text.utf8.span.bytes.withUnsafeBytes { (bytes) throws(SQLiteError) -> Result in
        let characters = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        try check(
          unsafe csqlite_bind_text_borrowed(handle, place, characters, UInt64(bytes.count)))
        return try bind(values, from: index + 1, body)
      }
    case .bytes(let array):
      return try array.span.bytes.withUnsafeBytes { (bytes) throws(SQLiteError) -> Result in
        try check(
          unsafe csqlite_bind_blob_borrowed(
            handle, place, bytes.baseAddress, UInt64(bytes.count)))
        return try bind(values, from: index + 1, body)
      }
    }
  }

  private func check(_ status: Int32) throws(SQLiteError) {
    guard status == SQLITE_OK else {
      throw SQLiteConnection.error(status, of: unsafe sqlite3_db_handle(handle), in: sql)
    }
  }

  // MARK: The current row

  /// The number of columns.
  package var columnCount: Int { Int(unsafe sqlite3_column_count(handle)) }

  /// An integer; 0 for NULL.
  package func integer(_ column: Int) -> Int64 {
    unsafe sqlite3_column_int64(handle, Int32(column))
  }

  /// A number stored by its bit pattern.
  package func unsigned(_ column: Int) -> UInt64 { UInt64(bitPattern: integer(column)) }

  /// A copy of a blob's or text's bytes; empty for NULL.
  package func bytes(_ column: Int) -> [UInt8] {
    withBytes(column) { Array($0) }
  }

  /// Text, bytes that are not UTF-8 replaced.
  package func text(_ column: Int) -> String {
    withBytes(column) { String(decoding: $0, as: UTF8.self) }
  }

  /// A blob's bytes where SQLite keeps them, valid only inside `body`.
  func withBytes<Result>(_ column: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    // The order matters: asking for the count first could convert the value afterwards.
    let start = unsafe sqlite3_column_blob(handle, Int32(column))
    let count = Int(unsafe sqlite3_column_bytes(handle, Int32(column)))
    return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  /// A value with the type it is stored with; a real number, which no table of ours holds, reads as
  /// NULL.
  package func value(_ column: Int) -> ColumnValue {
    switch unsafe sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_TEXT: .text(text(column))
    case SQLITE_BLOB: .bytes(bytes(column))
    default: .null
    }
  }

  /// All values of the row.
  package var row: [ColumnValue] { (0..<columnCount).map(value(_:)) }
}
