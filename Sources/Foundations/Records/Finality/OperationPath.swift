internal import Crypto
internal import Merkle
package import Primitives

/// One step of a way to a root: the hash beside it and on which side that stands.
package struct PathStep: Hashable, Sendable {
  /// Whether the other hash is the left one.
  package let isLeft: Bool
  /// The other hash.
  package let hash: Digest

  /// Makes a step.
  package init(isLeft: Bool, hash: Digest) {
    self.isLeft = isLeft
    self.hash = hash
  }
}

/// What shows that an operation is part of a lane below a root over lanes.
///
/// ```
/// operation ─leaf─ operationPath ─▶ operationsRoot in the header ─signed by─ node
/// header ─leaf number - 1─ lanePath ─▶ tree over laneCount headers ─▶ root of the lane
/// lane, laneCount, lastSequence, root ─leaf─ lanesPath ─▶ root over lanes
/// ```
package struct OperationPath: Hashable, Sendable {
  /// Hashes on a way; no tree of ours is higher.
  package static let stepsMax = 64

  /// The operation's bytes as they stand in the bundle.
  package var operation: [UInt8]
  /// Its place in the bundle.
  package var index: Int
  /// The hashes from the operation's leaf to the bundle's root, leaf end first.
  package var operationPath: [Digest]
  /// The bundle's header and its node's signature.
  package var header: SignedHeader
  /// How many bundles of the lane are below the cut.
  package var laneCount: UInt64
  /// The sequence of the last operation of those.
  package var lastSequence: UInt64
  /// The hashes from the header's leaf to the lane's tree hash.
  package var lanePath: [Digest]
  /// The steps from the lane's leaf to the root over lanes. Which of the lanes it is proves
  /// nothing, so the steps say their side and not a place.
  package var lanesPath: [PathStep]

  /// Joins the parts.
  package init(
    operation: [UInt8], index: Int, operationPath: [Digest], header: SignedHeader,
    laneCount: UInt64, lastSequence: UInt64, lanePath: [Digest], lanesPath: [PathStep]
  ) {
    self.operation = operation
    self.index = index
    self.operationPath = operationPath
    self.header = header
    self.laneCount = laneCount
    self.lastSequence = lastSequence
    self.lanePath = lanePath
    self.lanesPath = lanesPath
  }

  /// The operation's name.
  package var identifier: OperationID {
    OperationID(
      bundle: LanePosition(lane: header.header.lane, number: header.header.number), index: index)
  }

  /// Checks the way to a root over lanes; names the first part that does not hold.
  package func check(under lanesRoot: Digest) throws(LedgerProofFault) {
    let bundle = header.header
    guard
      [operationPath.count, lanePath.count, lanesPath.count].allSatisfy({
        $0 <= OperationPath.stepsMax
      })
    else { throw .operation("a way has more than \(OperationPath.stepsMax) steps") }
    guard Verified(checking: header) != nil else {
      throw .operation("the bundle's header is not signed by its node")
    }
    guard bundle.number <= laneCount, laneCount <= BundleLimits.numberMax,
      lastSequence <= BundleLimits.numberMax, index >= 0
    else { throw .operation("its bundle is not below the cut") }
    let operations = MerkleTree(TaggedHasher(.operationNode))
    guard
      operations.root(
        from: SignedBundle.leaf(of: operation), at: UInt64(index),
        in: UInt64(bundle.operationCount), through: operationPath) == bundle.operationsRoot
    else { throw .operation("the operation is not in the bundle") }
    let lane = MerkleTree(TaggedHasher(.rangeNode))
    guard
      let treeHash = lane.root(
        from: header.digest, at: bundle.number - 1, in: laneCount, through: lanePath)
    else { throw .operation("the way through the lane does not fit the bundle's place") }
    var hash = LanesTree.leaf(
      lane: bundle.lane, number: laneCount, lastSequence: lastSequence,
      rangeRoot: MountainRange.root(count: laneCount, treeHash: treeHash))
    for step in lanesPath {
      hash =
        step.isLeft
        ? Blake2b.hash(step.hash, hash, .laneHeadNode)
        : Blake2b.hash(hash, step.hash, .laneHeadNode)
    }
    guard hash == lanesRoot else { throw .operation("the bundle is not under the root over lanes") }
  }
}

extension LanesTree {
  /// The steps from the head at `index` to the root over `heads`, ascending by lane.
  package static func steps(to index: Int, in heads: [LaneHead]) -> [PathStep] {
    var first = index
    var last = heads.count - 1
    return path(to: index, in: heads).map { hash in
      let isLeft = first & 1 == 1 || first == last
      while isLeft && first & 1 == 0 && first != 0 {
        first >>= 1
        last >>= 1
      }
      first >>= 1
      last >>= 1
      return PathStep(isLeft: isLeft, hash: hash)
    }
  }
}
