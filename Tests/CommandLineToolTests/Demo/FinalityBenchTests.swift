import CommandLineTool
import Primitives
import Simulator
import Testing

struct FinalityBenchTests {
  private static let metrics = """
    # HELP swarmoracle_finality_height The height of the last final block.
    # TYPE swarmoracle_finality_height gauge
    swarmoracle_finality_height 12
    swarmoracle_finality_executed_height 11
    swarmoracle_finality_executed_root 171
    swarmoracle_finality_executed_bundles 40
    swarmoracle_finality_blocks_total 9
    swarmoracle_finality_bundles_total 33
    swarmoracle_finality_stands_still 0
    swarmoracle_quic_connections 3

    """

  @Test func `what a node says of its blocks is read from its metrics`() throws {
    let view = try #require(FinalityView(metrics: Self.metrics))
    #expect(view.height == 12 && view.executedHeight == 11 && view.executedBundles == 40)
    #expect(view.blocks == 9 && view.bundles == 33 && !view.standsStill)
    #expect(view.rootText == "0000000000ab")
    #expect(FinalityView(metrics: "") == nil)
    let missing = Self.metrics.split(separator: "\n").filter { !$0.contains("executed_root") }
    #expect(FinalityView(metrics: missing.joined(separator: "\n")) == nil)
  }

  @Test func `nodes agree when heights, roots and cuts are equal`() throws {
    let view = try #require(FinalityView(metrics: Self.metrics))
    #expect(view.agrees(with: view))
    for change: (inout FinalityView) -> Void in [
      { $0.height += 1 }, { $0.executedHeight += 1 }, { $0.executedRoot += 1 },
      { $0.executedBundles += 1 },
    ] {
      var other = view
      change(&other)
      #expect(!view.agrees(with: other))
    }
  }

  @Test func `every pair of the seven regions has its distance`() throws {
    let scenario = try Scenario(name: "regions", parsing: RegionBench.scenarioText)
    let pairs = Set(scenario.network.distances.map { [$0.low, $0.high] })
    #expect(scenario.nodeCount == 7 && pairs.count == 21)
    #expect(scenario.network.distances.allSatisfy { $0.low < $0.high && $0.delay > .zero })
    #expect(scenario.clients.isPatient && scenario.clients.finalMillionths == 1_000_000)
  }

  @Test(arguments: [
    ("distance 1 1 3ms", "a node is not away from itself"), ("distance 1 9 3ms", ""),
    ("distance 1 2", ""), ("clients 3 hasty", "patient"),
  ]) func `a distance that is none is refused`(_ line: String, _ reason: String) {
    let error = #expect(throws: ScenarioError.self) {
      try Scenario(name: "wrong", parsing: "nodes 3\n" + line)
    }
    #expect(error.map { "\($0)".contains(reason) } ?? false)
  }
}
