import AgentAPI
import Crypto
import LedgerCore
import Primitives
import Records
import Wire

/// A node of one lane without network and disk: live tables, state tables in memory, and fates
/// for writes and reads that a test chooses. Completions wait until `runNext()`.
final class FakeNode: AgentBackend {
  /// What becomes of a write.
  enum Fate {
    case commit
    case undecided(WriteLevel?)
    case overload(Int)
    case fail(String)
  }

  static let operatorToken = "operator-token-of-the-tests"

  var wallMilliseconds: UInt64 = 1_900_000_000_000
  var now = Instant(nanoseconds: 1_000_000_000)
  var fate = Fate.commit
  var waitFate = Fate.commit
  var readFault: ReadFault?
  var proofResult: Result<OperationProof?, ReadFault> = .success(nil)
  var ticketResult: Result<Ticketing, TicketFault> = .success(
    Ticketing(text: "sot1_secret", expiresMilliseconds: 1_900_000_060_000))
  var operatorTokenDigest: Digest? = Blake2b.hash(
    Array(FakeNode.operatorToken.utf8), .bearerToken)
  var notReady: [String] = []
  var votersReachable = 3
  var pendingWrites = 0
  /// Whether applied rows stay out of the state tables until a wait for them ends.
  var keepsRowsBack = false

  private(set) var submitted: [[LedgerOperation]] = []
  private(set) var waits: [(operations: [OperationID], level: WriteLevel, milliseconds: Int)] = []
  private(set) var lastDeadlineMilliseconds = 0
  private(set) var lastLevel = WriteLevel.local
  private(set) var ticketRequests: [TicketRequest] = []
  private(set) var queries: [RowQuery] = []
  private(set) var tables = LiveTables()
  let database = MemoryDatabase()
  private var pending: [() -> Void] = []
  weak var controlWatch: (any ControlWatching)?
  /// When the watch asked to be woken.
  var wakeAt: Instant?
  private var heldRows: [Row] = []
  private var bundles: UInt64 = 0
  private var lastTimes: [LaneID: HybridTime] = [:]
  let control = FakeControl()
  let lane = LaneID(digest: Digest(words: 1, 2, 3, 4))
  let node = NodeID(key: Digest(words: 5, 6, 7, 8))

  var hasPending: Bool { !pending.isEmpty }

  /// Runs the oldest completion.
  func runNext() {
    pending.removeFirst()()
  }

  /// Runs `work` later, in turn.
  func later(_ work: @escaping () -> Void) {
    pending.append(work)
  }

  // MARK: Lookups

  func agent(forTokenDigest digest: Digest) -> AgentSummary? {
    tables.agent(forTokenDigest: digest)
  }
  func agent(_ agent: AgentID) -> AgentSummary? { tables.agent(agent) }
  func score(_ agent: AgentID) -> Score? { tables.score(agent) }
  func question(_ question: QuestionID) -> QuestionSummary? { tables.question(question) }
  func answer(_ question: QuestionID, _ agent: AgentID) -> AnswerSummary? {
    tables.answer(question, agent)
  }
  func outcome(_ question: QuestionID) -> QuestionOutcome? { tables.outcome(question) }

  func collection(_ name: String) -> CollectionSummary? { tables.collection(name) }
  func record(_ record: RecordID) -> RecordSummary? { tables.record(record) }
  func additions(of element: String, in record: RecordID) -> [RecordDot] {
    tables.additions(of: element, in: record)
  }
  func request(_ request: RecordRequestID, in record: RecordID) -> RecordRequestSummary? {
    tables.request(request, in: record)
  }
  func lastOperation(of lane: LaneID) -> (node: NodeID, time: HybridTime)? {
    guard let time = lastTimes[lane] else { return nil }
    return (lane == self.lane ? node : NodeID(key: lane.digest), time)
  }

  /// Applies an operation of another node's lane.
  func receive(_ operation: LedgerOperation, at stamp: OperationStamp) {
    var rows: [Row] = []
    tables.apply(operation.encoded, at: stamp, into: &rows)
    lastTimes[stamp.lane] = stamp.time
    rows.forEach(database.store)
  }

  // MARK: Writes

  func submit(
    _ operations: [LedgerOperation], level: WriteLevel, deadlineMilliseconds: Int,
    completion: @escaping (WriteResult) -> Void
  ) {
    precondition(!operations.isEmpty, "an empty group was submitted")
    for operation in operations {
      precondition(operation.validate() == nil, "an invalid operation was submitted: \(operation)")
    }
    submitted.append(operations)
    lastDeadlineMilliseconds = deadlineMilliseconds
    lastLevel = level
    switch fate {
    case .overload(let seconds):
      pending.append { completion(.overloaded(retryAfterSeconds: seconds)) }
    case .fail(let reason):
      pending.append { completion(.failed(reason)) }
    case .commit:
      let ids = apply(operations)
      pending.append { completion(.reached(level, ids)) }
    case .undecided(let reached):
      let ids = apply(operations)
      pending.append { completion(.undecided(reached: reached, ids)) }
    }
  }

