internal import Crypto
public import Primitives

/// A node: its Ed25519 public key.
public struct NodeID: Hashable, Comparable, Sendable {
  /// The public key.
  public let key: Digest

  /// Names the node that holds the private half of `key`.
  package init(key: Digest) {
    self.key = key
  }

  /// Whether both are one name.
  @inlinable public static func == (left: NodeID, right: NodeID) -> Bool {
    left.key == right.key
  }

  /// Orders names by their bytes.
  @inlinable public static func < (left: NodeID, right: NodeID) -> Bool { left.key < right.key }

  /// Feeds the name to a hasher.
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// A lane: the append-only log of one node in one swarm during one life of its database.
///
/// The name is a hash of node, epoch and swarm, so whoever holds a bundle can check whose lane it
/// extends.
public struct LaneID: Hashable, Comparable, Sendable {
  /// The name's bytes.
  public let digest: Digest

  /// Takes a name as read from the wire.
  package init(digest: Digest) {
    self.digest = digest
  }

  /// Derives the name.
  package init(node: NodeID, epoch: Identifier<LaneEpoch>, swarm: SwarmID) {
    var hash = Blake2b(.lane)
    hash.update(node.key)
    hash.update(epoch)
    hash.update(swarm.identifier)
    digest = hash.finalize()
  }

  /// Whether both are one name.
  @inlinable public static func == (left: LaneID, right: LaneID) -> Bool {
    left.digest == right.digest
  }

  /// Orders names by their bytes.
  @inlinable public static func < (left: LaneID, right: LaneID) -> Bool {
    left.digest < right.digest
  }

  /// Feeds the name to a hasher.
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// The kind of identifier that tells one life of a node's database from the next.
package enum LaneEpoch: Sendable {}

/// A cluster: the hash of its genesis document.
package struct ClusterID: Hashable, Sendable {
  /// The name's bytes.
  package let digest: Digest

  /// Takes a name as read from configuration or the wire.
  package init(digest: Digest) {
    self.digest = digest
  }
}

/// The kind of identifier that names a swarm.
package enum SwarmKind: Sendable {}

/// A swarm: an isolated namespace of one cluster with lanes and tables of its own.
package struct SwarmID: Hashable, Sendable {
  /// The name's bytes.
  package let identifier: Identifier<SwarmKind>

  /// Takes a name as read from the wire.
  package init(identifier: Identifier<SwarmKind>) {
    self.identifier = identifier
  }

  /// Derives the name of the swarm called `name` in `cluster`.
  package init(named name: String, in cluster: ClusterID) {
    var hash = Blake2b(.swarm)
    hash.update(cluster.digest)
    hash.update(Array(name.utf8))
    identifier = Identifier(truncating: hash.finalize())
  }
}

/// The kind of identifier that names an agent.
package enum AgentKind: Sendable {}

/// The kind of identifier that names a question.
package enum QuestionKind: Sendable {}

/// An agent: a client program that asks, answers or resolves.
package typealias AgentID = Identifier<AgentKind>

/// A question.
package typealias QuestionID = Identifier<QuestionKind>
