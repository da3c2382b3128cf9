internal import Primitives

/// The smoothed time of a question and its answer, and how it varies (RFC 6298, in integers).
struct RoundTrip: Hashable, Sendable {
  private(set) var smoothed: TimeSpan?
  private var variation = TimeSpan.zero

  /// Takes a measurement; above ten seconds it says no more than ten seconds.
  mutating func take(_ sample: TimeSpan) {
    let sample = min(sample, .seconds(10)).nanoseconds
    guard let old = smoothed?.nanoseconds else {
      smoothed = TimeSpan(nanoseconds: sample)
      variation = TimeSpan(nanoseconds: sample / 2)
      return
    }
    let difference = old > sample ? old - sample : sample - old
    variation = TimeSpan(nanoseconds: (variation.nanoseconds * 3 + difference) / 4)
    smoothed = TimeSpan(nanoseconds: (old * 7 + sample) / 8)
  }

  /// How long an answer may take: the smoothed time and four times its variation, within limits.
  func answerTime(_ limits: MembershipLimits) -> TimeSpan {
    guard let smoothed else { return limits.answerUnmeasured }
    let wanted = TimeSpan(nanoseconds: smoothed.nanoseconds + variation.nanoseconds * 4)
    return min(max(wanted, limits.answerMin), limits.answerMax)
  }
}
