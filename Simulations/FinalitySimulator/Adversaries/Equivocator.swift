internal import BFTCore
internal import Records

extension AdversaryState {
  /// Another block of the same view for the odd half of the nodes.
  func equivocate(_ message: FinalityMessage, _ receiver: Int) -> [FinalityMessage] {
    guard case .proposal(let proposal) = message, receiver % 2 == 1 else { return [message] }
    return [.proposal(twin(of: proposal))]
  }

  /// Another block of the same view.
  func twin(of proposal: Proposal) -> Proposal {
    var header = proposal.block.header
    header.timestamp += 1
    let block = Block(header: header, body: proposal.block.body)
    let vote = sign(.notarize, like: proposal.leaderVote, hash: block.hash)
    return Proposal(
      block: block, leaderSignature: vote.signature,
      parentCertificate: proposal.parentCertificate, nullifications: proposal.nullifications)
  }
}
