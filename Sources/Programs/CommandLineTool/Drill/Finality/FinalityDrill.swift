internal import Configuration
internal import Crypto
internal import HTTPClient
internal import JSONText
internal import Primitives
internal import SQLiteStorage

/// What a drill of finality does.
struct FinalityDrillPlan {
  /// Nodes of the cluster; all of them are validators.
  let nodes: Int
  /// Clients that write at once.
  let clients: Int
  /// For how long nodes stay down.
  let downMilliseconds: Int
  /// The longest time without a final write that is allowed while one node is down.
  let gapMillisecondsMax: Int

  /// The fewest nodes whose absence stops finality.
  var stopping: Int { (nodes - 1) / 3 + 1 }
}

/// Kills validators while clients write with `final`, and judges what was confirmed.
///
/// ```
/// start ─ load ─┬─ kill 1 ─ final goes on ─ start 1 ─ caught up ─┬─ kill f + 1 ─ final stops ─┐
///               └──────────────── the same with 2 … n ───────────┘                            │
///   verify ─ stop ─ read back ─ equal height and root? ─ clients end ─ final again ─ start 1 ─┘
/// ```
struct FinalityDrill {
  /// How long anything that must happen may take, in milliseconds.
  private static let patienceMilliseconds = 60_000
  /// How long a node is given for one try: short, since during the stop no try succeeds.
  private static let tryMilliseconds = 500

  private let plan: FinalityDrillPlan
  private let directory: String
  private let launcher: NodeLauncher
  private let console: Console
  private let books = Monitor(FinalityDrillBooks())

  /// Describes a drill in an empty directory.
  init(
    _ plan: FinalityDrillPlan, _ directory: String, _ launcher: NodeLauncher, _ console: Console
  ) {
    self.plan = plan
    self.directory = directory
    self.launcher = launcher
    self.console = console
  }

  /// Carries the drill out; whatever happens, no node is left running.
  func run() throws -> FinalityVerdict {
    try DrillRun.withCluster(of: plan.nodes, in: directory, launcher) { cluster, signals in
      try run(&cluster, signals)
    }
  }

  private func run(
    _ cluster: inout LocalCluster, _ signals: SignalWait
  ) throws -> FinalityVerdict {
    try cluster.start(cluster.indices)
    try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    let endpoints = cluster.file.nodes.map(\.api)
    let clients = try (0..<plan.clients).map { try start($0, endpoints) }
    var verdict = FinalityVerdict(plan)
    do {
      try waitForFinal(sentAfter: MonotonicClock.milliseconds, signals)
      console.error("\(plan.nodes) nodes make blocks; killing one after the other")
      for index in cluster.indices {
        verdict.kills.append(try killAndReturn(index, &cluster, signals))
      }
      try stopAndResume(&cluster, &verdict, signals)
    } catch {
      end(clients)
      throw error
    }
    end(clients)
    try judge(&verdict, cluster)
    return verdict
  }

  // MARK: Faults

  /// Kills one node, sees writes become final without it, and waits until it has caught up.
  private func killAndReturn(
    _ index: Int, _ cluster: inout LocalCluster, _ signals: SignalWait
  ) throws -> FinalityVerdict.Kill {
    books.update { $0.beginGap(atMilliseconds: MonotonicClock.milliseconds) }
    try cluster.kill(index)
    let killed = MonotonicClock.milliseconds
    try hold(signals)
    try waitForFinal(sentAfter: killed, signals)
    let other = try cluster.node(index == 1 ? 2 : 1).api
    let goal = height(other) ?? 0
    let started = MonotonicClock.milliseconds
    try cluster.start([index])
    let api = try cluster.node(index).api
    try wait("node \(index) to execute height \(goal)", signals) {
      height(api).map { $0 >= goal } ?? false
    }
    let caughtUp = MonotonicClock.milliseconds
    try waitForFinal(sentAfter: caughtUp, signals)
    let gap = books.value.longestGapMilliseconds
    console.error("node \(index) was down; the longest gap was \(gap) ms")
    return FinalityVerdict.Kill(
      node: index, gapMilliseconds: gap, catchUpMilliseconds: caughtUp - started)
  }

  /// Kills as many as must be there, sees that nothing becomes final, and brings one back.
  private func stopAndResume(
    _ cluster: inout LocalCluster, _ verdict: inout FinalityVerdict, _ signals: SignalWait
  ) throws {
    let victims = Array(cluster.indices.suffix(plan.stopping))
    verdict.stopped = victims
    for victim in victims { try cluster.kill(victim) }
    let killed = MonotonicClock.milliseconds
    books.update { $0.stoppedSinceMilliseconds = killed }
    console.error("nodes \(victims) are down: nothing may become final")
    try hold(signals)
    // What was sent since then and is final was so before anybody came back.
    books.update { $0.stoppedSinceMilliseconds = nil }
    let started = MonotonicClock.milliseconds
    verdict.stoppedMilliseconds = started - killed
    try cluster.start(victims.prefix(1))
    try waitForFinal(sentAfter: started, signals)
    verdict.resumedMilliseconds = MonotonicClock.milliseconds - started
    console.error("final again \(verdict.resumedMilliseconds) ms after one was started")
    try cluster.start(victims.dropFirst())
    try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    try waitForFinal(sentAfter: MonotonicClock.milliseconds, signals)
  }

