internal import Configuration
internal import Glibc
internal import HTTPClient
internal import JSONText

/// What a drill of joining does.
struct JoinDrillPlan {
  /// Nodes of the cluster; all of them are validators.
  let nodes: Int
  /// Operations that are final before somebody joins.
  let operations: Int
  /// Clients that write at once.
  let clients: Int
}

/// Has fresh nodes join a cluster that holds much, and compares how soon they are equal.
///
/// ```
/// start ─ load ─ all final ─┬─ ticket ─ fresh node ─ equal? ─ ends ─┬─ verdict
///                           └───── by snapshot, then by replay ─────┘
/// ```
struct JoinDrill {
  /// Blocks between two snapshots: few, since batches make large blocks.
  private static let snapshotBlocks = 32
  /// Blocks after which there is a snapshot for sure.
  private static let heightMin: UInt64 = 96
  /// Seconds of load between two looks at how much there is.
  private static let loadSeconds = 5
  /// How long all may take to become final, and a fresh node to become equal, in milliseconds.
  private static let patienceMilliseconds = 3_600_000

  private let plan: JoinDrillPlan
  private let directory: String
  private let launcher: NodeLauncher
  private let console: Console

  /// Describes a drill in an empty directory.
  init(_ plan: JoinDrillPlan, _ directory: String, _ launcher: NodeLauncher, _ console: Console) {
    self.plan = plan
    self.directory = directory
    self.launcher = launcher
    self.console = console
  }

  /// Carries the drill out; whatever happens, no node is left running.
  func run() throws -> JoinVerdict {
    try DrillRun.withCluster(
      of: plan.nodes, in: directory, launcher,
      changing: { $0.limits.snapshotBlocks = JoinDrill.snapshotBlocks }
    ) { cluster, signals in
      try run(&cluster, signals)
    }
  }

  private func run(_ cluster: inout LocalCluster, _ signals: SignalWait) throws -> JoinVerdict {
    try cluster.start(cluster.indices)
    try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    var verdict = JoinVerdict(plan)
    try load(cluster, &verdict, signals)
    for way in [Bootstrap.snapshot, .replay] {
      console.error("a fresh node joins by \(way.rawValue)")
      verdict.joins.append(try join(way, cluster, signals))
    }
    try cluster.stop(cluster.indices)
    return verdict
  }

  // MARK: What there is to have

  private func load(
    _ cluster: LocalCluster, _ verdict: inout JoinVerdict, _ signals: SignalWait
  ) throws {
    let start = MonotonicClock.milliseconds
    let endpoints = cluster.file.nodes.map(\.api)
    let inspection = DemoInspection(endpoints: endpoints, isCancelled: { false })
    let connection = HTTPConnection(responseBytesMax: 16 << 20)
    var answers = try AnswerLoad(
      endpoints: endpoints, processes: [], clientCount: plan.clients, bytes: 64)
    let pattern = AnswerPattern(phase: .batch, level: "final")
    while true {
      let held = try inspection.state(0).operations
      let height = FinalityView.ask(endpoints[0], connection)?.height ?? 0
      console.error("\(held) operations, height \(height)")
      if held >= Int64(plan.operations), height >= JoinDrill.heightMin { break }
      // Small blocks, when only their number is wanting.
      let isEnough = held >= Int64(plan.operations)
      let outcome = try answers.run(
        isEnough ? AnswerPattern(phase: .single, level: "final") : pattern,
        seconds: isEnough ? 1 : JoinDrill.loadSeconds)
      if let fault = outcome.counts.compactMap(\.fault).first { throw DrillError(fault) }
      try signals.pause(milliseconds: 10)
    }
    guard
      let settled = try FinalitySettlement.wait(
        endpoints, patience: JoinDrill.patienceMilliseconds)
    else { throw DrillError("the nodes did not execute the same blocks") }
    verdict.operations = try inspection.state(0).operations
    verdict.height = settled.views[0].executedHeight
    verdict.root = settled.views[0].rootText
    verdict.loadMilliseconds = MonotonicClock.milliseconds - start
  }

  // MARK: Joining

