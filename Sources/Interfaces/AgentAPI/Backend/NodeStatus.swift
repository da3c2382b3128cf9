package import LedgerCore
package import Primitives
package import Records

/// What a node says about itself.
package struct NodeStatus: Sendable {
  /// The node.
  package var node: NodeID
  /// Its cluster.
  package var cluster: ClusterID
  /// The name of its swarm.
  package var swarm: String
  /// The version of the program.
  package var version: String
  /// When it started, in milliseconds since 1970.
  package var startedMilliseconds: UInt64
  /// How much of each lane is applied.
  package var frontier: Frontier
  /// How much of each lane is synced to disk.
  package var syncedFrontier: Frontier
  /// The root over all lanes.
  package var lanesRoot: Digest
  /// The digest of the set of all rows.
  package var rowsDigest: Digest
  /// How many operations are applied.
  package var operations: UInt64
  /// The nodes that this node exchanges bundles with.
  package var peers: [PeerStatus]
  /// How many voters there are.
  package var voters: Int
  /// How many of them live and are connected, as this node sees it, itself included.
  package var votersReachable: Int
  /// Whether those are a quorum: of both halves while the voters change.
  package var isQuorumInReach: Bool
  /// Why the node is not ready to serve agents; empty when it is.
  package var notReady: [String]
  /// Operations that wait to become durable.
  package var pendingWrites: Int
  /// Reads that wait for a reader.
  package var pendingReads: Int
  /// Bundles received that wait for what they build on.
  package var pendingBundles: Int
  /// Bytes of the database and its log.
  package var storageBytes: UInt64

  /// Collects a status.
  package init(
    node: NodeID, cluster: ClusterID, swarm: String, version: String, startedMilliseconds: UInt64,
    frontier: Frontier, syncedFrontier: Frontier, lanesRoot: Digest, rowsDigest: Digest,
    operations: UInt64, peers: [PeerStatus], voters: Int, votersReachable: Int,
    isQuorumInReach: Bool, notReady: [String], pendingWrites: Int, pendingReads: Int,
    pendingBundles: Int,
    storageBytes: UInt64
  ) {
    self.node = node
    self.cluster = cluster
    self.swarm = swarm
    self.version = version
    self.startedMilliseconds = startedMilliseconds
    self.frontier = frontier
    self.syncedFrontier = syncedFrontier
    self.lanesRoot = lanesRoot
    self.rowsDigest = rowsDigest
    self.operations = operations
    self.peers = peers
    self.voters = voters
    self.votersReachable = votersReachable
    self.isQuorumInReach = isQuorumInReach
    self.notReady = notReady
    self.pendingWrites = pendingWrites
    self.pendingReads = pendingReads
    self.pendingBundles = pendingBundles
    self.storageBytes = storageBytes
  }

  /// How many voters make a majority.
  package var quorum: Int { voters / 2 + 1 }
}

/// A peer as this node sees it.
package struct PeerStatus: Sendable {
  /// The peer.
  package var node: NodeID
  /// Where it takes connections.
  package var address: String
  /// Whether a connection is up.
  package var isConnected: Bool
  /// How many bundles the peer's synced frontier lacks of this node's frontier.
  package var behindBundles: UInt64
  /// The last round-trip time in microseconds; `nil` before the first.
  package var roundTripMicroseconds: UInt64?

  /// Describes a peer.
  package init(
    node: NodeID, address: String, isConnected: Bool, behindBundles: UInt64,
    roundTripMicroseconds: UInt64?
  ) {
    self.node = node
    self.address = address
    self.isConnected = isConnected
    self.behindBundles = behindBundles
    self.roundTripMicroseconds = roundTripMicroseconds
  }
}

/// A member of the cluster, as it was announced, as it is to be, and as it is heard of.
package struct MemberStatus: Sendable {
  /// The node.
  package var node: NodeID
  /// What it is to be: `voter`, `learner`, `edge`; `nil` when it was removed.
  package var role: String?
  /// Where it takes QUIC connections.
  package var transportAddress: String
  /// Where it serves agents.
  package var apiAddress: String
  /// Whether this node is connected to it, or it is this node.
  package var isReachable: Bool
  /// What membership says of it; `nil` when it has not heard of it.
  package var view: ControlStatus.MemberView?
  /// Which life of it takes part in the control log; `nil` when none does.
  package var life: UInt64?
  /// Whether that votes.
  package var votes: Bool
  /// Whether it leads.
  package var isLeader: Bool

  /// Describes a member.
  package init(
    node: NodeID, role: String?, transportAddress: String, apiAddress: String, isReachable: Bool,
    view: ControlStatus.MemberView?, life: UInt64?, votes: Bool, isLeader: Bool
  ) {
    self.node = node
    self.role = role
    self.transportAddress = transportAddress
    self.apiAddress = apiAddress
    self.isReachable = isReachable
    self.view = view
    self.life = life
    self.votes = votes
    self.isLeader = isLeader
  }
}

/// A lane as this node holds it.
package struct LaneStatus: Sendable {
  /// The lane.
  package var lane: LaneID
  /// The node whose lane it is.
  package var node: NodeID
  /// The number of the last bundle applied.
  package var number: UInt64
  /// The number of the last bundle synced to disk.
  package var syncedNumber: UInt64
  /// How many operations the lane has.
  package var operations: UInt64
  /// The timestamp of the last operation.
  package var lastTime: HybridTime
  /// The root over the lane's headers.
  package var root: Digest
  /// Whether two different bundles with one number are known.
  package var isForked: Bool

  /// Describes a lane.
  package init(
    lane: LaneID, node: NodeID, number: UInt64, syncedNumber: UInt64, operations: UInt64,
    lastTime: HybridTime, root: Digest, isForked: Bool
  ) {
    self.lane = lane
    self.node = node
    self.number = number
    self.syncedNumber = syncedNumber
    self.operations = operations
    self.lastTime = lastTime
    self.root = root
    self.isForked = isForked
  }
}

/// What an operator asks a ticket for.
package struct TicketRequest: Hashable, Sendable {
  /// The part that the new node will play.
  package var role: MemberRole
  /// How long the ticket may be used.
  package var validSeconds: Int

  /// Describes a ticket.
  package init(role: MemberRole, validSeconds: Int) {
    self.role = role
    self.validSeconds = validSeconds
  }
}
