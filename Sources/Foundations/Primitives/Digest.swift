/// Thirty-two bytes that name or commit to something: a hash, a public key, a lane.
///
/// Stored as four big-endian words, so that copies are trivial, the order is the order of the bytes
/// and a dictionary hashes two words. Comparison stops at the first difference: digests that are
/// secrets are compared by `ConstantTime`.
public struct Digest: Hashable, Comparable, Sendable {
  /// The number of bytes in a digest.
  package static let byteCount = 32

  /// The bytes as four big-endian words, first bytes first.
  public let words: (UInt64, UInt64, UInt64, UInt64)

  /// Makes a digest of four big-endian words.
  package init(words first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
    words = (first, second, third, fourth)
  }

  /// Thirty-two zero bytes.
  package static let zero = Digest(words: 0, 0, 0, 0)

  /// Reads exactly 32 bytes; `nil` for any other count.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Digest.byteCount else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var index = 0
    for byte in bytes {
      switch index >> 3 {
      case 0: words.0 = words.0 << 8 | UInt64(byte)
      case 1: words.1 = words.1 << 8 | UInt64(byte)
      case 2: words.2 = words.2 << 8 | UInt64(byte)
      default: words.3 = words.3 << 8 | UInt64(byte)
      }
      index += 1
    }
    self.words = words
  }

  /// Reads exactly 32 bytes; `nil` for any other count. Said apart because arrays are what is read
  /// most, and a generic function of another module reads them byte by byte through a witness.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == Digest.byteCount else { return nil }
    words = bytes.withUnsafeBytes { buffer in
      (
        UInt64(bigEndian: buffer.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
        UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
        UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
      )
    }
  }

  /// Reads 64 hexadecimal digits; `nil` for anything else.
  package init?(hexadecimal text: some StringProtocol) {
    guard text.utf8.count == 64, let bytes = Hexadecimal.bytes(text) else { return nil }
    self.init(bytes)
  }

  /// The 32 bytes, as a fresh array.
  package var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(Digest.byteCount)
    append(to: &result)
    return result
  }

  /// Appends the 32 bytes to `buffer`.
  package func append(to buffer: inout [UInt8]) {
    withBytes { buffer.append(contentsOf: $0) }
  }

  /// Lends the 32 bytes to `body` without allocating; the pointer is valid only inside.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  {
    let ordered = (
      words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
    )
    return try withUnsafeBytes(of: ordered, body)
  }

  /// The 64 lower-case hexadecimal digits.
  package var hexadecimal: String { Hexadecimal.text(bytes) }

  /// The first eight hexadecimal digits: for logs and tables, never for comparison.
  package var short: String { String(hexadecimal.prefix(8)) }

  /// Whether all bytes are equal.
  @inlinable public static func == (left: Digest, right: Digest) -> Bool {
    left.words.0 == right.words.0 && left.words.1 == right.words.1
      && left.words.2 == right.words.2 && left.words.3 == right.words.3
  }

  /// Orders digests by their bytes.
  @inlinable public static func < (left: Digest, right: Digest) -> Bool {
    if left.words.0 != right.words.0 { return left.words.0 < right.words.0 }
    if left.words.1 != right.words.1 { return left.words.1 < right.words.1 }
    if left.words.2 != right.words.2 { return left.words.2 < right.words.2 }
    return left.words.3 < right.words.3
  }

  /// Feeds two of the words to a hasher: they are as good as random.
  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.3)
  }
}

extension Digest: CustomStringConvertible {
  /// The hexadecimal digits.
  public var description: String { hexadecimal }
}
