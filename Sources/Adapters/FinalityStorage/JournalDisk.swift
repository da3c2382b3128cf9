internal import ControlStorage
internal import Crypto
internal import Glibc

/// The files of a vote journal, as the one thread that writes holds them.
///
/// Invariants:
/// - V1: a record is durable before its step is reported, and so is the mark that the key signs.
/// - V2: one of the two files is whole at any time: a new generation is durable, frames before
///   header, before the header of the old one is wiped, and both before anything is reported.
/// - V3: no write touches bytes that are durable and count, except the mark.
struct JournalDisk: Sendable {
  private let owner: JournalOwner
  private let options: VoteJournalOptions
  private let files: [DiskFile]
  private var sizes: [Int]
  private let buffer: AlignedBuffer
  private let zeros: AlignedBuffer
  private var marker: SigningMarker
  private var current: Int
  private var header: JournalHeader
  private var end: Int
  private var lastFrame: UInt64
  private var lastChecksum: Checksum
  private var markedFrame: UInt64
  /// What was done and how long it took.
  private(set) var statistics = VoteJournalStatistics()

  /// Opens what was found, or begins with generation 1.
  init(
    _ directory: Directory, _ found: JournalFiles, owner: JournalOwner, marker: SigningMarker,
    _ options: VoteJournalOptions
  ) throws(ControlStorageFailure) {
    self.owner = owner
    self.options = options
    self.marker = marker
    buffer = AlignedBuffer(byteCount: JournalFrame.byteCountMax)
    zeros = AlignedBuffer(byteCount: JournalFrame.byteCountMax)
    var files: [DiskFile] = []
    for name in JournalFiles.names { files.append(try directory.open(name, .durable)) }
    self.files = files
    sizes = found.bytes.map { $0.count / DiskBlock.byteCount * DiskBlock.byteCount }
    current = found.current?.place ?? 0
    let scan = found.current?.scan
    header =
      scan?.header
      ?? JournalHeader(
        owner: owner, generation: 1, salt: Entropy.identifier(), isAmnesiac: marker.isSet,
        checkpointFrames: 0)
    end = scan?.end ?? JournalScan.framesStart
    lastFrame = scan?.lastFrame ?? 0
    lastChecksum = scan?.lastChecksum ?? .zero
    markedFrame = scan?.markedFrame ?? 0
    try settle(directory, found)
  }

  /// Makes the files what they should be before the first step: of full size, without a torn write
  /// and with one header.
  private mutating func settle(
    _ directory: Directory, _ found: JournalFiles
  ) throws(ControlStorageFailure) {
    // A killed process may have left what was found in the kernel's memory.
    for file in files { try file.sync() }
    for place in files.indices {
      if sizes[place] < options.fileBytes { try grow(place, to: options.fileBytes) }
    }
    if found.current == nil {
      try write(header.encoded, at: 0, of: current)
    } else {
      try wipe(from: end, found.bytes[current])
      let other = found.bytes[1 - current].prefix(DiskBlock.byteCount)
      if other.contains(where: { $0 != 0 }) { try wipeHeader(of: 1 - current) }
    }
    try directory.sync()
    if lastFrame > 0 { try marker.set() }
    statistics.usedBytes = end
  }

  /// Zeros what a torn write may have left.
  private mutating func wipe(from start: Int, _ bytes: [UInt8]) throws(ControlStorageFailure) {
    let stop = min(start + JournalFrame.byteCountMax, sizes[current])
    guard start < min(stop, bytes.count),
      bytes[start..<min(stop, bytes.count)].contains(where: { $0 != 0 })
    else { return }
    try files[current].write(zeros, count: stop - start, at: start)
  }

  private func wipeHeader(of place: Int) throws(ControlStorageFailure) {
    try files[place].write(zeros, count: DiskBlock.byteCount, at: 0)
  }

  /// Fills a file with zeros up to a size: later writes change no map of blocks.
  private mutating func grow(_ place: Int, to size: Int) throws(ControlStorageFailure) {
    guard size <= options.fileBytesMax else {
      throw ControlStorageFailure("grow", files[place].name, code: EFBIG)
    }
    try files[place].reserve(size)
    while sizes[place] < size {
      let count = min(zeros.byteCount, size - sizes[place])
      try files[place].write(zeros, count: count, at: sizes[place])
      sizes[place] += count
    }
  }

  /// Whether the journal began without votes that the key has made.
  var isAmnesiac: Bool { header.isAmnesiac }

  /// Writes steps that wait, as one; all of it is durable when this returns.
  mutating func write(_ steps: [VoteStep]) throws(ControlStorageFailure) {
    let checkpoint = steps.lastIndex { $0.isCheckpoint }
    let records = steps[(checkpoint ?? 0)...].flatMap(\.records)
    if !records.isEmpty { try marker.set() }
    if checkpoint != nil {
      try begin(records, endsAmnesia: steps.contains { $0.endsAmnesia })
      statistics.checkpoints += 1
    } else {
      for part in JournalFrame.split(records) { try append(part) }
    }
    statistics.groups += 1
    statistics.steps += UInt64(steps.count)
    statistics.usedBytes = end
  }

  /// Writes a frame at the end of the current file.
  private mutating func append(_ records: ArraySlice<[UInt8]>) throws(ControlStorageFailure) {
    let frame = JournalFrame(
      number: lastFrame + 1, previous: lastChecksum, records: Array(records))
    let sealed = frame.sealed(salt: header.salt)
    if end + sealed.bytes.count > sizes[current] {
      let missing = end + sealed.bytes.count - sizes[current]
      let steps = (missing + options.fileBytes - 1) / options.fileBytes
      try grow(current, to: sizes[current] + steps * options.fileBytes)
    }
    try write(sealed.bytes, at: end, of: current)
    end += sealed.bytes.count
    lastFrame += 1
    lastChecksum = sealed.checksum
  }

  /// Begins a generation in the other file with `records` (V2).
  private mutating func begin(
    _ records: [[UInt8]], endsAmnesia: Bool
  ) throws(ControlStorageFailure) {
    let parts = JournalFrame.split(records)
    let old = current
    header = JournalHeader(
      owner: owner, generation: header.generation + 1, salt: Entropy.identifier(),
      isAmnesiac: header.isAmnesiac && !endsAmnesia, checkpointFrames: UInt32(parts.count))
    current = 1 - old
    end = JournalScan.framesStart
    lastFrame = 0
    lastChecksum = .zero
    markedFrame = 0
    for part in parts { try append(part) }
    try write(header.encoded, at: 0, of: current)
    try wipeHeader(of: old)
  }

  private mutating func write(
    _ bytes: [UInt8], at offset: Int, of place: Int
  ) throws(ControlStorageFailure) {
    buffer.fill(bytes)
    let start = SyncClock.nanoseconds()
    try files[place].write(buffer, count: bytes.count, at: offset)
    let elapsed = SyncClock.nanoseconds() - start
    statistics.syncs += 1
    statistics.syncNanoseconds += elapsed
    statistics.longestSyncNanoseconds = max(statistics.longestSyncNanoseconds, elapsed)
  }

  /// Whether the mark is behind.
  var hasIdleWork: Bool { lastFrame > markedFrame }

  /// Writes the mark.
  mutating func idle() throws(ControlStorageFailure) {
    guard hasIdleWork else { return }
    try write(
      JournalMark.encoded(lastFrame: lastFrame, salt: header.salt), at: JournalMark.offset,
      of: current)
    markedFrame = lastFrame
  }
}

/// Measures how long the disk takes; no decision depends on it.
private enum SyncClock {
  static func nanoseconds() -> UInt64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
