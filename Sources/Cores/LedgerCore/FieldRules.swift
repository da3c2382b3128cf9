/// Rules for text: its length in Unicode scalars, its control characters, and that it says
/// something.
enum TextRule {
  /// Whether a text may have line feeds and tabs.
  enum Lines {
    case one
    case many
  }

  /// Refuses a text that breaks the rules of its field. O(bytes).
  static func check(
    _ text: String, _ field: LedgerFault.Field, _ length: ClosedRange<Int>, lines: Lines
  ) throws(LedgerFault) {
    let bytes = text.utf8Span.span
    let tally = bytes.withUnsafeBufferPointer(tally)
    if tally.hasSuspects && hasControl(bytes, lines) {
      throw LedgerFault(field, .controlCharacter)
    }
    if tally.scalars < length.lowerBound {
      throw LedgerFault(field, .tooShort(minimum: length.lowerBound, actual: tally.scalars))
    }
    if tally.scalars > length.upperBound {
      throw LedgerFault(field, .tooLong(maximum: length.upperBound, actual: tally.scalars))
    }
    if tally.isBlank && length.lowerBound > 0 { throw LedgerFault(field, .blank) }
  }

  /// Refuses a text that breaks the rules of its field, whose length is in bytes. O(bytes).
  static func checkBytes(
    _ text: String, _ field: LedgerFault.Field, _ bytes: ClosedRange<Int>, lines: Lines
  ) throws(LedgerFault) {
    guard text.utf8.count <= bytes.upperBound else {
      throw LedgerFault(
        field, .tooManyBytes(maximum: bytes.upperBound, actual: text.utf8.count))
    }
    try check(text, field, bytes, lines: lines)
  }

  /// What one pass without branches finds: most texts need no second one.
  private static func tally(
    _ bytes: UnsafeBufferPointer<UInt8>
  ) -> (scalars: Int, hasSuspects: Bool, isBlank: Bool) {
    var continuations = 0
    var suspects: UInt8 = 0
    var visible: UInt8 = 0
    for byte in bytes {
      // Bytes 10xxxxxx continue a scalar; C2 leads the C1 control characters.
      continuations &+= byte & 0xc0 == 0x80 ? 1 : 0
      suspects |= byte < 0x20 || byte == 0x7f || byte == 0xc2 ? 1 : 0
      visible |= byte > 0x20 ? 1 : 0
    }
    return (bytes.count - continuations, suspects != 0, visible == 0)
  }

  /// Whether there is a control character that the field may not have.
  private static func hasControl(_ bytes: Span<UInt8>, _ lines: Lines) -> Bool {
    var previous: UInt8 = 0
    for index in bytes.indices {
      let byte = bytes[index]
      let isBreak = byte == 0x0a || byte == 0x09
      // C1 control characters are C2 80 to C2 9F.
      let isControl = byte < 0x20 || byte == 0x7f || (previous == 0xc2 && byte & 0xe0 == 0x80)
      if isControl && !(isBreak && lines == .many) { return true }
      previous = byte
    }
    return false
  }
}

/// Rules for numbers.
enum NumberRule {
  /// Refuses a number outside its field's range.
  static func check(
    _ number: UInt64, _ field: LedgerFault.Field, _ range: ClosedRange<UInt64>
  ) throws(LedgerFault) {
    guard range.contains(number) else {
      throw LedgerFault(
        field, .outOfRange(minimum: range.lowerBound, maximum: range.upperBound))
    }
  }
}

/// Rules for addresses of members: ASCII, with a port.
enum AddressRule {
  /// Whether a byte may stand in a word.
  static func isWordByte(_ byte: UInt8) -> Bool {
    isDigit(byte)
      || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  /// Whether the text is `http://` or `https://`, a host and a port.
  static func isURL(_ text: String) -> Bool {
    for scheme in ["http://", "https://"] where text.utf8.starts(with: scheme.utf8) {
      return isHostAndPort(text.utf8.dropFirst(scheme.utf8.count))
    }
    return false
  }

  /// Whether the bytes are `host:port`, or `[IPv6]:port`, with a port from 1 to 65535.
  static func isHostAndPort(_ text: Substring.UTF8View) -> Bool {
    guard let colon = text.lastIndex(of: UInt8(ascii: ":")) else { return false }
    let host = text[..<colon]
    let port = text[text.index(after: colon)...]
    guard (1...5).contains(port.count), port.allSatisfy(isDigit),
      port.first != UInt8(ascii: "0")
    else { return false }
    guard port.reduce(0, { $0 * 10 + Int($1 - UInt8(ascii: "0")) }) <= 65_535 else { return false }
    guard host.first == UInt8(ascii: "[") else {
      return !host.isEmpty && host.allSatisfy(isWordByte)
    }
    let inner = host.dropFirst().dropLast()
    return host.last == UInt8(ascii: "]") && inner.count >= 2
      && inner.contains(UInt8(ascii: ":")) && inner.allSatisfy(isIPv6Byte)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private static func isIPv6Byte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f"))
      || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
  }
}
