internal import BFTCore
internal import Records

extension AdversaryState {
  /// Beside each notarization a block of its own for the view that follows, whoever leads it.
  func usurp(_ message: FinalityMessage) -> [FinalityMessage] {
    guard case .certificate(let certificate) = message, certificate.statement.kind == .notarize,
      let signer = said.lazy.compactMap({ $0.ownSigner }).first
    else { return [message] }
    for case .proposal(let proposal) in heard
    where proposal.block.hash == certificate.statement.hash {
      var header = proposal.block.header
      header.height += 1
      header.parentView = header.view
      header.view += 1
      header.parentHash = proposal.block.hash
      header.timestamp += 1
      header.proposer = signer
      let body = BlockBody()
      header.bodyRoot = body.root
      header.bodyByteCount = 2
      header.entryCount = 0
      let block = Block(header: header, body: body)
      let statement = Statement(
        kind: .notarize, chain: header.chain, epoch: header.epoch, view: header.view,
        hash: block.hash)
      let vote = Vote(signing: statement, as: signer, with: key)
      let usurped = Proposal(
        block: block, leaderSignature: vote.signature, parentCertificate: certificate,
        nullifications: [])
      return [message, .proposal(usurped)]
    }
    return [message]
  }
}

extension FinalityMessage {
  /// The signer of a vote; the said votes of a liar are its own.
  fileprivate var ownSigner: UInt16? {
    if case .vote(let vote) = self { return vote.signer }
    return nil
  }
}
