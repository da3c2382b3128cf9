package import Records

/// A hybrid logical clock: timestamps that extend causality and stay close to the wall clock.
///
/// Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical physical clocks" (2014). Deviations: the
/// pair of milliseconds and counter is one 64-bit number, so that a counter beyond 16 bits carries
/// into the milliseconds; one call stamps a whole group of operations; receiving does not consume
/// a timestamp, since a lane's next bundle exceeds all that was observed anyway; and the clock
/// refuses to run more than half a second ahead of the wall, where the paper bounds the lead by the
/// clocks' own error.
///
/// Invariants:
/// - C1: `latest` never goes back.
/// - C2: every timestamp handed out exceeds every one handed out or observed before.
/// - C3: no timestamp handed out is more than `leadMillisecondsMax` ahead of the wall clock that it
///   was asked with.
///
/// The clock reads no time itself: the wall's milliseconds since 1970 are an argument and may jump
/// either way.
package struct HybridClock: Hashable, Sendable {
  /// How far a timestamp may be ahead of the wall clock, in milliseconds.
  package static let leadMillisecondsMax: UInt64 = 500

  /// The largest group that is stamped at once: its timestamps span two milliseconds at most.
  package static let groupMax = 65_536

  /// What came of asking for timestamps.
  package enum Stamp: Hashable, Sendable {
    /// The group may use this timestamp and those that follow it, one per operation.
    case from(HybridTime)
    /// The timestamps would be too far ahead. The clock is unchanged; the same request succeeds
    /// once the wall clock shows this many milliseconds, unless something later is observed
    /// meanwhile.
    case notBefore(wallMilliseconds: UInt64)
  }

  /// The latest timestamp handed out or observed.
  package private(set) var latest: HybridTime

  /// Starts a clock after `latest`: the latest timestamp in the node's database, or zero.
  package init(latest: HybridTime = .zero) {
    self.latest = latest
  }

  /// Takes the next `count` timestamps, 1 to `groupMax`, for operations that happen now.
  package mutating func stamp(count: Int, wallMilliseconds: UInt64) -> Stamp {
    precondition((1...HybridClock.groupMax).contains(count), "a group of \(count) operations")
    let wall = HybridClock.time(at: wallMilliseconds)
    let (last, overflow) = max(latest.raw &+ 1, wall.raw)
      .addingReportingOverflow(UInt64(count - 1))
    precondition(latest.raw < .max && !overflow, "hybrid time is exhausted")
    let group = HybridTime(raw: last)
    if HybridClock.isTooFarAhead(group, wallMilliseconds: wallMilliseconds) {
      return .notBefore(wallMilliseconds: HybridClock.admissionMilliseconds(of: group))
    }
    let first = HybridTime(raw: last - UInt64(count - 1))
    precondition(first > latest, "C2: \(first.raw) does not exceed \(latest.raw)")
    latest = group
    return .from(first)
  }

  /// Raises the clock to a timestamp of another lane.
  ///
  /// The caller has asked `isTooFarAhead` before: a clock that follows a runaway one would have to
  /// refuse stamps until the wall catches up.
  package mutating func observe(_ time: HybridTime) {
    latest = max(latest, time)
  }

  /// Whether a received timestamp is so far ahead that what carries it must wait.
  ///
  /// Waiting is a matter of each node's own wall clock and never a ground for refusing: nodes that
  /// refused by their own clocks would end up with different histories.
  package static func isTooFarAhead(_ time: HybridTime, wallMilliseconds: UInt64) -> Bool {
    time.milliseconds > wallMilliseconds
      && time.milliseconds - wallMilliseconds > leadMillisecondsMax
  }

  /// The first reading of the wall clock at which `time` is no longer too far ahead.
  package static func admissionMilliseconds(of time: HybridTime) -> UInt64 {
    time.milliseconds > leadMillisecondsMax ? time.milliseconds - leadMillisecondsMax : 0
  }

  /// The first timestamp of a millisecond; the last millisecond that fits for any beyond.
  private static func time(at milliseconds: UInt64) -> HybridTime {
    HybridTime(milliseconds: min(milliseconds, (1 << 48) - 1), counter: 0)
  }
}
