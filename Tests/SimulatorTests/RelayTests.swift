import Primitives
import Simulator
import Testing

@Suite struct `Relays among thirty nodes` {
  private static func scenario(_ relays: String, _ network: String = "") throws -> Scenario {
    try Scenario(
      name: "relays",
      parsing: """
        nodes 30
        duration 2s
        network delay 1ms..10ms \(network)
        disk latency 1ms..5ms
        \(relays)
        clients 8 rate 40/s quorum 50%
        expect converged within 30s
        """)
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func `every bundle reaches all, in three hops, with few copies too many`(seed: UInt64) throws {
    let verdict = Simulation.run(try Self.scenario("relays"), seed: seed)
    #expect(verdict.violation == nil, "\(describe(verdict))")
    let spread = verdict.spread
    #expect(spread.deliveries == verdict.bundles * 29, "nobody applies a bundle twice")
    #expect(spread.deliveries > 1_000)
    #expect((1...3).contains(spread.hopsMax), "\(spread.hopsMax) hops")
    #expect(spread.duplicates * 5 < spread.deliveries, "\(spread.duplicates) duplicates")
    #expect(spread.handedOn * 10 > spread.deliveries * 7, "four in five come by relays")
  }

  @Test func `what relays lose is repaired`() throws {
    let scenario = try Self.scenario("relays", "loss 5%")
    let verdict = Simulation.run(scenario, seed: 3)
    #expect(verdict.violation == nil, "\(describe(verdict))")
    #expect(verdict.spread.deliveries == verdict.bundles * 29)
    #expect(verdict.probes[.pullRepaired] > 0)
  }

  @Test func `nobody hands anything on when nobody asks for relays`() throws {
    let verdict = Simulation.run(try Self.scenario(""), seed: 4)
    #expect(verdict.violation == nil, "\(describe(verdict))")
    #expect(verdict.spread.handedOn == 0)
    #expect(verdict.spread.hopsMax == 0)
  }
}
