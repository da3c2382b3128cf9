internal import Configuration
internal import Glibc
internal import Histories
internal import Primitives
internal import Simulator
internal import Telemetry

/// Carries a scenario out on real processes and judges what came of it.
///
/// ```
/// start ─ one view ─ prepare ─ load ─────────────── silence ─ equal? ─ read ─ stop ─ verify
///                               │ faults, in time │ heal all
/// ```
///
/// Clients fall silent when the scenario's duration is over; then everything is healed, and the
/// nodes must come to hold the same.
final class ScenarioDrill {
  /// What came of a drill.
  struct Result {
    var verdict: ControlVerdict
    var timeline: Timeline
    var history: History
  }

  private enum Action {
    case fault(Fault)
    case start(Int)
    case resume(Int)
    case release(from: Int, to: Int)
  }

  /// How long the processes have to come to one view before the load, in milliseconds.
  private static let viewMilliseconds = 30_000
  /// How long a fault that needs a leader waits for one.
  private static let leaderPatience: UInt64 = 5_000_000_000

  private let scenario: Scenario
  private let command: String
  private let seed: UInt64
  private let directory: String
  private let launcher: NodeLauncher
  private let console: Console
  private var queue: [(at: UInt64, action: Action)] = []

  init(
    _ scenario: Scenario, command: String, seed: UInt64, in directory: String,
    _ launcher: NodeLauncher, _ console: Console
  ) {
    self.scenario = scenario
    self.command = command
    self.seed = seed
    self.directory = directory
    self.launcher = launcher
    self.console = console
  }

  /// Carries it out; whatever happens, no node is left running.
  func run() throws -> Result {
    var signals = SignalWait()
    // Before any thread starts, so that all of them leave these signals to the one that waits.
    signals.begin()
    var cluster = try LocalCluster(
      creating: directory, count: scenario.nodeCount, logLevel: .info, launcher: launcher)
    do {
      try cluster.start(cluster.indices)
      try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    } catch {
      for index in cluster.running { try cluster.kill(index) }
      throw error
    }
    let addresses = try cluster.file.nodes.map { node in
      guard let address = PlainAddress(node.api) else {
        throw DrillError("\(node.api) is no address of this host")
      }
      return address
    }
    let token = String(
      decoding: try Files.read(cluster.file.operatorTokenFile).filter { $0 > 0x20 },
      as: UTF8.self)
    let stage = DrillStage(
      cluster, addresses: addresses, network: scenario.network.isStated ? scenario.network : nil,
      seed: seed, operatorToken: token)
    do {
      return try run(stage, addresses, token, signals)
    } catch {
      _ = try stage.endProcesses(atOnce: true)
      throw error
    }
  }

  private func run(
    _ stage: DrillStage, _ addresses: [PlainAddress], _ token: String, _ signals: SignalWait
  ) throws -> Result {
    let monitor = DrillMonitor(ids: stage.ids, addresses: addresses)
    defer { monitor.stop() }
    try wait(signals, atMostMilliseconds: ScenarioDrill.viewMilliseconds) {
      stage.tellNodes()
      return monitor.agreedAt == nil || !stage.isTold
    }
    guard monitor.agreedAt != nil else { throw DrillError("the nodes did not come to one view") }
    console.error("\(addresses.count) nodes have one view in \(directory)")
    let books = ScenarioBooks()
    let clients = try ScenarioClients(
      scenario, addresses: addresses, operatorToken: token, seed: seed, books: books)
    let start = BenchClock.nanoseconds
    let writers = clients.start()
    do {
      try endure(stage, monitor, from: start, signals)
    } catch {
      books.end()
      for writer in writers { writer.join() }
      throw error
    }
    books.end()
    let end = BenchClock.nanoseconds
    try restore(stage, monitor)
    for writer in writers { writer.join() }
    let silence = BenchClock.nanoseconds
    console.error("the clients are silent; waiting until the nodes are equal")
    let judge = ScenarioJudge(
      scenario, stage: stage, monitor: monitor, addresses: addresses, console: console)
    var verdict = ControlVerdict(scenario: scenario.name, command: command, seed: seed)
    try judge.judge(
      &verdict, books: books, token: token, from: start, to: end, silence: silence,
      directory: directory)
    let state = books.snapshot
    let timeline = judge.timeline(verdict, state, from: start, to: end)
    return Result(verdict: verdict, timeline: timeline, history: state.history)
  }

  // MARK: Time

  /// Does what the scenario says when it says so.
  private func endure(
    _ stage: DrillStage, _ monitor: DrillMonitor, from start: UInt64, _ signals: SignalWait
  ) throws {
    queue = scenario.steps.map { (start + $0.at.nanoseconds, .fault($0.fault)) }
    let end = start + scenario.duration.nanoseconds
    while BenchClock.nanoseconds < end {
      while let next = queue.first, next.at <= BenchClock.nanoseconds {
        queue.removeFirst()
        try act(next.action, dueAt: next.at, stage, monitor)
      }
      stage.tellNodes()
      let now = BenchClock.nanoseconds
      let due = min(queue.first?.at ?? end, end)
      let left = due > now ? Int((due - now) / 1_000_000) : 0
      try check(signals.wait(milliseconds: min(left, stage.isTold ? 50 : 5)))
    }
  }

