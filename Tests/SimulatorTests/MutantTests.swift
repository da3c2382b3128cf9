import Simulator
import Testing

@Suite struct `Planted bugs` {
  /// A bug, where it is found, and by which checkers.
  struct Expectation: Sendable, CustomStringConvertible {
    let mutant: Mutant
    let scenario: String
    var seed: UInt64 = 1
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
    .init(mutant: .forgetVote, scenario: "election-storm", seed: 25, checkers: [.votesBind]),
    .init(mutant: .forgetTail, scenario: "leader-crash", checkers: [.recoveryIsExact]),
    .init(mutant: .voteBeforePersist, scenario: "election-storm", checkers: [.saidIsDurable]),
    .init(mutant: .doubleVote, scenario: "election-storm", checkers: [.electionSafety]),
    .init(mutant: .preVoteBinds, scenario: "returning-node", checkers: [.leadersStay]),
    .init(mutant: .leaseReads, scenario: "paused-leader", checkers: [.linearizability]),
    .init(mutant: .commitUncounted, scenario: "leader-crash", checkers: [.durableCommit]),
    .init(
      mutant: .commitOldTerms, scenario: "election-storm", seed: 29,
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
    let verdict = Simulation.run(scenario, seed: expected.seed, options: options)
    let violation = try #require(verdict.violation, "\(expected) was not noticed")
    #expect(expected.checkers.contains(violation.checker), "\(describe(verdict))")
  }
}
