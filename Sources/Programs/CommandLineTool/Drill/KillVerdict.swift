internal import JSONText

/// What a drill of kills found, and whether that is good enough.
struct KillVerdict: DrillVerdict {
  /// How soon after the last restart all nodes must be equal, in milliseconds.
  static let equalMillisecondsMax = 5_000

  let plan: KillPlan
  private(set) var quorum = DrillLedger.Tier()
  private(set) var local = DrillLedger.Tier()
  private(set) var surprises: [String] = []
  private(set) var surpriseCount = 0
  private(set) var loadMilliseconds = 0
  /// When the last victims were started, by the monotonic clock.
  var lastRestartMilliseconds = 0
  /// How long after that all nodes were equal; `nil` when they never were.
  var equalMilliseconds: Int?
  /// How long after that everything had been read back.
  var readMilliseconds = 0
  /// Whether the nodes were still the same after that.
  var isStable = false
  /// For each node the confirmed writes that it does not have.
  var missing: [[String]] = []
  /// Nodes that ended by themselves or did not end when they were told to.
  var endedBadly: [Int] = []
  /// How many directories were checked.
  var verified = 0
  /// What the checks found.
  var findings: [String] = []

  /// Starts without findings.
  init(_ plan: KillPlan) {
    self.plan = plan
  }

  /// Takes what the clients saw.
  mutating func take(_ books: DrillLedger.State, loadMilliseconds: Int) {
    quorum = books.quorum
    local = books.local
    surprises = books.surprises
    surpriseCount = books.surpriseCount
    self.loadMilliseconds = loadMilliseconds
  }

  /// Confirmed writes that some node does not have.
  var lost: Int { Set(missing.joined()).count }

  /// What was promised and not kept; empty when all is well.
  var failures: [String] {
    var failures: [String] = []
    for (index, writes) in missing.enumerated() where !writes.isEmpty {
      let some = writes.prefix(5).joined(separator: ", ")
      failures.append("node \(index + 1) lacks \(writes.count) confirmed writes: \(some)")
    }
    if quorum.acknowledged + quorum.undecided + surpriseCount < plan.answers {
      failures.append("not every answer was tried")
    }
    let undecided = quorum.undecided + local.undecided
    if undecided > 0 { failures.append("\(undecided) writes were never decided") }
    if surpriseCount > 0 { failures.append("\(surpriseCount) answers that nothing explains") }
    failures += surprises.map { "  \($0)" }
    if let equalMilliseconds {
      if equalMilliseconds > KillVerdict.equalMillisecondsMax {
        failures.append("the nodes were equal only after \(equalMilliseconds) ms")
      }
    } else {
      failures.append("the nodes never became equal")
    }
    if !isStable { failures.append("the nodes changed while they were read") }
    if !endedBadly.isEmpty {
      failures.append("nodes that did not end as told: \(endedBadly)")
    }
    if verified != plan.nodes {
      failures.append("\(verified) of \(plan.nodes) directories could be checked")
    }
    failures += findings.map { "verify: \($0)" }
    return failures
  }

  /// Whether every promise was kept.
  var isPassed: Bool { failures.isEmpty }

  func text(_ console: Console) -> String {
    var table = Table([("", .left), ("QUORUM", .right), ("LOCAL", .right)])
    func row(_ title: String, _ value: (DrillLedger.Tier) -> Int) {
      table.append([.init(title), .init("\(value(quorum))"), .init("\(value(local))")])
    }
    row("acknowledged") { $0.acknowledged }
    row("retried requests") { $0.retried }
    row("unknown outcomes") { $0.unknown }
    row("undecided writes") { $0.undecided }
    row("longest gap, ms") { $0.longestGapMilliseconds }
    var lines = table.text(console) + "\n"
    var facts = Table([("", .left), ("", .right)])
    facts.append(["kills", .init("\(plan.kills)")])
    facts.append(["load, ms", .init("\(loadMilliseconds)")])
    facts.append(["lost", .init("\(lost)", lost == 0 ? .green : .red)])
    facts.append([
      "equal after last restart, ms", .init(equalMilliseconds.map { "\($0)" } ?? "never"),
    ])
    facts.append(["read back on every node, ms", .init("\(readMilliseconds)")])
    facts.append(["directories verified", .init("\(verified)")])
    lines += facts.text(console)
    for failure in failures { lines += console.colored(failure, .red) + "\n" }
    lines += isPassed ? console.colored("PASS", .green) : console.colored("FAIL", .red)
    return lines + "\n"
  }

  /// The same as data.
  var json: JSONValue {
    .object([
      JSONMember(key: "passed", value: .bool(isPassed)),
      JSONMember(key: "failures", value: .array(failures.map { .string($0) })),
      JSONMember(key: "nodes", value: .integer(Int64(plan.nodes))),
      JSONMember(key: "answers", value: .integer(Int64(plan.answers))),
      JSONMember(key: "kills", value: .integer(Int64(plan.kills))),
      JSONMember(key: "clients", value: .integer(Int64(plan.clients))),
      JSONMember(key: "seed", value: .integer(Int64(clamping: plan.seed))),
      JSONMember(key: "quorum", value: KillVerdict.json(quorum)),
      JSONMember(key: "local", value: KillVerdict.json(local)),
      JSONMember(key: "lost", value: .integer(Int64(lost))),
      JSONMember(key: "loadMilliseconds", value: .integer(Int64(loadMilliseconds))),
      JSONMember(
        key: "equalMilliseconds", value: equalMilliseconds.map { .integer(Int64($0)) } ?? .null),
      JSONMember(key: "readBackMilliseconds", value: .integer(Int64(readMilliseconds))),
      JSONMember(key: "directoriesVerified", value: .integer(Int64(verified))),
    ])
  }

  private static func json(_ tier: DrillLedger.Tier) -> JSONValue {
    .object([
      JSONMember(key: "acknowledged", value: .integer(Int64(tier.acknowledged))),
      JSONMember(key: "retriedRequests", value: .integer(Int64(tier.retried))),
      JSONMember(key: "unknownOutcomes", value: .integer(Int64(tier.unknown))),
      JSONMember(key: "undecided", value: .integer(Int64(tier.undecided))),
      JSONMember(
        key: "longestGapMilliseconds", value: .integer(Int64(tier.longestGapMilliseconds))),
    ])
  }
}
