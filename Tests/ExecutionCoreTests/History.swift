import Crypto
import ExecutionCore
import LedgerCore
import Primitives
import Records
import Wire

/// Builds signed bundles of several lanes and the blocks that take them in.
struct History {
  static let chain = ChainID(digest: Digest(words: 1, 2, 3, 4))
  static let keys = (1...4).map { SigningKey(seed: Digest(words: 5, 5, 5, UInt64($0))) }
  static let swarm = SwarmID(identifier: Identifier(high: 7, low: 7))

  var ledger: Ledger
  var changes = LedgerChanges()
  var stored = SortedMap<Digest, Row>()
  /// What the last block changed.
  private(set) var lastChanges = LedgerChanges()
  private var last: [SignedBundle?] = Array(repeating: nil, count: 4)
  private(set) var blocks: [BlockToExecute] = []

  init() throws {
    ledger = Ledger(
      chain: History.chain, epoch: 0, validators: History.validators, timestamp: 1_000,
      into: &changes)
    keep()
  }

  static var validators: ValidatorSet {
    guard let set = ValidatorSet(keys.map { NodeID(key: $0.publicKey) }) else {
      preconditionFailure("four keys make a set")
    }
    return set
  }

  /// Signs the next bundle of a lane.
  mutating func bundle(
    lane: Int, at milliseconds: UInt64, context: [LanePosition] = [],
    _ operations: [LedgerOperation]
  ) -> SignedBundle {
    let bodies = operations.map(\.encoded)
    let previous = last[lane]?.header
    let floor = (previous?.lastTime.raw ?? 0) + 1
    let header = BundleHeader(
      node: NodeID(key: History.keys[lane].publicKey), epoch: Identifier(high: 1, low: 1),
      swarm: History.swarm, number: (previous?.number ?? 0) + 1,
      firstSequence: (previous?.lastSequence ?? 0) + 1, operationCount: bodies.count,
      firstTime: HybridTime(raw: max(floor, milliseconds << 16)), context: context,
      operationsRoot: SignedBundle.operationsRoot(of: bodies),
      previous: last[lane]?.digest ?? .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: bodies))
    let bundle = SignedBundle(
      signedHeader: SignedHeader(signing: header, with: History.keys[lane]), operations: bodies)
    last[lane] = bundle
    return bundle
  }

  func block(
    at timestamp: UInt64, _ bundles: [SignedBundle] = [],
    transactions: [ValidatorTransaction] = [], endsEpoch: Bool = false
  ) -> BlockToExecute {
    var ends = SortedMap<LaneID, CutAdvance>()
    for bundle in bundles where (ends[bundle.header.lane]?.number ?? 0) < bundle.header.number {
      let header = bundle.header
      ends[header.lane] = CutAdvance(
        lane: header.lane, number: header.number, digest: bundle.digest)
    }
    return BlockToExecute(
      epoch: 0, height: ledger.height + 1, timestamp: timestamp, endsEpoch: endsEpoch,
      body: BlockBody(advances: ends.entries.map(\.value), transactions: transactions),
      bundles: bundles)
  }

  /// Executes a block and keeps the rows it writes.
  mutating func run(_ block: BlockToExecute) throws -> ExecutedBlock {
    let result = try ledger.execute(block, into: &changes)
    blocks.append(block)
    keep()
    return result
  }

  /// Executes operations of one lane as a block.
  mutating func run(
    at timestamp: UInt64, lane: Int = 0, stamped: UInt64? = nil, _ operations: [LedgerOperation]
  ) throws -> [ResultCode] {
    let bundle = bundle(lane: lane, at: stamped ?? timestamp, operations)
    return try run(block(at: timestamp, [bundle])).results.map(\.code)
  }

  private mutating func keep() {
    for row in changes.rows {
      guard let schema = Ledger.schemas.first(where: { $0.number == row.table }) else { continue }
      stored[row.trieKey(schema)] = row
    }
    lastChanges = changes
    changes = LedgerChanges()
  }

  /// The ledger that the stored rows make.
  func restored() throws -> Ledger {
    try Ledger(chain: History.chain, restoring: stored.entries.map(\.value))
  }
}

/// Operations by number.
enum Make {
  static func agent(_ number: UInt64) -> AgentID { AgentID(high: 0xA, low: number) }
  static func question(_ number: UInt64) -> QuestionID { QuestionID(high: 0xB, low: number) }

  static func register(
    _ number: UInt64, _ capabilities: Capabilities = [.ask, .answer]
  ) -> LedgerOperation {
    .register(
      AgentRegistration(
        agent: agent(number), name: "Agent \(number)", description: "", platform: "custom",
        specialties: [], capabilities: capabilities,
        tokenDigest: Digest(words: number, 0, 0, 0)))
  }

  static func ask(
    _ number: UInt64, by asker: UInt64 = 1, deadline: UInt64, minimum: UInt32 = 2
  ) -> LedgerOperation {
    .ask(
      QuestionPosting(
        question: question(number), asker: agent(asker), text: "What is the answer to this?",
        category: .factual, deadlineMilliseconds: deadline, minimumAnswers: minimum, choices: []))
  }

  static func answer(
    _ number: UInt64, by answerer: UInt64, _ value: String, stake: UInt64 = 1_000_000
  ) -> LedgerOperation {
    .answer(
      AnswerPosting(
        question: question(number), agent: agent(answerer), value: value,
        content: "It is what it is.", reasoning: "Because everybody knows it well.",
        confidenceMillionths: 500_000, stakeMillionths: stake))
  }

  static func resolve(_ number: UInt64, by judge: UInt64, _ value: String) -> LedgerOperation {
    .resolve(Resolution(question: question(number), resolver: agent(judge), value: value))
  }
}
