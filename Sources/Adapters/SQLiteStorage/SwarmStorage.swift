package import Records
internal import StorageThreads
internal import Synchronization

/// The durable half of one swarm: signed lanes in `log.db` and the rows they lead to in `state.db`.
///
/// One thread writes. Steps wait in a bounded queue and whatever waits is written as one group: one
/// transaction on the lanes with a sync, then one on the rows without. What is acknowledged is on
/// the disk; what a crash loses of the rows is replayed from the lanes. Two more kinds of threads
/// work beside it: readers with connections of their own and one that moves long write-ahead logs
/// into their databases (docs/protocol/storage.md).
///
/// ```
/// owner ── submit ──▶ queue ──▶ writer: log.db + sync ─▶ state.db ─▶ onDurable(sequence)
/// owner ── read ────▶ queue ──▶ readers ─▶ completion
/// ```
///
/// A failed write ends it all: storage takes nothing more, the owner must stop and open anew.
///
/// Invariants: L1 and L2 of `LogWriter`, S1 of `WriterCore`.
package final class SwarmStorage: Sendable {
  /// The longest value that `setMeta` takes, in bytes.
  package static let metaBytesMax = 1_048_576

  /// The directory.
  package let directory: String
  /// The limits.
  package let options: StorageOptions
  private let lock: DirectoryLock
  private let writer: Writer
  private let writerThread: WorkerThread
  private let checkpointerThread: WorkerThread
  private let readers: ReaderPool
  private let scrubQueue: Monitor<ScrubQueue>
  private let scrubberThread: WorkerThread
  private let onDamage: @Sendable (StorageDamage) -> Void

  /// Starts the threads on opened files; `open` is the way to get here.
  init(
    directory: String, options: StorageOptions, lock: DirectoryLock, writer: Writer,
    checkpointer: Checkpointer, readers: ReaderPool, scrubber: Scrubber
  ) {
    self.directory = directory
    self.options = options
    self.lock = lock
    self.writer = writer
    self.readers = readers
    writerThread = WorkerThread { writer.run() }
    checkpointerThread = WorkerThread { checkpointer.run() }
    scrubQueue = scrubber.queue
    onDamage = scrubber.onDamage
    scrubberThread = WorkerThread { scrubber.run() }
  }

  /// Without `close`, whatever waits is dropped, as in a crash.
  deinit {
    writer.queue.update { $0.phase = .stopped }
    stopThreads()
  }

  // MARK: Writing

  /// Hands over a step to be made durable after all earlier ones. Steps are taken one at a time, in
  /// ascending order of sequence; an answer other than `accepted` leaves the step with the caller.
  /// Rows are durable because the bundles are that they follow from: a step of rows alone is not
  /// synced and belongs to `submitReplay`.
  package func submit(_ batch: StorageBatch) -> SubmitResult {
    enqueue(QueuedStep(batch))
  }

  /// Hands over the rows that follow from bundles which are stored already; `applied` says how far
  /// the rows reflect the lanes afterwards. The step may hold no bundle, head or tile.
  package func submitReplay(_ batch: StorageBatch, applied: Frontier) -> SubmitResult {
    precondition(
      batch.bundles.isEmpty && batch.heads.isEmpty && batch.tiles.isEmpty,
      "a replayed step brings \(batch.bundles.count) bundles")
    return enqueue(QueuedStep(batch, applied: applied))
  }

  private func enqueue(_ step: QueuedStep) -> SubmitResult {
    writer.queue.update { queue in
      guard case .open = queue.phase else { return .stopped }
      guard !isFull(queue) else { return .busy }
      precondition(
        step.batch.sequence > queue.lastSequence,
        "step \(step.batch.sequence) follows \(queue.lastSequence)")
      queue.lastSequence = step.batch.sequence
      queue.byteCount += step.byteCount
      queue.steps.append(step)
      return .accepted
    }
  }

  private func isFull(_ queue: borrowing WriterQueue) -> Bool {
    queue.steps.count >= options.queuedBatchesMax || queue.byteCount >= options.queuedBytesMax
  }

  /// Whether the next step would be refused: the owner should take no more input until it has room.
  package var isFull: Bool { writer.queue.read { isFull($0) } }

  /// What was done and what waits.
  package var statistics: StorageStatistics {
    writer.queue.read { queue in
      var statistics = queue.statistics
      statistics.pendingBatches = queue.steps.count
      statistics.pendingBytes = queue.byteCount
      return statistics
    }
  }

  /// Reads that wait for a reading thread.
  package var pendingReads: Int { readers.pendingCount }

  /// Bytes of the databases and their write-ahead logs.
  package var fileBytes: UInt64 {
    var total: UInt64 = 0
    for file in [LogSchema.file, StateSchema.file] {
      for suffix in ["", "-wal"] {
        total += FileSystem.byteCount(of: "\(directory)/\(file)\(suffix)")
      }
    }
    return total
  }

  /// Why storage stopped, if it did.
  package var failure: StorageFailure? { writer.queue.read { $0.failure } }

  /// Blocks until every step taken so far is durable.
  package func flush() throws(StorageFailure) {
    let failure: StorageFailure? = writer.queue.wait { queue -> StorageFailure?? in
      if let failure = queue.failure { return .some(failure) }
      if queue.durableSequence >= queue.lastSequence { return .some(nil) }
      if case .stopped = queue.phase { return .some(StorageFailure(.closed)) }
      return nil
    }
    if let failure { throw failure }
  }

  // MARK: Named values

  /// A named value, or `nil`. Waits for a commit under way.
  package func meta(_ key: String) throws(StorageFailure) -> [UInt8]? {
    try withMeta(key) { (connection) throws(SQLiteError) in
      try connection.bytes("SELECT value FROM meta WHERE key = ?", [.text(key)])
    }
  }

  /// Stores a small named value durably, or removes it. Waits for a commit under way; the value is
  /// synced when this returns.
  package func setMeta(_ key: String, _ value: [UInt8]?) throws(StorageFailure) {
    let count = value?.count ?? 0
    precondition(count <= SwarmStorage.metaBytesMax, "value of \(count) bytes for \(key)")
    do throws(StorageFailure) {
      _ = try withMeta(key) { (connection) throws(SQLiteError) -> [UInt8]? in
        try connection.transaction { () throws(SQLiteError) in
          if let value {
            try connection.cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")
              .run([.text(key), .bytes(value)])
          } else {
            try connection.cached("DELETE FROM meta WHERE key = ?").run([.text(key)])
          }
          try Seal.storeMeta(connection)
        }
        return nil
      }
    } catch {
      if error.step != .closed { writer.fail(error) }
      throw error
    }
  }

  private func withMeta(
    _ key: String, _ body: (SQLiteConnection) throws(SQLiteError) -> [UInt8]?
  ) throws(StorageFailure) -> [UInt8]? {
    precondition(!key.hasPrefix(LogSchema.reservedPrefix), "the key \(key) is reserved")
    let refusal = writer.queue.read { queue -> StorageFailure? in
      if case .stopped = queue.phase { return queue.failure ?? StorageFailure(.closed) }
      return nil
    }
    if let refusal { throw refusal }
    return try writer.holder.withCore { (core) throws(StorageFailure) in
      do throws(SQLiteError) {
        return try body(core.log.connection)
      } catch {
        throw StorageFailure(.meta, error)
      }
    }
  }

  // MARK: Reading

  /// Runs `work` on a reading thread and hands its result to `completion` there. All that `work`
  /// reads of the rows is of one moment.
  package func read<Value: Sendable>(
    _ work: @escaping @Sendable (Reader) throws -> Value,
    completion: @escaping @Sendable (Result<Value, any Error>) -> Void
  ) -> SubmitResult {
    readers.submit { [onDamage] reader in
      let result = Result { try reader.inSnapshot { try work(reader) } }
      if case .failure(let error) = result, let damage = StorageDamage(error) { onDamage(damage) }
      completion(result)
    }
  }

  /// A reader of its own for a thread that reads much; to be used by that thread alone.
  package func makeReader(cacheBytes: Int = 2_097_152) throws -> Reader {
    try Reader(directory: directory, cacheBytes: cacheBytes)
  }

  // MARK: Reading everything

  /// Reads everything now, without pauses, and tells how that ended, on a thread of its own. What
  /// is damaged is also told to the owner as any damage is.
  package func scrub(completion: @escaping @Sendable (ScrubOutcome) -> Void) {
    let isStopping = scrubQueue.update { queue in
      if !queue.isStopping { queue.waiters.append(completion) }
      return queue.isStopping
    }
    if isStopping { completion(.interrupted("storage closes")) }
  }

  /// What reading everything has found so far.
  package var scrubStatistics: ScrubStatistics { scrubQueue.read(\.statistics) }

  // MARK: Closing

  /// Writes what waits, moves both write-ahead logs into their databases, marks the directory as
  /// closed and lets it go. After a failure it only ends the threads, lets the directory go and
  /// throws the failure. Not to be called from a completion or report.
  package func close() throws(StorageFailure) {
    let wasOpen = writer.queue.update { queue in
      guard case .open = queue.phase else { return false }
      queue.phase = .draining
      return true
    }
    stopThreads()
    defer {
      writer.holder.close()
      lock.release()
    }
    if let failure { throw failure }
    guard wasOpen else { throw StorageFailure(.closed) }
    writer.queue.update { $0.phase = .stopped }
    try writer.holder.withCore { (core) throws(StorageFailure) in
      try core.close()
    }
  }

  private func stopThreads() {
    scrubQueue.update { $0.isStopping = true }
    scrubberThread.join()
    writerThread.join()
    writer.checkpoints.update { $0.isStopping = true }
    checkpointerThread.join()
    readers.stop()
  }
}
