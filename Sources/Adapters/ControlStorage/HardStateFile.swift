internal import Records

/// The file with term, vote and incarnation: two slots, written in turn, so that a torn write leaves
/// the one before.
struct HardStateFile: Sendable {
  private let file: DiskFile
  private let buffer: AlignedBuffer
  private var place: Int
  private(set) var slot: HardStateSlot

  /// Opens the file whose newest slot was found at `place`, and makes durable what was found.
  init(
    _ directory: Directory, _ buffer: AlignedBuffer, slot: HardStateSlot, place: Int
  ) throws(ControlStorageFailure) {
    self.buffer = buffer
    self.slot = slot
    self.place = place
    file = try directory.open(HardStateSlot.file, .durable)
    try file.sync()
  }

  /// Makes the file for a new life of a log; it appears whole or not at all.
  static func create(
    _ directory: Directory, _ buffer: AlignedBuffer, life: UInt64
  ) throws(ControlStorageFailure) {
    let passing = HardStateSlot.file + FileName.unfinished
    let file = try directory.open(passing, .direct)
    for place in 0..<HardStateSlot.count {
      buffer.fill(HardStateSlot(counter: UInt64(place) + 1, life: life).encoded)
      let offset = place * HardStateSlot.byteCount
      try file.write(buffer, count: HardStateSlot.byteCount, at: offset)
    }
    try file.sync()
    try directory.rename(passing, to: HardStateSlot.file)
  }

  /// Writes the slot after the newest; durable when it returns.
  mutating func write(
    _ change: (inout HardStateSlot) -> Void, _ meter: inout SyncMeter
  ) throws(ControlStorageFailure) {
    var next = slot
    change(&next)
    next.counter += 1
    let nextPlace = (place + 1) % HardStateSlot.count
    buffer.fill(next.encoded)
    try meter.measure { () throws(ControlStorageFailure) in
      try file.write(
        buffer, count: HardStateSlot.byteCount, at: nextPlace * HardStateSlot.byteCount)
    }
    slot = next
    place = nextPlace
  }
}
