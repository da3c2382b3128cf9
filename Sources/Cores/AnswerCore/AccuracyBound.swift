/// How accurate an agent is at least, as far as its record shows: what agents are ranked by.
///
/// The mean of the Beta distribution with the prior (3, 2) of `AnswerWeight`, less two standard
/// deviations (Jøsang and Ismail 2002): with a = 3 + correct, b = 2 + wrong and s = a + b,
///
///     (a − 2·√(a·b / (s + 1))) / s
///
/// so that a few lucky answers never outrank a long good record. Integers only, rounded down.
package enum AccuracyBound {
  /// The bound in millionths, 0 to 1,000,000, after `correct` right ones of `resolved` answers.
  package static func millionths(correct: UInt32, resolved: UInt32) -> UInt32 {
    precondition(correct <= resolved, "\(correct) right answers of \(resolved)")
    let right = UInt128(correct) + 3
    let wrong = UInt128(resolved - correct) + 2
    let sum = right + wrong
    let deviation = 2 * squareRoot(right * wrong * 1_000_000_000_000 / (sum + 1))
    let mean = right * 1_000_000
    guard mean > deviation else { return 0 }
    return UInt32((mean - deviation) / sum)
  }

  /// The largest number whose square is not above `value` (Newton's method from above).
  private static func squareRoot(_ value: UInt128) -> UInt128 {
    guard value > 1 else { return value }
    var root = UInt128(1) << UInt128((129 - value.leadingZeroBitCount) / 2)
    while true {
      let next = (root + value / root) / 2
      if next >= root { return root }
      root = next
    }
  }
}
