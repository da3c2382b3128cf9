import Simulator
import Testing

@Suite struct `Shipped scenarios` {
  /// One run of each, shared by the tests: they take most of the time.
  private static let verdicts: [String: Verdict] = {
    var verdicts: [String: Verdict] = [:]
    for name in Shipped.tried {
      guard let scenario = try? Shipped.scenario(name) else { continue }
      verdicts[name] = Simulation.run(scenario, seed: 1)
    }
    return verdicts
  }()

  /// Runs that make happen what the first seed of no scenario does.
  private static let rare: [(probe: Probe, scenario: String, seed: UInt64)] = [
    (.headerLoaded, "fork-across-restarts", 5), (.versionLost, "finality-fork-lost", 3),
  ]

  @Test func `every file is known here`() throws {
    #expect(try Shipped.files() == Shipped.names.map { "\($0).txt" }.sorted())
    #expect(Shipped.long.isSubset(of: Shipped.names))
  }

  @Test(arguments: Shipped.tried) func `a scenario keeps every rule`(name: String) throws {
    // A scenario that does not parse is missing here.
    let verdict = try #require(Self.verdicts[name])
    #expect(verdict.violation == nil, "\(describe(verdict))")
    #expect(verdict.convergedAfter != nil)
    // A run in which nothing happens proves nothing.
    let writes = verdict.writes
    #expect(writes.submitted == 0 || writes.local > 50 || writes.quorum > 50)
    let commands = verdict.commands
    #expect(writes.submitted > 0 || (commands.confirmed > 20 && commands.read > 10))
  }

  @Test(arguments: Probe.allCases) func `the scenarios make every rare thing happen`(
    probe: Probe
  ) throws {
    var total: UInt64 = 0
    for verdict in Self.verdicts.values { total += verdict.probes[probe] }
    for rare in Self.rare where rare.probe == probe {
      total += Simulation.run(try Shipped.scenario(rare.scenario), seed: rare.seed).probes[probe]
    }
    #expect(total > 0, "\(probe.rawValue) never happened")
  }

  @Test func `the corpus is read whole`() throws {
    #expect(try Shipped.corpus().count >= 6)
    #expect(try Shipped.corpus().allSatisfy { Shipped.names.contains($0.scenario) })
  }

  @Test(arguments: (try? Shipped.corpus()) ?? []) func `a seed that once failed passes`(
    entry: Shipped.Case
  ) throws {
    let verdict = Simulation.run(try Shipped.scenario(entry.scenario), seed: entry.seed)
    #expect(verdict.violation == nil, "\(describe(verdict)) (once: \(entry.reason))")
  }
}
