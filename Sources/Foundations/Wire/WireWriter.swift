package import Primitives

/// Writes values in the one canonical form, little-endian, into a growing buffer.
package struct WireWriter: Sendable {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []

  /// Makes an empty writer with room for `capacity` bytes.
  package init(capacity: Int = 0) {
    bytes.reserveCapacity(capacity)
  }

  /// Forgets what was written and keeps the room.
  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
  }

  /// Appends one byte.
  package mutating func write(_ value: UInt8) {
    bytes.append(value)
  }

  /// Appends two bytes, little-endian.
  package mutating func write(_ value: UInt16) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends four bytes, little-endian.
  package mutating func write(_ value: UInt32) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends eight bytes, little-endian.
  package mutating func write(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends an unsigned number in base 128, low digits first, in the fewest bytes (LEB128).
  package mutating func writeVariable(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// How many bytes `writeVariable` takes for `value`: one for every started seven bits.
  package static func byteCount(ofVariable value: UInt64) -> Int {
    max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7)
  }

  /// How many bytes `writeBytes` takes for `count` bytes, their length included.
  package static func byteCount(ofBytes count: Int) -> Int {
    byteCount(ofVariable: UInt64(count)) + count
  }

  /// Appends raw bytes without a length.
  package mutating func writeRaw(_ value: some Collection<UInt8>) {
    bytes.append(contentsOf: value)
  }

  /// Appends the bytes of a digest.
  package mutating func write(_ value: Digest) {
    value.append(to: &bytes)
  }

  /// Appends the bytes of an identifier.
  package mutating func write<Kind>(_ value: Identifier<Kind>) {
    value.append(to: &bytes)
  }

  /// Appends a length and the bytes.
  package mutating func writeBytes(_ value: some Collection<UInt8>) {
    writeVariable(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Appends a length and the bytes; said apart because arrays are what is copied most, and a
  /// generic function of another module copies them through a witness.
  package mutating func writeBytes(_ value: [UInt8]) {
    writeVariable(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Appends a length and the text in UTF-8.
  package mutating func writeText(_ value: String) {
    writeBytes(value.utf8)
  }
}
