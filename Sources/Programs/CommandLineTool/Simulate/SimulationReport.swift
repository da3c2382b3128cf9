internal import Configuration
internal import JSONText
internal import Primitives
internal import Simulator

/// What came of the runs of one scenario.
struct SimulationReport {
  private static let failuresShownMax = 10

  let scenario: String
  let path: String
  let mutant: Mutant?
  /// One per seed, in ascending order.
  let verdicts: [Verdict]
  let wallNanoseconds: UInt64

  var isPassed: Bool { verdicts.allSatisfy { $0.violation == nil } }

  private var probes: ProbeCounts {
    verdicts.reduce(into: ProbeCounts()) { $0.add($1.probes) }
  }

  private var simulatedNanoseconds: UInt64 {
    verdicts.reduce(0) { $0 + $1.simulated.nanoseconds }
  }

  /// Virtual seconds per second.
  private var speed: UInt64 { simulatedNanoseconds / max(1, wallNanoseconds) }

  private func sum(_ part: (Verdict.Writes) -> Int) -> Int {
    verdicts.reduce(0) { $0 + part($1.writes) }
  }

  /// The command that shows a run again.
  private func command(_ seed: UInt64) -> String {
    let plant = mutant.map { " --plant \($0.rawValue)" } ?? ""
    return "swarmoracle simulate \(path) --seed \(seed)\(plant) --trace"
  }

  /// Prints the report, after the trace when there is one.
  func show(on console: Console) {
    for line in verdicts.flatMap(\.trace) { console.line(line) }
    let failures = verdicts.filter { $0.violation != nil }
    let verdict =
      failures.isEmpty
      ? console.colored("PASS", .green) : console.colored("FAIL", .red)
    let runs = verdicts.count == 1 ? "1 seed" : "\(verdicts.count) seeds"
    console.line("\(verdict) \(scenario): \(runs), \(failures.count) violations")
    console.line(
      "     \(simulatedNanoseconds / 1_000_000_000) virtual seconds in "
        + "\(seconds(wallNanoseconds)) s: \(speed) times as fast as time")
    console.line(
      "     writes: \(sum(\.submitted)) submitted, \(sum(\.local)) local, \(sum(\.quorum)) quorum, "
        + "\(sum(\.final)) final, "
        + "\(sum(\.undecided)) undecided, \(sum(\.overloaded)) refused, \(sum(\.cutOff)) cut off")
    showCommands(on: console)
    let times = verdicts.compactMap { $0.convergedAfter?.nanoseconds }.sorted()
    if let worst = times.last {
      let median = times[times.count / 2]
      console.line(
        "     converged after \(seconds(median)) s (median), \(seconds(worst)) s at most")
    }
    showProbes(on: console)
    if verdicts.count == 1, let only = verdicts.first { console.line("     audit \(only.audit)") }
    for failure in failures.prefix(SimulationReport.failuresShownMax) { show(failure, console) }
    let hidden = failures.count - SimulationReport.failuresShownMax
    if hidden > 0 { console.line("     and \(hidden) more") }
  }

  private func showCommands(on console: Console) {
    func sum(_ part: (Verdict.Commands) -> Int) -> Int {
      verdicts.reduce(0) { $0 + part($1.commands) }
    }
    guard sum(\.confirmed) + sum(\.read) + sum(\.unknown) + sum(\.refused) > 0 else { return }
    let gap = verdicts.map(\.commands.longestGap.nanoseconds).max() ?? 0
    console.line(
      "     commands: \(sum(\.confirmed)) confirmed, \(sum(\.read)) read, "
        + "\(sum(\.unknown)) unknown, \(sum(\.refused)) refused; none confirmed for "
        + "\(seconds(gap)) s at most")
  }

  private func showProbes(on console: Console) {
    let probes = probes
    let hit = Probe.allCases.filter { probes[$0] > 0 }
    let missed = Probe.allCases.filter { probes[$0] == 0 }
    console.line(
      "     hit: " + hit.map { "\($0.rawValue) \(probes[$0])" }.joined(separator: ", "))
    if !missed.isEmpty {
      console.line("     never: " + missed.map(\.rawValue).joined(separator: ", "))
    }
  }

