internal import CoreKit
internal import Crypto
internal import Histories
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records

/// Something that is planned.
enum Action {
  /// A node takes what is at hand in one turn of its loop.
  case turn(node: Int, life: UInt64)
  /// A deadline of a node's core is due.
  case timer(node: Int, life: UInt64, Instant)
  /// A message arrives, or the time comes at which it would have.
  case arrival(Message)
  /// A node tries to reach another.
  case dial(PairIndex)
  /// One end of a connection is up.
  case linkUp(from: Int, to: Int, connection: UInt64)
  /// One end of a connection notices that the other is gone.
  case linkDown(from: Int, to: Int, connection: UInt64)
  /// A node's driver gives up a pull.
  case pullExpired(node: Int, life: UInt64, pull: UInt64)
  /// A group commit ends.
  case commitEnd(node: Int, life: UInt64)
  /// An event comes to a node from its own threads.
  case own(node: Int, life: UInt64, NodeEvent)
  /// A group commit of a control log ends.
  case controlCommitEnd(node: Int, life: UInt64)
  /// A group commit of votes ends.
  case voteCommitEnd(node: Int, life: UInt64)
  /// A group of blocks is executed and durable.
  case executionEnd(node: Int, life: UInt64)
  /// A node takes the end of a lane out of its log.
  case withdrawal(node: Int, life: UInt64, LanePosition)
  /// A datagram of the control plane arrives.
  case datagram(from: Int, to: Int, connection: UInt64, [UInt8])
  /// The head of a consensus stream arrives.
  case consensus(from: Int, to: Int, connection: UInt64)
  /// A client of the control state acts.
  case command(Int)
  /// A client of the control state waits no longer.
  case commandGivenUp(Int, ControlRequestID)
  /// By now a crash must be known.
  case detection(node: Int, life: UInt64)
  /// A look at all control logs at once.
  case logs
  /// A client writes.
  case write
  /// A planned fault.
  case fault(Fault)
  /// The first phase ends.
  case healAll
  /// A check whether all nodes hold the same.
  case check
}

/// Holds effects, so that they change hands without being copied.
final class EffectsBox {
  var value = NodeEffects()
}

/// A simulated cluster: holds everything that a run consists of.
///
/// A class as the holder; what it holds are values. `World+….swift` are its aspects.
final class World {
  let scenario: Scenario
  let seed: UInt64
  let options: Simulation.Options
  let cluster: ClusterID
  let swarm: SwarmID

  var now = Instant.origin
  var queue = EventQueue<Action>()
  var nodes: [SimulatedNode] = []
  var network: Network
  var door = Door()
  var workload: Workload
  var records: RecordLoad
  var ledger: RunLedger
  /// Per node which way bundles go, when relays are used.
  var routes: [RelayRoutes] = []
  var audit = Auditor()
  var probes = ProbeCounts()
  var trace: [String] = []
  var eventCount: UInt64 = 0
  var violation: Violation?
  var isHealing = false
  var convergedAt: Instant?
  var liars: [Int: UInt64] = [:]
  var commands: CommandClients
  var control = ControlBook()
  var finality = FinalityBook()
  /// Requests of operators: they are answered like any other, and nobody waits for them.
  var operators: [ControlRequestID] = []
  /// Nodes that an operator has removed.
  var removed: [Int] = []
  /// What is drawn, when something is.
  var picture: RunPicture?
  // Reused by every turn, with the room they have.
  var effects = EffectsBox()
  var spareEffects = EffectsBox()
  var spareInbox: [NodeEvent] = []

  // One generator per purpose, so that a draw for one never shifts another.
  var turnRandom: Xoshiro256
  var diskRandom: Xoshiro256
  var controlDiskRandom: Xoshiro256
  var faultRandom: Xoshiro256
  var hostileRandom: Xoshiro256
  var chainRandom: Xoshiro256

  init(_ scenario: Scenario, seed: UInt64, options: Simulation.Options) {
    self.scenario = scenario
    self.seed = seed
    self.options = options
    cluster = ClusterID(digest: Digest(words: 0x51, 0, 0, seed))
    swarm = SwarmID(named: "simulated", in: cluster)
    network = Network(scenario, seed: seed)
    workload = Workload(scenario, seed: seed)
    commands = CommandClients(scenario, seed: seed)
    records = RecordLoad(seed: seed)
    ledger = RunLedger()
    turnRandom = Xoshiro256(seed: seed, purpose: "turns")
    diskRandom = Xoshiro256(seed: seed, purpose: "disks")
    controlDiskRandom = Xoshiro256(seed: seed, purpose: "control disks")
    faultRandom = Xoshiro256(seed: seed, purpose: "faults")
    hostileRandom = Xoshiro256(seed: seed, purpose: "hostile")
    chainRandom = Xoshiro256(seed: seed, purpose: "chains")
    if options.isDrawn { picture = RunPicture(scenario.name, nodeCount: scenario.nodeCount) }
    makeNodes()
    makeChains()
    if scenario.usesRelays { makeRoutes() }
  }

