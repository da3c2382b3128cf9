package import Primitives

/// Logarithms to base 2 in Q47.16, by integers alone.
///
/// The whole part is the position of the highest bit. Each further bit comes from squaring the
/// mantissa: if the square reaches 2, the bit is one and the square is halved (Turner, "A fast
/// binary logarithm algorithm", 2010). The mantissa has 63 fraction bits and each squaring drops
/// less than 2^-63, which the following squarings double: after sixteen steps the error is below
/// 2^-46, so the result is the exact logarithm rounded down to 2^-16, except that a logarithm less
/// than 2^-46 above a multiple of 2^-16 may come out one unit lower. It is never too high.
package enum Logarithm {
  /// log2 of a positive number; between the exact value and 2^-16 + 2^-46 below it.
  package static func base2(_ number: UInt64) -> FixedPoint {
    precondition(number > 0, "the logarithm of zero was asked for")
    let exponent = 63 - number.leadingZeroBitCount
    var mantissa = number << UInt64(63 - exponent)
    var result = Int64(exponent)
    for _ in 0..<16 {
      // The square of a mantissa in [1, 2) with 63 fraction bits has 126; the high word keeps 62.
      let square = mantissa.multipliedFullWidth(by: mantissa)
      result <<= 1
      if square.high >> 63 == 1 {
        result |= 1
        mantissa = square.high
      } else {
        mantissa = square.high << 1 | square.low >> 63
      }
    }
    return FixedPoint(raw: result)
  }

  /// log2 of `numerator / denominator`, both positive; within 2^-16 + 2^-46 of the exact value.
  package static func base2(_ numerator: UInt64, over denominator: UInt64) -> FixedPoint {
    base2(numerator) - base2(denominator)
  }
}
