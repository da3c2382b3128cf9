internal import Configuration
internal import ExecutionCore
internal import FinalityStorage
internal import Primitives
internal import Records
internal import SnapshotCore
internal import StorageThreads
internal import Synchronization
internal import Telemetry
internal import Wire

/// Makes snapshots of the ledger while it is executed, and answers those who fetch them.
///
/// Validators vouch for some heights only. From every multiple of the interval on, the ledger is
/// committed block by block and each of the moments is held, until a final header vouches for one
/// of them: the same one at every node, so that a snapshot can be fetched from all of them at once.
/// It is written on a thread of its own.
final class SnapshotKeeper: Sendable {
  /// Heights after a multiple of the interval that may become the snapshot.
  static let candidatesMax: UInt64 = 16
  /// Snapshots that are kept: who fetches the older one can end.
  static let keptMax = 2
  private static let listName = "heights"

  /// A moment on its way from the thread that executes to the one that writes.
  ///
  /// Safe: the first hands it over and forgets it; the second takes it once.
  private final class Handover: @unchecked Sendable {
    var moment: LedgerMoment?

    init(_ moment: LedgerMoment) {
      self.moment = moment
    }
  }

  /// A snapshot that is served.
  private struct Served {
    let height: UInt64
    let manifest: [UInt8]
    let parts: SnapshotFile
  }

  private struct State {
    var served: [Served] = []
    var isWriting = false
    var thread: WorkerThread?
    var statistics = SnapshotStatistics()
  }

  private let paths: SnapshotPaths
  private let ledgerDirectory: String
  private let chain: ChainID
  /// Heights between two snapshots.
  private let interval: UInt64
  private let logger: Logger
  private let state = Mutex(State())

  /// Takes over what an earlier run has written; what cannot be read of it is not served.
  init(
    _ paths: SnapshotPaths, ledgerDirectory: String, chain: ChainID, interval: UInt64,
    _ logger: Logger
  ) {
    precondition(
      interval >= 2 * SnapshotKeeper.candidatesMax, "a snapshot at every \(interval) blocks")
    self.interval = interval
    self.paths = paths
    self.ledgerDirectory = ledgerDirectory
    self.chain = chain
    self.logger = logger
    for height in heights() {
      do {
        let served = try read(height)
        state.withLock { $0.served.append(served) }
      } catch {
        logger.log(
          .warning, "a snapshot cannot be served",
          [LogField("height", "\(height)"), LogField("reason", "\(error)")])
      }
    }
  }

  // MARK: Deciding, on the thread that executes

  /// The moments that may become the next snapshot.
  struct Candidates {
    fileprivate var moments: [LedgerMoment] = []
    /// The candidate that a header vouches for.
    fileprivate var chosen: LedgerMoment?
    /// The multiple of the interval that is over.
    fileprivate var done: UInt64 = 0
  }

  /// How many of the blocks after a height may be committed at once.
  func batch(after height: UInt64, count: Int) -> Int {
    let next = height + 1
    let offset = next % interval
    if next >= interval, offset < SnapshotKeeper.candidatesMax { return 1 }
    return Int(min(UInt64(count), interval - offset))
  }

  /// Takes note of blocks that were committed.
  func committed(
    _ blocks: some Sequence<Block>, _ reads: LedgerReads, _ candidates: inout Candidates
  ) {
    do {
      for block in blocks {
        try vouch(block.header, &candidates)
        let height = block.header.height
        let multiple = height / interval
        guard multiple > candidates.done, candidates.chosen == nil, !isWriting else { continue }
        if height % interval >= SnapshotKeeper.candidatesMax {
          // Too late for this one, and what was held was not vouched for.
          if !candidates.moments.isEmpty, isOver(height, candidates) {
            candidates.moments = []
            candidates.done = multiple
          }
          continue
        }
        let moment = try LedgerMoment(
          directory: ledgerDirectory, chain: chain, tables: Ledger.schemas)
        if let moment, moment.executed.height == height { candidates.moments.append(moment) }
      }
      try write(reads, &candidates)
    } catch {
      candidates = Candidates()
      state.withLock { $0.statistics.failures += 1 }
      logger.log(.error, "a snapshot was not made", [LogField("reason", "\(error)")])
    }
  }

  private var isWriting: Bool { state.withLock { $0.isWriting } }

  /// Headers lag behind execution by no more than what may stand between a state and its proof.
  private func isOver(_ height: UInt64, _ candidates: Candidates) -> Bool {
    guard let last = candidates.moments.last else { return false }
    return height > last.executed.height + UInt64(SnapshotLimits.linksMax)
  }

