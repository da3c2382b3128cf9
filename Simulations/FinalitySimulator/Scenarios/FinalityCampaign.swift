package import BFTCore
internal import Primitives

/// What came of one scenario with one number of validators over many seeds.
package struct FinalityRow: Hashable, Sendable {
  /// The scenario.
  package let name: String
  /// How many validators.
  package let validators: Int
  /// How many seeds were run.
  package var seeds = 0
  /// Runs in which a rule about safety was broken.
  package var violations = 0
  /// Runs in which the chain stood still.
  package var stuck = 0
  /// The longest wait for a final block in calm, in tenths of the network's delay.
  package var slowestTenths: UInt64 = 0
  /// The first seed that broke a rule.
  package var firstBadSeed: UInt64?
  /// The first broken rule.
  package var firstViolation: FinalityViolation?

  /// Counts a run.
  package mutating func add(_ run: FinalityRun, seed: UInt64, delay: UInt64) {
    seeds += 1
    if !run.safetyViolations.isEmpty { violations += 1 }
    if run.isStuck { stuck += 1 }
    slowestTenths = max(slowestTenths, run.slowestNanoseconds / max(delay / 10, 1))
    if firstBadSeed == nil, let violation = run.violations.first {
      firstBadSeed = seed
      firstViolation = violation
    }
  }

  /// Whether every run kept every rule.
  package var isPassed: Bool { violations == 0 && stuck == 0 }
}

/// Runs of many seeds. Each run is a value of its own: callers may share seeds among threads.
package enum FinalityCampaign<Engine: FinalityEngine> {
  /// The scenarios of the matrix: what each kind of liar can do.
  package static var matrixNames: [String] {
    ["happy-path", "silent-leader", "twins", "chaos", "conflicter", "withheld-votes"]
  }

  /// One run.
  package static func run(
    _ scenario: FinalityScenario, validators: Int, seed: UInt64, bug: BFTBug? = nil
  ) -> FinalityRun {
    precondition(scenario.sizes.contains { $0 <= validators }, "\(validators) are too few")
    var setup = scenario.setup(validators: validators, seed: seed)
    setup.bug = bug
    var world = FinalityWorld<Engine>(setup, seed: seed)
    return world.run()
  }

  /// A scenario over seeds.
  package static func scenario(
    _ scenario: FinalityScenario, validators: Int, seeds: ClosedRange<UInt64>,
    spread: Spread? = nil
  ) -> FinalityRow {
    let runs = SpreadWork.map(seeds.count, spread ?? SpreadWork.inOrder) { index in
      run(scenario, validators: validators, seed: seeds.lowerBound + UInt64(index))
    }
    var row = FinalityRow(name: scenario.name, validators: validators)
    for (seed, run) in zip(seeds, runs) {
      let setup = scenario.setup(validators: validators, seed: seed)
      row.add(run, seed: seed, delay: setup.network.delay.nanoseconds)
    }
    return row
  }

  /// The matrix over seeds.
  package static func matrix(
    validators: [Int], seeds: ClosedRange<UInt64>, spread: Spread? = nil
  ) -> [FinalityRow] {
    let scenarios = matrixNames.compactMap { FinalityScenario.named($0) }
    return validators.flatMap { count in
      scenarios.map { scenario($0, validators: count, seeds: seeds, spread: spread) }
    }
  }
}

extension FinalityRow {
  /// Rows as a table for people.
  package static func table(_ rows: [FinalityRow]) -> String {
    var lines = [line(["scenario", "n", "seeds", "broken", "stuck", "slowest", "first bad seed"])]
    for row in rows {
      let bad = row.firstBadSeed.map { seed in
        "\(seed) \(row.firstViolation?.description ?? "")"
      }
      let slowest = "\(row.slowestTenths / 10).\(row.slowestTenths % 10) d"
      lines.append(
        line([
          row.name, "\(row.validators)", "\(row.seeds)", "\(row.violations)", "\(row.stuck)",
          slowest, bad ?? "-",
        ]))
    }
    return lines.joined(separator: "\n")
  }

  private static func line(_ cells: [String]) -> String {
    let widths = [24, 3, 6, 7, 6, 9, 0]
    return zip(cells, widths).map { cell, width in
      cell + String(repeating: " ", count: max(0, width - cell.count))
    }.joined(separator: " ")
  }
}
