internal import Records
internal import StorageThreads
internal import Telemetry

/// What the scrubber has done since storage was opened.
package struct ScrubStatistics: Hashable, Sendable {
  /// Rounds that read everything.
  package internal(set) var rounds: UInt64 = 0
  /// Rounds that could not read everything, for a reason other than damage.
  package internal(set) var interruptions: UInt64 = 0
  /// Bytes of files read by complete rounds.
  package internal(set) var bytes: UInt64 = 0
  /// Findings of damage.
  package internal(set) var findings: UInt64 = 0
  /// How long the last complete round took, in nanoseconds.
  package internal(set) var lastNanoseconds: UInt64 = 0
}

/// How a round that somebody asked for ended.
package enum ScrubOutcome: Hashable, Sendable {
  /// Everything was read and is sound: so many bytes.
  case sound(bytes: UInt64)
  /// Something is damaged; the owner has been told.
  case damaged(StorageDamage)
  /// The round did not come to its end.
  case interrupted(String)
}

/// The thread that reads everything again and again, and tells the owner of damage.
///
/// Rounds begin evenly. In a round at most half of the time is spent reading while a moment is
/// held, and the lanes are spread over half of a round's length. A round that somebody asks for
/// does not pause.
struct Scrubber: Sendable {
  let directory: String
  let tables: [TableSchema]
  let roundNanoseconds: UInt64
  let queue: Monitor<ScrubQueue>
  let onDamage: @Sendable (StorageDamage) -> Void
  let logger: Logger

  /// Reads until it is told to stop.
  func run() {
    while let waiters = nextRound() {
      let outcome = readAll(isUrgent: !waiters.isEmpty)
      if case .damaged(let damage) = outcome { onDamage(damage) }
      for waiter in waiters { waiter(outcome) }
    }
    for waiter in queue.update({ $0.takeWaiters() }) { waiter(.interrupted("storage closes")) }
  }

  /// Waits for the next round; those who asked for it, or `nil` at the end.
  private func nextRound() -> [ScrubQueue.Waiter]? {
    let asked = queue.wait(nanoseconds: roundNanoseconds) { queue -> [ScrubQueue.Waiter]?? in
      if queue.isStopping { return .some(nil) }
      return queue.waiters.isEmpty ? nil : .some(queue.takeWaiters())
    }
    return asked ?? []
  }

  private func readAll(isUrgent: Bool) -> ScrubOutcome {
    let start = MonotonicClock.nanoseconds
    var last = start
    let round = ScrubRound(directory: directory, tables: tables) { share, isHolding in
      let now = MonotonicClock.nanoseconds
      var pause = now - last
      if !isHolding {
        let due = start + UInt64(share * Double(roundNanoseconds / 2))
        pause = max(pause, due > now ? due - now : 0)
      }
      let isEnding = rest(isUrgent ? 0 : pause)
      last = MonotonicClock.nanoseconds
      return !isEnding
    }
    return note(round.run(), start)
  }

  /// Waits for this long, or until somebody asks for a round or the end; true at the end.
  private func rest(_ nanoseconds: UInt64) -> Bool {
    let isStopping = queue.wait(nanoseconds: nanoseconds) { queue -> Bool? in
      if queue.isStopping { return true }
      return queue.waiters.isEmpty ? nil : false
    }
    return isStopping ?? false
  }

  private func note(_ outcome: ScrubRound.Outcome, _ start: UInt64) -> ScrubOutcome {
    if let damage = outcome.damage {
      queue.update { $0.statistics.findings += UInt64(damage.findings.count) }
      return .damaged(damage)
    }
    guard outcome.isComplete else {
      return interrupted(outcome.interruption ?? "storage closes")
    }
    let elapsed = MonotonicClock.nanoseconds - start
    queue.update { queue in
      queue.statistics.rounds += 1
      queue.statistics.bytes += outcome.bytes
      queue.statistics.lastNanoseconds = elapsed
    }
    return .sound(bytes: outcome.bytes)
  }

  private func interrupted(_ reason: String) -> ScrubOutcome {
    queue.update { $0.statistics.interruptions += 1 }
    logger.log(.warning, "the databases could not be read through", [LogField("reason", reason)])
    return .interrupted(reason)
  }
}

/// What the owner and the scrubber share.
struct ScrubQueue: Sendable {
  /// Somebody who waits for a round to end.
  typealias Waiter = @Sendable (ScrubOutcome) -> Void

  var waiters: [Waiter] = []
  var isStopping = false
  var statistics = ScrubStatistics()

  mutating func takeWaiters() -> [Waiter] {
    defer { waiters = [] }
    return waiters
  }
}
