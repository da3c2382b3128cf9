internal import AgentAPI
internal import Configuration
internal import CoreKit
internal import GossipCore
internal import Merkle
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Wire

extension NodeDriver: AgentBackend {
  var wallMilliseconds: UInt64 { WallClock.milliseconds() }

  var now: Instant { Instant(nanoseconds: loop.now()) }

  // MARK: Lookups

  func agent(forTokenDigest digest: Digest) -> AgentSummary? {
    machine.tables.agent(forTokenDigest: digest)
  }

  func agent(_ agent: AgentID) -> AgentSummary? {
    machine.tables.agent(agent)
  }

  func score(_ agent: AgentID) -> Score? {
    machine.tables.score(agent)
  }

  func question(_ question: QuestionID) -> QuestionSummary? {
    machine.tables.question(question)
  }

  func answer(_ question: QuestionID, _ agent: AgentID) -> AnswerSummary? {
    machine.tables.answer(question, agent)
  }

  func outcome(_ question: QuestionID) -> QuestionOutcome? {
    machine.tables.outcome(question)
  }

  func collection(_ name: String) -> CollectionSummary? { machine.tables.collection(name) }

  func record(_ record: RecordID) -> RecordSummary? { machine.tables.record(record) }

  func additions(of element: String, in record: RecordID) -> [RecordDot] {
    machine.tables.additions(of: element, in: record)
  }

  func request(_ request: RecordRequestID, in record: RecordID) -> RecordRequestSummary? {
    machine.tables.request(request, in: record)
  }

  func lastOperation(of lane: LaneID) -> (node: NodeID, time: HybridTime)? {
    machine.gossip.head(of: lane).map { ($0.node, $0.lastTime) }
  }

  // MARK: Writes

  func submit(
    _ operations: [LedgerOperation], level: WriteLevel, deadlineMilliseconds: Int,
    completion: @escaping (WriteResult) -> Void
  ) {
    precondition(!operations.isEmpty, "a write without operations")
    guard fatal == nil, !isStorageLoaded else {
      completeLater(.overloaded(retryAfterSeconds: 1), completion)
      return
    }
    let deadline = moment.instant + .milliseconds(UInt64(deadlineMilliseconds))
    let groups = NodeDriver.groups(operations.map(\.encoded))
    let collector = WriteCollector(count: groups.count, level: level, completion: completion)
    for (index, group) in groups.enumerated() {
      let write = makeWriteID()
      writes[write] = { outcome in collector.take(outcome, at: index) }
      step(.submit(write, operations: group, level: level, deadline: deadline))
    }
  }

  func wait(
    for operations: [OperationID], level: WriteLevel, deadlineMilliseconds: Int,
    completion: @escaping (WriteResult) -> Void
  ) {
    var positions = SortedMap<LaneID, UInt64>()
    for operation in operations {
      let bundle = operation.bundle
      positions[bundle.lane] = max(positions[bundle.lane] ?? 0, bundle.number)
    }
    guard !positions.isEmpty else {
      completeLater(.reached(level, operations), completion)
      return
    }
    let deadline = moment.instant + .milliseconds(UInt64(deadlineMilliseconds))
    let collector = WriteCollector(
      count: positions.count, level: level, operations: operations, completion: completion)
    for (index, entry) in positions.entries.enumerated() {
      let write = makeWriteID()
      writes[write] = { outcome in collector.take(outcome, at: index) }
      let position = LanePosition(lane: entry.key, number: entry.value)
      step(.follow(write, position, level: level, deadline: deadline))
    }
  }

  /// Cuts operations into groups that each fit one bundle.
  static func groups(_ operations: [[UInt8]]) -> [[[UInt8]]] {
    var groups: [[[UInt8]]] = [[]]
    var byteCount = 0
    for operation in operations {
      let size = SignedBundle.bodyByteCount(of: [operation])
      let last = groups.count - 1
      if groups[last].count == BundleLimits.operationsMax
        || byteCount + size > BundleLimits.bodyBytesMax
      {
        groups.append([operation])
        byteCount = size
      } else {
        groups[last].append(operation)
        byteCount += size
      }
    }
    return groups
  }

