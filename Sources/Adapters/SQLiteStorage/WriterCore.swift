internal import Records
internal import Synchronization

/// One step with how far the rows reflect the lanes after it, where the step itself does not tell.
struct QueuedStep: Sendable {
  let batch: StorageBatch
  /// For steps that replay bundles that are already stored.
  let applied: Frontier?
  /// About how much memory the step holds.
  let byteCount: Int

  init(_ batch: StorageBatch, applied: Frontier? = nil) {
    self.batch = batch
    self.applied = applied
    var count = batch.rowSet.count
    for bundle in batch.bundles {
      count += bundle.header.bodyByteCount + 512
    }
    for row in batch.rows {
      count += 64
      for value in row.values {
        switch value {
        case .null, .integer: count += 8
        case .text(let text): count += text.utf8.count
        case .bytes(let bytes): count += bytes.count
        }
      }
    }
    byteCount = count
  }
}

/// The two connections that change the files.
///
/// Invariant:
/// - S1: `state.db` never reflects a bundle that `log.db` does not hold durably. The lanes are
///   committed and synced first; only then are the rows.
struct WriterCore {
  var log: LogWriter
  var state: StateWriter

  /// Makes one group durable.
  mutating func commit(_ group: [QueuedStep]) throws(StorageFailure) {
    do throws(SQLiteError) {
      try log.commit(group.map(\.batch))
    } catch {
      throw StorageFailure(.log, error)
    }
    var applied: [LaneID: UInt64] = [:]
    for step in group {
      for head in step.batch.heads {
        applied[head.lane] = head.number
      }
      for entry in step.applied?.entries ?? [] {
        let head = log.head(of: entry.lane)
        precondition(entry.number <= head, "S1: applied \(entry.number) of a lane held to \(head)")
        applied[entry.lane] = max(entry.number, applied[entry.lane] ?? 0)
      }
    }
    do throws(SQLiteError) {
      try state.commit(group.map(\.batch), applied: applied)
    } catch {
      throw StorageFailure(.state, error)
    }
  }

  /// The connection to one of the files.
  func connection(to file: DatabaseFile) -> SQLiteConnection {
    switch file {
    case .log: log.connection
    case .state: state.connection
    }
  }

  /// Moves what is left of a write-ahead log, which is short, so that the next commit starts the
  /// log anew: a log that is appended to without a pause is never moved completely by another
  /// connection and would grow without bound.
  func finishCheckpoint(of file: DatabaseFile) throws(StorageFailure) {
    do throws(SQLiteError) {
      _ = try connection(to: file).checkpointPassively()
    } catch {
      guard error.isBusy else { throw StorageFailure(.checkpoint, error) }
    }
  }

  /// Leaves the files complete and marked as closed.
  func close() throws(StorageFailure) {
    do throws(SQLiteError) {
      try truncate(.state)
      try log.connection.cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")
        .run([LogSchema.clean, .bytes([1])])
      try truncate(.log)
    } catch {
      throw StorageFailure(.checkpoint, error)
    }
  }

  private func truncate(_ file: DatabaseFile) throws(SQLiteError) {
    do throws(SQLiteError) {
      try connection(to: file).checkpointAndTruncate()
    } catch {
      // Somebody still reads. The write-ahead log stays beside the database: longer, not less
      // sound.
      guard error.isBusy else { throw error }
    }
  }
}

/// The databases of a swarm.
package enum DatabaseFile: CaseIterable, Hashable, Sendable {
  /// The lanes.
  case log
  /// The rows that follow from them.
  case state

  /// The file's name.
  package var name: String {
    switch self {
    case .log: LogSchema.file
    case .state: StateSchema.file
    }
  }
}

/// Holds the writing connections for the writer's thread and for named values.
final class WriterHolder: Sendable {
  private let core: Mutex<WriterCore?>

  init(_ core: sending WriterCore) {
    self.core = Mutex(core)
  }

  /// Runs `body` on the connections, one caller at a time.
  func withCore<Result: Sendable>(
    _ body: (inout WriterCore) throws(StorageFailure) -> Result
  ) throws(StorageFailure) -> Result {
    try core.withLock { (slot) throws(StorageFailure) in
      guard var core = slot else { throw StorageFailure(.closed) }
      // Moved out and back, so that the dictionary inside is changed in place.
      slot = nil
      defer { slot = core }
      return try body(&core)
    }
  }

  /// Closes the connections.
  func close() {
    core.withLock { $0 = nil }
  }
}
