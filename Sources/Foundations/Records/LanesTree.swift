internal import Crypto
internal import Merkle
package import Primitives

/// The tree over the heads of all lanes: one root names the whole history of a swarm.
///
/// Leaves are the heads in ascending order of lane, in the shape of RFC 6962. Two nodes with equal
/// frontiers have equal roots unless one of them holds a forked lane.
package enum LanesTree {
  /// The leaf of one head: `H(leaf tag, lane || number || lastSequence || range root)`.
  package static func leaf(of head: LaneHead) -> Digest {
    leaf(
      lane: head.lane, number: head.number, lastSequence: head.lastSequence,
      rangeRoot: head.range.root)
  }

  /// The leaf of a head given in parts.
  package static func leaf(
    lane: LaneID, number: UInt64, lastSequence: UInt64, rangeRoot: Digest
  ) -> Digest {
    var hash = Blake2b(.laneHeadLeaf)
    hash.update(lane.digest)
    hash.update(number)
    hash.update(lastSequence)
    hash.update(rangeRoot)
    return hash.finalize()
  }

  /// The root over `heads`, which are in ascending order of lane; zero for none.
  package static func root(of heads: [LaneHead]) -> Digest {
    MerkleTree(TaggedHasher(.laneHeadNode)).root(of: leaves(of: heads))
  }

  /// The root over the leaves of heads in ascending order of lane; zero for none.
  package static func root(ofLeaves leaves: [Digest]) -> Digest {
    MerkleTree(TaggedHasher(.laneHeadNode)).root(of: leaves)
  }

  /// The path from the head at `index` to the root.
  package static func path(to index: Int, in heads: [LaneHead]) -> [Digest] {
    let tree = MerkleTree(TaggedHasher(.laneHeadNode))
    let leaves = leaves(of: heads)
    precondition(leaves.indices.contains(index), "no head \(index) among \(leaves.count)")
    func hash(_ subtree: SubtreeReference) -> Digest {
      let width = 1 << subtree.level
      let start = Int(subtree.index) * width
      return tree.root(of: Array(leaves[start..<(start + width)]))
    }
    // The closure does not throw, so neither does the path.
    return (try? tree.inclusionPath(of: UInt64(index), in: UInt64(leaves.count), from: hash)) ?? []
  }

  private static func leaves(of heads: [LaneHead]) -> [Digest] {
    for index in heads.indices.dropFirst() {
      precondition(heads[index - 1].lane < heads[index].lane, "heads are not in order of lane")
    }
    return heads.map(leaf(of:))
  }
}
