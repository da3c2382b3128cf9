package import Primitives
package import Simulator

/// What stands between the nodes of a drill, and what each node must be told of it.
package struct LinkFaults: Sendable {
  /// What one node does to the packets between itself and a peer.
  package struct Link: Hashable, Sendable {
    /// The peer, from 0.
    package let peer: Int
    /// Nothing of the peer's arrives.
    package var blocksIn = false
    /// Nothing reaches the peer.
    package var blocksOut = false
    /// How much later each packet leaves.
    package var delay = TimeSpan.zero
    /// What chance adds to that at most.
    package var jitter = TimeSpan.zero
    /// How many packets of a million are lost, each way.
    package var lossMillionths: UInt64 = 0

    fileprivate var isNothing: Bool { self == Link(peer: peer) }

    fileprivate init(peer: Int) { self.peer = peer }
  }

  private struct Way: Hashable, Sendable {
    let from: Int
    let to: Int
  }

  private let nodeCount: Int
  /// The delay and loss of every link, for the whole drill.
  private let network: Scenario.Network?
  private var blocked: Set<Way> = []
  private var held: [Way: TimeSpan] = [:]
  private var lossy: [Int: UInt64] = [:]
  /// Which nodes are set apart, for pictures.
  package private(set) var groups: [[Int]] = []

  /// Starts with the scenario's own network and no faults.
  package init(nodeCount: Int, network: Scenario.Network?) {
    self.nodeCount = nodeCount
    self.network = network
  }

  /// Whether some nodes cannot reach each other.
  package var isDivided: Bool { !blocked.isEmpty }

  /// Sets groups apart from each other; nodes in no group are not affected.
  package mutating func partition(_ groups: [[Int]]) {
    self.groups = groups
    for (index, group) in groups.enumerated() {
      for (other, peers) in groups.enumerated() where other != index {
        for node in group { for peer in peers { blocked.insert(Way(from: node, to: peer)) } }
      }
    }
  }

  /// Sets one node apart from all others.
  package mutating func isolate(_ node: Int) {
    partition([[node], (0..<nodeCount).filter { $0 != node }])
  }

  /// Lets nothing pass one way.
  package mutating func cut(from: Int, to: Int) { blocked.insert(Way(from: from, to: to)) }

  /// Holds packets back one way.
  package mutating func hold(from: Int, to: Int, _ span: TimeSpan) {
    held[Way(from: from, to: to)] = span
  }

  /// Holds nothing back any more one way.
  package mutating func release(from: Int, to: Int) { held[Way(from: from, to: to)] = nil }

  /// Delays what leaves a node and loses packets of both ways.
  package mutating func slow(_ node: Int, delay: TimeSpan, lossMillionths: UInt64) {
    precondition(lossMillionths <= 1_000_000, "a loss of \(lossMillionths) millionths")
    for peer in 0..<nodeCount where peer != node && delay > .zero {
      held[Way(from: node, to: peer)] = delay
    }
    lossy[node] = lossMillionths
  }

  /// Ends all that divides or holds back; the scenario's own network stays.
  package mutating func heal() {
    blocked = []
    held = [:]
    lossy = [:]
    groups = []
  }

  /// What a node must be told: every peer whose packets it disturbs, in order.
  package func links(of node: Int) -> [Link] {
    (0..<nodeCount).filter { $0 != node }.compactMap { peer in
      var link = Link(peer: peer)
      link.blocksIn = blocked.contains(Way(from: peer, to: node))
      link.blocksOut = blocked.contains(Way(from: node, to: peer))
      link.delay = held[Way(from: node, to: peer)] ?? .zero
      link.lossMillionths = lossy[node] ?? 0
      if let network {
        let shortest = network.delay.shortest
        link.delay = TimeSpan(nanoseconds: link.delay.nanoseconds + shortest.nanoseconds)
        link.jitter = TimeSpan(
          nanoseconds: network.delay.longest.nanoseconds - shortest.nanoseconds)
        // A node takes packets away both ways: one end of each link does it.
        if node < peer { link.lossMillionths = max(link.lossMillionths, network.lossMillionths) }
      }
      return link.isNothing ? nil : link
    }
  }
}
