internal import Configuration
internal import Primitives
internal import SQLiteStorage

/// Flips a byte of each database of a running node under load and judges what is left.
///
/// ```
/// start ─ prepare ─┬─ load ──────────────────────────────── all answered ─ equal? ─┬─ read back
///                  │    flip ─ found ─ repaired ─ serving        │                 │
///                  └──────────────────── for log.db, then state.db ────────────────┘
/// ```
struct FlipDrill {
  /// What follows from the command line.
  struct Plan {
    /// Answers and clients of the load; its kills are the seconds of it, halved.
    let load: KillPlan
    /// How often nodes read their databases through, in seconds.
    let scrubSeconds: Int

    /// The answers that are given while a byte of the database `index` is flipped.
    func numbers(_ index: Int, of count: Int) -> Range<Int> {
      let share = load.answers / count / load.clients * load.clients
      return (index * share)..<(index == count - 1 ? load.answers : (index + 1) * share)
    }
  }

  private static let files: [DatabaseFile] = [.log, .state]

  private let plan: Plan
  private let directory: String
  private let launcher: NodeLauncher
  private let console: Console

  /// Describes a drill in an empty directory.
  init(_ plan: Plan, _ directory: String, _ launcher: NodeLauncher, _ console: Console) {
    self.plan = plan
    self.directory = directory
    self.launcher = launcher
    self.console = console
  }

  /// Carries the drill out; whatever happens, no node is left running.
  func run() throws -> FlipVerdict {
    try DrillRun.withCluster(
      of: plan.load.nodes, in: directory, launcher,
      changing: { $0.scrubSeconds = plan.scrubSeconds }
    ) { cluster, signals in
      try run(&cluster, signals)
    }
  }

  private func run(_ cluster: inout LocalCluster, _ signals: SignalWait) throws -> FlipVerdict {
    try cluster.start(cluster.indices)
    try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    console.error("\(plan.load.nodes) nodes are ready in \(directory)")
    let cast = try DrillCast(plan.load, endpoints: cluster.file.nodes.map(\.api))
    let check = DrillCheck(endpoints: cast.endpoints)
    let ledger = DrillLedger(answers: plan.load.answers, clients: plan.load.clients)
    var random = Xoshiro256(seed: plan.load.seed, purpose: "drill flip-byte")
    var verdict = FlipVerdict()
    for (index, file) in FlipDrill.files.enumerated() {
      let numbers = plan.numbers(index, of: FlipDrill.files.count)
      ledger.update { $0.busyClients = plan.load.clients }
      let writers = DrillWriters.start(plan.load, cast, ledger, numbers)
      defer { for writer in writers { writer.join() } }
      do {
        // When half of this load is given there is something to flip, and something under way.
        let half = numbers.count / 2 + numbers.lowerBound
        try wait(signals, milliseconds: .max) {
          ledger.snapshot.quorum.acknowledged >= half || !ledger.isBusy
        }
        let victim = 1 + random.next(below: plan.load.nodes)
        verdict.flips.append(try flip(file, of: victim, cluster, check, ledger, signals))
      } catch {
        ledger.update { $0.isCancelled = true }
        throw error
      }
    }
    try judge(&verdict, cluster, cast, ledger.snapshot, check)
    return verdict
  }

  /// Flips a byte and waits until that is found, repaired and forgotten.
  private func flip(
    _ file: DatabaseFile, of victim: Int, _ cluster: LocalCluster, _ check: DrillCheck,
    _ ledger: DrillLedger, _ signals: SignalWait
  ) throws -> FlipVerdict.Flip {
    let patience = FlipVerdict.equalMillisecondsMax
    let place = Files.resolve("data/main", in: try cluster.node(victim).dir)
    let books = RepairBooks(directory: place)
    let before = try books.history().count
    let target = try FlipPlace(file, in: place)
    let start = MonotonicClock.milliseconds
    let (old, new) = try target.flip(in: place)
    var flip = FlipVerdict.Flip(
      file: file.name, node: victim, offset: target.offset, old: old, new: new)
    console.error("flipped byte \(target.offset) of \(file.name) of node \(victim)")
    // A book that is being replaced is read again.
    guard
      try wait(
        signals, milliseconds: patience, until: { (try? books.history().count) ?? before > before })
    else { return flip }
    flip.detectedMilliseconds = MonotonicClock.milliseconds - start
    console.error("the node found it after \(MonotonicClock.milliseconds - start) ms")
    guard try wait(signals, milliseconds: patience, until: { (try? books.marker()) == .some(nil) })
    else { return flip }
    try cluster.waitUntilReady([victim], withQuorum: true)
    flip.servingMilliseconds = MonotonicClock.milliseconds - start
    console.error("it serves again after \(MonotonicClock.milliseconds - start) ms")
    try wait(signals, milliseconds: .max) { !ledger.isBusy }
    flip.equalMilliseconds = try check.waitUntilEqual(milliseconds: patience).map {
      $0.atMilliseconds - start
    }
    return flip
  }

  /// Waits until `condition` holds, unless somebody wants the drill to end; false when it takes
  /// longer than that.
  @discardableResult
  private func wait(
    _ signals: SignalWait, milliseconds: Int, until condition: () -> Bool
  ) throws -> Bool {
    let start = MonotonicClock.milliseconds
    while !condition() {
      guard MonotonicClock.milliseconds - start < milliseconds else { return false }
      try signals.pause(milliseconds: 5)
    }
    return true
  }

  /// Looks at what the nodes hold, stops them, and checks their files.
  private func judge(
    _ verdict: inout FlipVerdict, _ cluster: LocalCluster, _ cast: DrillCast,
    _ books: DrillLedger.State, _ check: DrillCheck
  ) throws {
    verdict.quorum = books.quorum
    verdict.surprises = books.surprises
    _ = try check.waitUntilEqual(milliseconds: DrillCheck.patienceMilliseconds)
    verdict.missing = try check.missing(cast, books)
    verdict.repairs = try cluster.file.nodes.map { node in
      try RepairBooks(directory: Files.resolve("data/main", in: node.dir)).history().count
    }
    verdict.endedBadly = cluster.indices.filter { !cluster.running.contains($0) }
    verdict.endedBadly += try cluster.stop(cluster.running)
    for place in try VerifyVerb.swarms(in: directory) {
      let report = try VerifyVerb.report(on: place)
      verdict.findings += report.findings.map { "\(place): \($0)" }
    }
  }
}
