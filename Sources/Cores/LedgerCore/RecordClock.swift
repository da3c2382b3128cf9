internal import Primitives
internal import Records
internal import Wire

/// A write of a record that nothing supersedes; what it wrote is in storage.
struct LiveWrite {
  let stamp: CompactStamp
  let priority: UInt8
  let isDelete: Bool
}

/// Which writes of one record, or additions of one element, stand and which are superseded.
///
/// A multi-value register after Almeida, Baquero, Gonçalves, Preguiça and Fonte, "Scalable and
/// accurate causality tracking for eventually consistent stores" (2014): causality is a timestamp
/// per lane, since a lane's operations have rising times, and each standing write keeps its own
/// dot, so that two clients of one node can be concurrent too. The set of operations alone decides,
/// whatever their order of arrival, and also when a lying node names what arrives later or never:
///
/// - **R1** A name counts if its time is below that of the operation that gives it. So nobody can
///   supersede what is yet to be written.
/// - **R2** A write is superseded if a counted name of its lane has its time or a later one. A node
///   that holds a write holds all earlier ones of the lane, so whoever saw one saw the others.
/// - **R3** It also is if its lane wrote `siblings` later ones to the record.
/// - **R4** It also is if its time is at most the *floor*. A lane's last time is that of its last
///   write or counted name; the floor is the last time of the lane that comes after the
///   `LedgerLimits.recordLanes` lanes with the greatest ones, or zero. What lies at or below the
///   floor is forgotten, which bounds the clock.
///
/// All four only ever grow with the set of operations: what is superseded once stays so, which is
/// why superseded writes need not be kept.
struct RecordClock {
  /// How far a lane's writes are superseded.
  struct Seen {
    let lane: UInt32
    var time: UInt64
  }

  /// The times at or below which nothing stands (R4).
  private(set) var floor: UInt64 = 0
  /// Per lane the greatest counted name above the floor, in no order.
  private(set) var seen: [Seen] = []
  /// What stands, in no order.
  private(set) var live: [LiveWrite] = []

  /// Supersedes the writes of a lane up to a time (R2).
  mutating func see(lane: UInt32, time: UInt64) {
    guard time > floor else { return }
    if let index = seen.firstIndex(where: { $0.lane == lane }) {
      guard time > seen[index].time else { return }
      seen[index].time = time
    } else {
      seen.append(Seen(lane: lane, time: time))
    }
    live.removeAll { $0.stamp.lane == lane && $0.stamp.time <= time }
    trim()
  }

  /// Takes a write; only the last `siblings` of its lane stand (R3).
  mutating func add(_ write: LiveWrite, siblings: Int) {
    let stamp = write.stamp
    guard stamp.time > floor else { return }
    if let known = seen.first(where: { $0.lane == stamp.lane }), stamp.time <= known.time { return }
    live.append(write)
    let ofLane = live.indices.filter { live[$0].stamp.lane == stamp.lane }
    if ofLane.count > siblings,
      let oldest = ofLane.min(by: { RecordClock.isOlder(live[$0].stamp, live[$1].stamp) })
    {
      live.remove(at: oldest)
    }
    trim()
  }

  /// The order of stamps of one lane.
  private static func isOlder(_ left: CompactStamp, _ right: CompactStamp) -> Bool {
    (left.time, left.number, left.index) < (right.time, right.number, right.index)
  }

  /// Raises the floor when there are too many lanes (R4).
  private mutating func trim() {
    guard seen.count + live.count > LedgerLimits.recordLanes else { return }
    var last = SortedMap<UInt32, UInt64>()
    for entry in seen { last[entry.lane] = max(last[entry.lane] ?? 0, entry.time) }
    for write in live {
      last[write.stamp.lane] = max(last[write.stamp.lane] ?? 0, write.stamp.time)
    }
    guard last.count > LedgerLimits.recordLanes else { return }
    let times = last.entries.map(\.value).sorted(by: >)
    let lowest = times[LedgerLimits.recordLanes]
    precondition(lowest > floor, "R4: the floor would sink from \(floor) to \(lowest)")
    floor = lowest
    seen.removeAll { $0.time <= lowest }
    live.removeAll { $0.stamp.time <= lowest }
  }
}

// MARK: - The stored form

/// The stored form: floor, then the lanes in ascending order of their names.
///
/// ```
/// floor var | count var | (lane 32 | time 8)... | count var | write...
/// write: lane 32 | time 8 | number var | index var | priority, 128 added for a deletion
/// ```
extension RecordClock {
  /// Encodes the clock; one set of operations has one form. `name` and `precedes` read the dense
  /// indices of lanes.
  func encoded(name: (UInt32) -> LaneID, precedes: (CompactStamp, CompactStamp) -> Bool) -> [UInt8]
  {
    var writer = WireWriter(capacity: 16 + seen.count * 40 + live.count * 48)
    writer.writeVariable(floor)
    writer.writeVariable(UInt64(seen.count))
    let dots = seen.map { RecordDot(lane: name($0.lane), time: HybridTime(raw: $0.time)) }
    for dot in dots.sorted() {
      writer.write(dot.lane.digest)
      writer.write(dot.time.raw)
    }
    writer.writeVariable(UInt64(live.count))
    for write in live.sorted(by: { precedes($0.stamp, $1.stamp) }) {
      writer.write(name(write.stamp.lane).digest)
      writer.write(write.stamp.time)
      writer.writeVariable(write.stamp.number)
      writer.writeVariable(UInt64(write.stamp.index))
      writer.write(write.priority | (write.isDelete ? 128 : 0))
    }
    return writer.bytes
  }

  /// Reads the stored form, refusing what no clock has. `index` makes dense indices of lanes.
  init(decoding bytes: [UInt8], siblings: Int, index: (LaneID) -> UInt32) throws(WireError) {
    var cursor = WireCursor()
    let span = bytes.span.bytes
    floor = try cursor.readVariable(span)
    let seenCount = try cursor.readCount(span, limit: LedgerLimits.recordLanes, bytesEach: 40)
    var lastLane: LaneID?
    for _ in 0..<seenCount {
      let lane = LaneID(digest: try cursor.readDigest(span))
      if let lastLane, lastLane >= lane { throw .notCanonical }
      lastLane = lane
      let time = try cursor.readUInt64(span)
      guard time > floor else { throw .invalid("a name at or below the floor") }
      seen.append(Seen(lane: index(lane), time: time))
    }
    let liveCount = try cursor.readCount(
      span, limit: LedgerLimits.recordLanes * siblings, bytesEach: 43)
    for _ in 0..<liveCount {
      let lane = index(LaneID(digest: try cursor.readDigest(span)))
      let time = try cursor.readUInt64(span)
      let number = try cursor.readVariable(span)
      let place = try cursor.readVariable(span, limit: UInt64(UInt32.max))
      let flags = try cursor.readUInt8(span)
      guard UInt64(flags & 127) <= LedgerLimits.priority.upperBound else { throw .overLimit }
      let known = seen.first { $0.lane == lane }?.time ?? floor
      guard time > known else { throw .invalid("a superseded write stands") }
      live.append(
        LiveWrite(
          stamp: CompactStamp(time: time, number: number, lane: lane, index: UInt32(place)),
          priority: flags & 127, isDelete: flags & 128 != 0))
    }
    try cursor.expectEnd(span)
  }
}
