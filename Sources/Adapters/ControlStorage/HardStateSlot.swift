internal import Records
internal import Wire

/// What one slot of the file `hard-state` holds.
struct HardStateSlot: Hashable, Sendable {
  static let file = "hard-state"
  static let byteCount = DiskBlock.byteCount
  static let count = 2
  private static let magic: UInt64 = 0x3153_484c_5443_4f53  // "SOCTLHS1"

  /// Numbers the writes: the higher one counts.
  var counter: UInt64
  /// The life of the control log.
  let life: UInt64
  var incarnation: UInt64
  var state: RaftHardState
  /// The last frame of the log that was durable when this was written.
  var durableFrame: UInt64

  var encoded: [UInt8] {
    var writer = WireWriter(capacity: HardStateSlot.byteCount)
    writer.write(HardStateSlot.magic)
    writer.write(counter)
    writer.write(life)
    writer.write(incarnation)
    writer.write(state.term)
    writer.write(state.vote?.value ?? 0)
    writer.write(state.commit)
    writer.write(durableFrame)
    return Sealed(writer, padding: HardStateSlot.byteCount).bytes
  }

  init(
    counter: UInt64, life: UInt64, incarnation: UInt64 = 0, state: RaftHardState = RaftHardState(),
    durableFrame: UInt64 = 0
  ) {
    self.counter = counter
    self.life = life
    self.incarnation = incarnation
    self.state = state
    self.durableFrame = durableFrame
  }

  /// Whether the two differ in their counters at most.
  func says(_ other: HardStateSlot) -> Bool {
    life == other.life && incarnation == other.incarnation && state == other.state
      && durableFrame == other.durableFrame
  }

  /// Reads slot `number` of the file's bytes; `nil` when it is torn.
  init?(_ file: [UInt8], slot number: Int) {
    let start = number * HardStateSlot.byteCount
    let end = start + HardStateSlot.byteCount
    guard file.count >= end else { return nil }
    do throws(WireError) {
      try self.init(Array(file[start..<end]))
    } catch {
      return nil
    }
  }

  private init(_ bytes: [UInt8]) throws(WireError) {
    let span = bytes.span.bytes
    var cursor = WireCursor()
    let checksum = try Checksum(from: span, at: &cursor)
    guard checksum == Checksum(of: Array(bytes[Checksum.byteCount...])),
      try cursor.readUInt64(span) == HardStateSlot.magic
    else { throw .invalid("a slot that fails its checksum") }
    counter = try cursor.readUInt64(span)
    life = try cursor.readUInt64(span)
    incarnation = try cursor.readUInt64(span)
    let term = try cursor.readUInt64(span)
    let vote = RaftID(try cursor.readUInt64(span))
    state = RaftHardState(term: term, vote: vote, commit: try cursor.readUInt64(span))
    durableFrame = try cursor.readUInt64(span)
  }
}

/// What was found in the file `hard-state`.
struct FoundSlots: Hashable, Sendable {
  let newest: HardStateSlot
  /// Where the newest is.
  let place: Int
  /// The other one; `nil` when it is torn.
  let other: HardStateSlot?

  /// Reads the file's bytes; `nil` when both slots are torn.
  init?(_ file: [UInt8]) {
    let first = HardStateSlot(file, slot: 0)
    let second = HardStateSlot(file, slot: 1)
    if let first, first.counter > second?.counter ?? 0 {
      (newest, place, other) = (first, 0, second)
    } else if let second {
      (newest, place, other) = (second, 1, first)
    } else {
      return nil
    }
  }

  var isMirrored: Bool { other.map(newest.says) ?? false }

  /// Whether the slots cannot be of the same file.
  var areForeign: Bool {
    guard let other else { return false }
    return other.counter &+ 1 != newest.counter || other.life != newest.life
  }
}
