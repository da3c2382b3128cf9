internal import BFTCore
internal import Crypto
internal import Primitives
internal import Records

extension AdversaryState {
  /// Two votes where one is due.
  mutating func conflict(_ message: FinalityMessage) -> [FinalityMessage] {
    switch message {
    case .vote(let vote) where vote.statement.kind == .notarize:
      return [message, .vote(sign(.notarize, like: vote, hash: otherBlock(vote)))]
    case .vote(let vote) where vote.statement.kind == .finalize:
      return [message, .vote(sign(.finalize, like: vote, hash: otherBlock(vote)))]
    case .proposal, .vote, .certificate, .status, .certificateRequest, .blockRequest,
      .heightRequest, .block, .segment, .memoryQuery, .memoryReply, .consent, .handover, .ending:
      return [message]
    }
  }

  /// A block of the view that others proposed, or one that nobody did.
  private mutating func otherBlock(_ vote: Vote) -> Digest {
    for case .proposal(let proposal) in heard + said
    where proposal.block.header.view == vote.statement.view
      && proposal.block.hash != vote.statement.hash
    {
      return proposal.block.hash
    }
    return Digest(words: random.next(), random.next(), random.next(), random.next())
  }

  /// The liar's own vote on the view of another vote.
  func sign(_ kind: StatementKind, like vote: Vote, hash: Digest) -> Vote {
    let statement = Statement(
      kind: kind, chain: vote.statement.chain, epoch: vote.statement.epoch,
      view: vote.statement.view, hash: hash)
    return Vote(signing: statement, as: vote.signer, with: key)
  }
}
