internal import BFTCore
internal import ExecutionCore
internal import FinalityStorage
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records
internal import SQLiteStorage
internal import Wire

/// Why final blocks could not be executed.
struct ExecutionFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// A final block that names another version of a bundle than the log holds.
struct Contradiction: Error, Hashable {
  /// The bundle.
  let position: LanePosition
  /// How far its lane is executed.
  let after: UInt64
}

/// The executed ledger, in memory and on disk, with the lanes that it reads.
///
/// A block's bundles are read from `log.db`, executed in memory, and what they led to is committed
/// with the block before anybody hears of it.
struct ExecutionState {
  /// Blocks of one transaction.
  static let blocksPerCommit = 64
  /// Bytes of bundles after which no more blocks join a transaction.
  private static let bytesPerCommit = 32 << 20

  private(set) var ledger: Ledger
  /// The heights before the ledger's, for proofs.
  private(set) var history: LedgerHistory
  /// How the epochs followed each other, as far as certificates show it without a gap.
  private(set) var handovers: [EpochHandover] = []
  let database: LedgerDatabase
  private let lanes: Reader
  /// Why nothing more is executed in this life, if that is so.
  private(set) var contradiction: Contradiction?
  /// Whether a row that was replaced could not be read: earlier heights are not known then.
  private var isHistoryTorn = false
  /// Makes snapshots, and what may become the next one; a look from outside has none.
  private let snapshots: SnapshotKeeper?
  private var candidates = SnapshotKeeper.Candidates()

  init(
    ledger: Ledger, database: LedgerDatabase, lanes: Reader, snapshots: SnapshotKeeper? = nil
  ) {
    self.snapshots = snapshots
    self.ledger = ledger
    history = LedgerHistory(at: ledger)
    self.database = database
    self.lanes = lanes
  }

  // MARK: Executing

  /// Executes blocks and makes them durable with what they led to; fewer than given when they hold
  /// much, and none once one contradicts the log.
  mutating func execute(_ blocks: ArraySlice<FinalizedBlock>) throws -> [ExecutionReport] {
    var transaction = LedgerTransaction()
    var reports: [ExecutionReport] = []
    var byteCount = 0
    for final in blocks where contradiction == nil && byteCount < ExecutionState.bytesPerCommit {
      do {
        reports.append(
          try execute(final.block, endsEpoch: final.endsEpoch, into: &transaction, &byteCount))
      } catch let found as Contradiction {
        contradiction = found
        break
      }
      // What names another block than this one is kept beside it.
      let certificate = final.descendants.isEmpty ? final.certificate : nil
      transaction.blocks.append(FinalBlock(block: final.block, certificate: certificate))
      if let value = ExecutionState.boundaryValue(final) { transaction.values.append(value) }
    }
    guard !reports.isEmpty else { return [] }
    try database.commit(transaction, durable: true)
    try noteStored(transaction)
    snapshots?.committed(
      blocks.prefix(reports.count).map(\.block), database.reads, &candidates)
    return reports
  }

  /// How many of the next blocks may be committed at once.
  func batch(_ count: Int) -> Int {
    let most = min(count, ExecutionState.blocksPerCommit)
    return snapshots?.batch(after: ledger.height, count: most) ?? most
  }

  /// Lets go of moments of the ledger, and waits for a snapshot that is being written.
  mutating func endSnapshots() {
    candidates = SnapshotKeeper.Candidates()
    snapshots?.stop()
  }

  /// Executes again what an earlier program had executed in another way.
  mutating func executeStored(through height: UInt64) throws {
    let boundaries = try database.reads.epochs().map(\.parent.height)
    while ledger.height < height {
      var transaction = LedgerTransaction()
      var byteCount = 0
      for final in try database.reads.blocks(
        from: ledger.height + 1, count: UInt64(ExecutionState.blocksPerCommit))
      where byteCount < ExecutionState.bytesPerCommit {
        _ = try execute(
          final.block, endsEpoch: boundaries.contains(final.height), into: &transaction,
          &byteCount)
      }
      guard !transaction.executed.isEmpty else {
        throw ExecutionFailure("block \(ledger.height + 1) is not stored")
      }
      // The epochs are known, with the certificates of their handovers.
      transaction.epochs = []
      try database.commit(transaction, durable: true)
      try noteStored(transaction)
    }
  }

  private mutating func execute(
    _ block: Block, endsEpoch: Bool, into transaction: inout LedgerTransaction,
    _ byteCount: inout Int
  ) throws -> ExecutionReport {
    let header = block.header
    let bundles = try ledger.bundles(below: block.body).map { position in
      guard let bundle = try lanes.bundle(at: position) else {
        throw ExecutionFailure(
          "bundle \(position.number) of lane \(position.lane.digest.short) is not held")
      }
      byteCount += bundle.header.bodyByteCount
      return bundle
    }
    var changes = LedgerChanges()
    let executed: ExecutedBlock
    do throws(ExecutionError) {
      executed = try ledger.execute(
        BlockToExecute(
          epoch: header.epoch, height: header.height, timestamp: header.timestamp,
          endsEpoch: endsEpoch, body: block.body, bundles: bundles), into: &changes)
    } catch {
      throw try failure(error, at: header.height)
    }
    remember(executed, changes)
    transaction.rows += changes.rows
    transaction.executed.append(
      ExecutedState(
        height: executed.height, root: executed.root, rowsRoot: executed.rowsRoot,
        lanesRoot: executed.lanesRoot))
    transaction.outcomes += ExecutionState.outcomes(executed, bundles)
    if let next = executed.nextValidators {
      let number = header.epoch + 1
      transaction.epochs.append(
        LedgerEpoch(
          epoch: number, parent: block.nextEpochParent, validators: next,
          handover: try ending(before: number)))
      transaction.values.append((ExecutionState.endingName(number), nil))
    }
    return ExecutionReport(
      height: executed.height, root: executed.root, nextDue: executed.nextDue,
      nextValidators: executed.nextValidators)
  }

