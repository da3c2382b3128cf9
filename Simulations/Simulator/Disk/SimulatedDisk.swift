internal import Crypto
internal import LedgerCore
internal import Merkle
internal import Primitives
internal import Records
internal import Wire

/// The disk of one node: a log that is synced per group, and rows that may lag behind it.
///
/// Like the node's two databases: lanes, heads and proofs of a group are durable when its commit
/// ends; its rows follow, and a crash may take the last of them.
struct SimulatedDisk {
  /// A lane as it is stored.
  struct Lane {
    var head: LaneHead
    var bundles: [SignedBundle] = []
  }

  /// The rows of one step, which may still be lost.
  private struct RowStep {
    let rows: [Row]
    let heads: [LanePosition]
    let rowSet: [UInt8]
  }

  private struct RowKey: Hashable {
    let table: UInt16
    let values: [ColumnValue]
  }

  /// Steps whose rows are not yet safe.
  private static let unsafeStepsMax = 48
  /// Safe steps that are kept apart: only a start looks at rows.
  private static let safeStepsMax = 1_024

  // Durable.
  private(set) var lanes = SortedMap<LaneID, Lane>()
  /// Every stored bundle in the order in which it was stored.
  private var order: [LanePosition] = []
  private(set) var proofs: [EquivocationProof] = []
  private var rows: [Row] = []
  private var rowPlaces: [RowKey: Int] = [:]
  private var applied = Frontier()
  private var rowSet: [UInt8] = []
  /// Steps that are not yet in `rows`, oldest first, and how many of them are safe.
  private var steps: [RowStep] = []
  private var safeCount = 0

  // Lost in a crash.
  private(set) var queued: [StorageBatch] = []
  private(set) var inFlight: [StorageBatch] = []

  /// Takes a step; true when the disk was idle and a group is to be started.
  mutating func submit(_ batch: StorageBatch) -> Bool {
    queued.append(batch)
    return inFlight.isEmpty
  }

  /// Starts a commit of everything queued; false when there is nothing.
  mutating func startGroup() -> Bool {
    precondition(inFlight.isEmpty, "a group is started while one is under way")
    guard !queued.isEmpty else { return false }
    swap(&queued, &inFlight)
    return true
  }

  /// Ends the commit: the group is durable. Returns the number of its last step.
  mutating func finishGroup() -> UInt64 {
    guard let last = inFlight.last else { preconditionFailure("no group is under way") }
    for batch in inFlight { store(batch) }
    inFlight.removeAll(keepingCapacity: true)
    return last.sequence
  }

  /// How far `lane` is durable.
  func durable(_ lane: LaneID) -> UInt64 { UInt64(lanes[lane]?.bundles.count ?? 0) }

  /// The durable bundle at a place.
  func bundle(_ position: LanePosition) -> SignedBundle? {
    guard let lane = lanes[position.lane], position.number > 0,
      position.number <= UInt64(lane.bundles.count)
    else { return nil }
    return lane.bundles[Int(position.number - 1)]
  }

  /// The wire forms of a range, as many as fit and one at least.
  func frames(_ lane: LaneID, _ range: ClosedRange<UInt64>, bytesMax: Int) -> [[UInt8]] {
    guard let stored = lanes[lane] else { return [] }
    var result: [[UInt8]] = []
    var byteCount = 0
    var number = range.lowerBound
    while number <= range.upperBound, number <= UInt64(stored.bundles.count) {
      let frame = stored.bundles[Int(number - 1)].encoded
      byteCount += frame.count
      if byteCount > bytesMax && !result.isEmpty { break }
      result.append(frame)
      number += 1
    }
    return result
  }

  private mutating func store(_ batch: StorageBatch) {
    for bundle in batch.bundles {
      let header = bundle.header
      let position = LanePosition(lane: header.lane, number: header.number)
      precondition(
        durable(header.lane) + 1 == header.number,
        "bundle \(header.number) stored after \(durable(header.lane))")
      guard let head = batch.heads.first(where: { $0.lane == header.lane }) else {
        preconditionFailure("a step stores bundles of a lane without its head")
      }
      lanes[header.lane, default: Lane(head: head)].bundles.append(bundle)
      order.append(position)
    }
    for head in batch.heads { lanes[head.lane, default: Lane(head: head)].head = head }
    proofs.append(contentsOf: batch.proofs)
    addRows(
      batch.rows,
      heads: batch.heads.map { LanePosition(lane: $0.lane, number: $0.number) },
      rowSet: batch.rowSet)
  }

  private mutating func addRows(_ rows: [Row], heads: [LanePosition], rowSet: [UInt8]) {
    steps.append(RowStep(rows: rows, heads: heads, rowSet: rowSet))
    if steps.count - safeCount > SimulatedDisk.unsafeStepsMax { safeCount += 1 }
    if safeCount > SimulatedDisk.safeStepsMax { settleRows() }
  }

