internal import Records

/// The file with term, vote and incarnation: two slots, written in turn, so that a torn write
/// leaves the one before. As soon as there is time the other slot is made to say the same: a slot
/// that goes bad later looks like a torn one, and the one before it would have forgotten a vote.
struct HardStateFile: Sendable {
  private let file: DiskFile
  private let buffer: AlignedBuffer
  private var place: Int
  private(set) var slot: HardStateSlot
  /// Whether both slots say the same.
  private(set) var isMirrored: Bool

  /// Opens the file whose slots were found, and makes durable what was found.
  init(
    _ directory: Directory, _ buffer: AlignedBuffer, _ found: FoundSlots
  ) throws(ControlStorageFailure) {
    self.buffer = buffer
    slot = found.newest
    place = found.place
    isMirrored = found.isMirrored
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
    isMirrored = next.says(slot)
    slot = next
    place = nextPlace
  }

  /// Writes the newest slot into the other place.
  mutating func mirror(_ meter: inout SyncMeter) throws(ControlStorageFailure) {
    try write({ _ in }, &meter)
  }
}
