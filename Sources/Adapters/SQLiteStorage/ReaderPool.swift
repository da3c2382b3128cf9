internal import Records
internal import StorageThreads
internal import Synchronization

/// The threads that read, each with connections of its own; what they should read waits in one
/// bounded queue.
final class ReaderPool: Sendable {
  /// What a reading thread does.
  typealias Work = @Sendable (Reader) -> Void

  private let queue: Monitor<Queue>
  private let threads: [WorkerThread]
  private let queuedMax: Int

  private struct Queue: Sendable {
    var works: [Work] = []
    var isStopping = false
  }

  /// Opens the connections and starts the threads.
  init(directory: String, options: StorageOptions) throws(SQLiteError) {
    precondition(options.readerCount > 0, "\(options.readerCount) readers")
    let queue = Monitor(Queue())
    var holders: [ReaderHolder] = []
    for _ in 0..<options.readerCount {
      holders.append(
        try ReaderHolder(directory: directory, cacheBytes: options.readerCacheBytes))
    }
    self.queue = queue
    queuedMax = options.queuedReadsMax
    threads = holders.map { holder in
      WorkerThread {
        while let work = ReaderPool.next(queue) {
          holder.run(work)
        }
      }
    }
  }

  /// Reads that wait for a thread.
  var pendingCount: Int { queue.read { $0.works.count } }

  /// Queues `work` unless too much waits.
  func submit(_ work: @escaping Work) -> SubmitResult {
    queue.update { queue in
      if queue.isStopping { return .stopped }
      if queue.works.count >= queuedMax { return .busy }
      queue.works.append(work)
      return .accepted
    }
  }

  /// Does what waits and ends the threads.
  func stop() {
    queue.update { $0.isStopping = true }
    for thread in threads {
      thread.join()
    }
  }

  private static func next(_ queue: Monitor<Queue>) -> Work? {
    queue.wait { queue -> Work?? in
      // The queue is short, so that moving its rest costs less than a ring would be to read.
      if !queue.works.isEmpty { return .some(queue.works.removeFirst()) }
      return queue.isStopping ? .some(nil) : nil
    }
  }
}

/// A reader between works.
private final class ReaderHolder: Sendable {
  private let reader: Mutex<Reader>

  init(directory: String, cacheBytes: Int) throws(SQLiteError) {
    reader = Mutex(try Reader(directory: directory, cacheBytes: cacheBytes))
  }

  func run(_ work: ReaderPool.Work) {
    reader.withLock { work($0) }
  }
}