  /// Puts the rows of safe steps in their places.
  private mutating func settleRows() {
    for step in steps.prefix(safeCount) {
      for row in step.rows { put(row) }
      for head in step.heads { applied.advance(head.lane, to: head.number) }
      if !step.rowSet.isEmpty { rowSet = step.rowSet }
    }
    steps.removeFirst(safeCount)
    safeCount = 0
  }

  private mutating func put(_ row: Row) {
    guard let schema = LiveTables.schemas.first(where: { $0.number == row.table }) else {
      preconditionFailure("a row of table \(row.table), which does not exist")
    }
    let key = RowKey(table: row.table, values: Array(row.values.prefix(schema.keyColumnCount)))
    if let place = rowPlaces[key] {
      rows[place] = row
    } else {
      rowPlaces[key] = rows.count
      rows.append(row)
    }
  }
}

// MARK: - Crash and recovery

extension SimulatedDisk {
  /// What a crash took.
  struct Loss {
    /// Steps of the group under way that survived, and that did not.
    var stepsKept = 0
    var stepsLost = 0
    /// Steps whose rows were lost although their bundles were not.
    var rowStepsLost = 0
  }

  /// Loses what was not synced: of the group under way a prefix may survive, of the rows too.
  mutating func crash(_ random: inout Xoshiro256) -> Loss {
    var loss = Loss()
    loss.stepsKept = random.next(below: inFlight.count + 1)
    loss.stepsLost = inFlight.count - loss.stepsKept + queued.count
    for batch in inFlight.prefix(loss.stepsKept) { store(batch) }
    inFlight.removeAll()
    queued.removeAll()
    let unsafeCount = steps.count - safeCount
    let rowStepsKept = random.next(below: unsafeCount + 1)
    loss.rowStepsLost = unsafeCount - rowStepsKept
    safeCount += rowStepsKept
    steps.removeSubrange(safeCount...)
    return loss
  }

  /// Takes out of a lane what comes after a place, and the rows, which are made again.
  mutating func withdraw(after place: LanePosition) {
    precondition(queued.isEmpty && inFlight.isEmpty, "a withdrawal from a disk in use")
    guard let lane = lanes[place.lane], place.number < durable(place.lane) else { return }
    let kept = lane.bundles.prefix(Int(place.number))
    lanes[place.lane] = SimulatedDisk.lane(of: kept)
    order.removeAll { $0.lane == place.lane && $0.number > place.number }
    rows = []
    rowPlaces = [:]
    applied = Frontier()
    rowSet = []
    steps = []
    safeCount = 0
  }

  private static func lane(of bundles: some Sequence<SignedBundle>) -> Lane? {
    var lane: Lane?
    var range = MountainRange()
    for bundle in bundles {
      let header = bundle.header
      range.append(bundle.digest) { _, _ in }
      let head = LaneHead(
        lane: header.lane, node: header.node, epoch: header.epoch, number: header.number,
        lastSequence: header.lastSequence, lastTime: header.lastTime, digest: bundle.digest,
        range: range)
      lane = Lane(head: head, bundles: (lane?.bundles ?? []) + [bundle])
    }
    return lane
  }

  /// What recovery found.
  struct Found {
    var lanes: [RestoredLane] = []
    var proofs: [EquivocationProof] = []
    var tables = LiveTables()
    var replayed = 0
  }

  /// Recovers as a node does: folds the log, loads the rows, replays what they do not reflect.
  /// Throws what `LiveTables` finds wrong with the rows; `nil` when they miss their digest.
  mutating func recover() throws(RestoreError) -> Found? {
    precondition(queued.isEmpty && inFlight.isEmpty, "recovery of a disk that was not crashed")
    settleRows()
    var found = Found()
    for entry in lanes.entries {
      found.lanes.append(
        RestoredLane(
          head: entry.value.head, times: entry.value.bundles.map(\.header.lastTime),
          marks: entry.value.bundles.map(\.digest.words.0)))
    }
    found.proofs = proofs
    for row in rows { try found.tables.restore(row) }
    try found.tables.finishRestore()
    let isSound =
      rowSet.isEmpty ? found.tables.counts.agents == 0 : found.tables.rowSet.bytes == rowSet
    guard isSound else { return nil }
    var changed: [Row] = []
    for position in order where position.number > applied[position.lane] {
      guard let bundle = bundle(position) else { return nil }
      bundle.apply(to: &found.tables, into: &changed)
      found.replayed += 1
    }
    for row in changed { put(row) }
    for entry in lanes.entries { applied.advance(entry.key, to: entry.value.head.number) }
    if !changed.isEmpty { rowSet = found.tables.rowSet.bytes }
    return found
  }
}

extension SignedBundle {
  /// Applies every operation to tables; a restatement of what the node's core does.
  func apply(to tables: inout LiveTables, into rows: inout [Row]) {
    for (index, operation) in operations.enumerated() {
      let stamp = OperationStamp(
        time: HybridTime(raw: header.firstTime.raw + UInt64(index)), lane: header.lane,
        number: header.number, index: index)
      tables.apply(operation, at: stamp, into: &rows)
    }
  }
}