  private func show(_ failure: Verdict, _ console: Console) {
    guard let violation = failure.violation else { return }
    let node = violation.node.map { ", node \($0 + 1)" } ?? ""
    console.line(
      console.colored("     seed \(failure.seed)", .red)
        + ": \(violation.checker.rawValue) at \(seconds(violation.at.nanoseconds)) s\(node): "
        + violation.detail)
    console.line("       \(command(failure.seed))")
  }

  private func seconds(_ nanoseconds: UInt64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
    return "\(milliseconds / 1_000).\(fraction)"
  }

  // MARK: JSON

  /// All reports as one document.
  static func json(_ reports: [SimulationReport]) -> String {
    let all = JSONValue.object([
      JSONMember(key: "passed", value: .bool(reports.allSatisfy(\.isPassed))),
      JSONMember(key: "scenarios", value: .array(reports.map(\.json))),
    ])
    return String(decoding: JSONLayout.bytes(all), as: UTF8.self)
  }

  private var json: JSONValue {
    let probes = probes
    return .object([
      JSONMember(key: "scenario", value: .string(scenario)),
      JSONMember(key: "passed", value: .bool(isPassed)),
      JSONMember(key: "seeds", value: .integer(Int64(verdicts.count))),
      JSONMember(key: "virtualMilliseconds", value: number(simulatedNanoseconds / 1_000_000)),
      JSONMember(key: "wallMilliseconds", value: number(wallNanoseconds / 1_000_000)),
      JSONMember(key: "virtualSecondsPerSecond", value: number(speed)),
      JSONMember(
        key: "probes",
        value: .object(
          Probe.allCases.map { JSONMember(key: $0.rawValue, value: number(probes[$0])) })),
      JSONMember(key: "runs", value: .array(verdicts.map(json(of:)))),
    ])
  }

  private func json(of verdict: Verdict) -> JSONValue {
    let writes = verdict.writes
    var members = [
      JSONMember(key: "seed", value: number(verdict.seed)),
      JSONMember(key: "audit", value: .string(verdict.audit)),
      JSONMember(key: "events", value: number(verdict.events)),
      JSONMember(key: "bundles", value: number(verdict.bundles)),
      JSONMember(key: "submitted", value: number(UInt64(writes.submitted))),
      JSONMember(key: "local", value: number(UInt64(writes.local))),
      JSONMember(key: "quorum", value: number(UInt64(writes.quorum))),
      JSONMember(key: "final", value: number(UInt64(writes.final))),
      JSONMember(key: "undecided", value: number(UInt64(writes.undecided))),
      JSONMember(key: "refused", value: number(UInt64(writes.overloaded))),
      JSONMember(key: "cutOff", value: number(UInt64(writes.cutOff))),
    ]
    members += json(of: verdict.commands)
    if let converged = verdict.convergedAfter {
      members.append(
        JSONMember(
          key: "convergedAfterMilliseconds", value: number(converged.nanoseconds / 1_000_000)))
    }
    if let violation = verdict.violation { members.append(json(of: violation, verdict.seed)) }
    return .object(members)
  }

  private func json(of commands: Verdict.Commands) -> [JSONMember] {
    [
      JSONMember(key: "commandsConfirmed", value: number(UInt64(commands.confirmed))),
      JSONMember(key: "commandsRead", value: number(UInt64(commands.read))),
      JSONMember(key: "commandsUnknown", value: number(UInt64(commands.unknown))),
      JSONMember(key: "commandsRefused", value: number(UInt64(commands.refused))),
      JSONMember(
        key: "longestGapMilliseconds", value: number(commands.longestGap.nanoseconds / 1_000_000)),
    ]
  }

  private func json(of violation: Violation, _ seed: UInt64) -> JSONMember {
    JSONMember(
      key: "violation",
      value: .object([
        JSONMember(key: "checker", value: .string(violation.checker.rawValue)),
        JSONMember(key: "atMilliseconds", value: number(violation.at.nanoseconds / 1_000_000)),
        JSONMember(key: "node", value: violation.node.map { .integer(Int64($0 + 1)) } ?? .null),
        JSONMember(key: "detail", value: .string(violation.detail)),
        JSONMember(key: "replay", value: .string(command(seed))),
      ]))
  }

  private func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
}
