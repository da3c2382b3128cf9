/// Lower-case hexadecimal text, read and written without Foundation.
package enum Hexadecimal {
  @usableFromInline static let digits: [UInt8] = Array("0123456789abcdef".utf8)

  /// Writes two lower-case digits per byte.
  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    var characters: [UInt8] = []
    append(bytes, to: &characters)
    return String(decoding: characters, as: UTF8.self)
  }

  /// Appends two lower-case digits per byte to `buffer`.
  package static func append(_ bytes: some Sequence<UInt8>, to buffer: inout [UInt8]) {
    for byte in bytes {
      buffer.append(digits[Int(byte >> 4)])
      buffer.append(digits[Int(byte & 15)])
    }
  }

  /// Reads hexadecimal text of either case; `nil` for odd length or any other character.
  package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    let characters = text.utf8
    guard characters.count.isMultiple(of: 2) else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(characters.count / 2)
    var high: UInt8?
    for character in characters {
      guard let value = value(of: character) else { return nil }
      if let first = high {
        result.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return result
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