  private func apply(_ operations: [LedgerOperation]) -> [OperationID] {
    bundles += 1
    var ids: [OperationID] = []
    var rows: [Row] = []
    for (index, operation) in operations.enumerated() {
      let stamp = OperationStamp(
        time: HybridTime(milliseconds: wallMilliseconds, counter: UInt16(bundles % 60_000)),
        lane: lane, number: bundles, index: index)
      tables.apply(operation.encoded, at: stamp, into: &rows)
      lastTimes[lane] = stamp.time
      ids.append(OperationID(bundle: LanePosition(lane: lane, number: bundles), index: index))
    }
    if keepsRowsBack { heldRows += rows } else { rows.forEach(database.store) }
    return ids
  }

  func wait(
    for operations: [OperationID], level: WriteLevel, deadlineMilliseconds: Int,
    completion: @escaping (WriteResult) -> Void
  ) {
    waits.append((operations, level, deadlineMilliseconds))
    pending.append { [unowned self] in
      heldRows.forEach(database.store)
      heldRows = []
      switch waitFate {
      case .commit: completion(.reached(level, operations))
      case .undecided(let reached): completion(.undecided(reached: reached, operations))
      case .overload(let seconds): completion(.overloaded(retryAfterSeconds: seconds))
      case .fail(let reason): completion(.failed(reason))
      }
    }
  }

  // MARK: Reads

  func read(_ queries: [RowQuery], completion: @escaping (Result<[RowSet], ReadFault>) -> Void) {
    self.queries += queries
    pending.append { [unowned self] in
      if let readFault { return completion(.failure(readFault)) }
      completion(.success(queries.map(database.rows)))
    }
  }

  func proof(
    of operation: OperationID,
    completion: @escaping (Result<OperationProof?, ReadFault>) -> Void
  ) {
    pending.append { [unowned self] in completion(proofResult) }
  }

  // MARK: The node

  var frontier: Frontier {
    var frontier = Frontier()
    frontier[lane] = bundles
    return frontier
  }
  var lanesRoot: Digest { Digest(words: bundles, 0, 0, 9) }

  var status: NodeStatus {
    NodeStatus(
      node: node, cluster: ClusterID(digest: Digest(words: 9, 9, 9, 9)), swarm: "main",
      version: "0.1.0", startedMilliseconds: 1_899_999_000_000, frontier: frontier,
      syncedFrontier: frontier, lanesRoot: lanesRoot, rowsDigest: tables.rowsDigest,
      operations: UInt64(tables.counts.operations),
      peers: [
        PeerStatus(
          node: NodeID(key: Digest(words: 4, 4, 4, 4)), address: "192.0.2.7:4433",
          isConnected: true, behindBundles: 3, roundTripMicroseconds: 420),
        PeerStatus(
          node: NodeID(key: Digest(words: 4, 4, 4, 5)), address: "[2001:db8::1]:4433",
          isConnected: false, behindBundles: 900, roundTripMicroseconds: nil),
      ], voters: 3, votersReachable: votersReachable, isQuorumInReach: votersReachable > 1,
      notReady: notReady,
      pendingWrites: pendingWrites, pendingReads: 1, pendingBundles: 2, storageBytes: 4_096)
  }

  var members: [MemberStatus] {
    [
      MemberStatus(
        node: node, role: "voter", transportAddress: "192.0.2.1:4433",
        apiAddress: "http://192.0.2.1:8080", isReachable: true,
        view: ControlStatus.MemberView(
          node: node, state: "alive", role: "voter", incarnation: 2, region: "eu", zone: "a",
          load: 7, sinceMilliseconds: 1_500), life: .max, votes: true, isLeader: true),
      MemberStatus(
        node: NodeID(key: Digest(words: 4, 4, 4, 4)), role: nil, transportAddress: "192.0.2.7:4433",
        apiAddress: "http://192.0.2.7:8080", isReachable: false, view: nil, life: nil,
        votes: false, isLeader: false),
    ]
  }

  var lanes: [LaneStatus] {
    [
      LaneStatus(
        lane: lane, node: node, number: bundles, syncedNumber: bundles, operations: bundles,
        lastTime: HybridTime(milliseconds: wallMilliseconds, counter: 0),
        root: Digest(words: 3, 3, 3, 3), isForked: false)
    ]
  }

  func writeMetrics(into text: inout MetricsText) {
    text.family("swarmoracle_test_value", .gauge, "A value of the \"test\".\nSecond line \\.")
    text.sample(7, [("label", "with \"quotes\", a \\ and a\nline")])
  }

  func makeTicket(
    _ request: TicketRequest, completion: @escaping (Result<Ticketing, TicketFault>) -> Void
  ) {
    ticketRequests.append(request)
    pending.append { [unowned self] in completion(ticketResult) }
  }
}
