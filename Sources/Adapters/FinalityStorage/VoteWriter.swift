internal import ControlStorage
internal import StorageThreads
internal import Telemetry

/// What the owner of a vote journal and the thread that writes share.
struct VoteQueue: Sendable {
  /// How far the journal's life has come.
  enum Phase: Sendable {
    /// Steps are taken.
    case open
    /// No more steps are taken; those that wait are written.
    case draining
    /// Nothing is written any more.
    case stopped
  }

  private(set) var steps: [VoteStep] = []
  private(set) var byteCount = 0
  var phase = Phase.open
  /// The sequence of the last step that was taken.
  private(set) var lastSequence: UInt64 = 0
  /// Everything up to this sequence is durable.
  var durableSequence: UInt64 = 0
  var failure: ControlStorageFailure?
  var statistics = VoteJournalStatistics()

  /// Adds a step, which must follow the last one.
  mutating func add(_ step: VoteStep) {
    precondition(step.sequence > lastSequence, "step \(step.sequence) follows \(lastSequence)")
    lastSequence = step.sequence
    byteCount += step.byteCount
    steps.append(step)
  }

  /// Takes out everything.
  mutating func takeAll() -> [VoteStep] {
    defer {
      steps = []
      byteCount = 0
    }
    return steps
  }
}

/// The thread that writes a vote journal: everything that waits becomes one group.
struct VoteWriter: Sendable {
  let queue: Monitor<VoteQueue>
  let onDurable: @Sendable (UInt64) -> Void
  let onFailure: @Sendable (ControlStorageFailure) -> Void
  let logger: Logger

  private enum Turn {
    case group([VoteStep])
    case idle
    case finish
    case end
  }

  /// Writes until the queue is drained and closed, stopped, or an operation fails.
  func run(_ initial: JournalDisk) {
    var disk = initial
    do throws(ControlStorageFailure) {
      while true {
        switch nextTurn(mayIdle: disk.hasIdleWork) {
        case .group(let steps): try write(steps, to: &disk)
        case .idle: try disk.idle()
        case .finish:
          try disk.idle()
          queue.update { $0.phase = .stopped }
        case .end: return
        }
      }
    } catch {
      fail(error)
    }
  }

  private func nextTurn(mayIdle: Bool) -> Turn {
    queue.wait { queue in
      if case .stopped = queue.phase { return .end }
      if !queue.steps.isEmpty { return .group(queue.takeAll()) }
      if case .draining = queue.phase { return .finish }
      return mayIdle ? .idle : nil
    }
  }

  private func write(
    _ steps: [VoteStep], to disk: inout JournalDisk
  ) throws(ControlStorageFailure) {
    guard let last = steps.last?.sequence else { return }
    try disk.write(steps)
    onDurable(last)
    let done = disk.statistics
    queue.update { queue in
      let refusals = queue.statistics.refusals
      queue.durableSequence = last
      queue.statistics = done
      queue.statistics.refusals = refusals
    }
  }

  /// Stops everything: after a failed write nobody knows what the disk holds, and asking again can
  /// report success for data that the kernel has already dropped (Rebello and others, "Can
  /// applications recover from fsync failures?", 2020).
  private func fail(_ failure: ControlStorageFailure) {
    queue.update { queue in
      queue.failure = failure
      queue.phase = .stopped
      _ = queue.takeAll()
    }
    logger.log(
      .error, "the vote journal failed: nothing more is signed",
      [LogField("cause", failure.description)])
    onFailure(failure)
  }
}