  /// Completes after the call that is under way has returned.
  private func completeLater(
    _ result: WriteResult, _ completion: @escaping (WriteResult) -> Void
  ) {
    loop.schedule(at: loop.now()) { completion(result) }
  }

  // MARK: Reads

  func read(
    _ queries: [RowQuery], completion: @escaping (Result<[RowSet], ReadFault>) -> Void
  ) {
    let reply = Reply(completion)
    let handle = loop.handle
    let result = storage.read { reader in
      try queries.map { query in
        try reader.rows(query.sql, parameters: query.parameters, limit: 10_000)
      }
    } completion: { outcome in
      let mapped = outcome.mapError { ReadFault.failed("\($0)") }
      _ = handle.post { _ in reply.complete(mapped) }
    }
    if result != .accepted {
      let retry = ReadFault.busy(retryAfterSeconds: 1)
      loop.schedule(at: loop.now()) { reply.complete(.failure(retry)) }
    }
  }

  func proof(
    of operation: OperationID,
    completion: @escaping (Result<OperationProof?, ReadFault>) -> Void
  ) {
    // What a reader finds in the log: not what is applied, but what is durable.
    let heads = durableHeads.entries.map(\.value)
    guard let laneIndex = heads.firstIndex(where: { $0.lane == operation.bundle.lane }),
      heads[laneIndex].number >= operation.bundle.number
    else {
      loop.schedule(at: loop.now()) { completion(.success(nil)) }
      return
    }
    let reply = Reply(completion)
    let handle = loop.handle
    let head = heads[laneIndex]
    let result = storage.read { reader in
      try ProofMaker.proof(of: operation, head, laneIndex, heads, from: reader)
    } completion: { outcome in
      let mapped = outcome.mapError { error in
        error is HistoryNotHeld ? ReadFault.notHeld("\(error)") : .failed("\(error)")
      }
      _ = handle.post { _ in reply.complete(mapped) }
    }
    if result != .accepted {
      let retry = ReadFault.busy(retryAfterSeconds: 1)
      loop.schedule(at: loop.now()) { reply.complete(.failure(retry)) }
    }
  }

  // MARK: The node

  var lanesRoot: Digest { LanesTree.root(of: machine.gossip.heads) }

  var operatorTokenDigest: Digest? { configuration.operatorTokenDigest }

  var lanes: [LaneStatus] {
    machine.gossip.heads.map { head in
      LaneStatus(
        lane: head.lane, node: head.node, number: head.number,
        syncedNumber: machine.gossip.synced(head.lane), operations: head.lastSequence,
        lastTime: head.lastTime, root: head.range.root,
        isForked: machine.gossip.fault(of: head.lane) != nil)
    }
  }
}

/// Joins the outcomes of the groups of one write into one result.
final class WriteCollector {
  private var outcomes: [WriteOutcome?]
  private var missing: Int
  private let level: WriteLevel
  private let operations: [OperationID]?
  private let completion: (WriteResult) -> Void

  init(
    count: Int, level: WriteLevel, operations: [OperationID]? = nil,
    completion: @escaping (WriteResult) -> Void
  ) {
    outcomes = Array(repeating: nil, count: count)
    missing = count
    self.level = level
    self.operations = operations
    self.completion = completion
  }

  func take(_ outcome: WriteOutcome, at index: Int) {
    precondition(outcomes[index] == nil, "a write ended twice")
    outcomes[index] = outcome
    missing -= 1
    if missing == 0 { completion(joined()) }
  }

  private func joined() -> WriteResult {
    var named: [OperationID] = []
    var reached: WriteLevel? = .final
    var isUndecided = false
    var overloaded = 0
    for case .some(let outcome) in outcomes {
      switch outcome {
      case .reached(_, let operations):
        named += operations
      case .undecided(let level, let operations):
        named += operations
        isUndecided = true
        if let level, let known = reached { reached = min(level, known) } else { reached = nil }
      case .overloaded:
        overloaded += 1
      }
    }
    if overloaded == outcomes.count { return .overloaded(retryAfterSeconds: 1) }
    // A part was written and a part was not: the writer must look, or try again with the same key.
    if overloaded > 0 { return .undecided(reached: nil, named) }
    if isUndecided { return .undecided(reached: reached, operations ?? named) }
    return .reached(level, operations ?? named)
  }
}
