/// Base 64 in the standard alphabet with padding (RFC 4648 section 4), in its one canonical form.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")

  /// The text of some bytes.
  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for place in 0..<3 {
        group = group << 8 | (place < count ? UInt32(bytes[index + place]) : 0)
      }
      for place in 0..<4 {
        text.append(place <= count ? alphabet[Int(group >> (18 - 6 * place) & 63)] : padding)
      }
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a text; `nil` when it is not in canonical form.
  static func bytes(_ text: String) -> [UInt8]? {
    let text = Array(text.utf8)
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    for start in stride(from: 0, to: text.count, by: 4) {
      let isLast = start + 4 == text.count
      var count = 4
      if isLast && text[start + 3] == padding { count = text[start + 2] == padding ? 2 : 3 }
      var group: UInt32 = 0
      for place in 0..<4 {
        guard place < count else {
          group <<= 6
          continue
        }
        guard let value = value(text[start + place]) else { return nil }
        group = group << 6 | value
      }
      // Bits that no byte takes must be zero, or two texts would mean the same.
      let unused: UInt32 = count == 4 ? 0 : count == 3 ? 0xFF : 0xFFFF
      guard group & unused == 0 else { return nil }
      for place in 0..<count - 1 {
        bytes.append(UInt8(truncatingIfNeeded: group >> (16 - 8 * place)))
      }
    }
    return bytes
  }

  private static func value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
