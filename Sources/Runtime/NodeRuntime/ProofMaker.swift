internal import AgentAPI
internal import Crypto
internal import Merkle
internal import Records
internal import SQLiteStorage
internal import Wire

/// Puts together the proof of one operation, on a reader's thread.
enum ProofMaker {
  /// The proof, or `nil` when the bundle is not stored or has no such operation.
  static func proof(
    of operation: OperationID, _ head: LaneHead, _ laneIndex: Int, _ heads: [LaneHead],
    from reader: Reader
  ) throws -> OperationProof? {
    guard let parts = try reader.operationProof(operation, at: head.number),
      let signature = Signature(parts.signature)
    else { return nil }
    var laneHead = WireWriter()
    laneHead.write(head.lane.digest)
    laneHead.write(head.number)
    laneHead.write(head.lastSequence)
    laneHead.write(head.range.root)
    return OperationProof(
      operation: parts.operation, index: operation.index, operationCount: parts.operationCount,
      operationPath: parts.operationPath, header: parts.header, signature: signature,
      node: head.node, lane: head.lane, number: operation.bundle.number, laneCount: head.number,
      lanePath: parts.lanePath, laneRoot: head.range.root, laneHead: laneHead.bytes,
      laneIndex: UInt64(laneIndex), lanesCount: UInt64(heads.count),
      lanesPath: LanesTree.path(to: laneIndex, in: heads), lanesRoot: LanesTree.root(of: heads))
  }
}
