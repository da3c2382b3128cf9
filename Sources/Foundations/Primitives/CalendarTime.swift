/// Milliseconds since 1970 in UTC as RFC 3339 text and back, without locale or time zone tables.
///
/// Days are counted by the algorithm of Howard Hinnant, "chrono-compatible low-level date
/// algorithms" (2014), which is exact for the proleptic Gregorian calendar.
package enum CalendarTime {
  /// The last millisecond that four digits of year can show: the end of the year 9999.
  package static let millisecondsMax: UInt64 = 253_402_300_799_999

  /// Writes `2026-01-31T08:15:00.250Z`; times beyond the year 9999 are shown as its end.
  package static func text(milliseconds: UInt64) -> String {
    let bounded = min(milliseconds, millisecondsMax)
    let (seconds, thousandths) = bounded.quotientAndRemainder(dividingBy: 1_000)
    let (days, secondOfDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
    let date = civil(days: Int64(days))
    var text: [UInt8] = []
    text.reserveCapacity(24)
    append(UInt64(date.year), width: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    append(UInt64(date.month), width: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    append(UInt64(date.day), width: 2, to: &text)
    text.append(UInt8(ascii: "T"))
    append(secondOfDay / 3_600, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(secondOfDay / 60 % 60, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(secondOfDay % 60, width: 2, to: &text)
    text.append(UInt8(ascii: "."))
    append(thousandths, width: 3, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads a date-time of RFC 3339 section 5.6; parts of a millisecond are dropped, a leap second
  /// counts as the first second of the next minute. `nil` for anything else and before 1970.
  package static func milliseconds(_ text: String) -> UInt64? {
    var scanner = Scanner(bytes: Array(text.utf8))
    guard let year = scanner.number(4), scanner.take("-"),
      let month = scanner.number(2), scanner.take("-"),
      let day = scanner.number(2), scanner.take("T") || scanner.take("t"),
      let hour = scanner.number(2), scanner.take(":"),
      let minute = scanner.number(2), scanner.take(":"),
      let second = scanner.number(2),
      let thousandths = scanner.fraction(),
      let offsetMinutes = scanner.offset(), scanner.isAtEnd,
      (1...12).contains(month), (1...length(ofMonth: month, year: year)).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = self.days(year: year, month: month, day: day)
    let seconds = days * 86_400 + hour * 3_600 + (minute - offsetMinutes) * 60 + second
    guard seconds >= 0 else { return nil }
    let milliseconds = UInt64(seconds) * 1_000 + UInt64(thousandths)
    return milliseconds <= millisecondsMax ? milliseconds : nil
  }

  /// Appends `number` in decimal with leading zeros to `width` digits.
  private static func append(_ number: UInt64, width: Int, to text: inout [UInt8]) {
    var unit: UInt64 = 1
    for _ in 1..<width { unit *= 10 }
    while unit > 0 {
      text.append(UInt8(ascii: "0") + UInt8(number / unit % 10))
      unit /= 10
    }
  }

  private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
    let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return switch month {
    case 2: isLeapYear ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Reads the fixed parts of a date-time from its bytes.
  private struct Scanner {
    let bytes: [UInt8]
    var index = 0

    var isAtEnd: Bool { index == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    mutating func number(_ digits: Int) -> Int64? {
      guard index + digits <= bytes.count else { return nil }
      var value: Int64 = 0
      for _ in 0..<digits {
        let digit = bytes[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int64(digit)
        index += 1
      }
      return value
    }

    /// Reads `.5` or nothing as thousandths; digits behind the third are dropped.
    mutating func fraction() -> Int64? {
      guard take(".") else { return 0 }
      var value: Int64 = 0
      var digits = 0
      while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 {
        if digits < 3 { value = value * 10 + Int64(bytes[index] - UInt8(ascii: "0")) }
        digits += 1
        index += 1
      }
      guard digits > 0 else { return nil }
      for _ in min(digits, 3)..<3 { value *= 10 }
      return value
    }

    /// Reads `Z` or `+01:30` as minutes ahead of UTC.
    mutating func offset() -> Int64? {
      if take("Z") || take("z") { return 0 }
      let isAhead = take("+")
      guard isAhead || take("-"), let hours = number(2), take(":"), let minutes = number(2),
        hours < 24, minutes < 60
      else { return nil }
      let total = hours * 60 + minutes
      return isAhead ? total : -total
    }
  }
}
