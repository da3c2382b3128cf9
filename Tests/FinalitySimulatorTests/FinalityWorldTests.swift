import BFTCore
import FinalitySimulator
import Primitives
import Testing

@Suite struct FinalityWorldTests {
  typealias Campaign = FinalityCampaign<TextbookEngine>

  /// Bugs that the textbook can have, with the run that is known to show each.
  static let kills: [(bug: BFTBug, scenario: String, validators: Int, seed: UInt64)] = [
    (.finalizeAfterNullify, "lossy-links", 4, 2),
    (.forgetJournal, "crash-points", 4, 13),
    (.ignoreNotarizationAfterNullify, "lossy-links", 4, 2),
    (.smallQuorum, "happy-path", 7, 1),
    (.skipEvidence, "conflicter", 4, 1),
    (.skipLeaderCheck, "usurper", 4, 1),
    (.naiveAmnesia, "lost-journal", 4, 2),
  ]

  @Test(arguments: [
    "happy-path", "half-partition", "lossy-links", "hidden-notarization", "silent-leader",
    "equivocating-leader", "withheld-votes", "conflicter", "nuller", "usurper", "chaos", "twins",
    "crash-points", "all-crash", "lost-journal",
  ])
  func `the textbook keeps every rule`(name: String) throws {
    let scenario = try #require(FinalityScenario.named(name))
    let row = Campaign.scenario(scenario, validators: 4, seeds: 1...1)
    #expect(row.isPassed, "\(FinalityRow.table([row]))")
  }

  @Test(arguments: kills)
  func `a planted bug breaks a rule, and its run without the bug none`(
    bug: BFTBug, name: String, validators: Int, seed: UInt64
  ) throws {
    let scenario = try #require(FinalityScenario.named(name))
    let sick = Campaign.run(scenario, validators: validators, seed: seed, bug: bug)
    #expect(!sick.violations.isEmpty)
    let well = Campaign.run(scenario, validators: validators, seed: seed)
    #expect(well.violations.isEmpty)
  }

  @Test func `a seed is one run, and another seed another`() throws {
    let scenario = try #require(FinalityScenario.named("crashes-and-chaos"))
    let first = Campaign.run(scenario, validators: 4, seed: 1)
    let again = Campaign.run(scenario, validators: 4, seed: 1)
    let other = Campaign.run(scenario, validators: 4, seed: 2)
    #expect(first.traceHash == again.traceHash && first.events == again.events)
    #expect(first.traceHash != other.traceHash)
  }

  @Test func `a node whose execution is wrong and that says nothing is found`() throws {
    let scenario = try #require(FinalityScenario.named("divergent-execution"))
    let run = Campaign.run(scenario, validators: 4, seed: 1)
    #expect(run.violations.contains { $0.rule == .divergenceIsFound })
  }

  @Test func `an engine that talks without work is found`() throws {
    let scenario = try #require(FinalityScenario.named("idle"))
    let run = Campaign.run(scenario, validators: 4, seed: 1)
    #expect(run.violations.contains { $0.rule == .quiescence })
  }
}
