internal import GossipCore
internal import QUICTransport
internal import Records

/// A peer as the driver knows it: its place in the machine and its connection.
struct PeerRecord {
  /// The node.
  let node: NodeID
  /// The connection that is up now.
  var connection: PeerConnectionID?
  /// Whether its push channel is full.
  var isBlocked = false
}

/// An answer to a request that is being read or sent.
struct PendingAnswer {
  /// The frames that are not yet with the transport, last first.
  var frames: [[UInt8]]
}
