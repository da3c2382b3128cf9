import AgentAPI
import Crypto
import ExecutionCore
import Merkle
import Primitives
import Records
import Wire

/// A final ledger of four blocks in memory; completions wait in the node's queue.
final class FakeFinality: FinalityReading {
  unowned let node: FakeNode
  let keys = (1...4).map { SigningKey(seed: Digest(words: 0, 0, 0, $0)) }
  let chain = ChainID(digest: Digest(words: 7, 7, 7, 7))
  var stopped: String?
  var fault: ReadFault?
  /// What executing an operation answered; `nil` while it is not final.
  var code: UInt32? = 0
  var answer: LedgerProofAnswer?
  /// Rows of the final state.
  var rows: [Row] = []
  private(set) var proofKeys: [(table: UInt16, key: [ColumnValue])] = []
  private(set) var blocks: [LedgerBlock] = []

  init(_ node: FakeNode) {
    self.node = node
    for height in 1...4 as ClosedRange<UInt64> { blocks.append(block(height)) }
  }

  var validators: ValidatorSet {
    guard let set = ValidatorSet(keys.map { NodeID(key: $0.publicKey) }) else {
      preconditionFailure("four keys are no set")
    }
    return set
  }

  private func block(_ height: UInt64) -> LedgerBlock {
    let body = BlockBody(advances: [
      CutAdvance(lane: node.lane, number: height, digest: Digest(words: height, 0, 0, 0))
    ])
    let header = BlockHeader(
      chain: chain, epoch: 1, height: height, view: height, parentView: height - 1,
      parentHash: blocks.last?.block.hash ?? chain.digest, proposer: 1,
      timestamp: 1_900_000_000_000 + height, bodyRoot: body.root,
      bodyByteCount: UInt32(body.encoded.count), entryCount: 1, executedHeight: height - 1,
      executedRoot: Digest(words: height, 1, 1, 1), validatorSetHash: validators.hash)
    let block = Block(header: header, body: body)
    let statement = Statement(
      kind: .finalize, chain: chain, epoch: 1, view: height, hash: block.hash)
    return LedgerBlock(
      block: block, certificate: height.isMultiple(of: 2) ? certificate(statement) : nil)
  }

  private func certificate(_ statement: Statement) -> Certificate {
    Certificate(
      statement: statement, signers: [0, 1, 2],
      signatures: keys.prefix(3).map { $0.signRaw(statement.preimage) })
  }

  var ledgerHead: LedgerHead {
    LedgerHead(
      chain: chain, stopped: stopped, isValidator: true, epoch: 1, validators: validators,
      view: 5, finalized: blocks[3].block.header.reference,
      finalizedMilliseconds: 1_900_000_000_004, executedHeight: 4,
      executedRoot: Digest(words: 5, 1, 1, 1), provenHeight: 3)
  }

  private func complete<Value>(
    _ value: Value, _ completion: @escaping (Result<Value, ReadFault>) -> Void
  ) {
    node.later { [unowned self] in
      completion(fault.map { .failure($0) } ?? .success(value))
    }
  }

  func ledgerBlocks(
    from first: UInt64, count: Int,
    completion: @escaping (Result<[LedgerBlock], ReadFault>) -> Void
  ) {
    let found = blocks.filter { $0.block.header.height >= first }.prefix(count)
    complete(Array(found), completion)
  }

  func ledgerEpochs(
    from first: UInt64, count: Int,
    completion: @escaping (Result<[EpochDescription], ReadFault>) -> Void
  ) {
    let second = BlockReference(epoch: 1, view: 0, height: 4, hash: blocks[3].block.hash)
    let epochs = [
      EpochDescription(
        epoch: 1, parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
        validators: validators, handover: nil),
      EpochDescription(
        epoch: 2, parent: second, validators: validators,
        handover: certificate(
          Handover.statement(chain: chain, boundary: second, next: validators))),
    ]
    complete(Array(epochs.filter { $0.epoch >= first }.prefix(count)), completion)
  }

  func proof(_ subject: LedgerProofSubject) -> LedgerProof {
    LedgerProof(
      chain: chain, height: 1, rowsRoot: .zero, lanesRoot: .zero,
      headers: blocks[1...3].map(\.block.header), certificate: blocks[3].certificate,
      handovers: [], subject: subject)
  }

  func ledgerProof(
    of operation: OperationID,
    completion: @escaping (Result<LedgerProofAnswer, ReadFault>) -> Void
  ) {
    let header = BundleHeader(
      node: NodeID(key: keys[0].publicKey), epoch: Identifier(truncating: chain.digest),
      swarm: SwarmID(identifier: Identifier(truncating: chain.digest)), number: 1,
      firstSequence: 1, operationCount: 1, firstTime: HybridTime(raw: 1), context: [],
      operationsRoot: .zero, previous: .zero, bodyByteCount: 9)
    let path = OperationPath(
      operation: [1, 2, 3], index: 0, operationPath: [],
      header: SignedHeader(signing: header, with: keys[0]), laneCount: 1, lastSequence: 1,
      lanePath: [], lanesPath: [PathStep(isLeft: true, hash: .zero)])
    complete(answer ?? .proof(proof(.operation(path))), completion)
  }

  func ledgerProof(
    ofRowIn table: UInt16, key: [ColumnValue],
    completion: @escaping (Result<LedgerProofAnswer, ReadFault>) -> Void
  ) {
    proofKeys.append((table, key))
    let path = FinalRowPath(
      table: table, key: key, values: key + [.null, .text("t"), .integer(.min)],
      path: TrieProof(siblings: [.zero], ending: .other(key: .zero, value: .zero)))
    complete(answer ?? .proof(proof(.row(path))), completion)
  }

  func receipts(
    for operations: [OperationID],
    completion: @escaping (Result<[OperationReceipt?], ReadFault>) -> Void
  ) {
    let receipts = operations.map { operation in
      code.map { code in
        OperationReceipt(
          chain: chain, operation: operation, height: 2, block: blocks[1].block.hash, code: code,
          level: .final, signedWith: keys[0])
      }
    }
    complete(receipts, completion)
  }

  func finalRows(
    _ queries: [FinalRowQuery], completion: @escaping (Result<FinalRows, ReadFault>) -> Void
  ) {
    let found = queries.map { query in
      switch query {
      case .row(let table, let key):
        let columns = Ledger.schemas.first { $0.number == table }?.keyColumnCount ?? 0
        return rows.filter { $0.table == table && Array($0.values.prefix(columns)) == key }
      case .rows(let table, let prefix, let limit):
        return Array(
          rows.filter { $0.table == table && $0.values.starts(with: prefix) }.prefix(limit))
      }
    }
    complete(
      FinalRows(height: 3, executedRoot: Digest(words: 4, 1, 1, 1), rows: found), completion)
  }
}
