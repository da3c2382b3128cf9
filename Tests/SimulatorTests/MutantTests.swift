import Simulator
import Testing

@Suite struct `Planted bugs` {
  static let expected: [(Mutant, String, Set<Checker>)] = [
    (.skipFsync, "crash-restart", [.shownIsDurable, .acknowledgedIsDurable]),
    (.acceptUnsigned, "forged-input", [.authorship, .lanesDoNotFork]),
    (.dropGaps, "partition-heals", [.convergence]),
    (.pushBeforeDurable, "partition-heals", [.shownIsDurable]),
    (.acknowledgeBeforeDurable, "partition-heals", [.acknowledgedIsDurable]),
  ]

  @Test func `every one of them is tried`() {
    #expect(Self.expected.map(\.0) == Mutant.allCases)
  }

  @Test(arguments: expected) func `each is found by the checker whose rule it breaks`(
    mutant: Mutant, name: String, checkers: Set<Checker>
  ) throws {
    var options = Simulation.Options()
    options.mutant = mutant
    let verdict = Simulation.run(try Shipped.scenario(name), seed: 1, options: options)
    let violation = try #require(verdict.violation, "\(mutant.rawValue) was not noticed")
    #expect(checkers.contains(violation.checker), "\(describe(verdict))")
  }
}
