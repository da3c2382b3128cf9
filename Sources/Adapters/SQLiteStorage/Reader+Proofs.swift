internal import Crypto
internal import Merkle
package import Primitives
package import Records

/// What shows that one operation is part of a lane whose root is known, without the rest of either.
package struct OperationProofParts: Hashable, Sendable {
  /// The operation.
  package let operation: [UInt8]
  /// Its place.
  package let place: OperationID
  /// The number of operations in its bundle.
  package let operationCount: Int
  /// The path from the operation's leaf to the root in the header.
  package let operationPath: [Digest]
  /// The bundle's header in its wire form; its digest is the leaf of the lane's tree.
  package let header: [UInt8]
  /// The signature over the header's digest.
  package let signature: [UInt8]
  /// The number of bundles of the lane's tree, which the path leads to the root of.
  package let headCount: UInt64
  /// The path from the header's digest to the lane's tree hash over `headCount` bundles.
  package let lanePath: [Digest]
}

/// A proof would need bundles that are final and not held here any more, or never were: nodes that
/// hold the lane further back can give it.
package struct HistoryNotHeld: Error, Hashable, Sendable {
  /// The lane.
  package let lane: LaneID
  /// The number up to which it is not held.
  package let base: UInt64
}

extension HistoryNotHeld: CustomStringConvertible {
  package var description: String {
    "lane \(lane.digest.short) is held here after bundle \(base); ask a node that holds more"
  }
}

extension Reader {
  /// The parts of a proof that an operation is in the tree over the first `headCount` bundles of
  /// its lane, or `nil` when operation or head is not held. Throws `HistoryNotHeld` when either
  /// lies below the lane's base.
  package func operationProof(
    _ place: OperationID, at headCount: UInt64
  ) throws -> OperationProofParts? {
    let position = place.bundle
    guard position.number > 0, position.number <= headCount,
      headCount <= (try head(of: position.lane)), let index = try laneIndex(of: position.lane)
    else { return nil }
    let base = try baseRange(ofLane: index)
    guard position.number > base.count else {
      throw HistoryNotHeld(lane: position.lane, base: base.count)
    }
    guard let stored = try stored(at: position)
    else { return nil }
    let operations = try stored.decoded(at: position).operations
    guard operations.indices.contains(place.index) else { return nil }
    let leaves = operations.map(SignedBundle.leaf(of:))
    let operationTree = MerkleTree(TaggedHasher(.operationNode))
    let operationPath = try operationTree.inclusionPath(
      of: UInt64(place.index), in: UInt64(leaves.count)
    ) { subtree in
      let start = Int(subtree.index) << subtree.level
      return operationTree.root(of: Array(leaves[start..<(start + (1 << subtree.level))]))
    }
    let source = LaneTreeSource(
      log: log, laneIndex: index, base: base,
      position: LanePosition(lane: position.lane, number: headCount))
    let lanePath = try MerkleTree(TaggedHasher(.rangeNode)).inclusionPath(
      of: position.number - 1, in: headCount, from: source.hash(of:))
    return OperationProofParts(
      operation: operations[place.index], place: place, operationCount: operations.count,
      operationPath: operationPath, header: stored.header, signature: stored.signature,
      headCount: headCount, lanePath: lanePath)
  }

  /// The hashes that show that the tree over the first `old` bundles of a lane is a prefix of that
  /// over `count`, or `nil` when the lane is not held that far. Throws `HistoryNotHeld` when `old`
  /// lies below the lane's base.
  package func consistencyPath(
    of lane: LaneID, from old: UInt64, to count: UInt64
  ) throws -> [Digest]? {
    guard old > 0, old <= count, count <= (try head(of: lane)),
      let index = try laneIndex(of: lane)
    else { return nil }
    let base = try baseRange(ofLane: index)
    guard old >= base.count else { throw HistoryNotHeld(lane: lane, base: base.count) }
    let source = LaneTreeSource(
      log: log, laneIndex: index, base: base, position: LanePosition(lane: lane, number: count))
    return try MerkleTree(TaggedHasher(.rangeNode)).consistencyPath(
      from: old, to: count, from: source.hash(of:))
  }
}
