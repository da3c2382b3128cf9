internal import Configuration
internal import SQLiteStorage

/// Kills nodes of a cluster under load and judges what is left.
///
/// ```
/// start ─ prepare ─ load ─────────────────────────── all answered
///                    │  kill ─ down ─ start ─ ready   │
///                    │        (rounds)                ▼
///                    └──── last round: kill … ── start ─ equal? ─ read back ─ stop ─ verify
/// ```
///
/// The last victims come back only when the load is over, so that they have something to catch up
/// with, and the time until all nodes are equal counts from their start.
struct KillDrill {
  private let plan: KillPlan
  private let directory: String
  private let launcher: NodeLauncher
  private let console: Console

  /// Describes a drill in an empty directory.
  init(_ plan: KillPlan, _ directory: String, _ launcher: NodeLauncher, _ console: Console) {
    self.plan = plan
    self.directory = directory
    self.launcher = launcher
    self.console = console
  }

  /// Carries the drill out; whatever happens, no node is left running.
  func run() throws -> KillVerdict {
    try DrillRun.withCluster(of: plan.nodes, in: directory, launcher) { cluster, signals in
      try run(&cluster, signals)
    }
  }

  private func run(_ cluster: inout LocalCluster, _ signals: SignalWait) throws -> KillVerdict {
    try cluster.start(cluster.indices)
    try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    console.error("\(plan.nodes) nodes are ready in \(directory)")
    let cast = try DrillCast(plan, endpoints: cluster.file.nodes.map(\.api))
    let check = DrillCheck(endpoints: cast.endpoints)
    guard try check.waitUntilEqual(milliseconds: DrillCheck.patienceMilliseconds) != nil else {
      throw DrillError("the nodes did not become equal before the load began")
    }
    console.error("\(plan.questions) questions are asked; the load begins")
    var verdict = KillVerdict(plan)
    let ledger = DrillLedger(answers: plan.answers, clients: plan.clients)
    let start = MonotonicClock.milliseconds
    let writers = DrillWriters.start(plan, cast, ledger)
    do {
      verdict.lastRestartMilliseconds = try kill(&cluster, ledger, start, signals)
    } catch {
      ledger.update { $0.isCancelled = true }
      for writer in writers { writer.join() }
      throw error
    }
    for writer in writers { writer.join() }
    verdict.take(ledger.snapshot, loadMilliseconds: MonotonicClock.milliseconds - start)
    try judge(&verdict, cluster, cast, ledger.snapshot, check)
    return verdict
  }

  /// Goes through the rounds; returns when the last victims were started.
  private func kill(
    _ cluster: inout LocalCluster, _ ledger: DrillLedger, _ start: Int, _ signals: SignalWait
  ) throws -> Int {
    let rounds = plan.rounds
    for (index, round) in rounds.enumerated() {
      let isLast = index == rounds.count - 1
      try wait(signals) { MonotonicClock.milliseconds < start + round.atMilliseconds }
      let confirmed = ledger.snapshot.quorum.acknowledged
      for victim in round.victims { try cluster.kill(victim) }
      let names = round.victims.map { "\($0)" }.joined(separator: ", ")
      console.error("killed node \(names) after \(confirmed) confirmed answers")
      let up = MonotonicClock.milliseconds + round.downMilliseconds
      try wait(signals) {
        MonotonicClock.milliseconds < up || isLast && ledger.isBusy
      }
      let restarted = MonotonicClock.milliseconds
      try cluster.start(round.victims)
      if isLast { return restarted }
      try cluster.waitUntilReady(round.victims, withQuorum: true)
    }
    preconditionFailure("a drill of \(plan.kills) kills has no round")
  }

  /// Waits as long as `condition` holds, unless somebody wants the drill to end.
  private func wait(_ signals: SignalWait, while condition: () -> Bool) throws {
    while condition() {
      try signals.pause(milliseconds: 2)
    }
  }

  /// Looks at what the nodes hold, stops them, and checks their files.
  private func judge(
    _ verdict: inout KillVerdict, _ cluster: LocalCluster, _ cast: DrillCast,
    _ books: DrillLedger.State, _ check: DrillCheck
  ) throws {
    console.error("every answer is given; waiting until the nodes are equal")
    let equal = try check.waitUntilEqual(milliseconds: DrillCheck.patienceMilliseconds)
    verdict.equalMilliseconds = equal.map { $0.atMilliseconds - verdict.lastRestartMilliseconds }
    verdict.missing = try check.missing(cast, books)
    // The same digest after the reading as before: what was read was there when they became equal.
    let after = try check.waitUntilEqual(milliseconds: 0)
    verdict.isStable = equal != nil && after?.view == equal?.view
    verdict.readMilliseconds = MonotonicClock.milliseconds - verdict.lastRestartMilliseconds
    verdict.endedBadly = cluster.indices.filter { !cluster.running.contains($0) }
    verdict.endedBadly += try cluster.stop(cluster.running)
    for place in try VerifyVerb.swarms(in: directory) {
      let report = try VerifyVerb.report(on: place)
      verdict.verified += 1
      verdict.findings += report.findings.map { "\(place): \($0)" }
    }
  }
}
