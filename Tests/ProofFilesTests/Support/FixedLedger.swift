import Configuration
import Crypto
import Merkle
import Primitives
import ProofFiles
import Records
import Wire

/// A ledger of five blocks and two epochs made from fixed keys, the same in every run.
///
/// Blocks 1 to 3 are epoch 1, whose last block is final by its handover alone; 4 and 5 are epoch 2,
/// with another validator. Block 4 vouches for height 3, block 5 for height 4.
struct FixedLedger {
  let keys: [SigningKey]
  let genesis: Genesis
  let chain: ChainID
  let first: ValidatorSet
  let second: ValidatorSet
  private(set) var blocks: [(block: Block, certificate: Certificate?)] = []
  private(set) var handover: EpochHandover?
  let bundles: [[SignedBundle]]
  let heads: [LaneHead]
  let rows: [Row]
  let trie: MemoryTrieNodes
  let rowsRoot: Digest

  static let schema = TableSchema(
    number: 33, name: "question_state",
    columns: [.init("question", .bytes), .init("phase", .integer), .init("winner", .text)],
    keyColumnCount: 1)

  init() throws {
    keys = (1...5).map { SigningKey(seed: Digest(words: 0, 0, 0, UInt64($0))) }
    let voters = try keys[0..<4].enumerated().map { index, key in
      Voter(
        node: NodeID(key: key.publicKey),
        transport: try present(NetworkAddress("127.0.0.1:\(4_000 + index)")),
        api: try present(NetworkAddress("[::1]:\(8_000 + index)")))
    }
    genesis = try Genesis(
      name: "fixed", createdMilliseconds: 1_900_000_000_000, voters: voters)
    let swarm = SwarmID(named: "main", in: genesis.cluster)
    chain = ChainID(cluster: genesis.cluster, swarm: swarm)
    first = try present(ValidatorSet(keys[0..<4].map { NodeID(key: $0.publicKey) }))
    second = try present(ValidatorSet(keys[1..<5].map { NodeID(key: $0.publicKey) }))
    bundles = keys[0..<3].enumerated().map { index, key in
      FixedLedger.lane(of: key, swarm, bundles: index + 2)
    }
    heads = bundles.map(FixedLedger.head(of:)).sorted { $0.lane < $1.lane }
    rows = (0..<40).map { index in
      Row(
        FixedLedger.schema,
        [
          .bytes(Array(repeating: UInt8(index), count: 16)), .integer(Int64(index) - 5),
          index % 3 == 0 ? .null : .text("Zürich \(index)"),
        ])
    }
    var trie = MemoryTrieNodes()
    let update = try SparseMerkleTrie.update(
      rows.map { TrieEdit(key: $0.trieKey(FixedLedger.schema), value: $0.digest) }
        .sorted { $0.key < $1.key }, in: trie)
    trie.apply(update.changes)
    self.trie = trie
    rowsRoot = update.root
    addBlocks()
  }

  // MARK: Lanes

  private static func lane(
    of key: SigningKey, _ swarm: SwarmID, bundles count: Int
  ) -> [SignedBundle] {
    var bundles: [SignedBundle] = []
    var sequence: UInt64 = 1
    for number in 1...count {
      let operations = (0...number).map { index in
        Array("operation \(index) of bundle \(number)".utf8)
      }
      let header = BundleHeader(
        node: NodeID(key: key.publicKey), epoch: Identifier(truncating: key.publicKey),
        swarm: swarm, number: UInt64(number), firstSequence: sequence,
        operationCount: operations.count,
        firstTime: HybridTime(milliseconds: 1_900_000_001_000 + UInt64(number), counter: 0),
        context: [], operationsRoot: SignedBundle.operationsRoot(of: operations),
        previous: bundles.last?.signedHeader.digest ?? .zero,
        bodyByteCount: SignedBundle.bodyByteCount(of: operations))
      sequence += UInt64(operations.count)
      bundles.append(
        SignedBundle(
          signedHeader: SignedHeader(signing: header, with: key), operations: operations))
    }
    return bundles
  }

  private static func head(of bundles: [SignedBundle]) -> LaneHead {
    var range = MountainRange()
    for bundle in bundles { range.append(bundle.signedHeader.digest) }
    let last = bundles[bundles.count - 1].signedHeader
    return LaneHead(
      lane: last.header.lane, node: last.header.node, epoch: last.header.epoch,
      number: last.header.number, lastSequence: last.header.lastSequence,
      lastTime: last.header.lastTime, digest: last.digest, range: range)
  }

  var lanesRoot: Digest { LanesTree.root(of: heads) }

  /// The path of an operation of the first lane.
  func path(bundle: Int, index: Int) -> OperationPath {
    let lane = bundles[1]
    let signed = lane[bundle]
    let place = heads.firstIndex { $0.lane == signed.signedHeader.header.lane } ?? 0
    return OperationPath(
      operation: signed.operations[index], index: index,
      operationPath: FixedLedger.path(
        to: index, in: signed.operations.map(SignedBundle.leaf(of:)), .operationNode),
      header: signed.signedHeader, laneCount: heads[place].number,
      lastSequence: heads[place].lastSequence,
      lanePath: FixedLedger.path(to: bundle, in: lane.map(\.signedHeader.digest), .rangeNode),
      lanesPath: LanesTree.steps(to: place, in: heads))
  }

