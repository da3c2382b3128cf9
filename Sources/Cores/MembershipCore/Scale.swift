internal import Primitives

/// How times grow with the size of a cluster.
enum Scale {
  /// log10 of a number from 1 to 10,000, in 1,024ths, rounded down.
  ///
  /// The whole part is counted; each further bit comes from squaring what is left and seeing
  /// whether ten is reached. Eight decimals are kept, whose squares fit 64 bits.
  static func decimalLogarithm(_ number: UInt64) -> UInt64 {
    precondition((1...10_000).contains(number), "the logarithm of \(number) was asked for")
    let one: UInt64 = 100_000_000
    var rest = number * one
    var result: UInt64 = 0
    while rest >= 10 * one {
      rest /= 10
      result += 1
    }
    for _ in 0..<10 {
      rest = rest * rest / one
      result *= 2
      if rest >= 10 * one {
        rest /= 10
        result += 1
      }
    }
    return result
  }

  /// How many decimal digits it takes to count to `number`, at least one: 10 takes one, 11 two.
  static func decimalDigits(_ number: Int) -> Int {
    var digits = 1
    var reach = 10
    while reach < number && digits < 6 {
      reach *= 10
      digits += 1
    }
    return digits
  }
}

extension TimeSpan {
  /// The span times a fraction, rounded down; a product beyond the largest span is cut first.
  func scaled(by numerator: UInt64, over denominator: UInt64) -> TimeSpan {
    precondition(denominator > 0, "a span times \(numerator)/0")
    return TimeSpan(nanoseconds: (self * numerator).nanoseconds / denominator)
  }
}
