internal import CoreKit
internal import GossipCore
internal import NodeCore
internal import Primitives

/// How connections come and go.
extension World {
  func planDial(_ pair: PairIndex, within longest: TimeSpan) {
    guard network.noteDial(pair) else { return }
    let pause = network.pause(longest)
    queue.add(.dial(pair), at: now + pause)
  }

  /// Tries to connect two nodes: both must run and reach each other.
  func dial(_ pair: PairIndex) {
    let isReachable =
      nodes[pair.low].isAlive && nodes[pair.high].isAlive && network.isOpen(pair)
      && nodes[pair.low].pausedUntil <= now && nodes[pair.high].pausedUntil <= now
    // A process that came back is let in at once; the old connection's end is dropped first.
    for (from, to) in [(pair.low, pair.high), (pair.high, pair.low)]
    where isReachable && network.link(from, to).isUp && !network.link(to, from).isUp {
      probes[.connectionReplaced] += 1
      linkDown(from, to, network.link(from, to).connection)
    }
    if network.isUpAtEitherEnd(pair) {
      _ = network.endDial(pair, succeeded: true)
      return
    }
    let pause = network.endDial(pair, succeeded: isReachable)
    guard isReachable else {
      planRedial(pair, after: pause)
      return
    }
    let connection = network.makeConnection()
    for (from, to) in [(pair.low, pair.high), (pair.high, pair.low)] {
      network.setUp(from, to, connection)
      queue.add(
        .linkUp(from: from, to: to, connection: connection),
        at: network.arrival(from, to, at: now))
    }
  }

  private func planRedial(_ pair: PairIndex, after pause: TimeSpan) {
    // Nobody dials while a node is down; its start does.
    guard nodes[pair.low].isAlive, nodes[pair.high].isAlive, network.noteDial(pair) else { return }
    queue.add(.dial(pair), at: now + pause)
  }

  func linkUp(_ from: Int, _ to: Int, _ connection: UInt64) {
    guard network.link(from, to).connection == connection, nodes[from].isAlive else { return }
    network.announce(from, to)
    note { "connection \(connection) is up at node \(from + 1) to \(to + 1)" }
    let index: PeerIndex
    if let known = nodes[from].peerIndexes[to] {
      index = known
    } else {
      index = PeerIndex(UInt16(nodes[from].peersByIndex.count))
      nodes[from].peerIndexes[to] = index
      nodes[from].peersByIndex.append(to)
    }
    give(.connected(index, nodes[to].id), to: from)
  }

  /// One end notices that the other is gone, unless the network is well again and nothing was.
  func linkDown(_ from: Int, _ to: Int, _ connection: UInt64) {
    guard network.link(from, to).connection == connection else { return }
    let isOtherEndUp = network.link(to, from).connection == connection
    if isOtherEndUp && network.isOpen(PairIndex(from, to)) && nodes[to].isAlive { return }
    dropEnd(from, to)
  }

  private func dropEnd(_ from: Int, _ to: Int) {
    network.setDown(from, to)
    guard nodes[from].isAlive else { return }
    if let index = nodes[from].peerIndexes[to] {
      for pull in nodes[from].pulls.entries where pull.value == to {
        endPull(pull.key, .failed, at: from)
      }
      give(.disconnected(index), to: from)
    }
    let pair = PairIndex(from, to)
    if !network.isUpAtEitherEnd(pair) { planDial(pair, within: .milliseconds(100)) }
  }

  /// One node ends a connection on purpose: the other end hears of it.
  func breakLink(_ from: Int, _ to: Int) {
    let connection = network.link(from, to).connection
    guard connection != 0 else { return }
    dropEnd(from, to)
    if network.link(to, from).connection == connection {
      queue.add(
        .linkDown(from: to, to: from, connection: connection),
        at: network.arrival(from, to, at: now))
    }
  }

  /// The ends at a crashed node are gone at once; the others notice in time.
  func dropLinks(of node: Int) {
    for other in nodes.indices where other != node {
      network.setDown(node, other)
      planLinkDown(other, node)
    }
  }

  /// Both ends of whatever was cut notice in time.
  func noticeCuts() {
    for pair in network.allPairs where !network.isOpen(pair) {
      planLinkDown(pair.low, pair.high)
      planLinkDown(pair.high, pair.low)
    }
  }

  private func planLinkDown(_ from: Int, _ to: Int) {
    let connection = network.link(from, to).connection
    guard connection != 0 else { return }
    queue.add(
      .linkDown(from: from, to: to, connection: connection), at: now + network.idleTimeout())
  }
}
