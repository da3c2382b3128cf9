/// A number kept as the text it was written in, valid by the grammar of RFC 8259 section 6.
package struct JSONDecimal: Equatable, Sendable {
  /// The ASCII text, such as `-12.5e3`.
  package let text: [UInt8]

  /// Wraps a text that the reader has checked against the grammar.
  init(checked text: [UInt8]) {
    self.text = text
  }

  /// The number times ten to the power of `scale`, or `nil` unless that is exactly an `Int64`.
  /// `scale`, the decimals to keep, is 0 to 18.
  package func fixedPoint(scale: Int) -> Int64? {
    precondition((0...18).contains(scale), "scale \(scale) is outside 0...18")
    var magnitude: UInt64 = 0
    var isNegative = false
    var isFraction = false
    var zerosHeld = 0
    var exponent = scale
    var index = 0
    scan: while index < text.count {
      let byte = text[index]
      index += 1
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
      default:
        if isFraction { exponent -= 1 }
        // Zeros wait until a later digit needs them, so trailing ones cannot overflow.
        if byte == UInt8(ascii: "0") {
          if magnitude != 0 { zerosHeld += 1 }
          continue
        }
        guard let shifted = Self.shifted(magnitude, by: zerosHeld + 1) else { return nil }
        let (sum, overflow) = shifted.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        guard !overflow else { return nil }
        magnitude = sum
        zerosHeld = 0
      }
    }
    exponent += zerosHeld + Self.exponent(in: text[index...])
    return Self.scaled(magnitude: magnitude, isNegative: isNegative, exponent: exponent)
  }

  /// Returns `magnitude` times ten to the power of `exponent` with its sign, when exact.
  static func scaled(magnitude: UInt64, isNegative: Bool, exponent: Int) -> Int64? {
    var magnitude = magnitude
    if magnitude == 0 { return 0 }
    if exponent >= 0 {
      guard let shifted = shifted(magnitude, by: exponent) else { return nil }
      magnitude = shifted
    } else {
      // A nonzero 64-bit integer has fewer than 20 trailing zeros.
      guard exponent > -20 else { return nil }
      for _ in 0..<(-exponent) {
        let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
        guard remainder == 0 else { return nil }
        magnitude = quotient
      }
    }
    if !isNegative { return Int64(exactly: magnitude) }
    if magnitude == Int64.min.magnitude { return Int64.min }
    return Int64(exactly: magnitude).map { -$0 }
  }

  /// Returns `value` times ten to the power of `power`, or `nil` when 64 bits cannot hold it.
  private static func shifted(_ value: UInt64, by power: Int) -> UInt64? {
    if value == 0 { return 0 }
    guard power < 20 else { return nil }
    var value = value
    for _ in 0..<power {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      guard !overflow else { return nil }
      value = product
    }
    return value
  }

  /// Reads the digits behind `e`, held within ±1,000,000, far beyond what 64 bits can scale.
  private static func exponent(in digits: ArraySlice<UInt8>) -> Int {
    var value = 0
    var isNegative = false
    for byte in digits {
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "+"): continue
      default: value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000)
      }
    }
    return isNegative ? -value : value
  }
}
