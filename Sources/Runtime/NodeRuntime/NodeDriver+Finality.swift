internal import AgentAPI
internal import BFTCore
internal import Configuration
internal import CoreKit
internal import Crypto
internal import FinalityStorage
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import StorageThreads
internal import Telemetry
internal import Wire

/// The threads and files of agreement and execution.
final class FinalityParts {
  let journal: VoteJournal
  let worker: ExecutionWorker
  let gate: FinalityGate
  let snapshots: SnapshotKeeper
  /// How this run's node joined by a snapshot, if it did.
  let join: SnapshotJoin
  var gateThread: WorkerThread?
  var workerThread: WorkerThread?
  /// Reads the ledger through, again and again.
  let scrubber: LedgerScrubber
  var scrubberThread: WorkerThread?
  /// Steps that the vote journal had no room for, oldest first.
  var stepsHeld: [VoteStep] = []
  /// Whether the next checkpoint of the journal says that the key knows again what it may sign.
  var endsAmnesia = false
  /// What answers readers beside the thread that executes.
  let reader: LedgerReader
  /// Receipts that are asked for in this turn.
  var receiptsWanted:
    [(operations: [OperationID], completion: (Result<[OperationReceipt?], ReadFault>) -> Void)] = []
  /// The last executed height that is durable, and its root.
  var executed: (height: UInt64, root: Digest)

  init(_ opened: FinalityStart.Opened, _ join: SnapshotJoin) {
    self.join = join
    journal = opened.journal
    worker = opened.worker
    gate = opened.gate
    reader = opened.reader
    executed = opened.executed
    snapshots = opened.snapshots
    scrubber = opened.scrubber
  }
}

/// Finality's part of a node's driver: its messages, its votes' disk, its ledger.
extension NodeDriver {
  /// Starts the threads that check messages and execute blocks.
  func startFinality() {
    let findings = loop.makeMailbox(limit: NodeProgram.findingsMax) { [unowned self] in
      takeFindings($0)
    }
    let gate = finality.gate
    finality.gateThread = WorkerThread { gate.run(handing: findings) }
    let reports = loop.makeMailbox(limit: NodeProgram.findingsMax) { [unowned self] in
      takeReports($0)
    }
    let worker = finality.worker
    finality.workerThread = WorkerThread { worker.run { _ = reports.post($0) } }
    let scrubber = finality.scrubber
    finality.scrubberThread = WorkerThread {
      scrubber.run { finding in _ = reports.post(.damaged(finding)) }
    }
    watchReach()
  }

  // MARK: What the machine asks for

  func carryOut(_ effects: FinalityPlaneEffects) {
    if let step = effects.journal {
      // The notice of the end of amnesia comes after the step that records what it rests on.
      let ends = step.isCheckpoint && finality.endsAmnesia
      if ends { finality.endsAmnesia = false }
      finality.stepsHeld.append(
        VoteStep(
          sequence: step.sequence, records: step.records, isCheckpoint: step.isCheckpoint,
          endsAmnesia: ends))
      handVotes()
    }
    for (peer, message) in effects.sends { send(message, to: peer) }
    if !effects.execute.isEmpty { _ = finality.worker.submit(.execute(effects.execute)) }
    for wanted in effects.blocksWanted { load(wanted) }
    for wanted in effects.outlinesWanted { load(wanted) }
    for notice in effects.notices where fatal == nil { hear(notice) }
    if let place = effects.withdrawal { withdraw(after: place) }
  }

  private func send(_ message: FinalityMessage, to peer: PeerIndex) {
    guard let connection = peers[Int(peer.value)].connection else { return }
    let bytes = [FinalityGate.frameTag] + message.encoded
    guard bytes.count <= FinalityMessage.bytesMax else {
      // Hundreds of blocks without a certificate of their own at the end of an epoch.
      counters.consensusFramesDropped += 1
      return
    }
    // Like any message that is lost: what matters is said again until a view has ended.
    if transport.send(frame: bytes, on: .consensus, to: connection) == .full {
      counters.consensusFramesDropped += 1
    }
  }

  /// Hands over the votes that the journal has room for; a full queue ends in a durable step, which
  /// calls again.
  private func handVotes() {
    while let step = finality.stepsHeld.first {
      switch finality.journal.submit(step) {
      case .accepted: finality.stepsHeld.removeFirst()
      case .busy: return
      case .stopped: return fail("the vote journal has stopped")
      }
    }
  }

  /// Takes note that every step of votes up to `sequence` is on the disk.
  func markVotesDurable(through sequence: UInt64) {
    handVotes()
    step(.finality(.journalled(through: sequence)))
  }

  /// Reads outlines of bundles from the log; what is refused is asked for again.
  private func load(_ wanted: FinalityPlaneEffects.OutlinesWanted) {
    let handle = loop.handle
    let driver = LoopBound(self)
    let result = storage.read { reader in
      try reader.headers(of: wanted.lane, from: wanted.first, count: wanted.count)
    } completion: { outcome in
      _ = handle.post { _ in driver.value?.take(outcome, for: wanted) }
    }
    if result != .accepted { loadLater(wanted) }
  }

