internal import JSONText

/// What a finality drill found, and whether that is good enough.
struct FinalityVerdict: DrillVerdict {
  /// How one node's death and return went.
  struct Kill {
    /// The node.
    let node: Int
    /// The longest time without a final write from its death until it had caught up.
    let gapMilliseconds: Int
    /// From its start until it had executed what the others had when it started.
    let catchUpMilliseconds: Int
  }

  let plan: FinalityDrillPlan
  /// One node after the other.
  var kills: [Kill] = []
  /// Nodes that were down at once, so that finality had to stop.
  var stopped: [Int] = []
  /// For how long.
  var stoppedMilliseconds = 0
  /// From the start of one of them until a write sent since then was final.
  var resumedMilliseconds = 0
  /// What the clients saw.
  var books = FinalityDrillBooks()
  /// What every node has executed in the end; `nil` when they did not come to the same.
  var settlement: FinalitySettlement?
  /// For each node, how many confirmed writes it lacks.
  var missing: [Int] = []
  /// Nodes that ended by themselves or did not end when they were told to.
  var endedBadly: [Int] = []
  /// How many directories were checked.
  var verified = 0
  /// What the checks found.
  var findings: [String] = []

  init(_ plan: FinalityDrillPlan) {
    self.plan = plan
  }

  /// The longest time without a final write while at most as many nodes were down as may be.
  var longestGapMilliseconds: Int { kills.map(\.gapMilliseconds).max() ?? 0 }

  /// What was promised and not kept; empty when all is well.
  var failures: [String] {
    var failures: [String] = []
    if books.impossible > 0 {
      failures.append(
        "\(books.impossible) writes were confirmed as final while nodes \(stopped) were down")
    }
    if longestGapMilliseconds > plan.gapMillisecondsMax {
      failures.append(
        "nothing became final for \(longestGapMilliseconds) ms while one node was down; "
          + "\(plan.gapMillisecondsMax) are allowed")
    }
    for (index, count) in missing.enumerated() where count > 0 {
      failures.append("node \(index + 1) lacks \(count) writes that were confirmed as final")
    }
    if settlement == nil {
      failures.append("the nodes did not execute the same blocks to the same root")
    }
    if settlement?.views.contains(where: \.standsStill) == true {
      failures.append("a node stands still: it saw a contradiction")
    }
    if books.undecided > 0 { failures.append("\(books.undecided) writes were never decided") }
    failures += books.surprises.map { "an answer that nothing explains: \($0)" }
    if !endedBadly.isEmpty { failures.append("nodes that did not end as told: \(endedBadly)") }
    if verified != plan.nodes {
      failures.append("\(verified) of \(plan.nodes) directories could be checked")
    }
    return failures + findings.map { "verify: \($0)" }
  }

  /// Whether every promise was kept.
  var isPassed: Bool { failures.isEmpty }

  func text(_ console: Console) -> String {
    var table = Table([("KILLED", .right), ("LONGEST GAP, MS", .right), ("CAUGHT UP, MS", .right)])
    for kill in kills {
      table.append([
        .init("\(kill.node)"), .init("\(kill.gapMilliseconds)"),
        .init("\(kill.catchUpMilliseconds)"),
      ])
    }
    let first = settlement?.views.first
    var facts = Table([("", .left), ("", .right)])
    facts.append(["confirmed as final", .init("\(books.confirmed.count)")])
    facts.append(["retried requests", .init("\(books.retried)")])
    facts.append(["unknown outcomes", .init("\(books.unknown)")])
    facts.append(["longest gap with one node down, ms", .init("\(longestGapMilliseconds)")])
    let names = stopped.map { "\($0)" }.joined(separator: ", ")
    facts.append([.init("stopped without nodes \(names) for, ms"), .init("\(stoppedMilliseconds)")])
    facts.append([
      "confirmed meanwhile", .init("\(books.impossible)", books.impossible == 0 ? .green : .red),
    ])
    facts.append(["final again after one was started, ms", .init("\(resumedMilliseconds)")])
    let lost = missing.reduce(0, +)
    facts.append(["lost", .init("\(lost)", lost == 0 ? .green : .red)])
    facts.append(["height on every node", .init(first.map { "\($0.executedHeight)" } ?? "differs")])
    facts.append(["root on every node", .init(first.map(\.rootText) ?? "differs")])
    facts.append(["directories verified", .init("\(verified)")])
    var lines = table.text(console) + facts.text(console)
    for failure in failures { lines += console.colored(failure, .red) + "\n" }
    lines += isPassed ? console.colored("PASS", .green) : console.colored("FAIL", .red)
    return lines + "\n"
  }

  /// The same as data.
  var json: JSONValue {
    func number(_ number: Int) -> JSONValue { .integer(Int64(number)) }
    let first = settlement?.views.first
    return .object([
      JSONMember(key: "passed", value: .bool(isPassed)),
      JSONMember(key: "failures", value: .array(failures.map { .string($0) })),
      JSONMember(key: "nodes", value: number(plan.nodes)),
      JSONMember(key: "clients", value: number(plan.clients)),
      JSONMember(
        key: "kills",
        value: .array(
          kills.map { kill in
            .object([
              JSONMember(key: "node", value: number(kill.node)),
              JSONMember(key: "longestGapMilliseconds", value: number(kill.gapMilliseconds)),
              JSONMember(key: "catchUpMilliseconds", value: number(kill.catchUpMilliseconds)),
            ])
          })),
      JSONMember(key: "stoppedMilliseconds", value: number(stoppedMilliseconds)),
      JSONMember(key: "confirmedWhileStopped", value: number(books.impossible)),
      JSONMember(key: "resumedMilliseconds", value: number(resumedMilliseconds)),
      JSONMember(key: "confirmed", value: number(books.confirmed.count)),
      JSONMember(key: "lost", value: number(missing.reduce(0, +))),
      JSONMember(
        key: "executedHeight",
        value: first.map { .integer(Int64(clamping: $0.executedHeight)) } ?? .null),
      JSONMember(key: "executedRoot", value: first.map { .string($0.rootText) } ?? .null),
      JSONMember(key: "directoriesVerified", value: number(verified)),
    ])
  }
}
