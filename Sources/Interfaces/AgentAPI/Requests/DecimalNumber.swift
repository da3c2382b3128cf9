internal import JSONText

/// A JSON number in millionths, rounded toward zero, computed without floating point.
///
/// Clients send what their languages print, such as `0.8333333333333334`, so more decimals than six
/// are accepted; whether anything was cut is kept, because `1.0000000001` is not at most 1.
struct DecimalNumber: Equatable {
  /// The magnitude in millionths, rounded down; saturates at the largest number.
  let millionths: UInt64
  /// Whether digits other than zero were cut.
  let isCut: Bool
  /// Whether the number is below zero.
  let isNegative: Bool

  /// Reads a number; `nil` for every other kind of value.
  init?(_ value: JSONValue) {
    switch value {
    case .integer(let number):
      let (product, overflow) = number.magnitude.multipliedReportingOverflow(by: 1_000_000)
      self.init(
        millionths: overflow ? .max : product, isCut: overflow, isNegative: number < 0)
    case .decimal(let decimal):
      self.init(text: decimal.text)
    case .null, .bool, .string, .array, .object:
      return nil
    }
  }

  /// Whether the number lies within `range` of millionths, cut digits considered.
  func lies(in range: ClosedRange<UInt64>) -> Bool {
    if isNegative && (millionths > 0 || isCut) { return false }
    return range.contains(millionths) && !(isCut && millionths == range.upperBound)
  }

  private init(millionths: UInt64, isCut: Bool, isNegative: Bool) {
    self.millionths = millionths
    self.isCut = isCut
    self.isNegative = isNegative
  }

  /// Reads text that fits the grammar of RFC 8259 section 6, which the JSON reader has checked.
  private init(text: [UInt8]) {
    var digits: [UInt8] = []
    var pointDigits = 0
    var isFraction = false
    var isNegative = false
    var exponent = 0
    scan: for (index, byte) in text.enumerated() {
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        exponent = DecimalNumber.exponent(text[(index + 1)...])
        break scan
      default:
        if isFraction { pointDigits += 1 }
        if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte - UInt8(ascii: "0")) }
      }
    }
    // The number is digits * 10^(exponent - pointDigits); its millionths keep this many digits.
    let kept = digits.count + exponent - pointDigits + 6
    var magnitude: UInt64 = 0
    var isCut = false
    for (index, digit) in digits.enumerated() where index >= kept && digit != 0 {
      isCut = true
      break
    }
    if !digits.isEmpty && kept > 20 {
      self.init(millionths: .max, isCut: true, isNegative: isNegative)
      return
    }
    for index in 0..<max(kept, 0) where !digits.isEmpty {
      let digit = index < digits.count ? UInt64(digits[index]) : 0
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if overflow || carry {
        self.init(millionths: .max, isCut: true, isNegative: isNegative)
        return
      }
      magnitude = sum
    }
    self.init(millionths: magnitude, isCut: isCut, isNegative: isNegative)
  }

  /// Reads an exponent, held within ±1,000,000, far beyond what can matter.
  private static func exponent(_ digits: ArraySlice<UInt8>) -> Int {
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
