internal import Primitives
internal import Records

/// Measures how fast SQLite alone commits: the ceiling that the whole node is compared with.
///
/// Rows of the lanes' table go into a new file, a group per transaction and a sync per group, with
/// the writer's settings; nothing is signed, hashed or applied.
package struct IngestBenchmark: Hashable, Sendable {
  /// Rows to write in all.
  package let operationCount: Int
  /// Bytes of each row's body.
  package let operationBytes: Int
  /// Rows in one transaction.
  package let groupSize: Int

  /// What was measured.
  package struct Result: Hashable, Sendable {
    /// Rows written.
    package let operations: Int
    /// Time taken, in nanoseconds.
    package let nanoseconds: UInt64
    /// Rows in a second.
    package var operationsPerSecond: Double {
      Double(operations) / (Double(max(nanoseconds, 1)) / 1_000_000_000)
    }
  }

  /// Describes a run.
  package init(operationCount: Int, operationBytes: Int, groupSize: Int) {
    precondition(
      operationCount > 0 && operationBytes >= 0 && groupSize > 0,
      "\(operationCount) rows of \(operationBytes) bytes by \(groupSize)")
    self.operationCount = operationCount
    self.operationBytes = operationBytes
    self.groupSize = groupSize
  }

  /// Runs in an existing directory, in a file that is made anew and removed afterwards.
  package func run(directory: String) throws -> Result {
    let path = "\(directory)/bench.db"
    defer {
      for suffix in FileSystem.databaseSuffixes {
        // Left behind, a file of the benchmark harms nobody and the next run replaces it.
        try? FileSystem.remove(path + suffix)
      }
    }
    for suffix in FileSystem.databaseSuffixes {
      try FileSystem.remove(path + suffix)
    }
    let connection = try SQLiteConnection(path: path, mode: .create, cacheBytes: 8 * 1_048_576)
    try connection.execute("PRAGMA synchronous=FULL")
    _ = try Migration.apply(LogSchema.migrations, to: connection)
    return try measure(connection)
  }

  private func measure(_ connection: SQLiteConnection) throws -> Result {
    var random = Xoshiro256(seed: 1)
    let body = (0..<operationBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let insert = try connection.prepare(
      """
      INSERT INTO bundles (lane_index, number, first_sequence, operation_count, last_time, mark,
        header, signature, body) VALUES (1, ?, ?, 1, ?, 0, x'', x'', ?)
      """)
    let start = MonotonicClock.nanoseconds
    var written = 0
    while written < operationCount {
      let end = min(written + groupSize, operationCount)
      try connection.transaction { () throws(SQLiteError) in
        while written < end {
          written += 1
          let number = ColumnValue.integer(Int64(written))
          try insert.run([number, number, number, .bytes(body)])
        }
      }
      if connection.walPages >= StorageOptions().checkpointPages {
        _ = try connection.checkpointPassively()
      }
    }
    return Result(operations: written, nanoseconds: MonotonicClock.nanoseconds - start)
  }
}
