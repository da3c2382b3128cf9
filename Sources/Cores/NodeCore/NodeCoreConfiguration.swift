package import Crypto
package import GossipCore
package import LedgerCore
package import Primitives
package import Records

/// What a node is, and its bounds.
package struct NodeCoreConfiguration: Sendable {
  /// The node's key.
  package var key: SigningKey
  /// The life of its database.
  package var epoch: Identifier<LaneEpoch>
  /// The cluster.
  package var cluster: ClusterID
  /// The swarm.
  package var swarm: SwarmID
  /// The control plane: who lives, who leads, who votes.
  package var control: ControlPlaneConfiguration
  /// What finality is made with; `nil` for a swarm without.
  package var finality: FinalityPlaneConfiguration?
  /// The bounds of gossip.
  package var gossipLimits = GossipLimits()
  /// Operations accepted and not yet in a bundle.
  package var pendingOperationsMax = 65_536
  /// Bytes of operations accepted and not yet in a bundle.
  package var pendingBytesMax = 32 << 20
  /// Writes that wait for a level.
  package var waitersMax = 65_536
  /// Own bundles made and not yet durable, when full bundles are waiting.
  package var ownBundlesInFlightMax = 4
  /// For every choice by chance.
  package var seed: UInt64

  /// Describes a node with default bounds; the control plane's part has a seed of its own.
  package init(
    key: SigningKey, epoch: Identifier<LaneEpoch>, swarm: SwarmID,
    control: ControlPlaneConfiguration, seed: UInt64
  ) {
    precondition(control.node == NodeID(key: key.publicKey), "a control plane of another node")
    self.key = key
    self.epoch = epoch
    cluster = control.cluster
    self.swarm = swarm
    self.control = control
    self.seed = seed
  }
}

/// What a node's core starts from: what storage held, with everything replayed.
package struct NodeRecovery: Sendable {
  /// Every stored lane with the time of the last operation and the first word of the digest of
  /// each bundle.
  package var lanes: [RestoredLane] = []
  /// Every stored proof.
  package var proofs: [EquivocationProof] = []
  /// The live tables, at the frontier of the lanes.
  package var tables = LiveTables()
  /// The number of the first batch: 1, or what follows the batches of the replay.
  package var nextBatch: UInt64 = 1

  /// What the control log's storage held.
  package var control: ControlRecovery

  /// What was stored of finality.
  package var finality: FinalityRecovery?

  /// What a node starts from that never ran, with the life of its control log.
  package init(life: UInt64 = 0) {
    control = ControlRecovery(life: life)
  }
}
