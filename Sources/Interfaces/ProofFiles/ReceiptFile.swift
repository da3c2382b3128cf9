internal import Crypto
package import JSONText
internal import Primitives
package import Records

/// A receipt, alone or with the proof that its operation is final.
package struct ReceiptFile: Hashable, Sendable {
  /// The receipt.
  package var receipt: OperationReceipt
  /// The proof beside it.
  package var proof: LedgerProof?

  /// Joins the parts.
  package init(receipt: OperationReceipt, proof: LedgerProof? = nil) {
    self.receipt = receipt
    self.proof = proof
  }

  /// Reads a receipt from its JSON form.
  package init(json value: JSONValue) throws(LedgerProofFault) {
    var reader = try FileReader(value, "")
    let format = try reader.text("format")
    guard format == ProofFile.receiptFormat else {
      throw .format("format is \"\(format.prefix(40))\", not \"\(ProofFile.receiptFormat)\"")
    }
    let chain = ChainID(digest: try reader.digest("chain"))
    let name = try reader.text("operation")
    guard let operation = OperationID(text: name),
      operation.description.utf8.elementsEqual(name.utf8)
    else { throw .format("operation is no name of an operation") }
    let height = try reader.number("height", max: BlockLimits.numberMax)
    let block = try reader.digest("block")
    let code = UInt32(try reader.number("code", max: UInt64(UInt32.max)))
    guard let level = WriteLevel(rawValue: try reader.text("level")) else {
      throw .format("level is no level of a write")
    }
    let node = NodeID(key: try reader.digest("node"))
    let signature = try reader.signature("signature")
    if let proof = reader.optional("proof") { self.proof = try LedgerProof(json: proof) }
    try reader.end()
    receipt = OperationReceipt(
      chain: chain, operation: operation, height: height, block: block, code: code, level: level,
      node: node, signature: signature)
  }
}

extension JSONWriter {
  /// Writes a receipt as one object, with the proof beside it if there is one.
  package mutating func write(_ receipt: OperationReceipt, proof: LedgerProof? = nil) {
    beginObject()
    key("format")
    string(ProofFile.receiptFormat)
    key("chain")
    string(receipt.chain.digest.hexadecimal)
    key("operation")
    string(receipt.operation.description)
    key("height")
    unsigned(receipt.height)
    key("block")
    string(receipt.block.hexadecimal)
    key("code")
    unsigned(UInt64(receipt.code))
    key("level")
    string(receipt.level.rawValue)
    key("node")
    string(receipt.node.key.hexadecimal)
    key("signature")
    hexadecimal(receipt.signature.bytes)
    if let proof {
      key("proof")
      write(proof)
    }
    endObject()
  }
}