  private func vouch(_ header: BlockHeader, _ candidates: inout Candidates) throws {
    guard
      let moment = candidates.moments.first(where: { $0.executed.height == header.executedHeight })
    else { return }
    candidates.moments = []
    candidates.done = header.executedHeight / interval
    candidates.chosen = moment
  }

  /// Begins to write the chosen moment once a quorum has finalized a header above it by itself.
  private func write(_ reads: LedgerReads, _ candidates: inout Candidates) throws {
    guard let moment = candidates.chosen else { return }
    let height = moment.executed.height
    guard let proof = try SnapshotProof(height: height, in: reads) else {
      let tip = try reads.tip()?.height ?? height
      if tip > height + UInt64(SnapshotLimits.linksMax) { candidates.chosen = nil }
      return
    }
    candidates.chosen = nil
    let handover = Handover(moment)
    let previous = state.withLock { state -> WorkerThread? in
      state.isWriting = true
      defer { state.thread = nil }
      return state.thread
    }
    previous?.join()
    let thread = WorkerThread { [self] in
      if let moment = handover.moment {
        handover.moment = nil
        write(moment, proof)
      }
      state.withLock { $0.isWriting = false }
    }
    state.withLock { $0.thread = thread }
  }

  // MARK: Writing, on a thread of its own

  private func write(_ moment: LedgerMoment, _ proof: SnapshotProof) {
    let height = moment.executed.height
    do {
      try Files.makeDirectory(paths.served)
      let manifest = try SnapshotExport.write(moment, proof, to: directory(height))
      let served = try read(height)
      let dropped = state.withLock { state -> [UInt64] in
        state.served.append(served)
        state.statistics.written += 1
        let surplus = max(0, state.served.count - SnapshotKeeper.keptMax)
        let dropped = state.served.prefix(surplus).map(\.height)
        state.served.removeFirst(surplus)
        return dropped
      }
      let list = state.withLock { $0.served.map { "\($0.height)\n" }.joined() }
      try Files.replace("\(paths.served)/\(SnapshotKeeper.listName)", with: Array(list.utf8))
      for height in dropped { try SnapshotExport.remove(directory(height)) }
      logger.log(
        .info, "wrote a snapshot",
        [
          LogField("height", "\(height)"), LogField("rows", "\(manifest.rowCount)"),
          LogField("parts", "\(manifest.parts.count)"),
        ])
    } catch {
      state.withLock { $0.statistics.failures += 1 }
      logger.log(
        .error, "a snapshot was not written",
        [LogField("height", "\(height)"), LogField("reason", "\(error)")])
    }
  }

  /// Waits for the snapshot that is being written; before the ledger is closed.
  func stop() {
    let thread = state.withLock { state -> WorkerThread? in
      defer { state.thread = nil }
      return state.thread
    }
    thread?.join()
  }

  private func directory(_ height: UInt64) -> String { "\(paths.served)/\(height)" }

  private func heights() -> [UInt64] {
    // Without a list there is nothing to serve.
    let bytes = (try? Files.read("\(paths.served)/\(SnapshotKeeper.listName)")) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { UInt64($0) }
  }

  private func read(_ height: UInt64) throws -> Served {
    let bytes = try Files.read(
      "\(directory(height))/\(SnapshotPaths.manifestName)",
      limit: SnapshotLimits.manifestBytesMax)
    guard try SnapshotManifest(decoding: bytes).height == height else {
      throw SnapshotError("its manifest is that of another height")
    }
    let parts = try SnapshotFile(
      path: "\(directory(height))/\(SnapshotPaths.partsName)", isNew: false)
    return Served(height: height, manifest: bytes, parts: parts)
  }

  // MARK: Serving, on any thread

  /// The height of the newest snapshot; `nil` when there is none.
  var newest: UInt64? { state.withLock { $0.served.last?.height } }

  /// What was written and served so far.
  var statistics: SnapshotStatistics { state.withLock { $0.statistics } }

  /// Answers a request.
  func answer(_ request: SnapshotRequest) -> SnapshotAnswer {
    state.withLock { state in
      func served(_ height: UInt64) -> Served? { state.served.first { $0.height == height } }
      let answer: SnapshotAnswer
      switch request {
      case .offer:
        answer = state.served.last.map { .offer(height: $0.height) } ?? .nothing
      case .manifest(let height):
        answer = served(height).map { .manifest($0.manifest) } ?? .nothing
      case .part(let height, let index):
        answer = served(height)?.parts.part(Int(index)).map { .part($0) } ?? .nothing
      }
      state.statistics.note(answer)
      return answer
    }
  }
}
