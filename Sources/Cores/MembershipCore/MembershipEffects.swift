package import Records

/// What membership asks its owner to do; all of it may be done at once.
package struct MembershipEffects: Sendable {
  /// A message for a connected node.
  package struct Send: Hashable, Sendable {
    /// Who gets it.
    package let node: NodeID
    /// How it travels.
    package let channel: MembershipChannel
    /// The message.
    package let message: MembershipMessage
  }

  /// News of a member.
  package struct Change: Hashable, Sendable {
    /// The member.
    package let node: NodeID
    /// What was believed before.
    package let old: MemberState
    /// What is believed now; the same as before when only attributes changed.
    package let new: MemberState
    /// The incarnation of which it is believed.
    package let incarnation: UInt64
  }

  /// Messages to send.
  package var sends: [Send] = []
  /// What changed, in order.
  package var changes: [Change] = []
  /// A number to make durable; answered by `.incarnationPersisted`. A later one replaces it.
  package var persistIncarnation: UInt64?

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    changes.removeAll(keepingCapacity: true)
    persistIncarnation = nil
  }
}

/// What membership counted since it was made; for metrics.
package struct MembershipCounters: Hashable, Sendable {
  /// Members asked whether they are alive.
  package var probes: UInt64 = 0
  /// Probes without any answer.
  package var probesFailed: UInt64 = 0
  /// Probes that only others' help or the reliable channel answered.
  package var probesRescued: UInt64 = 0
  /// Suspicions that began here, own and heard of.
  package var suspicions: UInt64 = 0
  /// Suspicions that ended because the member objected.
  package var suspicionsRefuted: UInt64 = 0
  /// Suspicions that ran out and began anew, because the member had been heard meanwhile.
  package var suspicionsHeld: UInt64 = 0
  /// Members that this node itself found down.
  package var downs: UInt64 = 0
  /// Times this node objected to what was said of it.
  package var refutations: UInt64 = 0
  /// Messages of nodes that are no members, and updates about such.
  package var strangers: UInt64 = 0
  /// Updates that said nothing new.
  package var stale: UInt64 = 0
  /// Updates whose incarnation is too far ahead to be believed from hearsay.
  package var implausible: UInt64 = 0
  /// Messages that were meant for another node, sent or received.
  package var misdirected: UInt64 = 0
  /// Answers to no question of this node.
  package var unasked: UInt64 = 0
  /// Times the node woke up so late that it forgave everybody.
  package var stalls: UInt64 = 0
  /// Whole states sent.
  package var exchanges: UInt64 = 0
  /// Times a bound of `MembershipLimits` was reached.
  package var overflows: UInt64 = 0
  /// Datagrams sent.
  package var datagrams: UInt64 = 0
  /// Messages sent on the reliable channel.
  package var reliables: UInt64 = 0

  /// Nothing counted.
  package init() {}
}
