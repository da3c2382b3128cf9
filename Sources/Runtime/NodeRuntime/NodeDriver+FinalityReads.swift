internal import AgentAPI
internal import BFTCore
internal import Configuration
internal import CoreKit
internal import Crypto
internal import ExecutionCore
internal import FinalityStorage
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Wire

/// The final ledger as the agents' door reads it.
///
/// What is stored is read on the readers' threads. What is proven begins on the thread that
/// executes, which alone knows the state at the height that a final block vouches for.
extension NodeDriver: FinalityReading {
  /// Bytes of bodies beyond which a page of blocks ends.
  private static let pageBytesMax = 1 << 20

  var ledgerHead: LedgerHead {
    guard let engine = machine.finality?.engine else {
      preconditionFailure("a node runs without finality")
    }
    var stopped = engine.standstill
    if stopped == nil, engine.isAmnesiac {
      stopped = "this node lost its votes and waits for others to say what it may sign"
    }
    return LedgerHead(
      chain: FinalityStart.chain(of: configuration), stopped: stopped,
      isValidator: engine.isValidator, epoch: engine.epoch, validators: engine.validators,
      view: engine.view, finalized: engine.finalized,
      finalizedMilliseconds: engine.finalizedTimestamp,
      executedHeight: finality.executed.height, executedRoot: finality.executed.root,
      provenHeight: engine.finalizedExecutedHeight)
  }

  // MARK: Stored records

  func ledgerBlocks(
    from first: UInt64, count: Int,
    completion: @escaping (Result<[LedgerBlock], ReadFault>) -> Void
  ) {
    readLedger(completion) { (reads) throws(LedgerError) in
      let found = try reads.blocks(from: first, count: UInt64(clamping: count))
      var byteCount = 0
      let page = found.prefix { final in
        defer { byteCount += Int(final.block.header.bodyByteCount) }
        return byteCount <= NodeDriver.pageBytesMax
      }
      return page.map { LedgerBlock(block: $0.block, certificate: $0.certificate) }
    }
  }

  func ledgerEpochs(
    from first: UInt64, count: Int,
    completion: @escaping (Result<[EpochDescription], ReadFault>) -> Void
  ) {
    readLedger(completion) { (reads) throws(LedgerError) in
      var epochs: [EpochDescription] = []
      var number = max(first, LedgerTrust.firstEpoch)
      while epochs.count < count, let epoch = try reads.epoch(number) {
        epochs.append(
          EpochDescription(
            epoch: epoch.epoch, parent: epoch.parent, validators: epoch.validators,
            handover: epoch.handover))
        number += 1
      }
      return epochs
    }
  }

  func receipts(
    for operations: [OperationID],
    completion: @escaping (Result<[OperationReceipt?], ReadFault>) -> Void
  ) {
    finality.receiptsWanted.append((operations, completion))
    // All that became final with one block is read and signed at once.
    if finality.receiptsWanted.count == 1 {
      loop.schedule(at: loop.now()) { [weak self] in self?.readReceipts() }
    }
  }

  private func readReceipts() {
    let wanted = finality.receiptsWanted
    finality.receiptsWanted = []
    let lists = wanted.map(\.operations)
    let chain = FinalityStart.chain(of: configuration)
    let key = configuration.nodeKey.signingKey
    readLedger { (result: Result<[[OperationReceipt?]], ReadFault>) in
      for (index, wish) in wanted.enumerated() { wish.completion(result.map { $0[index] }) }
    } _: { (reads) throws(LedgerError) in
      var receipts = ReceiptMaker(chain: chain, key: key)
      var made: [[OperationReceipt?]] = []
      for list in lists { made.append(try receipts.make(list, reads)) }
      return made
    }
  }

  func finalRows(
    _ queries: [FinalRowQuery], completion: @escaping (Result<FinalRows, ReadFault>) -> Void
  ) {
    readLedger(completion) { (reads) throws(LedgerError) in
      let executed = try reads.executedTip()
      var found: [[Row]] = []
      for query in queries {
        switch query {
        case .row(let table, let key):
          found.append(try reads.row(table: table, key: key).map { [$0] } ?? [])
        case .rows(let table, let prefix, let limit):
          let rows = try reads.rows(table: table, after: prefix, limit: limit)
          found.append(Array(rows.prefix { $0.values.starts(with: prefix) }))
        }
      }
      return FinalRows(
        height: executed?.height ?? 0, executedRoot: executed?.root ?? .zero, rows: found)
    }
  }

  /// Reads the ledger after one commit, on a reader's thread.
  func readLedger<Value: Sendable>(
    _ completion: @escaping (Result<Value, ReadFault>) -> Void,
    _ body: @escaping @Sendable (LedgerReads) throws(LedgerError) -> Value
  ) {
    let ledger = finality.reader
    readLanes(completion) { _ in try ledger.snapshot(body) }
  }