  private func schedule(_ action: Action, after span: TimeSpan) {
    let at = BenchClock.nanoseconds + span.nanoseconds
    // Behind those of the same instant: what was planned first happens first.
    let place = queue.firstIndex { $0.at > at } ?? queue.count
    queue.insert((at, action), at: place)
  }

  private func act(
    _ action: Action, dueAt due: UInt64, _ stage: DrillStage, _ monitor: DrillMonitor
  ) throws {
    switch action {
    case .start(let node): try stage.start(node)
    case .resume(let node): try stage.resume(node)
    case .release(let from, let to): stage.release(from: from, to: to)
    case .fault(let fault): try inflict(fault, dueAt: due, stage)
    }
    monitor.rest(stage.down.union(stage.paused))
    monitor.forgetAgreement()
  }

  private func inflict(_ fault: Fault, dueAt due: UInt64, _ stage: DrillStage) throws {
    switch fault {
    case .crashLeader, .pauseLeader, .wipeLeader, .isolateLeader, .isolateFollower, .cutLeader,
      .clogLeader, .transfer:
      guard let node = try leader(for: fault, dueAt: due, stage) else { return }
      try inflict(fault, onLeader: node, stage)
    case .crash(let node): try stage.kill(node, fault)
    case .crashFor(let node, let span):
      try stage.kill(node, fault)
      schedule(.start(node), after: span)
    case .start(let node): try stage.start(node)
    case .wipe(let node, let span):
      try stage.wipe(node, fault)
      schedule(.start(node), after: span)
    case .pause(let node, let span):
      try stage.pause(node, fault)
      schedule(.resume(node), after: span)
    case .partition(let groups): stage.change(fault) { $0.partition(groups) }
    case .isolate(let node): stage.change(fault, node: node) { $0.isolate(node) }
    case .cut(let from, let to): stage.change(fault) { $0.cut(from: from, to: to) }
    case .clog(let from, let to, let span):
      stage.change(fault) { $0.hold(from: from, to: to, span) }
      schedule(.release(from: from, to: to), after: span)
    case .heal: stage.heal()
    case .setRole(let node, let role): try stage.setRole(node, role, fault)
    case .remove(let node): try stage.remove(node, fault)
    case .damage, .failSync, .slowDisk, .clockJump, .equivocate, .forge:
      preconditionFailure("\(fault) was not refused")
    }
  }

  /// A fault whose place follows from who leads.
  private func inflict(_ fault: Fault, onLeader node: Int, _ stage: DrillStage) throws {
    let others = (0..<scenario.nodeCount).filter { $0 != node }
    switch fault {
    case .crashLeader(let span):
      try stage.kill(node, fault)
      schedule(.start(node), after: span)
    case .wipeLeader(let span):
      try stage.wipe(node, fault)
      schedule(.start(node), after: span)
    case .pauseLeader(let span):
      try stage.pause(node, fault)
      schedule(.resume(node), after: span)
    case .isolateLeader: stage.change(fault, node: node) { $0.isolate(node) }
    case .isolateFollower:
      guard let follower = others.first(where: { !stage.down.contains($0) }) else { return }
      stage.change(fault, node: follower) { $0.isolate(follower) }
    case .cutLeader(let isFromIt):
      stage.change(fault, node: node) { links in
        for other in others {
          links.cut(from: isFromIt ? node : other, to: isFromIt ? other : node)
        }
      }
    case .clogLeader(let isFromIt, let span):
      let ways = others.map { isFromIt ? (node, $0) : ($0, node) }
      stage.change(fault, node: node) { links in
        for (from, to) in ways { links.hold(from: from, to: to, span) }
      }
      for (from, to) in ways { schedule(.release(from: from, to: to), after: span) }
    case .transfer: try stage.transfer(fault)
    case .partition, .isolate, .wipe, .damage, .failSync, .setRole, .remove, .cut, .clog, .heal,
      .crash, .crashFor, .start, .pause, .slowDisk, .clockJump, .equivocate, .forge:
      preconditionFailure("\(fault) does not depend on who leads")
    }
  }

  /// The leader, or `nil` when there is none yet and the fault is put off a little.
  private func leader(
    for fault: Fault, dueAt due: UInt64, _ stage: DrillStage
  ) throws -> Int? {
    if let node = stage.leader() { return node }
    guard BenchClock.nanoseconds < due + ScenarioDrill.leaderPatience else {
      throw DrillError("nobody has led for 5 s, so the leader can meet no fault")
    }
    queue.insert((due, .fault(fault)), at: 0)
    DrillClient.pause(milliseconds: 5)
    return nil
  }

  /// Gives back all that was taken away.
  private func restore(_ stage: DrillStage, _ monitor: DrillMonitor) throws {
    for node in stage.paused.sorted() { try stage.resume(node) }
    for node in stage.down.sorted() where !stage.removed.contains(node) { try stage.start(node) }
    if stage.links.isDivided { stage.heal() }
    monitor.rest(stage.removed)
  }

  private func wait(
    _ signals: SignalWait, atMostMilliseconds: Int, while condition: () -> Bool
  ) throws {
    let deadline = MonotonicClock.milliseconds + atMostMilliseconds
    while condition(), MonotonicClock.milliseconds < deadline {
      try check(signals.wait(milliseconds: 10))
    }
  }

  private func check(_ signal: Int32?) throws {
    switch signal {
    case SIGINT, SIGTERM, SIGHUP: throw DrillError("the drill was interrupted")
    // open set: signals; the ends of children need nothing here
    default: break
    }
  }
}
