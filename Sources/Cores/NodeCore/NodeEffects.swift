package import CoreKit
package import GossipCore
internal import Primitives
package import Records

/// How a write ended for its submitter.
package enum WriteOutcome: Hashable, Sendable {
  /// The level was reached. The operations are named in the order they were given.
  case reached(WriteLevel, [OperationID])
  /// The deadline passed first. The operations may still reach the level: unknown, not failed.
  case undecided(reached: WriteLevel?, [OperationID])
  /// Too much is pending, or the deadline passed before the node could begin; nothing was written.
  case overloaded
}

/// Something the driver, operators or agents are to hear of.
package enum NodeNotice: Sendable {
  /// A write ended.
  case write(WriteID, WriteOutcome)
  /// The set of members changed: the transport must follow.
  case membersChanged
  /// A lane forked and is frozen.
  indirect case laneForked(EquivocationProof)
  /// A peer holds more of the own lane than this node: the node must stop and come back with a
  /// new epoch.
  case ownLaneAhead(LanePosition)
}

/// What a node's core asks its driver to do.
///
/// Nothing here has to wait for something else here: what may leave only after a sync is held by
/// the core until the driver says that the batch is durable. So no driver can get the order wrong.
package struct NodeEffects: Sendable {
  /// A bundle for several peers, encoded once.
  package struct Push: Sendable {
    /// The peers.
    package let peers: [PeerIndex]
    /// The bundle on the wire.
    package let bytes: [UInt8]

    /// Joins the parts.
    package init(peers: [PeerIndex], bytes: [UInt8]) {
      self.peers = peers
      self.bytes = bytes
    }
  }

  /// Messages on control channels, in order per peer.
  package var sends: [GossipEffects.Send] = []
  /// Bundles on push channels, in order.
  package var pushes: [Push] = []
  /// Pulls to start.
  package var pulls: [GossipEffects.Pull] = []
  /// Headers to be read from the log.
  package var headersWanted: [GossipEffects.HeaderWanted] = []
  /// Peers to be disconnected, with the reason.
  package var disconnects: [(peer: PeerIndex, reason: StaticString)] = []
  /// A step to make durable, after all earlier ones.
  package var batch: StorageBatch?
  /// What others are to hear of.
  package var notices: [NodeNotice] = []
  /// What the control plane asks for.
  package var control = ControlPlaneEffects()
  /// What finality asks for.
  package var finality = FinalityPlaneEffects()

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    pushes.removeAll(keepingCapacity: true)
    pulls.removeAll(keepingCapacity: true)
    headersWanted.removeAll(keepingCapacity: true)
    disconnects.removeAll(keepingCapacity: true)
    batch = nil
    notices.removeAll(keepingCapacity: true)
    control.removeAll()
    finality.removeAll()
  }
}
