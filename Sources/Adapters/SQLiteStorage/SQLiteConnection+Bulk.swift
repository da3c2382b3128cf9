package import Records

/// Filling a new file at once: nothing of it counts before all of it is there.
extension SQLiteConnection {
  /// Makes a new file that is written without a write-ahead log and without syncs. A crash leaves
  /// rubbish, so the caller fills it under a name that nobody opens, and calls `endBulk` before it
  /// gives the file its own.
  package static func bulk(
    path: String, cacheBytes: Int = 67_108_864
  ) throws(SQLiteError) -> SQLiteConnection {
    let connection = try SQLiteConnection(path: path, mode: .create, cacheBytes: cacheBytes)
    _ = try connection.text("PRAGMA journal_mode=MEMORY")
    try connection.execute("PRAGMA synchronous=OFF")
    return connection
  }

  /// Makes everything durable, the name of the file excepted, and leaves the file as other
  /// connections expect it; `mark` is a last change, which is what makes SQLite sync the whole
  /// file.
  package func endBulk(_ mark: String, _ values: [ColumnValue]) throws(SQLiteError) {
    guard try text("PRAGMA journal_mode=WAL") == "wal" else {
      throw SQLiteError(
        code: 1, message: "the file system refuses write-ahead logging", context: path)
    }
    try execute("PRAGMA synchronous=FULL")
    try cached(mark).run(values)
    try checkpointAndTruncate()
  }
}