  /// Does what needs a reader's thread.
  private func readLanes<Value: Sendable>(
    _ completion: @escaping (Result<Value, ReadFault>) -> Void,
    _ body: @escaping @Sendable (Reader) throws -> Value
  ) {
    let reply = Reply(completion)
    let handle = loop.handle
    let driver = LoopBound(self)
    let result = storage.read(body) { outcome in
      let mapped = outcome.mapError { ReadFault.failed("\($0)") }
      let finding = outcome.ledgerDamage
      _ = handle.post { _ in
        if let finding { driver.value?.repairLedger(finding) }
        reply.complete(mapped)
      }
    }
    if result != .accepted { refuseLater(reply) }
  }

  private func refuseLater<Value>(_ reply: Reply<Result<Value, ReadFault>>) {
    loop.schedule(at: loop.now()) {
      reply.complete(.failure(.busy(retryAfterSeconds: 1)))
    }
  }

  // MARK: Proofs

  func ledgerProof(
    of operation: OperationID,
    completion: @escaping (Result<LedgerProofAnswer, ReadFault>) -> Void
  ) {
    let bundle = operation.bundle
    guard let head = durableHeads[bundle.lane], head.number >= bundle.number, bundle.number > 0
    else {
      loop.schedule(at: loop.now()) { completion(.success(.unknown)) }
      return
    }
    look { state -> OperationSeal in
      guard
        let height = try state.database.reads.height(ofLane: bundle.lane, number: bundle.number)
      else { return .answer(.notFinal) }
      switch try state.seal(atLeast: height) {
      case .notFinal: return .answer(.notFinal)
      case .overtaken: return .answer(.overtaken)
      case .sealed(let seal): return .sealed(seal, state.laneHeads(of: seal))
      }
    } completion: { [unowned self] result in
      switch result {
      case .failure(let fault): completion(.failure(fault))
      case .success(.answer(let answer)): completion(.success(answer))
      case .success(.sealed(let seal, let heads)):
        readLanes(completion) { reader in
          guard let path = try NodeDriver.path(to: operation, among: heads, from: reader) else {
            return .unknown
          }
          return .proof(seal.proof(.operation(path)))
        }
      }
    }
  }

  func ledgerProof(
    ofRowIn table: UInt16, key: [ColumnValue],
    completion: @escaping (Result<LedgerProofAnswer, ReadFault>) -> Void
  ) {
    look { state -> LedgerProofAnswer in
      switch try state.seal(atLeast: 1) {
      case .notFinal: return .notFinal
      case .overtaken: return .overtaken
      case .sealed(let seal):
        guard let path = try state.rowPath(table: table, key: key, of: seal) else {
          return .overtaken
        }
        return .proof(seal.proof(.row(path)))
      }
    } completion: {
      completion($0)
    }
  }

  /// What the thread that executes knows of an operation.
  private enum OperationSeal: Sendable {
    case answer(LedgerProofAnswer)
    case sealed(LedgerSeal, [LaneHead])
  }

  /// Looks at the ledger between two batches of blocks.
  private func look<Value: Sendable>(
    _ body: @escaping @Sendable (borrowing ExecutionState) throws -> Value,
    completion: @escaping (Result<Value, ReadFault>) -> Void
  ) {
    let reply = Reply(completion)
    let handle = loop.handle
    let driver = LoopBound(self)
    let isTaken = finality.worker.submit(
      .look { state in
        let found = Result { try body(state) }
        let outcome = found.mapError { ReadFault.failed("\($0)") }
        let finding = found.ledgerDamage
        _ = handle.post { _ in
          if let finding { driver.value?.repairLedger(finding) }
          reply.complete(outcome)
        }
      })
    if !isTaken { refuseLater(reply) }
  }

  /// The way from an operation to the root over lane heads; `nil` when there is no such operation.
  private static func path(
    to operation: OperationID, among heads: [LaneHead], from reader: Reader
  ) throws -> OperationPath? {
    guard let place = heads.firstIndex(where: { $0.lane == operation.bundle.lane }),
      let parts = try reader.operationProof(operation, at: heads[place].number),
      let signature = Signature(parts.signature)
    else { return nil }
    return OperationPath(
      operation: parts.operation, index: operation.index, operationPath: parts.operationPath,
      header: SignedHeader(header: try BundleHeader(decoding: parts.header), signature: signature),
      laneCount: heads[place].number, lastSequence: heads[place].lastSequence,
      lanePath: parts.lanePath, lanesPath: LanesTree.steps(to: place, in: heads))
  }
}

extension Result where Failure == any Error {
  /// What was found wrong with the ledger, when that is why nothing was read.
  fileprivate var ledgerDamage: String? {
    guard case .failure(let error as LedgerError) = self, error.isDamage else { return nil }
    return "\(error)"
  }
}
