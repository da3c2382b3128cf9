internal import Records
internal import StorageThreads
internal import Synchronization
internal import Telemetry

/// The thread that writes: everything that waits becomes one group with one sync.
struct Writer: Sendable {
  let holder: WriterHolder
  let queue: Monitor<WriterQueue>
  let checkpoints: Monitor<CheckpointQueue>
  let checkpointPages: Int
  let onDurable: @Sendable (UInt64) -> Void
  let onFailure: @Sendable (StorageFailure) -> Void
  let logger: Logger

  private enum Turn {
    case group([QueuedStep])
    case end
  }

  /// Writes until the queue is drained and closed, stopped, or a write fails.
  func run() {
    while case .group(let group) = nextTurn() {
      do throws(StorageFailure) {
        try write(group)
        try finishCheckpoints()
      } catch {
        fail(error)
        return
      }
    }
  }

  private func nextTurn() -> Turn {
    queue.wait { queue in
      switch queue.phase {
      case .stopped: return .end
      case .draining where queue.steps.isEmpty: return .end
      case .open where queue.steps.isEmpty: return nil
      case .open, .draining: break
      }
      let group = queue.steps
      queue.steps = []
      queue.byteCount = 0
      return .group(group)
    }
  }

  private func write(_ group: [QueuedStep]) throws(StorageFailure) {
    guard let last = group.last?.batch.sequence else { return }
    let start = MonotonicClock.nanoseconds
    let pages = try holder.withCore { (core) throws(StorageFailure) in
      try core.commit(group)
      return (log: core.log.connection.walPages, state: core.state.connection.walPages)
    }
    let elapsed = MonotonicClock.nanoseconds - start
    onDurable(last)
    queue.update { queue in
      queue.durableSequence = last
      queue.statistics.add(group, nanoseconds: elapsed)
      queue.statistics.logPages = pages.log
      queue.statistics.statePages = pages.state
    }
    if pages.log >= checkpointPages || pages.state >= checkpointPages {
      checkpoints.update { checkpoints in
        if pages.log >= checkpointPages { checkpoints.wanted.insert(.log) }
        if pages.state >= checkpointPages { checkpoints.wanted.insert(.state) }
      }
    }
  }

  private func finishCheckpoints() throws(StorageFailure) {
    let files = checkpoints.read(\.toFinish)
    guard !files.isEmpty else { return }
    try holder.withCore { (core) throws(StorageFailure) in
      for file in DatabaseFile.allCases where files.contains(file) {
        try core.finishCheckpoint(of: file)
      }
    }
    checkpoints.update { $0.toFinish.subtract(files) }
    queue.update { $0.statistics.checkpoints += UInt64(files.count) }
  }

  /// Stops everything: after a failed write nobody knows what the disk holds, and asking again can
  /// report success for data that the kernel has already dropped (Rebello and others, "Can
  /// applications recover from fsync failures?", 2020).
  func fail(_ failure: StorageFailure) {
    let isFirst = queue.update { queue in
      let isFirst = queue.failure == nil
      queue.failure = queue.failure ?? failure
      queue.phase = .stopped
      queue.steps = []
      queue.byteCount = 0
      return isFirst
    }
    guard isFirst else { return }
    logger.log(
      .error, "storage failed and stops",
      [
        LogField("step", failure.description),
        LogField("cause", failure.underlying?.description ?? "none"),
      ])
    onFailure(failure)
  }
}

extension StorageStatistics {
  /// Counts a group that was committed.
  fileprivate mutating func add(_ group: [QueuedStep], nanoseconds: UInt64) {
    groups += 1
    batches += UInt64(group.count)
    for step in group {
      bundles += UInt64(step.batch.bundles.count)
      for bundle in step.batch.bundles {
        operations += UInt64(bundle.operations.count)
      }
    }
    commitNanoseconds += nanoseconds
    commitNanosecondsMax = max(commitNanosecondsMax, nanoseconds)
  }
}
