internal import Glibc
internal import Records

/// Reads the segments of a log in order and finds out where it ends.
///
/// One write is under way at a time, and a frame is one write. So what a crash can leave behind is
/// one frame that fails its checksum, at the very end: it was never reported durable and is
/// dropped. A frame that fails with another one behind it, or that does not follow the one before,
/// was durable and has been damaged or lost since.
struct LogScan: Sendable {
  /// What is known of a segment.
  struct Segment: Sendable {
    let header: SegmentHeader
    let byteCount: Int
    /// Where the next frame goes.
    var end = SegmentHeader.byteCount
    var frames = 0
    /// The highest index of an entry in it that counts, or did before it was overwritten.
    var lastIndex: UInt64 = 0
    /// Whether something that is no frame stands at `end`.
    var isTorn = false

    var file: String { SegmentHeader.file(header.number) }
  }

  private let life: UInt64
  private let voidFrames: UInt64
  private(set) var segments: [Segment] = []
  /// The entries that count, contiguous.
  private(set) var entries: [RaftEntry] = []
  private(set) var lastFrame: UInt64 = 0
  private(set) var lastChecksum = Checksum.zero
  private(set) var hardCounter: UInt64 = 0
  private(set) var commit: UInt64 = 0
  /// The first thing found that a crash does not explain; nothing after it is read.
  private(set) var damage: ControlDamage?

  /// Starts with nothing; entries of frames up to `voidFrames` do not count.
  init(life: UInt64, voidFrames: UInt64) {
    self.life = life
    self.voidFrames = voidFrames
  }

  /// The segment that the next frame goes to.
  var activeIndex: Int? {
    segments.isEmpty ? nil : segments.lastIndex { $0.frames > 0 } ?? 0
  }

  /// The torn frame that was dropped, if any.
  var torn: Segment? { segments.last { $0.isTorn } }

  /// Reads the next segment.
  mutating func add(_ number: UInt64, _ bytes: [UInt8]) {
    guard damage == nil else { return }
    let file = SegmentHeader.file(number)
    guard let header = SegmentHeader(bytes), header.number == number else {
      damage = ControlDamage(file, "the header fails its checksum")
      return
    }
    guard header.life == life else {
      damage = ControlDamage(file, "belongs to another life of the log")
      return
    }
    if let last = segments.last {
      guard last.header.number &+ 1 == number else {
        let missing = SegmentHeader.file(last.header.number &+ 1)
        damage = ControlDamage(missing, "is missing before \(file)")
        return
      }
      guard last.frames > 0 else {
        let finding = "no frame, but \(file) comes after it"
        damage = ControlDamage(last.file, at: last.end, finding)
        return
      }
    }
    var segment = Segment(header: header, byteCount: bytes.count)
    readFrames(of: &segment, bytes)
    segments.append(segment)
  }

  private mutating func readFrames(of segment: inout Segment, _ bytes: [UInt8]) {
    while segment.end < bytes.count {
      let found = FoundFrame(bytes, at: segment.end, salt: segment.header.salt)
      guard let found else {
        readEnd(of: &segment, bytes)
        return
      }
      if let torn {
        let finding = "no valid frame, but one follows in \(segment.file)"
        damage = ControlDamage(torn.file, at: torn.end, finding)
        return
      }
      if let finding = misfit(of: found.frame, in: segment) {
        damage = ControlDamage(segment.file, at: segment.end, finding)
        return
      }
      accept(found, in: &segment)
    }
  }

  /// Looks at what stands where no frame does: nothing, a torn frame, or damage.
  private mutating func readEnd(of segment: inout Segment, _ bytes: [UInt8]) {
    guard !LogScan.isZero(bytes, from: segment.end) else { return }
    let salt = segment.header.salt
    var offset = segment.end + DiskBlock.byteCount
    while offset < bytes.count {
      if FoundFrame(bytes, at: offset, salt: salt) != nil {
        let finding = "no valid frame, but one follows at byte \(offset)"
        damage = ControlDamage(segment.file, at: segment.end, finding)
        return
      }
      offset += DiskBlock.byteCount
    }
    if let torn {
      damage = ControlDamage(torn.file, at: torn.end, "no valid frame, but \(segment.file) is used")
      return
    }
    segment.isTorn = true
  }

  /// Why a frame does not follow what was read before.
  private func misfit(of frame: Frame, in segment: Segment) -> String? {
    if lastFrame == 0 {
      // Segments that were not needed are gone, and with them what the first frame follows.
      if segment.header.number == 1 && (frame.number != 1 || frame.previous != .zero) {
        return "frame \(frame.number) where the log begins"
      }
    } else if frame.number != lastFrame &+ 1 || frame.previous != lastChecksum {
      return "frame \(frame.number) does not follow frame \(lastFrame)"
    }
    if let last = entries.last?.index, let first = frame.entries.first?.index,
      frame.number > voidFrames, first > last &+ 1
    {
      return "entry \(first) does not follow entry \(last)"
    }
    return nil
  }

  private mutating func accept(_ found: FoundFrame, in segment: inout Segment) {
    let frame = found.frame
    lastFrame = frame.number
    lastChecksum = found.checksum
    hardCounter = max(hardCounter, frame.hardCounter)
    commit = max(commit, frame.commit)
    segment.end += found.byteCount
    segment.frames += 1
    guard frame.number > voidFrames else { return }
    segment.lastIndex = max(segment.lastIndex, frame.entries.last?.index ?? 0)
    entries.replaceSuffix(with: frame.entries)
  }

  private static func isZero(_ bytes: [UInt8], from offset: Int) -> Bool {
    bytes.withUnsafeBytes { bytes in
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
      guard let start = rest.baseAddress, unsafe start.load(as: UInt8.self) == 0 else {
        return rest.isEmpty
      }
      // Bytes that all equal their successors are all the first one.
      return unsafe memcmp(start, start + 1, rest.count - 1) == 0
    }
  }
}

extension [RaftEntry] {
  /// Appends entries and drops those that they make void: all from the first one's index on.
  mutating func replaceSuffix(with newer: [RaftEntry]) {
    guard let first = newer.first?.index else { return }
    if let base = self.first?.index, first > base {
      // `first` is at most one beyond the last index, which the callers have checked.
      removeLast(count - Int(first - base))
    } else {
      removeAll(keepingCapacity: true)
    }
    append(contentsOf: newer)
  }
}
