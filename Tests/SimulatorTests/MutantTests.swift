import Simulator
import Testing

@Suite struct `Planted bugs` {
  /// A bug, where it is found, and by which checkers.
  struct Expectation: Sendable, CustomStringConvertible {
    let mutant: Mutant
    let scenario: String
    /// One of these finds it.
    var seeds: ClosedRange<UInt64> = 1...1
    let checkers: Set<Checker>

    var description: String { mutant.rawValue }
  }

  static let expected: [Expectation] = [
    .init(
      mutant: .skipFsync, scenario: "crash-restart",
      checkers: [.shownIsDurable, .acknowledgedIsDurable]),
    .init(
      mutant: .acceptUnsigned, scenario: "forged-input", checkers: [.authorship, .lanesDoNotFork]),
    .init(mutant: .dropGaps, scenario: "partition-heals", checkers: [.convergence]),
    .init(mutant: .pushBeforeDurable, scenario: "partition-heals", checkers: [.shownIsDurable]),
    .init(
      mutant: .acknowledgeBeforeDurable, scenario: "partition-heals",
      checkers: [.acknowledgedIsDurable]),
    .init(
      mutant: .loseControlSync, scenario: "torn-steps",
      checkers: [.saidIsDurable, .durableCommit]),
    .init(mutant: .forgetVote, scenario: "election-storm", seeds: 1...60, checkers: [.votesBind]),
    .init(mutant: .forgetTail, scenario: "leader-crash", checkers: [.recoveryIsExact]),
    .init(mutant: .voteBeforePersist, scenario: "election-storm", checkers: [.saidIsDurable]),
    .init(
      mutant: .doubleVote, scenario: "election-storm",
      checkers: [.electionSafety, .logMatching]),
    .init(
      mutant: .preVoteBinds, scenario: "returning-node", seeds: 1...20, checkers: [.leadersStay]),
    .init(
      mutant: .leaseReads, scenario: "paused-leader", seeds: 1...20, checkers: [.linearizability]),
    .init(mutant: .commitUncounted, scenario: "leader-crash", checkers: [.durableCommit]),
    .init(
      mutant: .commitOldTerms, scenario: "three-storm", seeds: 1...200,
      checkers: [.linearizability, .stateMachineSafety, .leaderCompleteness]),
    .init(mutant: .skipConfigurations, scenario: "member-replace", checkers: [.logMatching]),
  ]

  @Test func `every one of them is tried`() {
    #expect(Set(Self.expected.map(\.mutant)) == Set(Mutant.allCases))
  }

  @Test(arguments: expected) func `each is found by the checker whose rule it breaks`(
    expected: Expectation
  ) throws {
    var options = Simulation.Options()
    options.mutant = expected.mutant
    let scenario = try Shipped.scenario(expected.scenario)
    let found = expected.seeds.lazy
      .map { Simulation.run(scenario, seed: $0, options: options) }
      .first { $0.violation != nil }
    let verdict = try #require(found, "\(expected) was not noticed")
    let violation = try #require(verdict.violation)
    #expect(expected.checkers.contains(violation.checker), "\(describe(verdict))")
  }
}
