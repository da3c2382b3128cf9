internal import Configuration
internal import Glibc
internal import JSONText
internal import Primitives
internal import Simulator

/// Measures how soon the death of a node is known, and whether loss makes the living look dead.
struct DetectionBench {
  /// What is measured.
  struct Settings: Sendable {
    /// Nodes that are started.
    var nodeCount = 20
    /// How long packets are lost.
    var lossSeconds = 30
    /// How many of a million packets are lost on each link, each way.
    var lossMillionths: UInt64 = 500_000
  }

  /// How long the others have to learn of the death, in milliseconds.
  private static let patienceMilliseconds = 30_000

  let settings: Settings
  let cluster: LocalCluster
  let tell: (String) -> Void

  /// Measures both.
  func run() throws -> JSONValue {
    var cluster = cluster
    let nodes = cluster.file.nodes.compactMap { node in
      PlainAddress(node.api).map { PlainConnection($0) }
    }
    precondition(nodes.count == cluster.file.nodes.count, "an address of ours is none")
    let victim = try self.victim(nodes)
    tell("killing node \(victim + 1) of \(nodes.count)")
    let start = BenchClock.nanoseconds
    try cluster.kill(victim + 1)
    let times = learnTimes(of: victim, nodes, from: start)
    let known = times.compactMap { $0 }.sorted()
    tell("\(known.count) of \(nodes.count - 1) know; bringing it back")
    try cluster.start([victim + 1])
    try cluster.waitUntilReady([victim + 1])
    try ClusterBench.waitForView(cluster)
    tell(
      "losing \(settings.lossMillionths / 10_000) % of all packets for \(settings.lossSeconds) s")
    let falseDowns = try countFalseDowns(nodes, cluster)
    return .object([
      JSONMember(key: "nodes", value: .integer(Int64(nodes.count))),
      JSONMember(key: "informed", value: .integer(Int64(known.count))),
      JSONMember(
        key: "firstMilliseconds", value: known.first.map { .integer(Int64($0)) } ?? .null),
      JSONMember(
        key: "medianMilliseconds",
        value: known.isEmpty ? .null : .integer(Int64(known[known.count / 2]))),
      JSONMember(
        key: "allMilliseconds",
        value: known.count == nodes.count - 1 ? .integer(Int64(known.last ?? 0)) : .null),
      JSONMember(key: "lossPercent", value: .integer(Int64(settings.lossMillionths / 10_000))),
      JSONMember(key: "lossSeconds", value: .integer(Int64(settings.lossSeconds))),
      JSONMember(key: "falseDowns", value: .integer(Int64(falseDowns))),
    ])
  }

  /// A node that does not lead: the leader's death is known sooner.
  private func victim(_ nodes: [PlainConnection]) throws -> Int {
    for (index, node) in nodes.enumerated().reversed() {
      let view = ControlView.ask(node, timeoutMilliseconds: 1_000)
      if let view, view.role != "leader" { return index }
    }
    throw DemoFailure(description: "no node follows")
  }

  /// For each node, after how many milliseconds it held another for down.
  private func learnTimes(of victim: Int, _ nodes: [PlainConnection], from start: UInt64)
    -> [Int?]
  {
    let id = cluster.file.nodes[victim].id
    var times = [Int?](repeating: nil, count: nodes.count)
    let deadline = MonotonicClock.milliseconds + DetectionBench.patienceMilliseconds
    while MonotonicClock.milliseconds < deadline {
      var isWaiting = false
      for (index, node) in nodes.enumerated() where index != victim && times[index] == nil {
        let view = ControlView.ask(node, timeoutMilliseconds: 1_000)
        if view?.state(of: id) == "down" {
          times[index] = Int((BenchClock.nanoseconds - start) / 1_000_000)
        } else {
          isWaiting = true
        }
      }
      guard isWaiting else { break }
      DrillClient.pause(milliseconds: 10)
    }
    return times
  }

  /// Counts how often a node came to hold a living one for down while packets are lost.
  private func countFalseDowns(_ nodes: [PlainConnection], _ cluster: LocalCluster) throws -> Int {
    let ids = cluster.file.nodes.map(\.id)
    var scenario = Scenario(name: "loss")
    scenario.network.delay = TimeRange(.zero, .zero)
    scenario.network.lossMillionths = settings.lossMillionths
    let links = LinkFaults(nodeCount: nodes.count, network: scenario.network)
    for (index, node) in cluster.file.nodes.enumerated() {
      try NodeOrders.send(
        NodeOrders.faults(links.links(of: index), ids: ids, seed: UInt64(index)), to: node)
    }
    var held = Set<[Int]>()
    var count = 0
    let end = MonotonicClock.milliseconds + settings.lossSeconds * 1_000
    while MonotonicClock.milliseconds < end {
      for (index, node) in nodes.enumerated() {
        guard let view = ControlView.ask(node, timeoutMilliseconds: 1_000) else { continue }
        for (other, id) in ids.enumerated() where other != index {
          let isDown = view.state(of: id) == "down"
          if isDown, held.insert([index, other]).inserted { count += 1 }
          if !isDown { held.remove([index, other]) }
        }
      }
      DrillClient.pause(milliseconds: 100)
    }
    for node in cluster.file.nodes {
      try NodeOrders.send(NodeOrders.faults([], ids: ids, seed: 0), to: node)
    }
    return count
  }
}

/// Measures what nodes cost that have nothing to do.
struct IdleBench {
  let seconds: Int
  let cluster: LocalCluster

  /// Processor time of each node, in percent of one processor.
  func run() throws -> JSONValue {
    let nodes = cluster.file.nodes
    // What the start has left to do is not idleness.
    DrillClient.pause(milliseconds: 3_000)
    let before = try nodes.map { try ProcessorTime.nanoseconds(of: $0.pid) }
    let start = BenchClock.nanoseconds
    DrillClient.pause(milliseconds: seconds * 1_000)
    let elapsed = BenchClock.nanoseconds - start
    let shares = try nodes.enumerated().map { index, node in
      // In ten-thousandths of a percent, so that the printed number is exact.
      let used = try ProcessorTime.nanoseconds(of: node.pid) - before[index]
      return Int64(used * 1_000_000 / max(1, elapsed))
    }
    return .object([
      JSONMember(key: "nodes", value: .integer(Int64(nodes.count))),
      JSONMember(key: "seconds", value: .integer(Int64(seconds))),
      JSONMember(key: "percentOfCore", value: .array(shares.map { IdleBench.percent($0) })),
      JSONMember(
        key: "meanPercent",
        value: IdleBench.percent(shares.reduce(0, +) / Int64(max(1, shares.count)))),
      JSONMember(key: "maxPercent", value: IdleBench.percent(shares.max() ?? 0)),
    ])
  }

  private static func percent(_ tenThousandths: Int64) -> JSONValue {
    let fraction = "\(10_000 + tenThousandths % 10_000)".dropFirst().prefix(3)
    // Digits and one point are JSON.
    let text = Array("\(tenThousandths / 10_000).\(fraction)".utf8)
    return (try? JSONValue.parse(text)) ?? .null
  }
}
