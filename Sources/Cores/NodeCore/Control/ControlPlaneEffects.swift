package import ControlCore
package import CoordinatorCore
package import CoreKit
package import MembershipCore
package import RaftCore
package import Records

/// What a node's control plane asks its driver to do. As in `NodeEffects`, nothing here has to wait
/// for something else here.
package struct ControlPlaneEffects: Sendable {
  /// A message for one peer.
  package struct Send: Sendable {
    /// The peer.
    package let peer: PeerIndex
    /// The message.
    package let message: ControlMessage
    /// Whether it may be lost and overtaken: it is small, and the next one makes it worthless.
    package let isDatagram: Bool

    /// Joins the parts.
    package init(peer: PeerIndex, message: ControlMessage, isDatagram: Bool) {
      self.peer = peer
      self.message = message
      self.isDatagram = isDatagram
    }
  }

  /// A state to be encoded, on whatever thread; it shares its memory with the live one.
  package struct SnapshotWanted: Sendable {
    /// The last entry that it reflects.
    package let index: UInt64
    /// The state.
    package let state: ControlState

    /// Joins the parts.
    package init(index: UInt64, state: ControlState) {
      self.index = index
      self.state = state
    }
  }

  /// Messages, in order per peer and way.
  package var sends: [Send] = []
  /// Peers to be disconnected, with the reason.
  package var disconnects: [(peer: PeerIndex, reason: StaticString)] = []
  /// A step to make durable, after all earlier ones.
  package var write: ControlWrite?
  /// Requests that ended.
  package var replies: [(request: ControlRequestID, reply: ControlReply)] = []
  /// A state to encode.
  package var snapshotWanted: SnapshotWanted?
  /// What others are to hear of.
  package var notices: [ControlPlaneNotice] = []
  /// With whom gossip compares frontiers from now on, when that changed.
  package var comparePeer: ComparePeer?
  /// Which way bundles go from now on, when that changed.
  package var routes: RelayRoutes?
  /// Entries that were applied, for the simulator's checkers; filled only when asked for.
  package var applied: [RaftEntry] = []

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    disconnects.removeAll(keepingCapacity: true)
    write = nil
    replies.removeAll(keepingCapacity: true)
    snapshotWanted = nil
    notices.removeAll(keepingCapacity: true)
    comparePeer = nil
    routes = nil
    applied.removeAll(keepingCapacity: true)
  }
}

/// Something the driver, operators or watches are to hear of.
package enum ControlPlaneNotice: Sendable {
  /// The control log's own news.
  case raft(RaftNotice)
  /// The history of the control state has events of this revision.
  case eventsAdded(revision: UInt64)
  /// The whole control state was replaced by a snapshot.
  case restored(revision: UInt64)
  /// A lease that waited for a lock holds it, or has stopped waiting.
  case lockWaitEnded(name: ControlName, lease: LeaseID, token: UInt64?)
  /// What membership says of a node changed.
  case member(MembershipEffects.Change)
  /// Who coordinates changed, or how bundles spread.
  case coordination(CoordinatorNotice)
  /// The stored state cannot be read, or commands cannot: the node must stop.
  case unusable(String)
}