  /// What is wrong, and what to do about it.
  private func failure(_ error: ExecutionError, at height: UInt64) throws -> any Error {
    guard case .mismatch(let position) = error else {
      return ExecutionFailure("block \(height) cannot be executed: \(error)")
    }
    let head = ledger.head(of: position.lane)
    let after = head?.number ?? 0
    let last = try lanes.bundle(at: LanePosition(lane: position.lane, number: after))
    if position.number > after, last.map({ $0.digest == head?.digest }) ?? true {
      return Contradiction(position: position, after: after)
    }
    return ExecutionFailure(
      "block \(height) does not follow bundle \(after) of lane \(position.lane.digest.short) as "
        + "this node holds it, and what was executed before does; remove this node's data "
        + "directory, so that it fetches what is final")
  }

  /// The codes of each bundle's operations, bundle by bundle.
  private static func outcomes(
    _ executed: ExecutedBlock, _ bundles: [SignedBundle]
  ) -> [BundleOutcome] {
    var codes: [LanePosition: [UInt32]] = [:]
    for bundle in bundles {
      codes[LanePosition(lane: bundle.header.lane, number: bundle.header.number)] = Array(
        repeating: 0, count: bundle.operations.count)
    }
    for result in executed.results {
      codes[result.operation.bundle]?[result.operation.index] = UInt32(result.code.rawValue)
    }
    return bundles.map { bundle in
      BundleOutcome(
        lane: bundle.header.lane, number: bundle.header.number, height: executed.height,
        codes: codes[LanePosition(lane: bundle.header.lane, number: bundle.header.number)] ?? [])
    }
  }

  // MARK: Looking back

  /// Finds what a restart has lost: how the epochs followed, and the heights over which nothing but
  /// time has passed.
  mutating func resume() throws {
    handovers = try database.reads.handovers()
    var height = ledger.height
    while height > 1, let executed = try database.reads.executed(at: height - 1),
      let block = try database.reads.block(at: height - 1)
    {
      let roots = LedgerHistory.Roots(
        height: height - 1, rows: executed.rowsRoot, lanes: executed.lanesRoot)
      guard
        try history.resume(roots, timestamp: block.block.header.timestamp, in: ledger)
      else { return }
      height -= 1
    }
  }

  private mutating func remember(_ executed: ExecutedBlock, _ changes: LedgerChanges) {
    guard !isHistoryTorn else { return }
    do {
      try history.note(executed, changes, of: ledger) { [database] table, key in
        try database.reads.row(table: table, key: key)
      }
    } catch {
      // Proofs of earlier heights are given up, execution is not: it needs no stored row.
      isHistoryTorn = true
    }
  }

  /// Takes note that a transaction is on the disk.
  private mutating func noteStored(_ transaction: LedgerTransaction) throws {
    if isHistoryTorn { history.forget(at: ledger) }
    isHistoryTorn = false
    history.trim()
    if !transaction.epochs.isEmpty { handovers = try database.reads.handovers() }
  }

  // MARK: The end of an epoch

  /// Keeps the certificate by which an epoch was handed over.
  mutating func store(handover certificate: Certificate) throws {
    let next = certificate.statement.epoch + 1
    var transaction = LedgerTransaction()
    guard let epoch = try database.reads.epoch(next) else {
      // The others were there sooner: it is kept until execution is.
      transaction.values = [(ExecutionState.endingName(next), certificate.encoded)]
      return try database.commit(transaction, durable: false)
    }
    guard epoch.handover == nil else { return }
    transaction.epochs = [
      LedgerEpoch(
        epoch: next, parent: epoch.parent, validators: epoch.validators, handover: certificate)
    ]
    try database.commit(transaction, durable: false)
    try noteStored(transaction)
  }

  private static func endingName(_ epoch: UInt64) -> String { "ending.\(epoch)" }

  /// A quorum's word on the end of the epoch before, if it came before execution was there.
  private func ending(before epoch: UInt64) throws -> Certificate? {
    guard let bytes = try database.reads.value(ExecutionState.endingName(epoch)) else { return nil }
    return try? Certificate(decoding: bytes)
  }

  /// What finalizes an epoch's last block when a descendant does: a segment as peers exchange it,
  /// without the block itself.
  private static func boundaryValue(
    _ final: FinalizedBlock
  ) -> (name: String, bytes: [UInt8]?)? {
    guard !final.descendants.isEmpty, let certificate = final.certificate else { return nil }
    return (
      StoredSegments.boundaryName(final.block.header.height),
      FinalityMessage.segment(final.descendants, certificate).encoded
    )
  }
}
