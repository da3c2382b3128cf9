internal import Crypto
internal import Glibc
internal import Primitives
internal import Records

/// Appends frames to the newest segment and drops the oldest segments.
struct LogWriter: Sendable {
  /// A segment as far as dropping it is concerned.
  private struct Segment: Sendable {
    let number: UInt64
    let byteCount: Int
    var lastIndex: UInt64
  }

  /// The segment after the newest.
  private enum Next: Sendable {
    case none
    case underway(SegmentPreparation)
    case ready(SegmentHeader, byteCount: Int)
    /// The disk was full: tried again when there is no way around it.
    case refused
  }

  private let directory: Directory
  private let life: UInt64
  private let segmentBytes: Int
  private let buffer: AlignedBuffer
  private let zeros = AlignedBuffer(byteCount: SegmentPreparation.stepBytes)
  /// The last one is written to.
  private var segments: [Segment] = []
  private var file: DiskFile
  private var salt: Identifier<HashSalt>
  private var offset: Int
  private var lastChecksum: Checksum
  private var next: Next
  private(set) var lastFrame: UInt64
  /// The last entry; that of the snapshot when there is none after it.
  private(set) var lastIndex: UInt64

  /// Goes on where a scan found the log to end. What the scan found is made durable first, because
  /// a killed process may have left it in the kernel's memory only; a torn frame is wiped.
  init(
    _ directory: Directory, _ scan: LogScan, life: UInt64, segmentBytes: Int, lastIndex: UInt64,
    _ buffer: AlignedBuffer
  ) throws(ControlStorageFailure) {
    self.directory = directory
    self.life = life
    self.segmentBytes = segmentBytes
    self.buffer = buffer
    self.lastIndex = lastIndex
    lastFrame = scan.lastFrame
    lastChecksum = scan.lastChecksum
    guard let active = scan.activeIndex else {
      let header = SegmentHeader(number: 1, life: life)
      var preparation = try SegmentPreparation(directory, header, byteCount: segmentBytes)
      var isWhole = false
      while !isWhole { isWhole = try preparation.advance(buffer, zeros) }
      file = try directory.open(SegmentHeader.file(1), .durable)
      salt = header.salt
      offset = SegmentHeader.byteCount
      segments = [Segment(number: 1, byteCount: segmentBytes, lastIndex: 0)]
      next = .none
      return
    }
    var sizes: [Int] = []
    for segment in scan.segments[active...] {
      sizes.append(try LogWriter.mend(segment, directory, to: segmentBytes, zeros))
    }
    let newest = scan.segments[active]
    file = try directory.open(newest.file, .durable)
    salt = newest.header.salt
    offset = newest.end
    segments = scan.segments[..<active].map {
      Segment(number: $0.header.number, byteCount: $0.byteCount, lastIndex: $0.lastIndex)
    }
    segments.append(
      Segment(number: newest.header.number, byteCount: sizes[0], lastIndex: newest.lastIndex))
    let after = active + 1
    next =
      scan.segments.count > after
      ? .ready(scan.segments[after].header, byteCount: sizes[1]) : .none
  }

