internal import Records
internal import Wire

/// A file that holds a snapshot of the control state.
struct SnapshotFile: Sendable {
  private static let prefix = "snapshot-"
  private static let magic: UInt64 = 0x314e_534c_5443_4f53  // "SOCTLSN1"
  /// Checksum, mark, life, frame and the length of the head.
  private static let fixedBytes = Checksum.byteCount + 28
  private static let headBytesMax = 1_048_576

  /// The life of the control log.
  let life: UInt64
  /// Frames of the log up to this number are void: a leader's snapshot replaced them.
  let voidFrames: UInt64
  let snapshot: RaftSnapshot

  /// The last entry that it reflects.
  var index: UInt64 { snapshot.head.index }

  /// What stands before the snapshot's bytes.
  private var opening: [UInt8] {
    let head = snapshot.head.encoded
    var writer = WireWriter()
    writer.write(SnapshotFile.magic)
    writer.write(life)
    writer.write(voidFrames)
    writer.write(UInt32(head.count))
    writer.writeRaw(head)
    return Sealed(writer, padding: SnapshotFile.fixedBytes + head.count).bytes
  }

  /// Writes the file under a passing name, makes it durable and renames it: that is the moment from
  /// which it counts. Returns its size.
  func write(
    in directory: Directory, _ buffer: AlignedBuffer
  ) throws(ControlStorageFailure) -> Int {
    let name = SnapshotFile.file(index)
    let passing = name + FileName.unfinished
    try directory.remove(passing)
    let file = try directory.open(passing, .cached)
    var offset = 0
    for part in [opening] + snapshot.chunks {
      for start in stride(from: 0, to: part.count, by: buffer.byteCount) {
        let count = min(buffer.byteCount, part.count - start)
        buffer.fill(part[start..<start + count])
        try file.write(buffer, count: count, at: offset)
        offset += count
      }
    }
    try file.sync()
    try directory.rename(passing, to: name)
    return offset
  }

  init(life: UInt64, voidFrames: UInt64, snapshot: RaftSnapshot) {
    self.life = life
    self.voidFrames = voidFrames
    self.snapshot = snapshot
  }

  /// Reads and verifies a file; `nil` when anything in it is not as it was written.
  init?(_ bytes: [UInt8]) {
    do throws(WireError) {
      try self.init(reading: bytes)
    } catch {
      return nil
    }
  }

  private init(reading bytes: [UInt8]) throws(WireError) {
    let span = bytes.span.bytes
    var cursor = WireCursor()
    let checksum = try Checksum(from: span, at: &cursor)
    let magic = try cursor.readUInt64(span)
    life = try cursor.readUInt64(span)
    voidFrames = try cursor.readUInt64(span)
    let headCount = Int(try cursor.readUInt32(span))
    guard magic == SnapshotFile.magic, headCount <= SnapshotFile.headBytesMax,
      headCount <= bytes.count - cursor.offset
    else { throw .truncated }
    let end = cursor.offset + headCount
    guard checksum == Checksum(of: Array(bytes[Checksum.byteCount..<end])) else {
      throw .invalid("a snapshot whose head fails its checksum")
    }
    let head = try RaftSnapshotHead(from: span, at: &cursor)
    guard cursor.offset == end else { throw .trailingBytes }
    var chunks: [[UInt8]] = []
    for number in head.chunkDigests.indices {
      chunks.append(try cursor.readRaw(span, count: head.length(ofChunk: number)))
    }
    try cursor.expectEnd(span)
    guard let snapshot = RaftSnapshot(head: head, chunks: chunks) else {
      throw .invalid("a snapshot whose bytes are not those that it names")
    }
    self.snapshot = snapshot
  }

  /// The name of the file with the snapshot up to an index.
  static func file(_ index: UInt64) -> String { FileName.numbered(prefix, index) }

  /// The index in the name of a snapshot's file; `nil` for other files.
  static func index(of file: String) -> UInt64? { FileName.number(in: file, after: prefix) }
}
