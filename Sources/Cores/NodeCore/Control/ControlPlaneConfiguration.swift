internal import ControlCore
package import CoordinatorCore
package import MembershipCore
package import Primitives
package import RaftCore
package import Records

/// What a node's control plane is made of, and its bounds.
package struct ControlPlaneConfiguration: Sendable {
  /// The node.
  package var node: NodeID
  /// The cluster.
  package var cluster: ClusterID
  /// The nodes of the genesis document.
  package var founders: [NodeID]
  /// What the node says of itself.
  package var attributes: MemberAttributes
  /// The control log's periods and bounds.
  package var raft: RaftSettings
  /// Membership's periods and bounds.
  package var membership = MembershipLimits()
  /// The coordinator's periods and bounds, but for what operators set.
  package var coordinator = CoordinatorSettings()
  /// How much this node is wanted as a partition coordinator.
  package var priority: UInt32 = 0
  /// Commands of this node that are not yet applied.
  package var commandsMax = 4_000
  /// Reads of this node that are not yet answered.
  package var readsMax = 16_384
  /// How long a command may be on its way to a leader before it is sent again.
  package var resendSpan = TimeSpan.seconds(1)
  /// For every choice by chance, and for the names of sessions: two lives of a node never share it.
  package var seed: UInt64
  /// Whether applied entries are handed out: for checkers.
  package var showsApplied = false

  /// Describes a control plane with default bounds.
  package init(
    node: NodeID, cluster: ClusterID, founders: [NodeID], attributes: MemberAttributes,
    seed: UInt64
  ) {
    precondition(!founders.isEmpty, "a cluster without founders")
    self.node = node
    self.cluster = cluster
    self.founders = founders.sorted()
    self.attributes = attributes
    self.seed = seed
    raft = RaftSettings(seed: seed)
  }

  /// Who takes part in the control log at first: the first founders vote, the others learn.
  package var bootstrap: RaftConfiguration {
    let members = founders.map { RaftMember(node: $0, life: 0) }
    let votersMax = Int(ControlSetting.votersMax.standard)
    return RaftConfiguration(
      members: members, voters: members.prefix(votersMax).map(\.id),
      learners: members.dropFirst(votersMax).map(\.id))
  }
}
