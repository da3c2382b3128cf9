internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// Entries of the log that were written at once: the unit that a crash tears.
///
/// A frame begins at a block and is padded to whole blocks, so that no write touches bytes that are
/// durable already. Its checksum covers the padding, is salted with its segment's secret and names
/// the checksum of the frame before: bytes of a payload, of another segment or of another place
/// never pass for a frame.
struct Frame: Sendable {
  /// What stands before the entries, in bytes.
  static let headBytes = 72
  /// The bytes of the largest frame.
  static let byteCountMax = 1_048_576
  /// The bytes of a frame with one entry of the largest size.
  static let entryBytesMax = DiskBlock.roundUp(
    headBytes + RaftEntry.payloadBytesMax + RaftEntry.overheadBytes)

  /// Counts the frames of a log from 1.
  let number: UInt64
  /// The checksum of the frame before.
  let previous: Checksum
  /// The counter of the newest slot of the hard state when this was written.
  let hardCounter: UInt64
  /// An index that is known to be committed, within the log as this leaves it.
  let commit: UInt64
  /// Contiguous and never empty; stored entries from the first one's index on are void.
  let entries: [RaftEntry]

  /// The whole blocks.
  func sealed(salt: Identifier<HashSalt>) -> Sealed {
    var records = WireWriter()
    for entry in entries { entry.encode(into: &records) }
    let byteCount = Frame.headBytes + records.bytes.count
    var writer = WireWriter(capacity: byteCount)
    previous.encode(into: &writer)
    writer.write(number)
    writer.write(UInt32(byteCount))
    writer.write(UInt32(entries.count))
    writer.write(hardCounter)
    writer.write(commit)
    writer.write(entries.first?.index ?? 0)
    writer.writeRaw(records.bytes)
    return Sealed(writer, salt: salt, padding: DiskBlock.roundUp(byteCount))
  }

  /// How many of `entries` one frame of at most `limit` bytes takes: at least one.
  static func prefixCount(of entries: ArraySlice<RaftEntry>, limit: Int) -> Int {
    var byteCount = headBytes
    var count = 0
    for entry in entries {
      byteCount += entry.byteCount
      if byteCount > limit && count > 0 { break }
      count += 1
    }
    return count
  }
}

/// A frame as it was found in a segment.
struct FoundFrame: Sendable {
  let frame: Frame
  let checksum: Checksum
  /// With the padding.
  let byteCount: Int

  /// Reads the frame that begins at `offset` of a segment; `nil` when none does.
  init?(_ segment: [UInt8], at offset: Int, salt: Identifier<HashSalt>) {
    do throws(WireError) {
      try self.init(reading: segment, at: offset, salt: salt)
    } catch {
      return nil
    }
  }

  private init(
    reading segment: [UInt8], at offset: Int, salt: Identifier<HashSalt>
  ) throws(WireError) {
    let span = segment.span.bytes
    var cursor = WireCursor(offset: offset)
    checksum = try Checksum(from: span, at: &cursor)
    let previous = try Checksum(from: span, at: &cursor)
    let number = try cursor.readUInt64(span)
    let used = Int(try cursor.readUInt32(span))
    let count = Int(try cursor.readUInt32(span))
    byteCount = DiskBlock.roundUp(used)
    guard number > 0, count > 0, used > Frame.headBytes, byteCount <= segment.count - offset else {
      throw .invalid("no head of a frame")
    }
    let body = Array(segment[offset + Checksum.byteCount..<offset + byteCount])
    guard checksum == Checksum(of: body, salt: salt) else {
      throw .invalid("a frame that fails its checksum")
    }
    let hardCounter = try cursor.readUInt64(span)
    let commit = try cursor.readUInt64(span)
    let first = try cursor.readUInt64(span)
    var entries: [RaftEntry] = []
    for _ in 0..<count {
      let entry = try RaftEntry(from: span, at: &cursor)
      guard entry.index == (entries.last?.index ?? first &- 1) &+ 1 else {
        throw .invalid("entries out of order")
      }
      entries.append(entry)
    }
    guard cursor.offset == offset + used else { throw .trailingBytes }
    frame = Frame(
      number: number, previous: previous, hardCounter: hardCounter, commit: commit,
      entries: entries)
  }
}
