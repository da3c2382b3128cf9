package import Primitives

/// A reading of both clocks of a node.
package struct Moment: Hashable, Sendable {
  /// The monotonic clock: what deadlines are measured by.
  package var instant: Instant
  /// The wall clock in milliseconds since 1970: what timestamps are made of. It may jump.
  package var wallMilliseconds: UInt64

  /// Joins the two readings.
  package init(instant: Instant, wallMilliseconds: UInt64) {
    self.instant = instant
    self.wallMilliseconds = wallMilliseconds
  }
}
