/// Base 32 of RFC 4648 section 6 in lower case without padding; only the canonical text is read.
package enum Base32 {
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  /// Writes eight characters per five bytes.
  package static func text(_ bytes: [UInt8]) -> String {
    var characters: [UInt8] = []
    characters.reserveCapacity((bytes.count * 8 + 4) / 5)
    var held: UInt32 = 0
    var heldBits: UInt32 = 0
    for byte in bytes {
      held = held << 8 | UInt32(byte)
      heldBits += 8
      while heldBits >= 5 {
        heldBits -= 5
        characters.append(alphabet[Int(held >> heldBits & 31)])
      }
    }
    if heldBits > 0 { characters.append(alphabet[Int(held << (5 - heldBits) & 31)]) }
    return String(decoding: characters, as: UTF8.self)
  }

  /// Reads what `text(_:)` writes; `nil` for other characters and lengths, and for unused bits that
  /// are set.
  package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    var result: [UInt8] = []
    var held: UInt32 = 0
    var heldBits: UInt32 = 0
    for character in text.utf8 {
      guard let value = value(of: character) else { return nil }
      held = held << 5 | value
      heldBits += 5
      if heldBits >= 8 {
        heldBits -= 8
        result.append(UInt8(truncatingIfNeeded: held >> heldBits))
      }
    }
    guard heldBits < 5, held & (1 << heldBits - 1) == 0 else { return nil }
    return result
  }

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a"))
    case UInt8(ascii: "2")...UInt8(ascii: "7"): UInt32(character - UInt8(ascii: "2")) + 26
    default: nil
    }
  }
}
