package import Records

/// How a message travels.
package enum MembershipChannel: Hashable, Sendable {
  /// It may be lost, repeated or overtaken, and holds `MembershipMessage.datagramBytesMax`.
  case datagram
  /// It arrives in order while the connection lives.
  case reliable
}

/// What happened to the membership of a node.
package enum MembershipEvent: Sendable {
  /// Who may be a member now, this node included or not; nodes that were removed stay removed.
  case setMembers([KnownMember])
  /// A node was removed from the cluster, until it is restored.
  case removed(NodeID)
  /// The removal of a node, if it was removed, is taken back.
  case restored(NodeID)
  /// This node says something new of itself, under a new incarnation.
  case setAttributes(MemberAttributes)
  /// This node's load changed; peers learn it with the next messages.
  case setLoad(UInt16)
  /// A connection to a node is up.
  case connected(NodeID)
  /// The connection is gone.
  case disconnected(NodeID)
  /// The host of a node said that no process listens there any more.
  case crashHint(NodeID)
  /// A decoded message came; the connection proves who sent it.
  case received(MembershipMessage, from: NodeID, over: MembershipChannel)
  /// Incarnations up to this one are reserved on the disk.
  case incarnationPersisted(UInt64)
  /// This node is about to stop, and says so.
  case leave
  /// An instant that the core asked for has come.
  case deadline
}
