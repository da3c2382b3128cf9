internal import Crypto
package import JSONText
internal import Primitives
package import Records
internal import Wire

/// One line of an exported ledger.
package enum LedgerLine: Hashable, Sendable {
  /// The first line: the chain.
  case chain(ChainID)
  /// How the next epoch began; before its first block.
  case handover(EpochHandover)
  /// A block, and the certificate that finalized it by itself, if there is one.
  case block(Block, Certificate?)
}

/// An exported ledger: one JSON object per line, the chain first, then handovers and blocks in the
/// order of their heights.
package enum LedgerFile {
  /// Reads one line; every line but the first belongs to `chain`.
  package static func line(
    _ bytes: [UInt8], of chain: ChainID?
  ) throws(LedgerProofFault) -> LedgerLine {
    var reader = try FileReader(try ProofFile.parse(bytes), "")
    guard let chain else {
      let format = try reader.text("format")
      guard format == ProofFile.ledgerFormat else {
        throw .format("format is \"\(format.prefix(40))\", not \"\(ProofFile.ledgerFormat)\"")
      }
      let chain = ChainID(digest: try reader.digest("chain"))
      try reader.end()
      return .chain(chain)
    }
    if let value = reader.optional("handover") {
      try reader.end()
      return .handover(try EpochHandover(value, "handover", chain))
    }
    let value = try reader.value("block")
    try reader.end()
    var block = try FileReader(value, "block")
    let parts = try LedgerFile.block(&block, of: chain)
    try block.end()
    return .block(parts.block, parts.certificate)
  }

  /// Reads a block as a node's API gives it, with members beside these that are for people.
  package static func block(
    fromAPI value: JSONValue, of chain: ChainID
  ) throws(LedgerProofFault) -> (block: Block, certificate: Certificate?) {
    var reader = try FileReader(value, "block")
    return try block(&reader, of: chain)
  }

  /// Reads an epoch as a node's API gives it; no handover comes with the first epoch, nor while no
  /// quorum has signed one.
  package static func epoch(
    fromAPI value: JSONValue, of chain: ChainID
  ) throws(LedgerProofFault) -> (epoch: UInt64, handover: EpochHandover?) {
    var reader = try FileReader(value, "epoch")
    let epoch = try reader.number("epoch", max: BlockLimits.numberMax)
    let handover = try reader.value("handover")
    return (epoch, handover.isNull ? nil : try EpochHandover(handover, "handover", chain))
  }

  private static func block(
    _ reader: inout FileReader, of chain: ChainID
  ) throws(LedgerProofFault) -> (block: Block, certificate: Certificate?) {
    let header = try BlockHeader(try reader.value("header"), "block.header")
    let bytes = try reader.bytes("body")
    guard bytes.count <= BlockLimits.bodyBytesMax else {
      throw .format("block.body is beyond the limit of a body")
    }
    let body: BlockBody
    do throws(WireError) {
      body = try BlockBody(decoding: bytes)
    } catch {
      throw .format("block.body is no body: \(error)")
    }
    let certificate = try Certificate.optional(try reader.value("certificate"), chain)
    return (Block(header: header, body: body), certificate)
  }

  /// The bytes of a line, its end included.
  package static func bytes(_ line: LedgerLine) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    switch line {
    case .chain(let chain):
      writer.key("format")
      writer.string(ProofFile.ledgerFormat)
      writer.key("chain")
      writer.string(chain.digest.hexadecimal)
    case .handover(let handover):
      writer.key("handover")
      writer.write(handover)
    case .block(let block, let certificate):
      writer.key("block")
      writer.beginObject()
      writer.writeMembers(of: block, certificate)
      writer.endObject()
    }
    writer.endObject()
    return writer.bytes + [0x0A]
  }
}

extension JSONWriter {
  /// Writes what a verifier needs of a block, without the braces.
  package mutating func writeMembers(of block: Block, _ certificate: Certificate?) {
    key("header")
    hexadecimal(block.header.encoded)
    key("body")
    hexadecimal(block.body.encoded)
    key("certificate")
    if let certificate { write(certificate) } else { null() }
  }
}
