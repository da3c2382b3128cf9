/// A number in Q47.16: a signed 64-bit count of 65,536ths, equal on every machine.
///
/// Every operation traps when its result does not fit, like `Int64`; callers bound their inputs.
/// Mind the rounding: a product rounds toward negative infinity, a quotient toward zero.
package struct FixedPoint: Hashable, Comparable, Sendable {
  /// The count of 65,536ths.
  package let raw: Int64

  /// Makes the number `raw / 65,536`.
  package init(raw: Int64) {
    self.raw = raw
  }

  /// Makes a whole number, whose magnitude must stay below 2^47.
  package init(_ whole: Int64) {
    precondition(whole.magnitude < 1 << 47, "\(whole) does not fit Q47.16")
    raw = whole << 16
  }

  /// Makes `numerator / denominator`, rounded toward zero; the quotient's magnitude must stay below
  /// 2^47.
  package init(_ numerator: Int64, over denominator: Int64) {
    precondition(denominator != 0, "fixed-point division of \(numerator) by zero")
    let quotient = (Int128(numerator) << 16) / Int128(denominator)
    guard let raw = Int64(exactly: quotient) else {
      preconditionFailure("fixed-point quotient overflows: \(numerator) / \(denominator)")
    }
    self.raw = raw
  }

  /// Nothing.
  package static let zero = FixedPoint(raw: 0)

  /// One.
  package static let one = FixedPoint(raw: 1 << 16)

  package static func < (left: FixedPoint, right: FixedPoint) -> Bool { left.raw < right.raw }

  /// The sum.
  package static func + (left: FixedPoint, right: FixedPoint) -> FixedPoint {
    FixedPoint(raw: left.raw + right.raw)
  }

  /// The difference.
  package static func - (left: FixedPoint, right: FixedPoint) -> FixedPoint {
    FixedPoint(raw: left.raw - right.raw)
  }

  /// The product, rounded toward negative infinity.
  package static func * (left: FixedPoint, right: FixedPoint) -> FixedPoint {
    let product = left.raw.multipliedFullWidth(by: right.raw)
    let shifted = product.high << 48 | Int64(bitPattern: UInt64(product.low) >> 16)
    precondition(
      product.high >> 15 == product.high >> 63,
      "fixed-point product overflows: \(left.raw) * \(right.raw)")
    return FixedPoint(raw: shifted)
  }

  /// The quotient, rounded toward zero.
  package static func / (left: FixedPoint, right: FixedPoint) -> FixedPoint {
    FixedPoint(left.raw, over: right.raw)
  }
}
