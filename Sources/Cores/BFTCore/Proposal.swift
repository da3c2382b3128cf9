package import Crypto
internal import Primitives
package import Records
package import Wire

/// A block as its leader sends it, with everything that shows that it may follow its parent: no
/// voter has to fetch anything before it votes.
package struct Proposal: Hashable, Sendable {
  /// The block.
  package let block: Block
  /// The leader's vote to notarize it.
  package let leaderSignature: Signature
  /// That the parent was notarized or finalized; `nil` when the parent begins the epoch.
  package let parentCertificate: Certificate?
  /// That the latest views between the parent's and the block's were nullified, ascending: all of
  /// them, or as many as are carried. Voters hold the earlier ones, or ask for them.
  package let nullifications: [Certificate]

  /// Nullifications that a proposal carries.
  package static let carriedMax = 64

  /// Joins the parts.
  package init(
    block: Block, leaderSignature: Signature, parentCertificate: Certificate?,
    nullifications: [Certificate]
  ) {
    self.block = block
    self.leaderSignature = leaderSignature
    self.parentCertificate = parentCertificate
    self.nullifications = nullifications
  }

  /// The leader's vote.
  package var leaderVote: Vote {
    Vote(
      statement: block.notarizeStatement, signer: block.header.proposer,
      signature: leaderSignature)
  }

  /// Whether the certificates are those that the header calls for.
  var isJustified: Bool {
    let header = block.header
    guard header.view > header.parentView else { return false }
    if let parent = parentCertificate {
      guard header.parentView > 0, isOfEpoch(parent), parent.statement.view == header.parentView,
        parent.statement.hash == header.parentHash,
        parent.statement.kind == .notarize || parent.statement.kind == .finalize
      else { return false }
    } else if header.parentView > 0 {
      return false
    }
    let carried = min(header.view - header.parentView - 1, UInt64(Proposal.carriedMax))
    guard UInt64(nullifications.count) == carried else { return false }
    for (offset, certificate) in nullifications.enumerated() {
      guard isOfEpoch(certificate), certificate.statement.kind == .nullify,
        certificate.statement.view == header.view - carried + UInt64(offset)
      else { return false }
    }
    return true
  }

  private func isOfEpoch(_ certificate: Certificate) -> Bool {
    certificate.statement.chain == block.header.chain
      && certificate.statement.epoch == block.header.epoch
  }
}

extension Block {
  /// What notarizing the block signs.
  var notarizeStatement: Statement {
    Statement(
      kind: .notarize, chain: header.chain, epoch: header.epoch, view: header.view, hash: hash)
  }
}

extension Proposal: WireCodable {
  package func encode(into writer: inout WireWriter) {
    block.encode(into: &writer)
    writer.writeRaw(leaderSignature.bytes)
    writer.write(UInt8(parentCertificate == nil ? 0 : 1))
    parentCertificate?.encode(into: &writer)
    writer.writeVariable(UInt64(nullifications.count))
    for certificate in nullifications { certificate.encode(into: &writer) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    block = try Block(from: span, at: &cursor)
    leaderSignature = try cursor.readSignature(span)
    switch try cursor.readUInt8(span) {
    case 0: parentCertificate = nil
    case 1: parentCertificate = try Certificate(from: span, at: &cursor)
    case let tag: throw .unknownTag(tag)
    }
    let count = try cursor.readCount(span, limit: Proposal.carriedMax, bytesEach: 82)
    var nullifications: [Certificate] = []
    for _ in 0..<count { nullifications.append(try Certificate(from: span, at: &cursor)) }
    self.nullifications = nullifications
  }
}
