package import BFTCore
internal import Primitives

/// How a planted bug was found, or that it was not.
package struct FinalityKill: Hashable, Sendable {
  /// The bug.
  package let bug: BFTBug
  /// The scenario, the seed and the rule that found it; `nil` when it survived every run.
  package let found: (scenario: String, validators: Int, seed: UInt64, rule: FinalityRule)?
  /// Runs until then.
  package let runs: Int
  /// Why the run has more validators than were asked for.
  package var note: String?

  package static func == (left: FinalityKill, right: FinalityKill) -> Bool {
    left.bug == right.bug && left.runs == right.runs && left.found?.seed == right.found?.seed
      && left.found?.scenario == right.found?.scenario && left.found?.rule == right.found?.rule
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(bug)
    hasher.combine(runs)
  }

  /// One line for people.
  package var line: String {
    guard let found else { return "\(bug.rawValue): SURVIVES \(runs) runs" }
    return "\(bug.rawValue): \(found.rule.rawValue) broken in \(found.scenario) of "
      + "\(found.validators), seed \(found.seed)" + (note.map { " (\($0))" } ?? "")
  }
}

extension BFTBug {
  /// Where the bug shows soonest.
  package var scenarios: [String] {
    switch self {
    case .finalizeAfterNullify: ["lossy-links", "crashes-and-chaos", "late-calm", "hailstorm"]
    case .skipJustification: ["skipper", "chaos", "lossy-links", "hidden-notarization"]
    case .forgetJournal: ["turncoat-leader", "crash-points"]
    case .ownVoteNotCounted: ["all-crash-after-nullify", "all-crash", "hailstorm"]
    case .ignoreNotarizationAfterNullify: ["lossy-links", "chaos", "late-calm", "silent-leader"]
    case .smallQuorum: ["half-partition", "happy-path"]
    case .skipEvidence: ["conflicter", "nuller"]
    case .skipLeaderCheck: ["usurper", "chaos"]
    case .pruneAboveFloor: ["hailstorm", "all-crash", "crash-points"]
    case .naiveAmnesia: ["lost-journal", "lost-journal-and-twins"]
    }
  }
}

extension BFTBug {
  /// How many validators it takes to tell the bug from the rule: of four a majority is a quorum.
  var validatorsMin: Int { self == .smallQuorum ? 5 : 4 }
}

extension FinalityCampaign {
  /// Plants a bug and looks for the first run that breaks a rule, with more validators where the
  /// bug is none with so few.
  package static func hunt(
    _ bug: BFTBug, validators: Int, seeds: ClosedRange<UInt64>
  ) -> FinalityKill {
    var runs = 0
    let asked = validators
    let validators = max(asked, bug.validatorsMin)
    let note = validators > asked ? "with \(asked) it is no bug" : nil
    for name in bug.scenarios {
      guard let scenario = FinalityScenario.named(name) else { continue }
      for seed in seeds {
        runs += 1
        let run = run(scenario, validators: validators, seed: seed, bug: bug)
        if let violation = run.violations.first {
          return FinalityKill(
            bug: bug, found: (name, validators, seed, violation.rule), runs: runs, note: note)
        }
      }
    }
    return FinalityKill(bug: bug, found: nil, runs: runs)
  }

  /// Hunts every bug.
  package static func mutants(
    validators: Int, seeds: ClosedRange<UInt64>, spread: Spread? = nil
  ) -> [FinalityKill] {
    let bugs = BFTBug.allCases
    return SpreadWork.map(bugs.count, spread ?? SpreadWork.inOrder) { index in
      hunt(bugs[index], validators: validators, seeds: seeds)
    }
  }
}
