package import CoreKit
package import Crypto
package import GossipCore
package import Primitives
package import Records

/// A write as its submitter knows it.
package struct WriteID: Hashable, Comparable, Sendable {
  /// The number.
  package let value: UInt64

  /// Takes a number, which the submitter never uses twice.
  package init(_ value: UInt64) {
    self.value = value
  }

  package static func < (left: WriteID, right: WriteID) -> Bool { left.value < right.value }
}

/// What happened to a node.
package enum NodeEvent: Sendable {
  /// An authenticated connection to a member is up. A node keeps its index for good.
  case connected(PeerIndex, NodeID)
  /// The connection is gone.
  case disconnected(PeerIndex)
  /// A decoded message came on the control channel.
  case received(GossipMessage, from: PeerIndex)
  /// Verified bundles came.
  case bundles([Verified<SignedBundle>], from: PeerIndex, BundleArrival)
  /// A pull is over; its bundles came before.
  case pullEnded(PullID, PullOutcome)
  /// A peer's push channel is full: it becomes pull-only.
  case pushBlocked(PeerIndex)
  /// A peer's push channel has room again.
  case pushReady(PeerIndex)
  /// Bundles go other ways from now on.
  case routes(RelayRoutes)
  /// The whole frontier is to be compared with that node next; `nil` leaves it to chance.
  case comparePeer(NodeID?)
  /// An agent's operations, encoded, to be written as one group.
  case submit(WriteID, operations: [[UInt8]], level: WriteLevel, deadline: Instant)
  /// A wait for operations that were written before, here or elsewhere.
  case follow(WriteID, LanePosition, level: WriteLevel, deadline: Instant)
  /// Every batch up to this one is durable.
  case durable(through: UInt64)
  /// A stored header that was wanted, and the one that contradicts it.
  indirect case headerLoaded(SignedHeader, conflicting: SignedHeader)
  /// Something happened to the control plane.
  indirect case control(ControlPlaneEvent)
  /// Something happened to what is final.
  indirect case finality(FinalityPlaneEvent)
  /// An instant that the core asked for has come.
  case deadline
  /// The driver has no more events at hand: what was gathered is to be written and sent.
  case turnEnded
}
