internal import HTTPClient

/// What a node's metrics say of the blocks it holds.
package struct FinalityView: Hashable, Sendable {
  /// The height of the last final block.
  package var height: UInt64 = 0
  /// The height of the last executed block.
  package var executedHeight: UInt64 = 0
  /// The first six bytes of the root at that height.
  package var executedRoot: UInt64 = 0
  /// The bundles of all lanes below that block's cut.
  package var executedBundles: UInt64 = 0
  /// Blocks that became final in this run of the node.
  package var blocks: UInt64 = 0
  /// Bundles that became final in this run of the node.
  package var bundles: UInt64 = 0
  /// Whether the node has seen a contradiction and votes no more.
  package var standsStill = false

  /// Reads the view out of the text of a node's metrics; `nil` when something is missing.
  package init?(metrics text: String) {
    var values: [Substring: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let value = UInt64(words[1]) else { continue }
      values[words[0]] = value
    }
    guard let height = values["swarmoracle_finality_height"],
      let executedHeight = values["swarmoracle_finality_executed_height"],
      let root = values["swarmoracle_finality_executed_root"],
      let executedBundles = values["swarmoracle_finality_executed_bundles"],
      let blocks = values["swarmoracle_finality_blocks_total"],
      let bundles = values["swarmoracle_finality_bundles_total"],
      let standsStill = values["swarmoracle_finality_stands_still"]
    else { return nil }
    self.height = height
    self.executedHeight = executedHeight
    executedRoot = root
    self.executedBundles = executedBundles
    self.blocks = blocks
    self.bundles = bundles
    self.standsStill = standsStill != 0
  }

  /// Asks a node; `nil` when it does not answer.
  static func ask(_ endpoint: String, _ connection: HTTPConnection) -> FinalityView? {
    // A node that is gone or starting refuses connections; whoever waits asks again.
    guard
      let response = try? connection.send(
        method: "GET", url: "\(endpoint)/metrics", timeoutMilliseconds: 2_000),
      response.status == 200
    else { return nil }
    return FinalityView(metrics: String(decoding: response.body, as: UTF8.self))
  }

  /// Whether two nodes have executed the same blocks to the same root.
  package func agrees(with other: FinalityView) -> Bool {
    executedHeight == other.executedHeight && executedRoot == other.executedRoot
      && executedBundles == other.executedBundles && height == other.height
  }

  /// The root's digits.
  package var rootText: String {
    let digits = String(executedRoot, radix: 16)
    return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }
}

/// What all nodes have come to when nothing is left to be made final.
struct FinalitySettlement {
  /// What each node says.
  let views: [FinalityView]
  /// How long that took, in milliseconds.
  let milliseconds: Int

  /// Waits until every node has executed every bundle that any node holds, all to one root; `nil`
  /// when that takes longer than `patience`. Looks once at least.
  static func wait(_ endpoints: [String], patience: Int) throws -> FinalitySettlement? {
    let connection = HTTPConnection(responseBytesMax: 16 << 20)
    let inspection = DemoInspection(endpoints: endpoints, isCancelled: { false })
    let start = MonotonicClock.milliseconds
    while true {
      let states = try endpoints.indices.map(inspection.state)
      let views = endpoints.compactMap { FinalityView.ask($0, connection) }
      if views.count == endpoints.count, let first = views.first,
        views.allSatisfy({ $0.agrees(with: first) && $0.height == $0.executedHeight }),
        states.allSatisfy({ $0.bundles == Int64(clamping: first.executedBundles) })
      {
        return FinalitySettlement(
          views: views, milliseconds: MonotonicClock.milliseconds - start)
      }
      guard MonotonicClock.milliseconds - start < patience else { return nil }
      DrillClient.pause(milliseconds: 10)
    }
  }
}
