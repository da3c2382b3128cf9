import BFTCore
import FinalitySimulator
import Testing

@Suite struct EngineTests {
  typealias Campaign = FinalityCampaign<BFT>

  /// Every bug that can be planted, with a run that shows it.
  static let kills: [(bug: BFTBug, scenario: String, validators: Int, seed: UInt64)] = [
    (.finalizeAfterNullify, "lossy-links", 4, 1),
    (.skipJustification, "skipper", 4, 1),
    (.forgetJournal, "turncoat-leader", 4, 1),
    (.ownVoteNotCounted, "all-crash-after-nullify", 4, 2),
    (.ignoreNotarizationAfterNullify, "lossy-links", 4, 1),
    (.smallQuorum, "half-partition", 7, 1),
    (.skipEvidence, "conflicter", 4, 1),
    (.skipLeaderCheck, "usurper", 4, 1),
    (.pruneAboveFloor, "hailstorm", 4, 3),
    (.naiveAmnesia, "lost-journal", 4, 1),
  ]

  @Test(arguments: FinalityScenario.all.filter { $0.sizes.contains { $0 <= 4 } }.map(\.name))
  func `the engine keeps every rule`(name: String) throws {
    let scenario = try #require(FinalityScenario.named(name))
    let row = Campaign.scenario(scenario, validators: 4, seeds: 1...1)
    #expect(row.isPassed, "\(FinalityRow.table([row]))")
  }

  @Test(arguments: kills)
  func `a planted bug is found, and its run without the bug is clean`(
    bug: BFTBug, name: String, validators: Int, seed: UInt64
  ) throws {
    let scenario = try #require(FinalityScenario.named(name))
    let sick = Campaign.run(scenario, validators: validators, seed: seed, bug: bug)
    #expect(!sick.violations.isEmpty)
    let well = Campaign.run(scenario, validators: validators, seed: seed)
    #expect(well.violations.isEmpty)
  }

  @Test func `an unjustified block is found out by the rule, not at the door`() throws {
    let scenario = try #require(FinalityScenario.named("skipper"))
    let run = Campaign.run(scenario, validators: 4, seed: 1, bug: .skipJustification)
    #expect(run.violations.first?.rule == .justification)
  }

  @Test func `there is a run for every bug that can be planted`() {
    #expect(Set(EngineTests.kills.map(\.bug)) == Set(BFTBug.allCases))
  }
}
