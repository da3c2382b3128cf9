internal import Crypto
internal import Primitives
internal import Wire

/// The first block of a segment of the log.
struct SegmentHeader: Hashable, Sendable {
  static let byteCount = DiskBlock.byteCount
  private static let magic: UInt64 = 0x3147_534c_5443_4f53  // "SOCTLSG1"
  private static let prefix = "log-"

  /// Counts the segments of a log from 1.
  let number: UInt64
  /// The life of the control log.
  let life: UInt64
  /// The secret that the checksums of its frames are salted with.
  let salt: Identifier<HashSalt>

  init(number: UInt64, life: UInt64) {
    self.number = number
    self.life = life
    salt = Entropy.identifier()
  }

  var encoded: [UInt8] {
    var writer = WireWriter(capacity: SegmentHeader.byteCount)
    writer.write(SegmentHeader.magic)
    writer.write(number)
    writer.write(life)
    writer.write(salt)
    return Sealed(writer, padding: SegmentHeader.byteCount).bytes
  }

  /// Reads the first block of a segment; `nil` when it fails its checksum.
  init?(_ segment: [UInt8]) {
    guard segment.count >= SegmentHeader.byteCount else { return nil }
    do throws(WireError) {
      try self.init(reading: Array(segment[..<SegmentHeader.byteCount]))
    } catch {
      return nil
    }
  }

  private init(reading bytes: [UInt8]) throws(WireError) {
    let span = bytes.span.bytes
    var cursor = WireCursor()
    let checksum = try Checksum(from: span, at: &cursor)
    guard checksum == Checksum(of: Array(bytes[Checksum.byteCount...])),
      try cursor.readUInt64(span) == SegmentHeader.magic
    else { throw .invalid("a header that fails its checksum") }
    number = try cursor.readUInt64(span)
    life = try cursor.readUInt64(span)
    salt = try cursor.readIdentifier(span)
  }

  /// The name of a segment's file.
  static func file(_ number: UInt64) -> String { FileName.numbered(prefix, number) }

  /// The number in the name of a segment's file; `nil` for other files.
  static func number(of file: String) -> UInt64? { FileName.number(in: file, after: prefix) }
}

/// Names of files that carry a number, padded so that they sort.
enum FileName {
  private static let digits = 20
  /// What the name of an unfinished file ends with.
  static let unfinished = ".tmp"

  static func numbered(_ prefix: String, _ number: UInt64) -> String {
    let text = String(number)
    return prefix + String(repeating: "0", count: digits - text.count) + text
  }

  static func number(in name: String, after prefix: String) -> UInt64? {
    guard name.hasPrefix(prefix), name.utf8.count == prefix.utf8.count + digits else { return nil }
    let text = name.dropFirst(prefix.count)
    guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
      return nil
    }
    return UInt64(text)
  }
}