  private static func path(to index: Int, in leaves: [Digest], _ tag: HashTag) -> [Digest] {
    let tree = MerkleTree(TaggedHasher(tag))
    let path = try? tree.inclusionPath(of: UInt64(index), in: UInt64(leaves.count)) { subtree in
      let start = Int(subtree.index) << subtree.level
      return tree.root(of: Array(leaves[start..<(start + (1 << subtree.level))]))
    }
    return path ?? []
  }

  func rowPath(_ key: [ColumnValue]) throws -> FinalRowPath {
    FinalRowPath(
      table: FixedLedger.schema.number, key: key,
      values: rows.first { Array($0.values.prefix(1)) == key }?.values,
      path: try SparseMerkleTrie.proof(
        of: Row.trieKey(table: FixedLedger.schema.number, key), in: trie))
  }

  // MARK: Blocks

  private mutating func addBlocks() {
    addBlock(epoch: 1, view: 1, executed: 0, certified: true)
    addBlock(epoch: 1, view: 3, executed: 1, certified: false)
    addBlock(epoch: 1, view: 4, executed: 2, certified: false)
    let boundary = blocks[2].block.header.reference
    let statement = Handover.statement(chain: chain, boundary: boundary, next: second)
    handover = EpochHandover(
      boundary: boundary.hash, validators: second,
      certificate: certificate(statement, by: first, [0, 1, 3]))
    addBlock(epoch: 2, view: 1, executed: 3, certified: false)
    addBlock(epoch: 2, view: 2, executed: 4, certified: true)
  }

  private mutating func addBlock(epoch: UInt64, view: UInt64, executed: UInt64, certified: Bool) {
    let parent = blocks.last?.block
    let height = UInt64(blocks.count + 1)
    let set = epoch == 1 ? first : second
    let head = heads[blocks.count % heads.count]
    let body = BlockBody(
      advances: height > 3
        ? [] : [CutAdvance(lane: head.lane, number: head.number, digest: head.digest)])
    let header = BlockHeader(
      chain: chain, epoch: epoch, height: height, view: view,
      parentView: parent.map { $0.header.epoch == epoch ? $0.header.view : 0 } ?? 0,
      parentHash: parent?.hash ?? chain.digest, proposer: UInt16(view % 4),
      timestamp: 1_900_000_002_000 + height, bodyRoot: body.root,
      bodyByteCount: UInt32(body.encoded.count), entryCount: UInt32(body.entryCount),
      executedHeight: executed,
      executedRoot: ExecutionRoot.root(height: executed, rows: rowsRoot, lanes: lanesRoot),
      validatorSetHash: set.hash)
    let block = Block(header: header, body: body)
    let statement = Statement(
      kind: .finalize, chain: chain, epoch: epoch, view: view, hash: block.hash)
    blocks.append(
      (block, certified ? certificate(statement, by: set, [0, 2, 3]) : nil))
  }

  func certificate(
    _ statement: Statement, by set: ValidatorSet, _ signers: [UInt16]
  ) -> Certificate {
    Certificate(
      statement: statement, signers: signers,
      signatures: signers.map { signer in
        // A place that nobody has gets somebody's signature.
        let member = set.members.indices.contains(Int(signer)) ? set.members[Int(signer)].key : nil
        let key = keys.first { $0.publicKey == member } ?? keys[0]
        return Vote(signing: statement, as: signer, with: key).signature
      })
  }

  // MARK: Proofs

  var trust: LedgerTrust { LedgerTrust(chain: chain, validators: first) }

  /// A proof at height 3, by headers of the second epoch.
  func proof(_ subject: LedgerProofSubject) -> LedgerProof {
    LedgerProof(
      chain: chain, height: 3, rowsRoot: rowsRoot, lanesRoot: lanesRoot,
      headers: blocks[3...4].map(\.block.header), certificate: blocks[4].certificate,
      handovers: handover.map { [$0] } ?? [], subject: subject)
  }

  /// A proof at height 2, by the block that ends the first epoch and its handover alone.
  func boundaryProof(_ subject: LedgerProofSubject) -> LedgerProof {
    LedgerProof(
      chain: chain, height: 2, rowsRoot: rowsRoot, lanesRoot: lanesRoot,
      headers: [blocks[2].block.header], certificate: nil,
      handovers: handover.map { [$0] } ?? [], subject: subject)
  }

  var receipt: OperationReceipt {
    OperationReceipt(
      chain: chain, operation: path(bundle: 1, index: 2).identifier, height: 2,
      block: blocks[1].block.hash, code: 0, level: .final, signedWith: keys[2])
  }

  /// The lines of an export.
  var lines: [LedgerLine] {
    var lines: [LedgerLine] = [.chain(chain)]
    for (index, entry) in blocks.enumerated() {
      if index == 3, let handover { lines.append(.handover(handover)) }
      lines.append(.block(entry.block, entry.certificate))
    }
    return lines
  }
}

/// The value, or an error where there is none.
func present<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw Missing() }
  return value
}

/// A value that a test needs is missing.
struct Missing: Error {}
