internal import Records
internal import StorageThreads
internal import Telemetry

/// The thread that writes: everything that waits becomes one group.
struct StepWriter: Sendable {
  let queue: Monitor<StepQueue>
  let onDurable: @Sendable (UInt64) -> Void
  let onFailure: @Sendable (ControlStorageFailure) -> Void
  let logger: Logger

  private enum Turn {
    case group([ControlWrite])
    case idle
    case finish
    case end
  }

  /// Writes until the queue is drained and closed, stopped, or an operation fails.
  func run(_ initial: ControlDisk) {
    var disk = initial
    do throws(ControlStorageFailure) {
      while true {
        switch nextTurn(mayIdle: disk.hasIdleWork) {
        case .group(let steps):
          try write(steps, to: &disk)
          try disk.prepareInTime()
        case .idle:
          try disk.idle()
        case .finish:
          try disk.finish()
          queue.update { queue in
            queue.phase = .stopped
            queue.statistics.observe(disk)
          }
        case .end:
          return
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
    _ steps: [ControlWrite], to disk: inout ControlDisk
  ) throws(ControlStorageFailure) {
    queue.update { $0.statistics.groups += 1 }
    for run in WriteRun.split(steps) {
      try disk.write(run)
      onDurable(run.lastSequence)
      queue.update { queue in
        queue.durableSequence = run.lastSequence
        queue.statistics.steps += UInt64(run.stepCount)
        queue.statistics.observe(disk)
      }
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
    logger.log(.error, "control storage failed and stops", [LogField("cause", failure.description)])
    onFailure(failure)
  }
}
