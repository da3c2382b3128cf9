/// A sixteen-byte name of one kind of thing, written as a UUID; `Kind` keeps kinds apart.
package struct Identifier<Kind>: Hashable, Comparable, Sendable {
  /// The number of bytes in an identifier.
  package static var byteCount: Int { 16 }

  /// The first eight bytes, big-endian.
  package let high: UInt64

  /// The last eight bytes, big-endian.
  package let low: UInt64

  /// Makes an identifier of two big-endian words.
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Takes the first sixteen bytes of a digest.
  package init(truncating digest: Digest) {
    self.init(high: digest.words.0, low: digest.words.1)
  }

  /// Reads exactly 16 bytes; `nil` for any other count.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var words: (high: UInt64, low: UInt64) = (0, 0)
    var index = 0
    for byte in bytes {
      if index < 8 {
        words.high = words.high << 8 | UInt64(byte)
      } else {
        words.low = words.low << 8 | UInt64(byte)
      }
      index += 1
    }
    self.init(high: words.high, low: words.low)
  }

  /// Reads exactly 16 bytes; `nil` for any other count. Said apart because arrays are what is read
  /// most, and a generic function of another module reads them byte by byte through a witness.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    let words = bytes.withUnsafeBytes { buffer in
      (
        buffer.loadUnaligned(as: UInt64.self),
        buffer.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      )
    }
    self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
  }

  /// Reads the form 8-4-4-4-12 of a UUID, either case; `nil` for anything else.
  package init?(text: some StringProtocol) {
    let characters = Array(text.utf8)
    guard characters.count == 36 else { return nil }
    var digits: [UInt8] = []
    digits.reserveCapacity(32)
    for (index, character) in characters.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard character == UInt8(ascii: "-") else { return nil }
      } else {
        digits.append(character)
      }
    }
    guard let bytes = Hexadecimal.bytes(String(decoding: digits, as: UTF8.self)) else { return nil }
    self.init(bytes)
  }

  /// The sixteen bytes, as a fresh array.
  package var bytes: [UInt8] {
    var result: [UInt8] = []
    append(to: &result)
    return result
  }

  /// Appends the sixteen bytes to `buffer`.
  package func append(to buffer: inout [UInt8]) {
    withUnsafeBytes(of: high.bigEndian) { buffer.append(contentsOf: $0) }
    withUnsafeBytes(of: low.bigEndian) { buffer.append(contentsOf: $0) }
  }

  package static func < (left: Self, right: Self) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }
}

extension Identifier: CustomStringConvertible {
  /// The form 8-4-4-4-12 of a UUID, lower case.
  package var description: String {
    let digits = Array(Hexadecimal.text(bytes).utf8)
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (index, digit) in digits.enumerated() {
      if index == 8 || index == 12 || index == 16 || index == 20 {
        text.append(UInt8(ascii: "-"))
      }
      text.append(digit)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