  /// Reads blocks for a peer, who asks again for what is not read.
  private func load(_ wanted: BlocksWanted) {
    readLedger { [unowned self] (result: Result<BlockRange, ReadFault>) in
      switch result {
      case .success(let range): step(.finality(.blocksLoaded(range, to: wanted.peer)))
      case .failure: counters.finalityReadsDropped += 1
      }
    } _: { (reads) throws(LedgerError) in
      try StoredSegments.range(wanted, in: reads)
    }
  }

  private func loadLater(_ wanted: FinalityPlaneEffects.OutlinesWanted) {
    _ = loop.schedule(at: loop.now() + 50_000_000) { [weak self] in self?.load(wanted) }
  }

  private func take(
    _ outcome: Result<[SignedHeader], any Error>, for wanted: FinalityPlaneEffects.OutlinesWanted
  ) {
    switch outcome {
    case .success(let headers):
      let outlines = headers.map { BundleOutline($0) }
      step(.finality(.outlines(wanted.lane, first: wanted.first, outlines)))
    case .failure(let error):
      fail("the log cannot be read: \(error)")
    }
  }

  // MARK: What threads find

  /// Takes a frame of agreement without its tag; the gate's thread judges it.
  func receiveFinality(_ bytes: [UInt8], from index: PeerIndex) {
    if !finality.gate.submit(bytes, from: index) { counters.finalityFramesDropped += 1 }
  }

  private func takeFindings(_ findings: [FinalityGate.Finding]) {
    for finding in findings {
      switch finding {
      case .message(let message, let peer):
        step(.finality(.received(message, from: peer)))
      case .unknownEpoch:
        counters.finalityUnknownEpoch += 1
      case .refused(let peer, let reason):
        counters.messagesRefused += 1
        if let connection = peers[Int(peer.value)].connection {
          refuse("refused a message of agreement", connection, reason)
        }
      }
    }
  }

  private func takeReports(_ reports: [ExecutionWorker.Report]) {
    for report in reports {
      switch report {
      case .executed(let executed):
        if let last = executed.last { finality.executed = (last.height, last.root) }
        step(.finality(.executed(executed)))
      case .contradicted(let found):
        step(.finality(.contradicted(found.position, after: found.after)))
      case .damaged(let finding): repairLedger(finding)
      case .failed(let reason): fail("execution failed: \(reason)")
      }
    }
  }

  private func hear(_ notice: BFTNotice) {
    switch notice {
    case .epochBegan(let epoch, let set):
      finality.gate.learn(set, epoch: epoch)
      logger.log(
        .info, "an epoch of blocks began",
        [LogField("epoch", "\(epoch)"), LogField("validators", "\(set.count)")])
    case .handover(let certificate):
      _ = finality.worker.submit(.handover(certificate))
    case .halted(let reason):
      logger.log(
        .error, "agreement stands still: more validators lie than can be tolerated",
        [LogField("reason", reason)])
    case .diverged(let height, let own, let theirs):
      logger.log(
        .error, "this node's ledger is not the one that others vouch for; it votes no more",
        [
          LogField("height", "\(height)"), LogField("own", own.hexadecimal),
          LogField("theirs", theirs.hexadecimal),
        ])
    case .evidence(let evidence):
      counters.finalityEvidence += 1
      logger.log(
        .error, "a validator signed two votes that contradict each other",
        [LogField("validator", "\(evidence.first.signer)")])
    case .amnesiaOver(let view):
      finality.endsAmnesia = true
      logger.log(.info, "this node votes again", [LogField("above", "\(view)")])
    }
  }

  /// Ends serving; the process then begins anew, and sets the ledger aside first.
  func repairLedger(_ finding: String) {
    guard ledgerDamage == nil, fatal == nil else { return }
    let path = "\(FinalityStart.ledgerDirectory(configuration))/\(FinalityStart.damageFileName)"
    logger.log(.error, "the ledger is damaged", [LogField("found", finding)])
    do {
      if !Files.exists(path) { try Files.create(path, Array("\(finding)\n".utf8)) }
      ledgerDamage = LedgerDamage(finding: finding)
      loop.stop()
    } catch {
      fail("the ledger is damaged, and that cannot be written down: \(error)")
    }
  }

  // MARK: The end

  /// Ends the threads; what was agreed on and waits to be executed is executed again next time.
  func closeFinality() throws {
    finality.gate.stop()
    finality.gateThread?.join()
    finality.worker.stop()
    finality.workerThread?.join()
    finality.scrubber.stop()
    finality.scrubberThread?.join()
    guard fatal == nil else { return }
    try finality.journal.close()
    do {
      try finality.worker.close()
    } catch {
      // A damaged ledger need not close: it is set aside.
      guard ledgerDamage != nil else { throw error }
    }
  }
}
