package import Primitives

/// A position in bytes being decoded.
///
/// Decoders take the span and the cursor apart, because a type of our own that holds a span would
/// need lifetime annotations that the language does not offer yet. Every read checks its bounds
/// and every length has a limit named by the caller; nothing is allocated before its length is
/// known to be present. After an error the position is unspecified: the bytes are given up whole.
package struct WireCursor: Sendable {
  /// The offset of the next byte.
  package private(set) var offset: Int

  /// Starts at the first byte, or at `offset`.
  package init(offset: Int = 0) {
    precondition(offset >= 0, "negative offset \(offset)")
    self.offset = offset
  }

  /// Reads one byte.
  package mutating func readUInt8(_ span: borrowing RawSpan) throws(WireError) -> UInt8 {
    try load(span, as: UInt8.self)
  }

  /// Reads two bytes, little-endian.
  package mutating func readUInt16(_ span: borrowing RawSpan) throws(WireError) -> UInt16 {
    UInt16(littleEndian: try load(span, as: UInt16.self))
  }

  /// Reads four bytes, little-endian.
  package mutating func readUInt32(_ span: borrowing RawSpan) throws(WireError) -> UInt32 {
    UInt32(littleEndian: try load(span, as: UInt32.self))
  }

  /// Reads eight bytes, little-endian.
  package mutating func readUInt64(_ span: borrowing RawSpan) throws(WireError) -> UInt64 {
    UInt64(littleEndian: try load(span, as: UInt64.self))
  }

  /// Reads a number in base 128 (LEB128), refusing all but its shortest form.
  ///
  /// Throws `truncated`, `notCanonical` for a needless last zero digit, and `overLimit` for a
  /// number above `limit` or beyond 64 bits.
  package mutating func readVariable(
    _ span: borrowing RawSpan, limit: UInt64 = .max
  ) throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try readUInt8(span)
      if shift == 63 && byte > 1 { throw .overLimit }
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 {
        if byte == 0 && shift > 0 { throw .notCanonical }
        break
      }
      shift += 7
    }
    if value > limit { throw .overLimit }
    return value
  }

  /// Reads a count of things that each take at least `bytesEach` bytes, so that a caller may
  /// reserve room for them: a count whose things cannot all be present is `truncated`.
  package mutating func readCount(
    _ span: borrowing RawSpan, limit: Int, bytesEach: Int = 1
  ) throws(WireError) -> Int {
    precondition(bytesEach > 0, "things of \(bytesEach) bytes each")
    let count = Int(try readVariable(span, limit: UInt64(limit)))
    if count > (span.byteCount - offset) / bytesEach { throw .truncated }
    return count
  }

  /// Reads exactly `count` bytes.
  package mutating func readRaw(
    _ span: borrowing RawSpan, count: Int
  ) throws(WireError) -> [UInt8] {
    guard count >= 0, count <= span.byteCount - offset else { throw .truncated }
    let start = offset
    offset += count
    return span.withUnsafeBytes { Array($0[start..<(start + count)]) }
  }

  /// Reads a length of at most `limit` and that many bytes.
  package mutating func readBytes(
    _ span: borrowing RawSpan, limit: Int
  ) throws(WireError) -> [UInt8] {
    let count = Int(try readVariable(span, limit: UInt64(limit)))
    return try readRaw(span, count: count)
  }

  /// Reads a length of at most `limit` bytes and text in UTF-8.
  package mutating func readText(
    _ span: borrowing RawSpan, limit: Int
  ) throws(WireError) -> String {
    let bytes = try readBytes(span, limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
    return text
  }

  /// Reads a digest.
  package mutating func readDigest(_ span: borrowing RawSpan) throws(WireError) -> Digest {
    let first = UInt64(bigEndian: try load(span, as: UInt64.self))
    let second = UInt64(bigEndian: try load(span, as: UInt64.self))
    let third = UInt64(bigEndian: try load(span, as: UInt64.self))
    let fourth = UInt64(bigEndian: try load(span, as: UInt64.self))
    return Digest(words: first, second, third, fourth)
  }

  /// Reads an identifier.
  package mutating func readIdentifier<Kind>(
    _ span: borrowing RawSpan, of kind: Kind.Type = Kind.self
  ) throws(WireError) -> Identifier<Kind> {
    let high = UInt64(bigEndian: try load(span, as: UInt64.self))
    let low = UInt64(bigEndian: try load(span, as: UInt64.self))
    return Identifier(high: high, low: low)
  }

  /// Refuses bytes after the last field.
  package func expectEnd(_ span: borrowing RawSpan) throws(WireError) {
    if offset != span.byteCount { throw .trailingBytes }
  }

  private mutating func load<Value: BitwiseCopyable>(
    _ span: borrowing RawSpan, as type: Value.Type
  ) throws(WireError) -> Value {
    guard span.byteCount - offset >= MemoryLayout<Value>.size else { throw .truncated }
    let start = offset
    offset += MemoryLayout<Value>.size
    return span.unsafeLoadUnaligned(fromByteOffset: start, as: type)
  }
}

/// A type with one canonical form on the wire.
package protocol WireCodable: Sendable {
  /// Appends the canonical form.
  func encode(into writer: inout WireWriter)

  /// Reads the canonical form and refuses every other.
  init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError)
}

extension WireCodable {
  /// The canonical form.
  package var encoded: [UInt8] {
    var writer = WireWriter()
    encode(into: &writer)
    return writer.bytes
  }

  /// Decodes all of `bytes`, refusing trailing ones.
  package init(decoding bytes: [UInt8]) throws(WireError) {
    var cursor = WireCursor()
    let span = bytes.span.bytes
    self = try Self(from: span, at: &cursor)
    try cursor.expectEnd(span)
  }
}
