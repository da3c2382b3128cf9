package import Primitives
package import Records

/// A member that is believed to be alive, as far as coordination cares.
package struct CoordinatorMember: Hashable, Sendable {
  /// What part a member plays.
  package enum Role: UInt8, Hashable, Sendable {
    /// It votes in the control log.
    case voter = 1
    /// It holds everything and does not vote.
    case learner = 2
    /// It reads only: it neither coordinates nor relays while anybody else can.
    case edge = 3
  }

  /// The node.
  package let node: NodeID
  /// The name of its region in UTF-8; empty when regions are not set.
  package let region: [UInt8]
  /// The name of its zone in UTF-8; empty when zones are not set.
  package let zone: [UInt8]
  /// The part it plays.
  package let role: Role
  /// How much it is wanted as a partition coordinator: the greatest is taken.
  package let priority: UInt32

  /// Describes a member.
  package init(
    node: NodeID, region: String = "", zone: String = "", role: Role = .voter,
    priority: UInt32 = 0
  ) {
    self.node = node
    self.region = Array(region.utf8)
    self.zone = Array(zone.utf8)
    self.role = role
    self.priority = priority
  }
}

/// One tenure of one coordinator.
///
/// Never a term: it has no order, it names what was the case when the tenure began, and nothing in
/// the control log is ever decided by it.
package struct CoordinatorIdentity: Hashable, Sendable {
  /// The first word of the hash of the members it coordinates.
  package let viewHash: UInt64
  /// The term of the control log that it had seen.
  package let baseTerm: UInt64
  /// The index up to which it knew the control log as committed.
  package let baseCommitIndex: UInt64
  /// Counts the tenures of the node since its start.
  package let sequence: UInt64
  /// The coordinator.
  package let node: NodeID

  /// Joins the parts.
  package init(
    viewHash: UInt64, baseTerm: UInt64, baseCommitIndex: UInt64, sequence: UInt64, node: NodeID
  ) {
    self.viewHash = viewHash
    self.baseTerm = baseTerm
    self.baseCommitIndex = baseCommitIndex
    self.sequence = sequence
    self.node = node
  }
}

/// Who coordinates the nodes that this one reaches.
package enum CoordinatorStatus: Hashable, Sendable {
  /// The leader of the control log, which has a quorum.
  case led(by: NodeID)
  /// There is no leader to reach: ordered and final writes wait, everything else goes on.
  case partitioned(coordinator: NodeID)
  /// The members or the leader changed a moment ago.
  case settling

  /// The coordinator, if there is one.
  package var coordinator: NodeID? {
    switch self {
    case .led(let node), .partitioned(let node): node
    case .settling: nil
    }
  }

  /// Whether the component has a coordinator for want of a leader.
  package var isPartitioned: Bool {
    switch self {
    case .partitioned: true
    case .led, .settling: false
    }
  }
}

/// How an origin spreads its bundles.
package enum DisseminationMode: UInt8, CaseIterable, Hashable, Sendable {
  /// To everybody by itself.
  case direct = 1
  /// To everybody in its region by itself, to other regions through a gateway of each.
  case gateways = 2
  /// Through relays in every region, besides the gateways.
  case relays = 3
}

/// What the control log says about leadership, as this node knows it.
package struct CoordinatorLeader: Hashable, Sendable {
  /// The leader; `nil` when none is known.
  package var node: NodeID?
  /// Whether the members alive include a quorum of the voters.
  package var isQuorumAlive: Bool
  /// The term of the control log.
  package var term: UInt64
  /// The index up to which the control log is committed.
  package var commitIndex: UInt64

  /// Joins the parts.
  package init(node: NodeID?, isQuorumAlive: Bool, term: UInt64, commitIndex: UInt64) {
    self.node = node
    self.isQuorumAlive = isQuorumAlive
    self.term = term
    self.commitIndex = commitIndex
  }
}

/// What an operator may set, and the periods.
package struct CoordinatorSettings: Hashable, Sendable {
  /// How many bytes of own bundles a node may push in a second before it asks relays for help.
  package var egressBytesPerSecond: UInt64 = 40_000_000
  /// The protocol period of the membership.
  package var protocolPeriod = TimeSpan.milliseconds(500)
  /// How many protocol periods members and leader must have stayed the same.
  package var stablePeriods: UInt64 = 3
  /// How often pairs are made.
  package var roundPeriod = TimeSpan.seconds(1)
  /// How many rounds an assignment holds when no other follows.
  package var assignmentRounds: UInt64 = 3
  /// How long the demand must stay well within the budget before relays are done without.
  package var calmPeriod = TimeSpan.seconds(5)
  /// How often a node that needs relays or gateways says so again.
  package var refreshPeriod = TimeSpan.seconds(3)

  /// The defaults.
  package init() {}

  /// How long members and leader must have stayed the same.
  var stableSpan: TimeSpan { protocolPeriod * stablePeriods }
  /// How long an assignment holds.
  var assignmentSpan: TimeSpan { roundPeriod * assignmentRounds }
  /// How long a node's word about its mode holds.
  var modeSpan: TimeSpan { refreshPeriod * 3 }
}
