package import Records

/// Filling a new file at once: nothing of it counts before all of it is there.
extension SQLiteConnection {
  /// Makes a new file that is written without a write-ahead log and without syncs. A crash leaves
  /// rubbish, so the caller fills it under a name that nobody opens, and calls `endBulk` before it
  /// gives the file its own.
  package static func bulk(
    path: String, cacheBytes: Int = 402_653_184
  ) throws(SQLiteError) -> SQLiteConnection {
    let connection = try SQLiteConnection(path: path, mode: .create, cacheBytes: cacheBytes)
    _ = try connection.text("PRAGMA journal_mode=MEMORY")
    try connection.execute("PRAGMA synchronous=OFF")
    return connection
  }

  /// Begins the one transaction that fills the file.
  ///
  /// Keys come in random order: with a commit now and then each would write nearly every page of
  /// the indexes again.
  package func beginBulk() throws(SQLiteError) { try execute("BEGIN") }

  /// Makes everything durable, the name of the file excepted, and leaves the file as other
  /// connections expect it; `mark` is a last change, which is what makes SQLite sync the whole
  /// file.
  package func endBulk(_ mark: String, _ values: [ColumnValue]) throws(SQLiteError) {
    try execute("COMMIT")
    guard try text("PRAGMA journal_mode=WAL") == "wal" else {
      throw SQLiteError(
        code: 1, message: "the file system refuses write-ahead logging", context: path)
    }
    try execute("PRAGMA synchronous=FULL")
    try cached(mark).run(values)
    try checkpointAndTruncate()
  }
}
