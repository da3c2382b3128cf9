package import Primitives

/// The bounds and times of membership: every one of them can be changed by who makes the core.
package struct MembershipLimits: Hashable, Sendable {
  /// How many members a cluster may have.
  package static let membersMax = 512
  /// Members that were removed and are still listed.
  package static let removedMax = 512

  /// How often one member is probed while the cluster is small.
  package var period = TimeSpan.milliseconds(200)
  /// Members up to which the period stays; beyond, it grows with their number, so that the whole
  /// cluster's messages stay the same.
  package var periodMembers: UInt64 = 64
  /// The longest period.
  package var periodMax = TimeSpan.seconds(1)
  /// The shortest time in which a direct answer is expected.
  package var answerMin = TimeSpan.milliseconds(80)
  /// The same for a member whose round trip was never measured.
  package var answerUnmeasured = TimeSpan.milliseconds(250)
  /// The longest time in which a direct answer is expected.
  package var answerMax = TimeSpan.seconds(1)
  /// How many members are asked to probe for this node.
  package var helpersMax = 3
  /// How often news is spread while there is any; a half of it per `period`.
  package var newsFanout = 3
  /// How often each update is sent: this times the number of decimal digits of the cluster's size.
  package var retransmitFactor = 4
  /// The shortest suspicion in periods, per decimal logarithm of the cluster's size.
  package var suspicionFactor: UInt64 = 4
  /// The longest suspicion as a multiple of the shortest.
  package var suspicionMaxFactor: UInt64 = 6
  /// Confirmations that make a suspicion as short as it gets.
  package var confirmationsMax = 2
  /// How many members, of all, check a suspicion by themselves at once.
  package var checkers: UInt64 = 8
  /// The highest multiplier of the own times.
  package var healthMax = 8
  /// Silence of everybody after which everybody is suspected.
  package var silence = TimeSpan.seconds(2)
  /// How late the driver may be before the node forgives everybody.
  package var stallMin = TimeSpan.milliseconds(100)
  /// How often the whole state is exchanged with one peer.
  package var exchangePeriod = TimeSpan.seconds(10)
  /// The shortest time between two answers with the whole state to one peer.
  package var exchangeReplyMin = TimeSpan.seconds(1)
  /// The first pause before a member that is down is spoken to; it doubles.
  package var announceMin = TimeSpan.seconds(1)
  /// The longest such pause while so few members are down that it costs nothing.
  package var announceRest = TimeSpan.seconds(8)
  /// The longest such pause; it grows by a second with every member that is down.
  package var announceMax = TimeSpan.seconds(60)
  /// Incarnations reserved on the disk at once.
  package var incarnationReserve: UInt64 = 16
  /// How far ahead of the known incarnation one is believed that another node tells.
  package var incarnationJumpMax: UInt64 = 1 << 32
  /// Probes for others under way.
  package var relaysMax = 64
  /// Updates to be spread.
  package var queueMax = 2_048
  /// Nodes with a connection, members or not.
  package var connectionsMax = 1_024

  /// The defaults.
  package init() {}
}