  // MARK: Waiting

  /// Lets the clients write for as long as nodes stay down.
  private func hold(_ signals: SignalWait) throws {
    let end = MonotonicClock.milliseconds + plan.downMilliseconds
    while MonotonicClock.milliseconds < end { try signals.pause(milliseconds: 5) }
  }

  /// Waits until a write is final that was sent after a moment.
  private func waitForFinal(sentAfter moment: Int, _ signals: SignalWait) throws {
    try wait("a write to become final", signals) { books.value.lastSentMilliseconds > moment }
  }

  private func wait(
    _ what: String, _ signals: SignalWait, until condition: () -> Bool
  ) throws {
    let deadline = MonotonicClock.milliseconds + FinalityDrill.patienceMilliseconds
    while !condition() {
      guard MonotonicClock.milliseconds < deadline else {
        throw DrillError("waited for \(what) for \(FinalityDrill.patienceMilliseconds / 1_000) s")
      }
      try signals.pause(milliseconds: 5)
    }
  }

  /// The height that a node has executed; `nil` when it does not answer.
  private func height(_ endpoint: String) -> UInt64? {
    FinalityView.ask(endpoint, HTTPConnection(responseBytesMax: 16 << 20))?.executedHeight
  }

  // MARK: Clients

  /// Registers an agent and has it ask questions, one after the other.
  private func start(_ number: Int, _ endpoints: [String]) throws -> WorkerThread {
    let token = "so_" + Hexadecimal.text(Entropy.bytes(32))
    var body = JSONWriter()
    body.beginObject()
    body.text("name", "drill \(number)")
    body.text("description", "writes during a drill")
    body.text("platform", "custom")
    body.text("apiKey", token)
    body.endObject()
    let registrar = DrillClient(endpoints: endpoints, first: number) { false }
    _ = try DrillCast.identifier(
      registrar.post(
        "/v1/agents/register", body.bytes, level: "final", key: "agent-\(number)"))
    let books = books
    return WorkerThread {
      let client = DrillClient(
        endpoints: endpoints, first: number, tryMilliseconds: FinalityDrill.tryMilliseconds
      ) { books.value.isOver }
      var question = number
      while !books.value.isOver {
        FinalityDrill.ask(question, client, token, books)
        question += plan.clients
      }
    }
  }

  private static func ask(
    _ number: Int, _ client: DrillClient, _ token: String, _ books: Monitor<FinalityDrillBooks>
  ) {
    // Of the first request: a later one may only learn of what was final before it was sent.
    var sent: Int?
    let outcome = client.post(
      "/v1/questions", DrillCast.questionBody(number), level: "final", token: token,
      key: "question-\(number)"
    ) { sent = sent ?? $0 }
    let now = MonotonicClock.milliseconds
    let counts = client.takeCounts()
    books.update { [sent] books in
      books.retried += counts.retried
      books.unknown += counts.unknown
      switch outcome {
      case .confirmed(let body):
        guard let id = body["id"]?.string else { return books.note("a question without an id") }
        books.confirm(id, sentMilliseconds: sent ?? 0, atMilliseconds: now)
      // Whoever is told to end gives up what it was about to ask.
      case .undecided: books.undecided += books.isOver ? 0 : 1
      case .surprise(let text): books.note(text)
      }
    }
  }

  private func end(_ clients: [WorkerThread]) {
    books.update { $0.isOver = true }
    for client in clients { client.join() }
  }

  // MARK: The end

  /// Looks at what the nodes hold, stops them, and checks their files.
  private func judge(_ verdict: inout FinalityVerdict, _ cluster: LocalCluster) throws {
    console.error("the clients are done; waiting until every node has executed everything")
    let endpoints = cluster.file.nodes.map(\.api)
    verdict.books = books.value
    verdict.settlement = try FinalitySettlement.wait(
      endpoints, patience: FinalityDrill.patienceMilliseconds)
    verdict.missing = try DrillCheck(endpoints: endpoints).missing(
      questions: verdict.books.confirmed)
    verdict.endedBadly = cluster.indices.filter { !cluster.running.contains($0) }
    verdict.endedBadly += try cluster.stop(cluster.running)
    for place in try VerifyVerb.swarms(in: directory) {
      let report = try VerifyVerb.report(on: place)
      verdict.verified += 1
      verdict.findings += report.findings.map { "\(place): \($0)" }
    }
  }
}
