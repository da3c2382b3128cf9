package import Records

/// What the members of the control log are to become.
package struct RaftChange: Hashable, Sendable {
  /// The configuration at the end of the change; never joint, and somebody votes.
  package let target: RaftConfiguration

  /// Describes a change by its end: everybody, and who of them votes and who learns.
  package init(members: [RaftMember], voters: [RaftID], learners: [RaftID] = []) {
    precondition(!voters.isEmpty, "a change after which nobody votes")
    target = RaftConfiguration(members: members, voters: voters, learners: learners)
  }
}

/// What happened to a member of the control log.
package enum RaftEvent: Sendable {
  /// A message came; its `from` was checked to be a life of the connection's node.
  case received(RaftMessage)
  /// A command is to be appended, if this node leads.
  case propose([UInt8], ticket: UInt64)
  /// Somebody wants to read: how far must this node have applied? Any member may ask.
  case read(ticket: UInt64)
  /// The members are to change, if this node leads.
  case changeConfiguration(RaftChange, ticket: UInt64)
  /// This node is to hand its office over, if it leads: to a voter, or to the best one.
  case transferLeadership(RaftID?)
  /// The process or the host of a node is believed dead.
  case suspectLeader(NodeID)
  /// Messages to a member arrive from now on.
  case connected(RaftID)
  /// Messages to a member may have been lost.
  case disconnected(RaftID)
  /// Every write up to this one is durable.
  case persisted(through: UInt64)
  /// The answer to `RaftEffects.snapshotWanted`.
  case snapshotTaken(index: UInt64, bytes: [UInt8])
  /// An instant that the core asked for has come, and everything received before was handled.
  case deadline
  /// The owner has no more events at hand: what was gathered is to be written and sent.
  case turnEnded
}
