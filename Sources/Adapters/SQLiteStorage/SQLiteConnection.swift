internal import CSQLite
package import Records

/// One connection to one database file; used by one thread at a time.
///
/// Opened without SQLite's own mutexes: a connection lives inside a `Mutex`, or belongs to the
/// thread that made it.
package final class SQLiteConnection {
  /// How a file is opened.
  package enum Mode {
    /// For reading and writing, made when absent.
    case create
    /// For reading only: the file is never changed.
    case readOnly
    /// For reading and writing, gone with the connection.
    case memory
  }

  /// The most statements kept compiled.
  package static let statementsMax = 64

  private let handle: OpaquePointer
  private let walPageCount: UnsafeMutablePointer<Int32>
  private var statements: [String: (statement: SQLiteStatement, use: UInt64)] = [:]
  private var uses: UInt64 = 0
  /// The path of the file.
  package let path: String

  /// Opens a file and sets what every connection has in common.
  package init(path: String, mode: Mode, cacheBytes: Int = 2_097_152) throws(SQLiteError) {
    let flags =
      switch mode {
      case .create, .memory: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
      case .readOnly: SQLITE_OPEN_READONLY
      }
    var opened: OpaquePointer?
    let path = mode == .memory ? ":memory:" : path
    let status = unsafe sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard let handle = opened else {
      throw SQLiteError(code: status, message: "out of memory", context: path)
    }
    self.handle = handle
    self.path = path
    walPageCount = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    walPageCount.initialize(to: 0)
    guard status == SQLITE_OK else { throw SQLiteConnection.error(status, of: handle, in: path) }
    _ = unsafe sqlite3_extended_result_codes(handle, 1)
    _ = unsafe sqlite3_busy_timeout(handle, 10_000)
    try check(unsafe csqlite_disable_checkpoint_on_close(handle), in: "NO_CKPT_ON_CLOSE")
    try check(unsafe csqlite_set_defensive(handle), in: "DEFENSIVE")
    try execute("PRAGMA trusted_schema=OFF")
    try execute("PRAGMA cell_size_check=ON")
    try execute("PRAGMA mmap_size=0")
    try execute("PRAGMA cache_size=-\(cacheBytes / 1_024)")
    switch mode {
    case .create: try configureWriter()
    case .readOnly: try execute("PRAGMA query_only=ON")
    case .memory: break
    }
  }

  deinit {
    statements.removeAll()
    // Deferred by SQLite until a statement that is still referenced elsewhere is finalized.
    _ = unsafe sqlite3_wal_hook(handle, nil, nil)
    _ = unsafe sqlite3_close_v2(handle)
    walPageCount.deallocate()
  }

  private func configureWriter() throws(SQLiteError) {
    try execute("PRAGMA page_size=4096")
    guard try text("PRAGMA journal_mode=WAL") == "wal" else {
      throw SQLiteError(
        code: SQLITE_CANTOPEN, message: "the file system refuses write-ahead logging",
        context: path)
    }
    // Freed pages are not overwritten: nothing here is secret after deletion.
    try execute("PRAGMA secure_delete=OFF")
    try execute("PRAGMA temp_store=MEMORY")
    try execute("PRAGMA wal_autocheckpoint=0")
    _ = unsafe sqlite3_wal_hook(
      handle,
      { context, _, _, pages in
        context?.assumingMemoryBound(to: Int32.self).pointee = pages
        return SQLITE_OK
      }, walPageCount)
  }

  /// Pages in the write-ahead log after this connection's last commit.
  package var walPages: Int { Int(walPageCount.pointee) }

  /// Runs statements that return nothing of interest.
  package func execute(_ sql: String) throws(SQLiteError) {
    try check(unsafe sqlite3_exec(handle, sql, nil, nil, nil), in: sql)
  }

  /// A compiled statement that is not kept.
  package func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
    try SQLiteStatement(sql, in: handle)
  }

  /// A compiled statement, kept under its text; beyond the limit the least recently used one goes.
  package func cached(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
    uses += 1
    if let found = statements[sql]?.statement {
      statements[sql]?.use = uses
      return found
    }
    if statements.count >= SQLiteConnection.statementsMax {
      if let oldest = statements.min(by: { $0.value.use < $1.value.use })?.key {
        statements[oldest] = nil
      }
    }
    let statement = try prepare(sql)
    statements[sql] = (statement, uses)
    return statement
  }

  /// The first column of the first row as an integer, or `nil` without a row.
  package func integer(_ sql: String, _ values: [ColumnValue] = []) throws(SQLiteError) -> Int64? {
    let statement = try cached(sql)
    return try statement.withBound(values) { () throws(SQLiteError) -> Int64? in
      try statement.step() ? statement.integer(0) : nil
    }
  }

  /// The first column of the first row as bytes, or `nil` without a row.
  package func bytes(_ sql: String, _ values: [ColumnValue] = []) throws(SQLiteError) -> [UInt8]? {
    let statement = try cached(sql)
    return try statement.withBound(values) { () throws(SQLiteError) -> [UInt8]? in
      try statement.step() ? statement.bytes(0) : nil
    }
  }

  /// The first column of the first row as text; empty without a row.
  package func text(_ sql: String) throws(SQLiteError) -> String {
    let statement = try prepare(sql)
    return try statement.step() ? statement.text(0) : ""
  }

  /// Runs `body` in a transaction that takes the write lock at once; rolls back when it throws.
  package func transaction<Result>(
    _ body: () throws(SQLiteError) -> Result
  ) throws(SQLiteError) -> Result {
    try cached("BEGIN IMMEDIATE").run()
    do throws(SQLiteError) {
      let result = try body()
      try cached("COMMIT").run()
      return result
    } catch {
      // Some failures have already rolled back; a second failure adds nothing to the first.
      _ = unsafe sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
      throw error
    }
  }

  /// What a checkpoint did.
  package struct Checkpoint {
    /// Pages in the log, or 0 after a truncation.
    package let logPages: Int
    /// Pages of the log that are in the database now.
    package let movedPages: Int
  }

  /// Moves the write-ahead log into the database as far as readers allow.
  package func checkpointPassively() throws(SQLiteError) -> Checkpoint {
    try checkpoint(SQLITE_CHECKPOINT_PASSIVE)
  }

  /// Moves the whole write-ahead log into the database, syncs it and empties the log.
  package func checkpointAndTruncate() throws(SQLiteError) {
    _ = try checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
  }

  private func checkpoint(_ kind: Int32) throws(SQLiteError) -> Checkpoint {
    var logPages: Int32 = 0
    var movedPages: Int32 = 0
    try check(
      unsafe sqlite3_wal_checkpoint_v2(handle, nil, kind, &logPages, &movedPages),
      in: "checkpoint of \(path)")
    return Checkpoint(logPages: Int(logPages), movedPages: Int(movedPages))
  }

  /// What `PRAGMA quick_check` finds, at most `limit` lines; empty when the file is sound.
  package func quickCheck(limit: Int = 20) throws(SQLiteError) -> [String] {
    let statement = try prepare("PRAGMA quick_check(\(limit))")
    var lines: [String] = []
    while try statement.step() {
      lines.append(statement.text(0))
    }
    return lines == ["ok"] ? [] : lines
  }

  /// What `PRAGMA integrity_check` finds, which also compares every index with its table.
  package func integrityCheck(limit: Int = 20) throws(SQLiteError) -> [String] {
    let statement = try prepare("PRAGMA integrity_check(\(limit))")
    var lines: [String] = []
    while try statement.step() {
      lines.append(statement.text(0))
    }
    return lines == ["ok"] ? [] : lines
  }

  private func check(_ status: Int32, in context: String) throws(SQLiteError) {
    guard status == SQLITE_OK else { throw SQLiteConnection.error(status, of: handle, in: context) }
  }

  /// The connection's last error.
  static func error(
    _ status: Int32, of database: OpaquePointer?, in context: String
  ) -> SQLiteError {
    let code = unsafe sqlite3_extended_errcode(database)
    let message = unsafe sqlite3_errmsg(database).map { String(cString: $0) } ?? "unknown"
    return SQLiteError(
      code: code & 0xff == status & 0xff ? code : status, message: message, context: context,
      path: unsafe sqlite3_db_filename(database, "main").map { String(cString: $0) } ?? "")
  }
}