  /// Bytes of all segments.
  var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }

  /// How many segments there are, the prepared one not counted.
  var segmentCount: Int { segments.count }

  private var capacity: Int { segments.last?.byteCount ?? 0 }

  // MARK: Appending

  /// Appends entries, which void those stored from the first one's index on; durable when it
  /// returns, in order: of entries that need several frames, a crash leaves the first ones.
  mutating func append(
    _ entries: [RaftEntry], hardCounter: UInt64, commit: UInt64, _ meter: inout SyncMeter
  ) throws(ControlStorageFailure) {
    var rest = entries[...]
    let limit = min(Frame.byteCountMax, segmentBytes - SegmentHeader.byteCount)
    while let first = rest.first {
      precondition(
        first.index <= lastIndex + 1, "entry \(first.index) does not follow \(lastIndex)")
      let part = Array(rest.prefix(Frame.prefixCount(of: rest, limit: limit)))
      rest = rest.dropFirst(part.count)
      let last = first.index + UInt64(part.count) - 1
      let frame = Frame(
        number: lastFrame + 1, previous: lastChecksum, hardCounter: hardCounter,
        commit: min(commit, last), entries: part)
      try write(frame, &meter)
      lastFrame = frame.number
      lastIndex = last
      segments[segments.count - 1].lastIndex = max(segments[segments.count - 1].lastIndex, last)
    }
  }

  private mutating func write(
    _ frame: Frame, _ meter: inout SyncMeter
  ) throws(ControlStorageFailure) {
    var sealed = frame.sealed(salt: salt)
    let byteCount = sealed.bytes.count
    if offset + byteCount > capacity {
      try roll()
      sealed = frame.sealed(salt: salt)
    }
    precondition(offset + byteCount <= capacity, "a frame of \(byteCount) bytes in \(capacity)")
    buffer.fill(sealed.bytes)
    try meter.measure { () throws(ControlStorageFailure) in
      try file.write(buffer, count: byteCount, at: offset)
    }
    lastChecksum = sealed.checksum
    offset += byteCount
  }

  // MARK: The next segment

  /// Whether a step of preparing the next segment is worth doing when there is nothing else to do.
  /// Only a segment with a frame has a successor: two empty ones are a sign of lost frames.
  var wantsPreparation: Bool {
    switch next {
    case .none: offset > SegmentHeader.byteCount
    case .underway: true
    case .ready, .refused: false
    }
  }

  /// Whether such a step must not wait any longer.
  var needsPreparation: Bool { wantsPreparation && offset > capacity / 2 }

  /// Does a step. A disk that is full is no failure before the newest segment is.
  mutating func prepare() throws(ControlStorageFailure) {
    do throws(ControlStorageFailure) {
      try advancePreparation()
    } catch {
      guard error.code == ENOSPC || error.code == EDQUOT else { throw error }
      next = .refused
    }
  }

  private mutating func advancePreparation() throws(ControlStorageFailure) {
    switch next {
    case .ready:
      return
    case .none, .refused:
      let number = (segments.last?.number ?? 0) + 1
      next = .underway(
        try SegmentPreparation(
          directory, SegmentHeader(number: number, life: life), byteCount: segmentBytes))
    case .underway(var preparation):
      next = .none
      if try preparation.advance(buffer, zeros) {
        next = .ready(preparation.header, byteCount: preparation.byteCount)
      } else {
        next = .underway(preparation)
      }
    }
  }

  /// Goes on in the next segment.
  private mutating func roll() throws(ControlStorageFailure) {
    while true {
      if case .ready(let header, let byteCount) = next {
        file = try directory.open(SegmentHeader.file(header.number), .durable)
        salt = header.salt
        offset = SegmentHeader.byteCount
        segments.append(Segment(number: header.number, byteCount: byteCount, lastIndex: 0))
        next = .none
        return
      }
      try advancePreparation()
    }
  }

  // MARK: Dropping

  /// Removes segments that hold nothing after an index, oldest first; the newest stays, because
  /// frames are counted on from its last. Each removal is durable before the next.
  mutating func drop(through index: UInt64) throws(ControlStorageFailure) {
    while segments.count > 1, let oldest = segments.first, oldest.lastIndex <= index {
      try directory.remove(SegmentHeader.file(oldest.number))
      try directory.sync()
      segments.removeFirst()
    }
  }

  /// Forgets all entries, whose place a snapshot up to an index has taken, and removes the segments
  /// that hold nothing else.
  mutating func voidEntries(before snapshot: UInt64) throws(ControlStorageFailure) {
    for place in segments.indices { segments[place].lastIndex = 0 }
    lastIndex = snapshot
    try drop(through: 0)
  }

  // MARK: Opening

  /// Makes a segment durable as it was found, wipes what is torn and gives it its full size;
  /// returns that.
  private static func mend(
    _ segment: LogScan.Segment, _ directory: Directory, to segmentBytes: Int,
    _ zeros: AlignedBuffer
  ) throws(ControlStorageFailure) -> Int {
    let file = try directory.open(segment.file, .direct)
    let size = max(DiskBlock.roundUp(segment.byteCount), segmentBytes)
    if segment.isTorn || segment.byteCount < size {
      for offset in stride(from: segment.end, to: size, by: zeros.byteCount) {
        try file.write(zeros, count: min(zeros.byteCount, size - offset), at: offset)
      }
    }
    try file.sync()
    return size
  }
}
