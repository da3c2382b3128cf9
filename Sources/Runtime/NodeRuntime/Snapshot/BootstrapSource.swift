internal import Crypto
internal import ExecutionCore
internal import FinalityStorage
internal import LedgerCore
internal import Merkle
internal import Primitives
internal import Records
internal import SQLiteStorage
internal import Telemetry
internal import Wire

/// A swarm of four nodes as one of them has it on its disk: lanes, live tables, blocks, ledger.
///
/// It is made with the node's own parts, but for agreement: blocks are certified by the validators'
/// keys at once.
struct BootstrapSource {
  /// Operations of one bundle.
  static let bundleOperations = 256
  /// Agents that answer each question.
  static let answersPerQuestion = 200
  /// When the first operation is stamped, in milliseconds since 1970.
  static let start: UInt64 = 1_700_000_000_000

  let directory: String
  let operationCount: Int
  let keys: [SigningKey]
  let validators: ValidatorSet
  let chain: ChainID
  let swarm: SwarmID
  let cluster = ClusterID(digest: Digest(words: 0xB0, 0, 0, 1))
  private(set) var blocks: [FinalBlock] = []

  init(operations: Int, directory: String) throws {
    operationCount = operations
    self.directory = directory
    keys = (1...4).map { SigningKey(seed: Digest(words: 0xB0, 0, 0, UInt64($0))) }
      .sorted { $0.publicKey < $1.publicKey }
    guard let set = ValidatorSet(keys.map { NodeID(key: $0.publicKey) }) else {
      preconditionFailure("four keys make a set")
    }
    validators = set
    swarm = SwarmID(named: NodeProgram.swarmName, in: cluster)
    chain = ChainID(cluster: cluster, swarm: swarm)
  }

  // MARK: Operations

  /// The operation at a place in the whole: agents register, questions are asked, agents answer.
  func operation(_ place: Int) -> [UInt8] {
    let agents = 2 * BootstrapSource.answersPerQuestion
    func agent(_ number: Int) -> AgentID { AgentID(high: 0xA, low: UInt64(number)) }
    if place < agents {
      return LedgerOperation.register(
        AgentRegistration(
          agent: agent(place), name: "Agent \(place)", description: "answers", platform: "bench",
          specialties: [], capabilities: [.ask, .answer],
          tokenDigest: Digest(words: UInt64(place), 1, 1, 1))
      ).encoded
    }
    let rest = place - agents
    let question = rest / (BootstrapSource.answersPerQuestion + 1)
    let turn = rest % (BootstrapSource.answersPerQuestion + 1)
    let name = QuestionID(high: 0xB, low: UInt64(question))
    if turn == 0 {
      return LedgerOperation.ask(
        QuestionPosting(
          question: name, asker: agent(question % agents),
          text: "How many operations does a fresh node take over, number \(question)?",
          category: .factual, deadlineMilliseconds: BootstrapSource.start + 10_000_000_000,
          minimumAnswers: 3, choices: [])
      ).encoded
    }
    return LedgerOperation.answer(
      AnswerPosting(
        question: name, agent: agent((question + turn) % agents), value: "\(turn % 3)",
        content: "It is \(turn % 3), as far as I can tell.",
        reasoning: "I counted them one after the other.", confidenceMillionths: 700_000,
        stakeMillionths: 10)
    ).encoded
  }

  // MARK: Making it

  /// Makes everything; the ledger's last moment is that of the last block but one.
  mutating func make() throws -> LedgerMoment {
    let node = try BootstrapNode(self, directory: directory)
    var heads = [LaneHead?](repeating: nil, count: 4)
    var time = HybridTime(milliseconds: BootstrapSource.start, counter: 0)
    var place = 0
    var parent: BlockHeader?
    while place < operationCount {
      var bundles: [Verified<SignedBundle>] = []
      for lane in 0..<4 where place < operationCount {
        let end = min(place + BootstrapSource.bundleOperations, operationCount)
        let bundle = self.bundle(lane, after: heads[lane], at: time, (place..<end).map(operation))
        heads[lane] = bundle.head
        time = HybridTime(milliseconds: bundle.head.lastTime.milliseconds + 1, counter: 0)
        bundles.append(bundle.bundle)
        place = end
      }
      try node.take(bundles)
      let block = certified(after: parent, cut: bundles.map(\.value), executed: node.executed)
      parent = block.block.header
      blocks.append(block)
      try node.execute([block])
    }
    try node.flush()
    guard
      let moment = try LedgerMoment(
        directory: "\(directory)/ledger", chain: chain, tables: Ledger.schemas)
    else { throw SnapshotError("no block was made") }
    try node.execute([certified(after: parent, cut: [], executed: node.executed)])
    try node.flush()
    return moment
  }

  private func bundle(
    _ lane: Int, after head: LaneHead?, at time: HybridTime, _ operations: [[UInt8]]
  ) -> (bundle: Verified<SignedBundle>, head: LaneHead) {
    let node = NodeID(key: keys[lane].publicKey)
    let epoch = Identifier<LaneEpoch>(high: 1, low: UInt64(lane))
    let header = BundleHeader(
      node: node, epoch: epoch, swarm: swarm, number: (head?.number ?? 0) + 1,
      firstSequence: (head?.lastSequence ?? 0) + 1, operationCount: operations.count,
      firstTime: time, context: [],
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: head?.digest ?? .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
    let signed = SignedHeader(signing: header, with: keys[lane])
    var range = head?.range ?? MountainRange()
    range.append(signed.digest)
    let next = LaneHead(
      lane: header.lane, node: node, epoch: epoch, number: header.number,
      lastSequence: header.lastSequence, lastTime: header.lastTime, digest: signed.digest,
      range: range)
    let bundle = SignedBundle(signedHeader: signed, operations: operations)
    return (Verified(own: bundle, signedWith: keys[lane]), next)
  }

  /// The next block with the certificate of three of four.
  private func certified(
    after parent: BlockHeader?, cut: [SignedBundle], executed: (height: UInt64, root: Digest)
  ) -> FinalBlock {
    let advances = cut.map {
      CutAdvance(lane: $0.header.lane, number: $0.header.number, digest: $0.digest)
    }
    let body = BlockBody(advances: advances.sorted { $0.lane < $1.lane })
    let height = (parent?.height ?? 0) + 1
    let header = BlockHeader(
      chain: chain, epoch: 1, height: height, view: height, parentView: parent?.view ?? 0,
      parentHash: parent?.hash ?? chain.digest, proposer: 0,
      timestamp: BootstrapSource.start + height, bodyRoot: body.root,
      bodyByteCount: UInt32(body.encoded.count), entryCount: UInt32(body.entryCount),
      executedHeight: executed.height, executedRoot: executed.root,
      validatorSetHash: validators.hash)
    let block = Block(header: header, body: body)
    let statement = Statement(
      kind: .finalize, chain: chain, epoch: 1, view: height, hash: block.hash)
    let signers = (0..<UInt16(3)).map { $0 }
    let certificate = Certificate(
      statement: statement, signers: signers,
      signatures: signers.map { keys[Int($0)].signRaw(statement.preimage) })
    return FinalBlock(block: block, certificate: certificate)
  }
}
