internal import Primitives

/// The rules for text: its length in Unicode scalars, its control characters, and that it says
/// something.
enum TextCheck {
  /// Checks a text in one pass over its bytes.
  static func check(
    _ text: String, _ length: ClosedRange<Int>, allowsLines: Bool
  ) -> Result<FieldValue, BrokenRule> {
    var count = 0
    var previous: UInt8 = 0
    var isBlank = true
    for byte in text.utf8 {
      // Bytes 10xxxxxx continue a scalar.
      if byte & 0xC0 != 0x80 { count += 1 }
      let isBreak = byte == 0x0A || byte == 0x09
      // The control characters above ASCII are C2 80 to C2 9F.
      let isControl = byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte & 0xE0 == 0x80)
      if isControl && !(isBreak && allowsLines) {
        let allowed = allowsLines ? " other than line feed and tab" : ""
        return .failure(
          BrokenRule("characters", "must not contain control characters\(allowed)"))
      }
      if byte > 0x20 { isBlank = false }
      previous = byte
    }
    guard length.contains(count) else {
      return .failure(
        BrokenRule(
          "length",
          "must have \(length.lowerBound) to \(length.upperBound) characters, not \(count)"))
    }
    guard !isBlank || length.lowerBound == 0 else {
      return .failure(BrokenRule("blank", "must not be blank"))
    }
    return .success(.text(text))
  }
}

/// Identifiers as they stand in paths and bodies.
enum PathValue {
  /// Reads a UUID in lower or upper case; `nil` for anything else.
  static func identifier(_ text: String) -> Identifier<AnyKind>? {
    Identifier(text: text)
  }
}
