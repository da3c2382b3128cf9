internal import StorageThreads
internal import Synchronization

/// The thread that moves long write-ahead logs into their databases while the writer goes on.
struct Checkpointer: Sendable {
  let writer: Writer
  let connections: CheckpointConnections

  /// Works until it is told to stop.
  func run() {
    while let file = nextFile() {
      do throws(SQLiteError) {
        try connections.checkpoint(file)
      } catch {
        writer.fail(StorageFailure(.checkpoint, error))
        return
      }
      writer.checkpoints.update { queue in
        queue.wanted.remove(file)
        queue.toFinish.insert(file)
      }
    }
  }

  private func nextFile() -> DatabaseFile? {
    writer.checkpoints.wait { queue -> DatabaseFile?? in
      if queue.isStopping { return .some(nil) }
      let due = queue.wanted.subtracting(queue.toFinish)
      let file = DatabaseFile.allCases.first { due.contains($0) }
      return file.map { .some($0) }
    }
  }
}

/// What the writer and the checkpointer share.
struct CheckpointQueue: Sendable {
  /// Files whose write-ahead log the checkpointer should move.
  var wanted: Set<DatabaseFile> = []
  /// Files whose checkpoint the writer should finish.
  var toFinish: Set<DatabaseFile> = []
  /// Whether the checkpointer should end.
  var isStopping = false
}

/// The checkpointer's own connections.
final class CheckpointConnections: Sendable {
  private let connections: Mutex<Pair>

  private struct Pair {
    let log: SQLiteConnection
    let state: SQLiteConnection
  }

  /// Opens a connection to each file.
  init(directory: String) throws(SQLiteError) {
    connections = Mutex(
      Pair(
        log: try SQLiteConnection(path: "\(directory)/\(LogSchema.file)", mode: .create),
        state: try SQLiteConnection(path: "\(directory)/\(StateSchema.file)", mode: .create)))
  }

  /// Moves as much of a write-ahead log as readers allow; a second mover is no failure.
  func checkpoint(_ file: DatabaseFile) throws(SQLiteError) {
    try connections.withLock { (pair) throws(SQLiteError) in
      do throws(SQLiteError) {
        switch file {
        case .log: _ = try pair.log.checkpointPassively()
        case .state: _ = try pair.state.checkpointPassively()
        }
      } catch {
        guard error.isBusy else { throw error }
      }
    }
  }
}
