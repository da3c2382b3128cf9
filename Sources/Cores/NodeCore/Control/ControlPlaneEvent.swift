package import ControlCore
package import CoreKit
package import Primitives
package import Records

/// A request to the control plane as its submitter knows it.
package struct ControlRequestID: Hashable, Comparable, Sendable {
  /// The number.
  package let value: UInt64

  /// Takes a number, which the submitter never uses twice.
  package init(_ value: UInt64) {
    self.value = value
  }

  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// How fresh an answer must be.
package enum ControlReadLevel: Hashable, Sendable {
  /// What this node has applied; the reply says how stale it may be.
  case local
  /// At least as new as everything that had been answered to anybody when the read came in
  /// (Ongaro 2014, section 6.4).
  case linearizable
  /// What this node has applied once it has applied the revision, so that a client reads its own
  /// writes on any node.
  case after(revision: UInt64)
}

/// How a request ended.
package enum ControlReply: Hashable, Sendable {
  /// The command was applied.
  case result(ControlResult)
  /// The query was answered.
  case answer(ControlAnswer, ControlFreshness)
  /// The deadline passed first, and the command may still be applied: unknown, not failed.
  case unknown
  /// The deadline passed, and the command never left this node, or nobody confirmed the read:
  /// nothing was or will be changed by it. The leader, as far as this node knows.
  case unavailable(leader: NodeID?)
  /// Too much is pending; nothing was changed.
  case overloaded
}

/// How fresh an answer is.
package struct ControlFreshness: Hashable, Sendable {
  /// For how long the node has not known whether it is up to date, in milliseconds; `nil` when it
  /// never was, 0 for a linearizable answer.
  package let staleMilliseconds: UInt64?
  /// The last entry of the control log that is reflected.
  package let index: UInt64
  /// The leader, as far as this node knows.
  package let leader: NodeID?

  /// Joins the parts.
  package init(staleMilliseconds: UInt64?, index: UInt64, leader: NodeID?) {
    self.staleMilliseconds = staleMilliseconds
    self.index = index
    self.leader = leader
  }
}

/// Something that happened to a node's control plane.
package enum ControlPlaneEvent: Sendable {
  /// A command is to be ordered; the name, if any, makes its repetition by a client harmless.
  case submit(
    ControlRequestID, ControlOperation, name: Identifier<ControlIdempotency>?, deadline: Instant)
  /// A query is to be answered.
  case read(ControlRequestID, ControlQuery, ControlReadLevel, deadline: Instant)
  /// A decoded message came from a connected member.
  case received(ControlMessage, from: PeerIndex, isDatagram: Bool)
  /// The peer's host says that nobody listens there: its process is gone.
  case refused(PeerIndex)
  /// Every step up to this one is durable.
  case persisted(through: UInt64)
  /// The encoded state that `ControlPlaneEffects.snapshotWanted` asked for.
  case snapshotEncoded(index: UInt64, bytes: [UInt8])
  /// Leadership is to be handed over, if it is here: to the node named, or to whoever is best.
  case transferLeadership(NodeID?)
  /// The node is about to stop in good order.
  case leaving
}
