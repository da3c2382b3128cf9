/// The times without a successful write of one tier.
///
/// A *pause* is the time between consecutive successes, in the order of their answers; the time
/// from the start to the first success and from the last one to the end count too. An *outage* is
/// the time from a fault to the next success, which is what a fault costs whoever writes then.
package struct WriteGaps: Equatable, Sendable {
  /// A time without success.
  package struct Gap: Equatable, Sendable {
    /// The last success or the fault before it, in nanoseconds.
    package let start: UInt64
    /// The success that ended it, or the end of the run.
    package let end: UInt64
    /// Writes that were called in it: 0 means that nobody tried.
    package let attempts: Int
    /// Whether a success ended it.
    package let isClosed: Bool

    /// Its length in nanoseconds.
    package var nanoseconds: UInt64 { end - start }
  }

  /// The longest pauses are kept up to this many.
  package static let longestMax = 20

  /// The tier.
  package let tier: WriteTier
  /// Writes that were acknowledged.
  package let acknowledged: Int
  /// Writes whose outcome is unknown.
  package let unknown: Int
  /// Writes that were refused.
  package let refused: Int
  /// The longest pauses, in the order of time.
  package let longestPauses: [Gap]
  /// The middle one of all pauses, in nanoseconds; 0 without any.
  package let pauseMedian: UInt64
  /// The longest of all pauses.
  package let pauseMax: UInt64
  /// One outage per fault, in the order of the faults.
  package let outages: [Gap]
  /// The middle one of all outages, in nanoseconds; 0 without any.
  package let outageMedian: UInt64
  /// The longest of all outages.
  package let outageMax: UInt64

  /// Measures one tier from `start` to `end`; attempts of other tiers are left out.
  package init(
    of tier: WriteTier, in attempts: [WriteAttempt], faults: [UInt64] = [], from start: UInt64,
    to end: UInt64
  ) {
    precondition(start <= end, "a run from \(start) to \(end)")
    let own = attempts.filter { $0.tier == tier }
    self.tier = tier
    acknowledged = own.count { $0.outcome == .acknowledged }
    unknown = own.count { $0.outcome == .unknown }
    refused = own.count { $0.outcome == .refused }
    let scale = Scale(own, from: start, to: end)
    let pauses = scale.pauses()
    longestPauses =
      pauses.sorted { ($1.nanoseconds, $0.start) < ($0.nanoseconds, $1.start) }
      .prefix(Self.longestMax).sorted { $0.start < $1.start }
    pauseMedian = Self.median(pauses)
    pauseMax = pauses.lazy.map(\.nanoseconds).max() ?? 0
    outages = faults.sorted().filter { $0 >= start && $0 < end }.map(scale.outage)
    outageMedian = Self.median(outages)
    outageMax = outages.lazy.map(\.nanoseconds).max() ?? 0
  }

  /// Measures every tier that was tried.
  package static func ofAllTiers(
    in attempts: [WriteAttempt], faults: [UInt64] = [], from start: UInt64, to end: UInt64
  ) -> [WriteGaps] {
    WriteTier.allCases.filter { tier in attempts.contains { $0.tier == tier } }
      .map { WriteGaps(of: $0, in: attempts, faults: faults, from: start, to: end) }
  }

  /// The middle length; of an even number, the mean of the middle two.
  private static func median(_ gaps: [Gap]) -> UInt64 {
    let lengths = gaps.map(\.nanoseconds).sorted()
    guard !lengths.isEmpty else { return 0 }
    let high = lengths[lengths.count / 2]
    guard lengths.count % 2 == 0 else { return high }
    let low = lengths[lengths.count / 2 - 1]
    return low + (high - low) / 2
  }
}

/// The calls and the successes of one tier in the order of time.
private struct Scale {
  let calls: [UInt64]
  let successes: [UInt64]
  let start: UInt64
  let end: UInt64

  init(_ attempts: [WriteAttempt], from start: UInt64, to end: UInt64) {
    calls = attempts.map(\.call).sorted()
    successes =
      attempts.compactMap { $0.outcome == .acknowledged ? $0.answered : nil }
      .filter { $0 >= start && $0 <= end }.sorted()
    self.start = start
    self.end = end
  }

  func pauses() -> [WriteGaps.Gap] {
    var pauses: [WriteGaps.Gap] = []
    pauses.reserveCapacity(successes.count + 1)
    var last = start
    for success in successes {
      pauses.append(gap(from: last, to: success, isClosed: true))
      last = success
    }
    if last < end { pauses.append(gap(from: last, to: end, isClosed: false)) }
    return pauses
  }

  func outage(from fault: UInt64) -> WriteGaps.Gap {
    let next = first(successes, notBelow: fault)
    let isClosed = next < successes.count
    return gap(from: fault, to: isClosed ? successes[next] : end, isClosed: isClosed)
  }

  private func gap(from start: UInt64, to end: UInt64, isClosed: Bool) -> WriteGaps.Gap {
    let attempts = first(calls, notBelow: end) - first(calls, notBelow: start)
    return WriteGaps.Gap(start: start, end: end, attempts: attempts, isClosed: isClosed)
  }

  private func first(_ instants: [UInt64], notBelow bound: UInt64) -> Int {
    var (low, high) = (0, instants.count)
    while low < high {
      let middle = (low + high) / 2
      if instants[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
