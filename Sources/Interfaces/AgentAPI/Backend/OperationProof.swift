package import Crypto
package import Primitives
package import Records

/// All that shows offline that an operation is part of a signed lane and of the lanes' root.
///
/// ```
/// operation ─leaf─ operationPath ─▶ operationsRoot in the header ─signed by─ node
/// header ─leaf number-1─ lanePath ─▶ tree hash ─bound to laneCount─▶ laneRoot
/// laneHead (names lane and laneRoot) ─leaf─ lanesPath ─▶ lanesRoot
/// ```
package struct OperationProof: Hashable, Sendable {
  /// The operation's bytes as they stand in the bundle.
  package var operation: [UInt8]
  /// Its place in the bundle.
  package var index: Int
  /// How many operations the bundle has.
  package var operationCount: Int
  /// The hashes from the operation's leaf to the bundle's root, leaf end first.
  package var operationPath: [Digest]
  /// The bytes of the bundle's header, which name the root, the node and the number.
  package var header: [UInt8]
  /// The node's signature over the header's digest.
  package var signature: Signature
  /// The public key of the node.
  package var node: NodeID
  /// The lane.
  package var lane: LaneID
  /// The bundle's number; its leaf in the lane's tree is `number - 1`.
  package var number: UInt64
  /// How many bundles the lane had when the proof was made.
  package var laneCount: UInt64
  /// The hashes from the header's leaf to the lane's tree hash.
  package var lanePath: [Digest]
  /// The lane's root, which binds tree hash and count.
  package var laneRoot: Digest
  /// The bytes whose digest is the lane's leaf in the tree over all lanes.
  package var laneHead: [UInt8]
  /// The place of the lane in the tree over all lanes.
  package var laneIndex: UInt64
  /// How many lanes there are.
  package var lanesCount: UInt64
  /// The hashes from the lane's leaf to the root over all lanes.
  package var lanesPath: [Digest]
  /// The root over all lanes.
  package var lanesRoot: Digest

  /// Collects the parts of a proof.
  package init(
    operation: [UInt8], index: Int, operationCount: Int, operationPath: [Digest], header: [UInt8],
    signature: Signature, node: NodeID, lane: LaneID, number: UInt64, laneCount: UInt64,
    lanePath: [Digest], laneRoot: Digest, laneHead: [UInt8], laneIndex: UInt64,
    lanesCount: UInt64, lanesPath: [Digest], lanesRoot: Digest
  ) {
    self.operation = operation
    self.index = index
    self.operationCount = operationCount
    self.operationPath = operationPath
    self.header = header
    self.signature = signature
    self.node = node
    self.lane = lane
    self.number = number
    self.laneCount = laneCount
    self.lanePath = lanePath
    self.laneRoot = laneRoot
    self.laneHead = laneHead
    self.laneIndex = laneIndex
    self.lanesCount = lanesCount
    self.lanesPath = lanesPath
    self.lanesRoot = lanesRoot
  }
}
