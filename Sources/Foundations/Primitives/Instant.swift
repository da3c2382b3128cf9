/// A length of time in whole nanoseconds.
package struct TimeSpan: Hashable, Comparable, Sendable {
  /// The length in nanoseconds.
  package let nanoseconds: UInt64

  /// Makes a span of `nanoseconds`.
  package init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// No time at all.
  package static let zero = TimeSpan(nanoseconds: 0)

  /// Makes a span of whole microseconds, saturating at the largest span (584 years).
  package static func microseconds(_ count: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: 1_000) * count
  }

  /// Makes a span of whole milliseconds, saturating at the largest span.
  package static func milliseconds(_ count: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: 1_000_000) * count
  }

  /// Makes a span of whole seconds, saturating at the largest span.
  package static func seconds(_ count: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: 1_000_000_000) * count
  }

  package static func < (left: TimeSpan, right: TimeSpan) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// Multiplies a span, saturating at the largest one.
  package static func * (span: TimeSpan, factor: UInt64) -> TimeSpan {
    let (product, overflow) = span.nanoseconds.multipliedReportingOverflow(by: factor)
    return TimeSpan(nanoseconds: overflow ? .max : product)
  }
}

/// A reading of a monotonic clock, in nanoseconds since an origin that only its owner knows.
///
/// Instants of one process compare; instants of two processes do not. Cores receive the present as
/// an argument and never read a clock.
package struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the clock's origin.
  package let nanoseconds: UInt64

  /// Makes the instant `nanoseconds` after the clock's origin.
  package init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// The clock's origin.
  package static let origin = Instant(nanoseconds: 0)

  package static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The instant `span` later, saturating at the end of time.
  package static func + (instant: Instant, span: TimeSpan) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span.nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// The time from `earlier` until this instant; zero when `earlier` is later.
  package func since(_ earlier: Instant) -> TimeSpan {
    TimeSpan(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
  }
}
