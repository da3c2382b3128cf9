internal import BFTCore
internal import Records

extension AdversaryState {
  /// As leader leaves the parent out: the block follows the one before, and nothing shows that the
  /// view between was nullified.
  func skip(_ message: FinalityMessage) -> [FinalityMessage] {
    guard case .proposal(let proposal) = message else { return [message] }
    for case .proposal(let parent) in heard
    where parent.block.hash == proposal.block.header.parentHash {
      let skipped = parent.block.header
      var header = proposal.block.header
      header.height = skipped.height
      header.parentView = skipped.parentView
      header.parentHash = skipped.parentHash
      header.executedHeight = skipped.executedHeight
      header.executedRoot = skipped.executedRoot
      let block = Block(header: header, body: proposal.block.body)
      let statement = Statement(
        kind: .notarize, chain: header.chain, epoch: header.epoch, view: header.view,
        hash: block.hash)
      let vote = Vote(signing: statement, as: header.proposer, with: key)
      return [
        .proposal(
          Proposal(
            block: block, leaderSignature: vote.signature,
            parentCertificate: parent.parentCertificate, nullifications: parent.nullifications))
      ]
    }
    return [message]
  }
}
