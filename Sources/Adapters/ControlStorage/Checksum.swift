package import Crypto
package import Primitives
package import Wire

/// The unit in which the files are written: what a page of the kernel and a sector of most disks
/// is.
package enum DiskBlock {
  /// Bytes of a block.
  package static let byteCount = 4_096

  /// The next multiple of a block.
  package static func roundUp(_ count: Int) -> Int {
    (count + byteCount - 1) / byteCount * byteCount
  }
}

/// The first sixteen bytes of a BLAKE2b digest.
package struct Checksum: Hashable, Sendable {
  /// Bytes of a checksum.
  package static let byteCount = 16
  /// What stands where there is none.
  package static let zero = Checksum(high: 0, low: 0)

  private let high: UInt64
  private let low: UInt64

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The checksum of `bytes`; those of two uses differ by their tags, of two files by their salts.
  package init(
    of bytes: [UInt8], as tag: HashTag = .controlRecord, salt: Identifier<HashSalt> = .none
  ) {
    let digest = Blake2b.hash(bytes, tag, salt: salt)
    high = digest.words.0
    low = digest.words.1
  }

  /// Writes the sixteen bytes.
  package func encode(into writer: inout WireWriter) {
    writer.write(high.byteSwapped)
    writer.write(low.byteSwapped)
  }

  /// Reads sixteen bytes.
  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    high = try cursor.readUInt64(span).byteSwapped
    low = try cursor.readUInt64(span).byteSwapped
  }
}

/// Bytes that begin with the checksum of the others.
struct Sealed: Sendable {
  let checksum: Checksum
  let bytes: [UInt8]

  /// Puts a checksum before what was written, and zeros after it up to `count` bytes in all.
  init(_ content: WireWriter, salt: Identifier<HashSalt> = .none, padding count: Int) {
    let room = count - Checksum.byteCount
    precondition(content.bytes.count <= room, "\(content.bytes.count) bytes in \(room)")
    var body = content.bytes
    body.append(contentsOf: repeatElement(0, count: room - body.count))
    checksum = Checksum(of: body, salt: salt)
    var writer = WireWriter(capacity: count)
    checksum.encode(into: &writer)
    writer.writeRaw(body)
    bytes = writer.bytes
  }
}
