internal import ControlStorage
internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// Whose votes a journal holds.
struct JournalOwner: Hashable, Sendable {
  let key: NodeID
  let chain: ChainID
}

/// The first block of a file of the journal. A file counts while this is whole: it is written when
/// everything that the generation begins with is durable.
struct JournalHeader: Hashable, Sendable {
  private static let magic = Array("SOVOTES1".utf8)

  let owner: JournalOwner
  /// Counts checkpoints; of two whole files the one with the higher generation counts.
  let generation: UInt64
  /// Makes the frames of this generation unlike those of any other.
  let salt: Identifier<HashSalt>
  /// Whether votes of the key are lost that were made before the first record.
  let isAmnesiac: Bool
  /// Frames that the generation began with.
  let checkpointFrames: UInt32

  /// The block.
  var encoded: [UInt8] {
    var writer = WireWriter(capacity: DiskBlock.byteCount)
    writer.writeRaw(JournalHeader.magic)
    writer.write(owner.key.key)
    writer.write(owner.chain.digest)
    writer.write(generation)
    writer.write(salt)
    writer.write(UInt8(isAmnesiac ? 1 : 0))
    writer.write(checkpointFrames)
    return SealedBlocks(writer, salt: .none).bytes
  }

  /// Reads the header at the beginning of a file; `nil` when there is none.
  static func found(in file: [UInt8]) -> JournalHeader? {
    guard file.count >= DiskBlock.byteCount else { return nil }
    do throws(WireError) {
      let span = file.span.bytes
      var cursor = WireCursor()
      let checksum = try Checksum(from: span, at: &cursor)
      let body = Array(file[Checksum.byteCount..<DiskBlock.byteCount])
      guard checksum == Checksum(of: body, as: .voteRecord, salt: .none),
        try cursor.readRaw(span, count: magic.count) == magic
      else { return nil }
      let owner = JournalOwner(
        key: NodeID(key: try cursor.readDigest(span)),
        chain: ChainID(digest: try cursor.readDigest(span)))
      return JournalHeader(
        owner: owner, generation: try cursor.readUInt64(span),
        salt: try cursor.readIdentifier(span), isAmnesiac: try cursor.readUInt8(span) != 0,
        checkpointFrames: try cursor.readUInt32(span))
    } catch {
      return nil
    }
  }
}

/// The second block of a file: how far it went, written when nothing else is to be done. So the
/// last frame going bad shows too, which would look like a torn write.
enum JournalMark {
  static let offset = DiskBlock.byteCount
  private static let magic = Array("SOVOTEM1".utf8)

  static func encoded(lastFrame: UInt64, salt: Identifier<HashSalt>) -> [UInt8] {
    var writer = WireWriter(capacity: DiskBlock.byteCount)
    writer.writeRaw(magic)
    writer.write(lastFrame)
    return SealedBlocks(writer, salt: salt).bytes
  }

  /// The last frame that a file is known to have held; 0 when it does not say.
  static func lastFrame(in file: [UInt8], salt: Identifier<HashSalt>) -> UInt64 {
    guard file.count >= offset + DiskBlock.byteCount else { return 0 }
    do throws(WireError) {
      let span = file.span.bytes
      var cursor = WireCursor(offset: offset)
      let checksum = try Checksum(from: span, at: &cursor)
      let body = Array(
        file[offset + Checksum.byteCount..<offset + DiskBlock.byteCount])
      guard checksum == Checksum(of: body, as: .voteRecord, salt: salt),
        try cursor.readRaw(span, count: magic.count) == magic
      else { return 0 }
      return try cursor.readUInt64(span)
    } catch {
      return 0
    }
  }
}
