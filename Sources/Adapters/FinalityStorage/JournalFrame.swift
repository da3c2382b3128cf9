internal import ControlStorage
internal import Crypto
internal import Primitives
internal import Wire

/// Whole blocks that begin with the checksum of all that follows in them.
struct SealedBlocks: Sendable {
  let checksum: Checksum
  let bytes: [UInt8]

  /// Pads what was written with zeros and puts the checksum before it.
  init(_ content: WireWriter, salt: Identifier<HashSalt>) {
    let room =
      DiskBlock.roundUp(content.bytes.count + Checksum.byteCount)
      - Checksum.byteCount
    var body = content.bytes
    body.append(contentsOf: repeatElement(0, count: room - body.count))
    checksum = Checksum(of: body, as: .voteRecord, salt: salt)
    var writer = WireWriter(capacity: room + Checksum.byteCount)
    checksum.encode(into: &writer)
    writer.writeRaw(body)
    bytes = writer.bytes
  }
}

/// Records that were written at once: the unit that a crash tears.
///
/// A frame is padded to whole blocks, so that no write touches bytes that are durable already. Its
/// checksum is salted with its file's secret and names the checksum of the frame before: bytes of a
/// record, of an earlier generation or of another place never pass for a frame.
struct JournalFrame: Sendable {
  /// What stands before the records, in bytes.
  static let headBytes = 48
  /// The bytes of the largest frame.
  static let byteCountMax = 1_048_576

  /// Counts the frames of a file from 1.
  let number: UInt64
  /// The checksum of the frame before; zero in the first.
  let previous: Checksum
  /// At least one.
  let records: [[UInt8]]

  /// The whole blocks.
  func sealed(salt: Identifier<HashSalt>) -> SealedBlocks {
    let byteCount = records.reduce(JournalFrame.headBytes) { $0 + 4 + $1.count }
    precondition(byteCount <= JournalFrame.byteCountMax, "a frame of \(byteCount) bytes")
    var writer = WireWriter(capacity: byteCount)
    previous.encode(into: &writer)
    writer.write(number)
    writer.write(UInt32(byteCount))
    writer.write(UInt32(records.count))
    for record in records {
      writer.write(UInt32(record.count))
      writer.writeRaw(record)
    }
    return SealedBlocks(writer, salt: salt)
  }

  /// Splits records so that each part fits into a frame.
  static func split(_ records: [[UInt8]]) -> [ArraySlice<[UInt8]>] {
    var parts: [ArraySlice<[UInt8]>] = []
    var start = 0
    var byteCount = headBytes
    for (index, record) in records.enumerated() {
      if byteCount + 4 + record.count > byteCountMax {
        parts.append(records[start..<index])
        start = index
        byteCount = headBytes
      }
      byteCount += 4 + record.count
    }
    if start < records.count { parts.append(records[start...]) }
    return parts
  }
}

/// A frame as it was found.
struct FoundJournalFrame: Sendable {
  let frame: JournalFrame
  let checksum: Checksum
  /// With the padding.
  let byteCount: Int

  /// Reads the frame that begins at `offset`; `nil` when none does.
  init?(_ file: [UInt8], at offset: Int, salt: Identifier<HashSalt>) {
    do throws(WireError) {
      try self.init(reading: file, at: offset, salt: salt)
    } catch {
      return nil
    }
  }

  private init(
    reading file: [UInt8], at offset: Int, salt: Identifier<HashSalt>
  ) throws(WireError) {
    let span = file.span.bytes
    var cursor = WireCursor(offset: offset)
    checksum = try Checksum(from: span, at: &cursor)
    let previous = try Checksum(from: span, at: &cursor)
    let number = try cursor.readUInt64(span)
    let used = Int(try cursor.readUInt32(span))
    let count = Int(try cursor.readUInt32(span))
    byteCount = DiskBlock.roundUp(used)
    guard number > 0, count > 0, used > JournalFrame.headBytes,
      used <= JournalFrame.byteCountMax, byteCount <= file.count - offset
    else { throw .invalid("no head of a frame") }
    let body = Array(file[offset + Checksum.byteCount..<offset + byteCount])
    guard checksum == Checksum(of: body, as: .voteRecord, salt: salt) else {
      throw .invalid("a frame that fails its checksum")
    }
    var records: [[UInt8]] = []
    for _ in 0..<count {
      let length = Int(try cursor.readUInt32(span))
      records.append(try cursor.readRaw(span, count: length))
    }
    guard cursor.offset == offset + used else { throw .trailingBytes }
    frame = JournalFrame(number: number, previous: previous, records: records)
  }
}