  private func makeNodes() {
    var random = Xoshiro256(seed: seed, purpose: "clocks")
    for index in 0..<scenario.nodeCount {
      nodes.append(SimulatedNode(index, scenario, swarm: swarm, seed: seed, clocks: &random))
    }
    for node in nodes {
      ledger.authors[node.lane] = node.index
    }
  }

  /// Runs both phases, or until a rule is broken.
  func run() {
    for step in scenario.steps { queue.add(.fault(step.fault), at: step.at) }
    planChaos()
    for index in nodes.indices { startNode(index) }
    for pair in network.allPairs { planDial(pair, within: .milliseconds(20)) }
    if scenario.clients.count > 0 { queue.add(.write, at: .origin + .milliseconds(50)) }
    planCommands()
    queue.add(.logs, at: .origin + .milliseconds(100))
    queue.add(.healAll, at: .origin + scenario.duration)
    while violation == nil, convergedAt == nil, let entry = queue.removeFirst() {
      precondition(entry.at >= now, "an event is planned for the past")
      now = entry.at
      eventCount += 1
      perform(entry.action)
    }
    checkLogMatching()
    if violation == nil { checkEnd() }
    if violation == nil { checkHistory() }
    for index in nodes.indices { collectProbes(of: index) }
  }

  private func perform(_ action: Action) {
    switch action {
    case .turn(let node, let life): takeTurn(node, life)
    case .timer(let node, let life, let due): ring(node, life, due)
    case .arrival(let message): arrive(message)
    case .dial(let pair): dial(pair)
    case .linkUp(let from, let to, let connection): linkUp(from, to, connection)
    case .linkDown(let from, let to, let connection): linkDown(from, to, connection)
    case .pullExpired(let node, let life, let pull): expirePull(node, life, pull)
    case .commitEnd(let node, let life): endCommit(node, life)
    case .own(let node, let life, let event):
      if nodes[node].life == life, nodes[node].isAlive { give(event, to: node) }
    case .controlCommitEnd(let node, let life): endControlCommit(node, life)
    case .voteCommitEnd(let node, let life): endVoteCommit(node, life)
    case .executionEnd(let node, let life): endExecution(node, life)
    case .withdrawal(let node, let life, let place): endWithdrawal(node, life, place)
    case .datagram(let from, let to, let connection, let bytes):
      arriveDatagram(from, to, connection, bytes)
    case .consensus(let from, let to, let connection): arriveConsensus(from, to, connection)
    case .command(let client): command(client)
    case .commandGivenUp(let client, let request): giveUpCommand(client, request)
    case .detection(let node, let life): checkDetection(of: node, life)
    case .logs:
      checkLogMatching()
      queue.add(.logs, at: now + .seconds(1))
    case .write: writeSomething()
    case .fault(let fault): inflict(fault)
    case .healAll: healAll()
    case .check: checkConvergence()
    }
  }

  /// Notes the first broken rule; the run ends with it.
  func report(_ checker: Checker, _ node: Int?, _ detail: @autoclosure () -> String) {
    guard violation == nil else { return }
    violation = Violation(checker: checker, at: now, node: node, detail: detail())
    note { "VIOLATION of \(checker.rawValue): \(violation?.detail ?? "")" }
  }

  /// Adds a line to the trace, when there is one.
  func note(_ text: () -> String) {
    guard options.isTraced else { return }
    let microseconds = now.nanoseconds / 1_000
    let fraction = String(1_000_000 + microseconds % 1_000_000).dropFirst()
    trace.append("\(microseconds / 1_000_000).\(fraction) \(text())")
  }

  private var historyText: [UInt8] {
    guard options.keepsHistory else { return [] }
    var writer = HistoryWriter()
    return writer.text(of: commands.history)
  }

  /// What came of it.
  var verdict: Verdict {
    let healedAt = Instant.origin + scenario.duration
    var verdict = Verdict(
      scenario: scenario.name, seed: seed, violation: violation, audit: audit.text,
      simulated: now.since(.origin), events: eventCount, bundles: ledger.bundleCount,
      writes: ledger.writes, convergedAfter: convergedAt.map { $0.since(healedAt) },
      spread: ledger.spread, commands: control.figures, probes: probes, trace: trace,
      history: historyText, finalDelays: ledger.finalDelays.sorted())
    verdict.picture = picture?.html(verdict, commands.history)
    return verdict
  }
}
