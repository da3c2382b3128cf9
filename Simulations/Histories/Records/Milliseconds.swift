/// Nanoseconds written as milliseconds or seconds, for people.
enum Milliseconds {
  /// Milliseconds with 0 to 6 decimals, rounded to nearest, such as `1.350 ms`.
  static func text(_ nanoseconds: UInt64, decimals: Int) -> String {
    precondition((0...6).contains(decimals), "\(decimals) decimals of a millisecond")
    var unit: UInt64 = 1_000_000
    for _ in 0..<decimals { unit /= 10 }
    var scale: UInt64 = 1
    for _ in 0..<decimals { scale *= 10 }
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: unit)
    // `whole` is below 2^64 / unit unless unit is 1, and then nothing is rounded.
    let rounded = unit > 1 && rest >= unit / 2 ? whole + 1 : whole
    guard decimals > 0 else { return "\(rounded) ms" }
    let digits = String(rounded % scale)
    let zeros = String(repeating: "0", count: decimals - digits.utf8.count)
    return "\(rounded / scale).\(zeros)\(digits) ms"
  }

  /// Seconds with three decimals, cut off, such as `9.012 s`.
  static func seconds(_ nanoseconds: UInt64) -> String {
    let milliseconds = String(nanoseconds / 1_000_000 % 1_000)
    let zeros = String(repeating: "0", count: 3 - milliseconds.utf8.count)
    return "\(nanoseconds / 1_000_000_000).\(zeros)\(milliseconds) s"
  }

  /// A length in the unit that reads best: `840 µs`, `82 ms`, `1.24 s`.
  static func brief(_ nanoseconds: UInt64) -> String {
    switch nanoseconds {
    case 0: return "0 ms"
    case ..<1_000: return "\(nanoseconds) ns"
    case ..<1_000_000: return "\(nanoseconds / 1_000) µs"
    case ..<9_950_000: return text(nanoseconds, decimals: 1)
    case ..<999_500_000: return text(nanoseconds, decimals: 0)
    default:
      let hundredths = nanoseconds / 10_000_000 + (nanoseconds % 10_000_000 >= 5_000_000 ? 1 : 0)
      let rest = hundredths % 100
      let seconds = hundredths / 100
      return rest == 0 ? "\(seconds) s" : "\(seconds).\(rest < 10 ? "0" : "")\(rest) s"
    }
  }
}

/// Whole numbers written with commas between thousands, for people.
enum Grouped {
  /// The number, such as `15,586`.
  static func text(_ number: Int) -> String {
    var digits = Array(String(number.magnitude).utf8)
    var place = digits.count - 3
    while place > 0 {
      digits.insert(UInt8(ascii: ","), at: place)
      place -= 3
    }
    return (number < 0 ? "-" : "") + String(decoding: digits, as: UTF8.self)
  }
}
