/// Makes a segment in small steps, before it is needed.
///
/// It is filled with zeros instead of being reserved only: the first write into reserved room
/// changes the file's map, which a file system with a journal makes durable with a commit of its
/// own, for every block of the log. The name appears when the file is whole.
struct SegmentPreparation: Sendable {
  /// What one step writes, in bytes: as long may a step of the owner have to wait.
  static let stepBytes = 128 * 1_024

  let header: SegmentHeader
  let byteCount: Int
  private let file: DiskFile
  private let directory: Directory
  private var offset = 0

  /// Makes the file and reserves its room.
  init(
    _ directory: Directory, _ header: SegmentHeader, byteCount: Int
  ) throws(ControlStorageFailure) {
    self.header = header
    self.byteCount = byteCount
    self.directory = directory
    let passing = SegmentHeader.file(header.number) + FileName.unfinished
    try directory.remove(passing)
    file = try directory.open(passing, .direct)
    try file.reserve(byteCount)
  }

  /// Does a step and says whether it was the last. The memory for frames carries the header;
  /// `zeros` holds nothing else.
  mutating func advance(
    _ buffer: AlignedBuffer, _ zeros: AlignedBuffer
  ) throws(ControlStorageFailure) -> Bool {
    if offset == 0 {
      buffer.fill(header.encoded)
      try file.write(buffer, count: SegmentHeader.byteCount, at: 0)
      offset = SegmentHeader.byteCount
    }
    let count = min(zeros.byteCount, byteCount - offset)
    if count > 0 {
      try file.write(zeros, count: count, at: offset)
      offset += count
      return false
    }
    try file.sync()
    try directory.rename(file.name, to: SegmentHeader.file(header.number))
    return true
  }
}
