package import BFTCore
internal import Primitives

/// What came of crashing one run at each of its points.
package struct CrashRow: Hashable, Sendable {
  /// The run, and who crashes.
  package let name: String
  /// Steps of the journals in the run without a crash.
  package var steps = 0
  /// Points at which a node was crashed, one in each run.
  package var points = 0
  /// Runs in which a rule about safety was broken.
  package var broken = 0
  /// Runs in which the chain stood still.
  package var stuck = 0
  /// The first point that broke a rule, and the rule.
  package var firstBad: String?

  /// Whether every run kept every rule.
  package var isPassed: Bool { points > 0 && broken == 0 && stuck == 0 }
}

/// Crashes at every point at which a journal is written.
///
/// A step is a few records that become durable together. The node loses power before the disk has
/// any of them, between any two, when all are durable and nothing has left, and when the votes have
/// left. It starts again, and the run must keep every rule and go on.
package enum CrashCampaign<Engine: FinalityEngine> {
  /// The runs that are crashed.
  package static var names: [String] {
    ["steady", "silent-leader", "epochs", "checkpoints"]
  }

  /// Every point of every run, with one node crashing alone and with everybody at once.
  package static func exhaustive(
    validators: Int, bug: BFTBug? = nil, spread: Spread? = nil
  ) -> [CrashRow] {
    let names = names
    return SpreadWork.map(2 * names.count, spread ?? SpreadWork.inOrder) { index in
      row(
        names[index / 2], validators: validators, everybody: !index.isMultiple(of: 2), bug: bug)
    }
  }

  /// Every point of one run, or those of one node's journal.
  package static func row(
    _ name: String, validators: Int, everybody: Bool, only host: Int? = nil, bug: BFTBug? = nil
  ) -> CrashRow {
    let setup = setup(name, validators: validators, bug: bug)
    var row = CrashRow(name: name + (everybody ? ", everybody" : ", one node"))
    var plain = FinalityWorld<Engine>(setup, seed: 1)
    let run = plain.run()
    guard run.violations.isEmpty else {
      row.firstBad = "without a crash: \(run.violations[0])"
      row.broken = 1
      return row
    }
    for journal in plain.hosts where journal.isHonest && journal.index == host ?? journal.index {
      row.steps += journal.stepRecords.count
      for (step, records) in journal.stepRecords.enumerated() {
        for var plan in points(of: journal.index, step: step + 1, records: records) {
          plan.isEverybodys = everybody
          row.points += 1
          crash(setup, plan, &row)
        }
      }
    }
    return row
  }

  private static func points(
    of host: Int, step: Int, records: Int
  ) -> [FinalitySetup.PlannedCrash] {
    func plan(_ point: CrashPoint, torn: Int = 0) -> FinalitySetup.PlannedCrash {
      var plan = FinalitySetup.PlannedCrash(
        host: host, point: point, step: step, downFor: .milliseconds(50))
      plan.torn = torn
      return plan
    }
    let torn = (0..<max(records, 1)).map { plan(.beforeJournal, torn: $0) }
    return torn + [plan(.afterJournal), plan(.afterSend)]
  }

  private static func crash(
    _ setup: FinalitySetup, _ plan: FinalitySetup.PlannedCrash, _ row: inout CrashRow
  ) {
    var setup = setup
    setup.crashes.append(plan)
    var world = FinalityWorld<Engine>(setup, seed: 1)
    let run = world.run()
    if !run.safetyViolations.isEmpty { row.broken += 1 }
    if run.isStuck { row.stuck += 1 }
    if row.firstBad == nil, let violation = run.violations.first {
      row.firstBad =
        "node \(plan.host), step \(plan.step), \(plan.point.rawValue), "
        + "\(plan.torn) records: \(violation)"
    }
  }

  private static func setup(_ name: String, validators: Int, bug: BFTBug?) -> FinalitySetup {
    var setup = FinalitySetup(validators: validators)
    setup.goal = 8
    setup.hasForgers = false
    setup.bug = bug
    switch name {
    case "silent-leader": setup.liars = [(0, .silent)]
    case "epochs": setup.epochLength = 3
    case "checkpoints":
      setup.checkpointRecords = 8
      setup.liars = [(validators - 1, .silent)]
    // open set: names of runs
    default: break
    }
    return setup
  }
}

extension CrashRow {
  /// Rows as a table for people.
  package static func table(_ rows: [CrashRow]) -> String {
    var lines = [line(["run", "steps", "points", "broken", "stuck", "first bad"])]
    for row in rows {
      lines.append(
        line([
          row.name, "\(row.steps)", "\(row.points)", "\(row.broken)", "\(row.stuck)",
          row.firstBad ?? "-",
        ]))
    }
    return lines.joined(separator: "\n")
  }

  private static func line(_ cells: [String]) -> String {
    let widths = [26, 6, 7, 7, 6, 0]
    return zip(cells, widths).map { cell, width in
      cell + String(repeating: " ", count: max(0, width - cell.count))
    }.joined(separator: " ")
  }
}
