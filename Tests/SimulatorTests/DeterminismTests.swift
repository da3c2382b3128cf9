import Primitives
import Simulator
import Testing

@Suite struct `Determinism` {
  static func scenario() throws -> Scenario {
    try Scenario(
      name: "short",
      parsing: """
        nodes 4
        duration 2s
        network delay 1ms..20ms loss 5% duplicate 5%
        disk latency 1ms..20ms
        clock skew 300ms drift 200
        clients 4 rate 60/s quorum 50%
        chaos crashes 2 partitions 1 pauses 1
        at 1s forge 1
        at 1500ms equivocate 2
        expect converged within 10s
        """)
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>) func `one seed is one run`(seed: UInt64) throws {
    let scenario = try Self.scenario()
    let first = Simulation.run(scenario, seed: seed)
    let second = Simulation.run(scenario, seed: seed)
    #expect(first.audit == second.audit)
    #expect(first.events == second.events)
    #expect(first.writes == second.writes)
  }

  @Test func `other seeds are other runs`() throws {
    let scenario = try Self.scenario()
    let audits = Set((1...4).map { Simulation.run(scenario, seed: $0).audit })
    #expect(audits.count == 4)
  }

  @Test func `a trace changes nothing`() throws {
    var options = Simulation.Options()
    options.isTraced = true
    let traced = Simulation.run(try Self.scenario(), seed: 1, options: options)
    #expect(traced.audit == Simulation.run(try Self.scenario(), seed: 1).audit)
    #expect(traced.trace.count > 1_000)
  }

  @Test func `one seed is one run in another process too`() async throws {
    let audit = Simulation.run(try Self.scenario(), seed: 1).audit
    await #expect(processExitsWith: .success) { [audit = audit as String] in
      let other = Simulation.run(try Determinism.scenario(), seed: 1).audit
      precondition(other == audit, "\(other) is not \(audit)")
    }
  }
}
