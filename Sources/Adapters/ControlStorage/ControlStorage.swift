package import Records
internal import StorageThreads

/// The durable half of a node's control plane: term, vote, log and snapshot.
///
/// One thread writes. Steps wait in a bounded queue; whatever waits is written as one group, with
/// one write that is durable when it returns for all its entries, and one before it when term or
/// vote change. Snapshots and incarnations go the same way, so that the order of steps is the order
/// on disk (docs/protocol/control-storage.md).
///
/// ```
/// owner ── submit ──▶ queue ──▶ hard-state ─▶ snapshot ─▶ log ─▶ snapshot ─▶ onDurable(sequence)
/// ```
///
/// A failed operation ends it all: storage takes nothing more, reports nothing as durable, and the
/// owner must stop and open anew. Opening tells a write that a crash has torn, which nobody was
/// told of, from damage to what was durable (Alagappan and others, "Protocol-Aware Recovery for
/// Consensus-Based Storage", 2018): the first is dropped, the second refuses the directory, because
/// a member that has forgotten what it promised must not come back under its name.
///
/// Invariants: D1 to D4 of `ControlDisk`.
package final class ControlStorage: Sendable {
  /// Whether a step was taken.
  package enum SubmitResult: Hashable, Sendable {
    /// It will be carried out.
    case accepted
    /// Too much waits; nothing was taken.
    case busy
    /// Storage has failed or was closed; nothing was taken.
    case stopped
  }

  /// The directory.
  package let directory: String
  private let options: ControlStorageOptions
  private let lock: DirectoryLock
  private let queue: Monitor<StepQueue>
  private let thread: WorkerThread

  /// Starts the thread on opened files; `open` is the way to get here.
  init(
    directory: String, options: ControlStorageOptions, lock: DirectoryLock, disk: ControlDisk,
    writer: StepWriter
  ) {
    self.directory = directory
    self.options = options
    self.lock = lock
    queue = writer.queue
    thread = WorkerThread { writer.run(disk) }
  }

  /// Without `close`, whatever waits is dropped, as in a crash.
  deinit {
    queue.update { $0.phase = .stopped }
    thread.join()
  }

  /// Hands over a step to be made durable after all earlier ones. An answer other than `accepted`
  /// leaves the step with the caller.
  ///
  /// Entries must be new: whatever is stored from the first one's index on is void at once, so that
  /// writing again what is there already could lose its end in a crash. They follow the last entry
  /// or replace uncommitted ones, and their term is that of the hard state or older.
  package func submit(_ step: ControlWrite) -> SubmitResult {
    queue.update { queue in
      guard case .open = queue.phase else { return .stopped }
      guard !isFull(queue) else {
        queue.statistics.refusals += 1
        return .busy
      }
      queue.add(step)
      return .accepted
    }
  }

  private func isFull(_ queue: borrowing StepQueue) -> Bool {
    queue.steps.count >= options.queuedStepsMax || queue.byteCount >= options.queuedBytesMax
  }

  /// Whether the next step would be refused: the owner should take no more input until it has room.
  package var isFull: Bool { queue.read { isFull($0) } }

  /// What was done, what waits and what the files hold.
  package var statistics: ControlStorageStatistics {
    queue.read { queue in
      var statistics = queue.statistics
      statistics.queuedSteps = queue.steps.count
      statistics.queuedBytes = queue.byteCount
      return statistics
    }
  }

  /// Why storage stopped, if it did.
  package var failure: ControlStorageFailure? { queue.read { $0.failure } }

  /// Blocks until every step taken so far is durable.
  package func flush() throws(ControlStorageFailure) {
    let failure: ControlStorageFailure? = queue.wait { queue -> ControlStorageFailure?? in
      if let failure = queue.failure { return .some(failure) }
      if queue.durableSequence >= queue.lastSequence { return .some(nil) }
      if case .stopped = queue.phase { return .some(.closed) }
      return nil
    }
    if let failure { throw failure }
  }

  /// Writes what waits, ends the thread and lets the directory go. After a failure it only does the
  /// latter and throws the failure. Not to be called from a report.
  package func close() throws(ControlStorageFailure) {
    queue.update { queue in
      if case .open = queue.phase { queue.phase = .draining }
    }
    thread.join()
    lock.release()
    if let failure { throw failure }
  }
}