  private func join(
    _ way: Bootstrap, _ cluster: LocalCluster, _ signals: SignalWait
  ) throws -> JoinVerdict.Join {
    let (place, api) = try prepare(way, cluster)
    let start = MonotonicClock.milliseconds
    let process = try launcher.start(place)
    var join = JoinVerdict.Join(way: way)
    do {
      let endpoints = [cluster.file.nodes[0].api, api]
      let check = DrillCheck(endpoints: endpoints)
      let connection = HTTPConnection(responseBytesMax: 16 << 20)
      try wait("the fresh node to become equal", signals) {
        guard process.isAlive else { throw DrillError("the fresh node ended; see \(place)") }
        guard try check.waitUntilEqual(milliseconds: 0) != nil else { return false }
        let views = endpoints.compactMap { FinalityView.ask($0, connection) }
        return views.count == 2 && views[0].agrees(with: views[1])
      }
      join.milliseconds = MonotonicClock.milliseconds - start
    } catch {
      process.send(SIGKILL)
      _ = process.waitForEnd(milliseconds: LocalCluster.endMilliseconds)
      throw error
    }
    process.send(SIGTERM)
    join.hasEndedWell = process.waitForEnd(milliseconds: LocalCluster.endMilliseconds)
    if !join.hasEndedWell { process.send(SIGKILL) }
    join.snapshotHeight = try snapshotHeight(place)
    console.error("it was equal after \(join.milliseconds ?? 0) ms")
    return join
  }

  /// Makes the directory of a node with a ticket of the cluster.
  private func prepare(
    _ way: Bootstrap, _ cluster: LocalCluster
  ) throws -> (directory: String, api: String) {
    let token = try OperatorToken(contentsOf: cluster.file.operatorTokenFile)
    let client = SwarmClient(endpoints: [cluster.file.nodes[0].api], token: token.text)
    let reply = try client.post("/v1/tickets", Array(#"{"role":"learner"}"#.utf8))
    let ticket = try Ticket(text: reply.json["ticket"]?.string ?? "")
    let place = "\(directory)/fresh-\(way.rawValue)"
    try Files.makeDirectory(place, mode: 0o700)
    _ = try NodeKey.create(at: Files.resolve(NodeKey.fileName, in: place))
    let reservation = PortReservation()
    let (api, quic) = (try reservation.reserve(.tcp), try reservation.reserve(.udp))
    guard let apiAddress = NetworkAddress("127.0.0.1:\(api)"),
      let quicAddress = NetworkAddress("127.0.0.1:\(quic)")
    else { preconditionFailure("ports \(api) and \(quic) make no address") }
    var settings = NodeSettings(
      name: "fresh-\(way.rawValue)", transport: quicAddress, api: apiAddress)
    settings.bootstrap = way
    settings.limits.snapshotBlocks = JoinDrill.snapshotBlocks
    try NodeConfiguration.write(
      settings, genesis: ticket.genesis, operatorToken: .make(), ticket: ticket, in: place)
    return (place, "http://\(apiAddress)")
  }

  /// The height of the snapshot by which a node's log says that it joined.
  private func snapshotHeight(_ place: String) throws -> Int64? {
    let log = try Files.read(Files.resolve(LocalCluster.logName, in: place), limit: 64 << 20)
    let line = String(decoding: log, as: UTF8.self).split(separator: "\n")
      .first { $0.contains("joined by a snapshot") }
    guard let line else { return nil }
    let field = line.split(separator: " ").first { $0.hasPrefix("height=") }
    return field.flatMap { Int64($0.dropFirst("height=".count).filter(\.isNumber)) }
  }

  /// Waits until something holds, unless somebody wants the drill to end.
  private func wait(_ what: String, _ signals: SignalWait, _ condition: () throws -> Bool) throws {
    let deadline = MonotonicClock.milliseconds + JoinDrill.patienceMilliseconds
    while true {
      if try condition() { return }
      guard MonotonicClock.milliseconds < deadline else { throw DrillError("waited for \(what)") }
      try signals.pause(milliseconds: 10)
    }
  }
}
