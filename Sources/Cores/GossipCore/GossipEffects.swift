package import CoreKit
package import Crypto
internal import Primitives
package import Records

/// A pull under way, named by a number that is never used twice.
package struct PullID: Hashable, Comparable, Sendable {
  /// The number.
  package let value: UInt64

  /// Takes a number.
  package init(_ value: UInt64) {
    self.value = value
  }

  package static func < (left: PullID, right: PullID) -> Bool { left.value < right.value }
}

/// How a pull ended.
package enum PullOutcome: Hashable, Sendable {
  /// The peer sent all it wanted to send.
  case complete
  /// The connection broke, the peer refused or took too long, or it sent what is no bundle.
  case failed
  /// The peer does not hold the lane up to this number.
  case refused(base: UInt64)
}

/// What gossip asks its owner to do.
package struct GossipEffects: Sendable {
  /// A message for one peer, on the control channel.
  package struct Send: Sendable {
    /// The peer.
    package let peer: PeerIndex
    /// The message.
    package let message: GossipMessage
  }

  /// A pull to start.
  package struct Pull: Sendable {
    /// Its name.
    package let identifier: PullID
    /// Who is asked.
    package let peer: PeerIndex
    /// What is asked.
    package let request: PullRequest
  }

  /// A stored header that is wanted to complete a proof.
  package struct HeaderWanted: Sendable {
    /// The place.
    package let position: LanePosition
    /// The header that contradicts what is stored there.
    package let conflicting: SignedHeader
  }

  /// A bundle of another node to be pushed on.
  package struct HandedOn: Sendable {
    /// The peers.
    package let peers: [PeerIndex]
    /// The bundle.
    package let bundle: Verified<SignedBundle>
  }

  /// Messages, in order per peer.
  package var sends: [Send] = []
  /// Peers to be disconnected, with the reason.
  package var disconnects: [(peer: PeerIndex, reason: StaticString)] = []
  /// Pulls to start.
  package var pulls: [Pull] = []
  /// Bundles to be pushed on, in order.
  package var handedOn: [HandedOn] = []
  /// Bundles that are now part of this node's history, in causal order.
  package var delivered: [Verified<SignedBundle>] = []
  /// Tiles that the delivered bundles closed.
  package var tiles: [LaneTile] = []
  /// Proofs found or received for the first time: to be stored.
  package var proofs: [EquivocationProof] = []
  /// Headers to be read from the log.
  package var headersWanted: [HeaderWanted] = []
  /// A peer holds more of this node's own lane than the node itself: its database went back in
  /// time, and writing on would fork the lane.
  package var ownLaneAhead: LanePosition?

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    disconnects.removeAll(keepingCapacity: true)
    pulls.removeAll(keepingCapacity: true)
    handedOn.removeAll(keepingCapacity: true)
    delivered.removeAll(keepingCapacity: true)
    tiles.removeAll(keepingCapacity: true)
    proofs.removeAll(keepingCapacity: true)
    headersWanted.removeAll(keepingCapacity: true)
    ownLaneAhead = nil
  }
}

/// What gossip counted since it was made; for metrics.
package struct GossipCounters: Hashable, Sendable {
  /// Bundles of others that were applied.
  package var applied: UInt64 = 0
  /// Bundles received that were held already.
  package var duplicates: UInt64 = 0
  /// Bundles that had to wait.
  package var parked: UInt64 = 0
  /// Bundles dropped because too many waited; they are pulled again.
  package var parkedDropped: UInt64 = 0
  /// Bundles of nodes that are no members, or of another swarm.
  package var foreign: UInt64 = 0
  /// Bundles that break a rule of their lane.
  package var invalid: UInt64 = 0
  /// Bundles delayed because their time lies ahead of the wall clock.
  package var future: UInt64 = 0
  /// Copies of others' bundles that were pushed on.
  package var handedOn: UInt64 = 0
  /// Pulls started.
  package var pulls: UInt64 = 0
  /// Pulls that failed or brought nothing.
  package var pullsFruitless: UInt64 = 0
  /// Pulls that a peer refused because it has let go of what was asked for.
  package var pullsRefused: UInt64 = 0
  /// Lanes found to fork.
  package var equivocations: UInt64 = 0
  /// Times a peer became pull-only because its push channel was full.
  package var pushesBlocked: UInt64 = 0

  /// Nothing counted.
  package init() {}
}
