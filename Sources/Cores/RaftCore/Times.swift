internal import Primitives

extension TimeSpan {
  /// A part of a span; divides first, so that no product overflows.
  func part(_ numerator: UInt64, of denominator: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: nanoseconds / denominator) * numerator
  }

  /// A random span up to this one.
  func drawn(with random: inout Xoshiro256) -> TimeSpan {
    TimeSpan(nanoseconds: random.next(in: 0...nanoseconds))
  }
}

/// The earlier of two instants, of which either may never come.
func earlier(_ left: Instant?, _ right: Instant?) -> Instant? {
  guard let left else { return right }
  guard let right else { return left }
  return min(left, right)
}
