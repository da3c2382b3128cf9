package import CoreKit
internal import Crypto
internal import Primitives
package import Records

/// How bundles came from a peer.
package enum BundleArrival: Hashable, Sendable {
  /// By its own doing: who has a duty hands them on.
  case pushed
  /// Because they were asked for: whoever lacks them pulls them as well.
  case pulled
}

extension Gossip {
  /// Sets which way bundles go from now on.
  package mutating func setRoutes(_ routes: RelayRoutes) {
    self.routes = routes
  }

  /// Sets who hears the whole frontier next; `nil` leaves it to chance.
  package mutating func setComparePeer(_ node: NodeID?) {
    comparePeer = node
  }

  /// The peers that an own bundle is pushed to.
  package var ownPushPeers: [PeerIndex] {
    guard let branches = routes.own else { return eagerPeers }
    var targets: [PeerIndex] = []
    collect(branches, into: &targets)
    return targets
  }

  /// Hands a bundle on that has just become known, if that is this node's duty (G7).
  ///
  /// It need not be durable here: its author had it on its disk before it let it go.
  mutating func handOn(
    _ bundle: Verified<SignedBundle>, from sender: PeerIndex, _ arrival: BundleArrival,
    into effects: inout GossipEffects
  ) {
    let header = bundle.value.header
    guard arrival == .pushed, !routes.duties.isEmpty, let duty = routes.duties[header.node],
      Int(sender.value) < peers.count
    else { return }
    let node = peers[Int(sender.value)].node
    guard node == header.node || duty.parents.contains(node) else { return }
    var targets: [PeerIndex] = []
    collect(duty.children, into: &targets)
    let lane = header.lane
    targets.removeAll { target in
      target == sender
        || (peers[Int(target.value)].progress[lane]?.applied ?? 0) >= header.number
    }
    guard !targets.isEmpty else { return }
    counters.handedOn += UInt64(targets.count)
    effects.handedOn.append(.init(peers: targets, bundle: bundle))
  }

  /// The first peers of each branch that can take a push. A node that cannot is replaced by its
  /// stand-in or, when that cannot either, by those behind it.
  private func collect(_ branches: [RelayBranch], into targets: inout [PeerIndex]) {
    for branch in branches {
      if let peer = readyPeer(branch.node) ?? branch.standIn.flatMap(readyPeer) {
        targets.append(peer)
      } else {
        collect(branch.children, into: &targets)
      }
    }
  }

  private func readyPeer(_ node: NodeID) -> PeerIndex? {
    guard let index = peerIndexes[node] else { return nil }
    let peer = peers[index]
    return peer.isConnected && peer.isGreeted && peer.isEager ? peer.index : nil
  }
}
