internal import ControlStorage
/// What is wrong with a file of the journal.
struct JournalDamage: Error, Hashable, Sendable {
  let file: String
  let offset: Int
  let finding: String
}

/// One file of the journal, as it was found: the frames of its generation.
struct JournalScan: Sendable {
  /// Where frames begin.
  static let framesStart = 2 * DiskBlock.byteCount

  let header: JournalHeader
  private(set) var records: [[UInt8]] = []
  private(set) var lastFrame: UInt64 = 0
  private(set) var lastChecksum = Checksum.zero
  /// Where the next frame goes.
  private(set) var end = JournalScan.framesStart
  /// What the mark says.
  let markedFrame: UInt64

  /// Reads every frame, and tells a torn write at the end from damage.
  init(_ name: String, _ file: [UInt8], _ header: JournalHeader) throws(JournalDamage) {
    self.header = header
    markedFrame = JournalMark.lastFrame(in: file, salt: header.salt)
    while let found = FoundJournalFrame(file, at: end, salt: header.salt) {
      guard found.frame.number == lastFrame + 1, found.frame.previous == lastChecksum else {
        throw JournalDamage(
          file: name, offset: end, finding: "frame \(found.frame.number) follows \(lastFrame)")
      }
      records.append(contentsOf: found.frame.records)
      lastFrame = found.frame.number
      lastChecksum = found.checksum
      end += found.byteCount
    }
    let known = max(markedFrame, UInt64(header.checkpointFrames))
    guard lastFrame >= known else {
      throw JournalDamage(
        file: name, offset: end, finding: "frame \(lastFrame + 1) of \(known) is gone or changed")
    }
    for offset in stride(
      from: end + DiskBlock.byteCount, to: file.count, by: DiskBlock.byteCount)
    where FoundJournalFrame(file, at: offset, salt: header.salt) != nil {
      throw JournalDamage(
        file: name, offset: end, finding: "no frame, but one after it at byte \(offset)")
    }
  }
}

/// Both files of a journal.
struct JournalFiles: Sendable {
  static let names = ["votes-0", "votes-1"]

  /// Their bytes; none for a file that is missing.
  let bytes: [[UInt8]]
  /// The one that counts, or `nil` when no vote was ever recorded.
  let current: (place: Int, scan: JournalScan)?

  /// Finds out which file counts and reads it.
  init(_ bytes: [[UInt8]]) throws(JournalDamage) {
    self.bytes = bytes
    let headers = bytes.map { JournalHeader.found(in: $0) }
    let generations = headers.map { $0?.generation ?? 0 }
    let place = generations[0] >= generations[1] ? 0 : 1
    guard let header = headers[place] else {
      // A torn first header stands before nothing but zeros: whatever is beyond was written after
      // a header was durable.
      for (name, file) in zip(JournalFiles.names, bytes) {
        let rest = file.dropFirst(DiskBlock.byteCount)
        if let offset = rest.firstIndex(where: { $0 != 0 }) {
          throw JournalDamage(file: name, offset: offset, finding: "records without a header")
        }
      }
      current = nil
      return
    }
    if headers[1 - place] != nil && generations[0] == generations[1] {
      throw JournalDamage(
        file: JournalFiles.names[place], offset: 0, finding: "both files are of one generation")
    }
    current = (place, try JournalScan(JournalFiles.names[place], bytes[place], header))
  }
}
