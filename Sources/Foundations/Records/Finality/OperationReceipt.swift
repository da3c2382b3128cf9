package import Crypto
package import Primitives
internal import Wire

/// What a node says became of an operation, under its signature.
///
/// The signature binds the node, not the chain: who needs the validators' word takes a proof too.
package struct OperationReceipt: Hashable, Sendable {
  /// The chain.
  package var chain: ChainID
  /// The operation.
  package var operation: OperationID
  /// The height of the block that executed it.
  package var height: UInt64
  /// That block.
  package var block: Digest
  /// What executing it answered; 0 is success.
  package var code: UInt32
  /// The level that it has.
  package var level: WriteLevel
  /// The node that says so.
  package var node: NodeID
  /// The node's signature.
  package var signature: Signature

  /// Joins the parts; only `Verified` tells whether the signature is the node's.
  package init(
    chain: ChainID, operation: OperationID, height: UInt64, block: Digest, code: UInt32,
    level: WriteLevel, node: NodeID, signature: Signature
  ) {
    self.chain = chain
    self.operation = operation
    self.height = height
    self.block = block
    self.code = code
    self.level = level
    self.node = node
    self.signature = signature
  }

  /// Signs what became of an operation.
  package init(
    chain: ChainID, operation: OperationID, height: UInt64, block: Digest, code: UInt32,
    level: WriteLevel, signedWith key: SigningKey
  ) {
    let digest = OperationReceipt.digest(
      chain, operation, height, block, code, level, NodeID(key: key.publicKey))
    self.init(
      chain: chain, operation: operation, height: height, block: block, code: code, level: level,
      node: NodeID(key: key.publicKey), signature: key.sign(digest, as: .receipt))
  }

  /// `H(receipt tag, chain || lane || number u64 || index u16 || height u64 || block || code u32
  /// || level u8 || node)`, numbers little-endian.
  private static func digest(
    _ chain: ChainID, _ operation: OperationID, _ height: UInt64, _ block: Digest, _ code: UInt32,
    _ level: WriteLevel, _ node: NodeID
  ) -> Digest {
    var writer = WireWriter()
    writer.write(chain.digest)
    writer.write(operation.bundle.lane.digest)
    writer.write(operation.bundle.number)
    writer.write(UInt16(operation.index))
    writer.write(height)
    writer.write(block)
    writer.write(code)
    writer.write(level.number)
    writer.write(node.key)
    return Blake2b.hash(writer.bytes, .receipt)
  }

  /// Checks the receipt, that it is `chain`'s, and that a proof beside it shows the same operation
  /// at or above the same height; throws the first thing that is wrong.
  package func verify(_ chain: ChainID, with proof: LedgerProof?) throws(LedgerProofFault) {
    guard self.chain == chain else { throw .otherChain }
    guard Verified(checking: self) != nil else { throw .receipt("it is not signed by its node") }
    guard let proof else { return }
    guard case .operation(let path) = proof.subject, path.identifier == operation else {
      throw .receipt("the proof beside it is of something else")
    }
    guard proof.height >= height else {
      throw .receipt("the proof beside it is of height \(proof.height), before \(height)")
    }
  }
}

extension OperationReceipt: SignedValue {
  package static let signatureDomain = SignatureDomain.receipt
  package var signer: Digest { node.key }
  package var signedDigest: Digest {
    OperationReceipt.digest(chain, operation, height, block, code, level, node)
  }
  package var isConsistent: Bool { (0..<BundleLimits.operationsMax).contains(operation.index) }
}
