package import Merkle
package import Primitives

/// The end of a lane as a node holds it: enough to extend it, check the next bundle and prove.
package struct LaneHead: Hashable, Sendable {
  /// The lane.
  package let lane: LaneID
  /// The node whose lane it is.
  package let node: NodeID
  /// The life of the node's database.
  package let epoch: Identifier<LaneEpoch>
  /// The number of the last bundle.
  package let number: UInt64
  /// The sequence of the last operation.
  package let lastSequence: UInt64
  /// The timestamp of the last operation.
  package let lastTime: HybridTime
  /// The digest of the last header.
  package let digest: Digest
  /// The tree over all headers so far.
  package let range: MountainRange

  /// Makes the head after a bundle.
  package init(
    lane: LaneID, node: NodeID, epoch: Identifier<LaneEpoch>, number: UInt64,
    lastSequence: UInt64, lastTime: HybridTime, digest: Digest, range: MountainRange
  ) {
    precondition(range.count == number, "lane of \(number) bundles has \(range.count) leaves")
    self.lane = lane
    self.node = node
    self.epoch = epoch
    self.number = number
    self.lastSequence = lastSequence
    self.lastTime = lastTime
    self.digest = digest
    self.range = range
  }
}

/// The hash of one complete subtree of a lane's tree, kept so that proofs need few headers.
package struct LaneTile: Hashable, Sendable {
  /// Levels between stored subtrees: one tile covers 256 of the level below.
  package static let levelStep = 8

  /// The lane.
  package let lane: LaneID
  /// The subtree.
  package let subtree: SubtreeReference
  /// Its hash.
  package let hash: Digest

  /// Names a subtree's hash.
  package init(lane: LaneID, subtree: SubtreeReference, hash: Digest) {
    self.lane = lane
    self.subtree = subtree
    self.hash = hash
  }
}

/// One step that must become durable as a whole, in order after every earlier one.
package struct StorageBatch: Sendable {
  /// The place in the order of steps, counting from 1 for each run of the node.
  package var sequence: UInt64
  /// Bundles applied in this step, in the order they were applied.
  package var bundles: [SignedBundle] = []
  /// The heads of the lanes that moved, as they are after the step.
  package var heads: [LaneHead] = []
  /// Subtrees that this step closed.
  package var tiles: [LaneTile] = []
  /// Proofs that were found.
  package var proofs: [EquivocationProof] = []
  /// Rows that change, later ones replacing earlier ones with the same key.
  package var rows: [Row] = []
  /// The state of the hash over all rows after the step; empty when no row changes.
  package var rowSet: [UInt8] = []

  /// Makes an empty step.
  package init(sequence: UInt64) {
    self.sequence = sequence
  }

  /// Whether the step changes nothing.
  package var isEmpty: Bool {
    bundles.isEmpty && proofs.isEmpty && rows.isEmpty
  }
}
