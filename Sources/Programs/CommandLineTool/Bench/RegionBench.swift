internal import JSONText
internal import Primitives
internal import Simulator

/// What the simulated regions came to.
package struct RegionFigures: Sendable {
  /// Runs, one per seed.
  var runs = 0
  /// Writes that became final.
  var writes = 0
  /// Writes whose clients gave up.
  var undecided = 0
  /// The time that half of the writes stayed below, in milliseconds of virtual time.
  package var medianMilliseconds: UInt64 = 0
  /// The time that 99 of 100 writes stayed below, in milliseconds of virtual time.
  package var p99Milliseconds: UInt64 = 0
  /// The first broken rule of a run; `nil` when all kept them.
  package var violation: String?

  /// One paragraph for people.
  var text: String {
    "7 regions (simulated, \(RegionBench.shortestMilliseconds) to "
      + "\(RegionBench.longestMilliseconds) ms one way): \(writes) writes final after "
      + "\(medianMilliseconds) ms (p50), \(p99Milliseconds) ms (p99); "
      + (medianMilliseconds < RegionBench.aimMilliseconds ? "below" : "NOT below")
      + " the aim of \(RegionBench.aimMilliseconds) ms\n"
      + (violation.map { "a rule was broken: \($0)\n" } ?? "")
  }

  /// The figures for programs.
  var json: JSONValue {
    .object([
      JSONMember(key: "simulated", value: .bool(true)),
      JSONMember(key: "nodes", value: .integer(Int64(RegionBench.nodeCount))),
      JSONMember(key: "runs", value: .integer(Int64(runs))),
      JSONMember(key: "writes", value: .integer(Int64(writes))),
      JSONMember(key: "undecided", value: .integer(Int64(undecided))),
      JSONMember(key: "p50Milliseconds", value: .integer(Int64(clamping: medianMilliseconds))),
      JSONMember(key: "p99Milliseconds", value: .integer(Int64(clamping: p99Milliseconds))),
      JSONMember(key: "aimMilliseconds", value: .integer(Int64(RegionBench.aimMilliseconds))),
      JSONMember(key: "violation", value: violation.map { .string($0) } ?? .null),
    ])
  }
}

/// Measures in virtual time how soon writes become final when each node is in another part of the
/// world: the nodes' own code, messages as late as light in cables makes them.
package enum RegionBench {
  static let aimMilliseconds: UInt64 = 500
  static let nodeCount = 7

  /// One-way delays in milliseconds between Virginia, Oregon, Ireland, Frankfurt, Tokyo, Singapore
  /// and São Paulo: half of the usual round trips between data centres there.
  private static let milliseconds: [[UInt64]] = [
    [],
    [33],
    [35, 62],
    [45, 72, 13],
    [74, 49, 101, 112],
    [108, 82, 87, 80, 35],
    [57, 87, 89, 101, 128, 163],
  ]

  static var shortestMilliseconds: UInt64 { milliseconds.joined().min() ?? 0 }
  static var longestMilliseconds: UInt64 { milliseconds.joined().max() ?? 0 }

  /// The scenario as text, which `simulate` also runs.
  package static var scenarioText: String {
    var text = """
      # Seven validators in as many parts of the world: how soon is a write final?
      nodes 7
      duration 20s
      network loss 0.1%
      disk latency 1ms..5ms
      clients 7 rate 20/s final 100% patient
      finality epochs 1000
      expect converged within 20s

      """
    for (high, row) in milliseconds.enumerated() {
      for (low, delay) in row.enumerated() {
        text += "distance \(low + 1) \(high + 1) \(delay)ms\n"
      }
    }
    return text
  }

  /// Runs the scenario from each seed.
  package static func run(seeds: ClosedRange<UInt64>) throws -> RegionFigures {
    let scenario = try Scenario(name: "finality-regions", parsing: scenarioText)
    var figures = RegionFigures()
    var delays: [TimeSpan] = []
    for seed in seeds {
      let verdict = Simulation.run(scenario, seed: seed)
      figures.runs += 1
      figures.undecided += verdict.writes.undecided
      delays += verdict.finalDelays
      if let violation = verdict.violation, figures.violation == nil {
        figures.violation = "seed \(seed): \(violation.detail)"
      }
    }
    delays.sort()
    figures.writes = delays.count
    figures.medianMilliseconds = percentile(500, of: delays)
    figures.p99Milliseconds = percentile(990, of: delays)
    return figures
  }

  /// The nearest rank, rounded up to milliseconds.
  private static func percentile(_ permille: Int, of sorted: [TimeSpan]) -> UInt64 {
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count * permille + 999) / 1_000 - 1].nanoseconds + 999_999) / 1_000_000
  }
}
