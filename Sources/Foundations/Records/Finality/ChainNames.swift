internal import Crypto
package import Primitives

/// One swarm's chain of blocks: every signature for it names it, so that none counts elsewhere.
package struct ChainID: Hashable, Sendable {
  /// The name's bytes.
  package let digest: Digest

  /// Takes a name as read from the wire.
  package init(digest: Digest) {
    self.digest = digest
  }

  /// The chain of a swarm of a cluster.
  package init(cluster: ClusterID, swarm: SwarmID) {
    var hash = Blake2b(.chain)
    hash.update(cluster.digest)
    hash.update(swarm.identifier)
    digest = hash.finalize()
  }
}

/// A block, as much of it as its descendants need to know.
package struct BlockReference: Hashable, Sendable {
  /// The epoch whose validators made it; an epoch's first parent carries the epoch it begins.
  package let epoch: UInt64
  /// The view it was proposed in; 0 for an epoch's first parent.
  package let view: UInt64
  /// The number of blocks below it, from the chain's beginning.
  package let height: UInt64
  /// The digest of its header; for height 0 the chain's name.
  package let hash: Digest

  /// Names a block.
  package init(epoch: UInt64, view: UInt64, height: UInt64, hash: Digest) {
    self.epoch = epoch
    self.view = view
    self.height = height
    self.hash = hash
  }
}
