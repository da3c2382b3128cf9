internal import BFTCore
internal import Primitives
internal import Records

extension AdversaryState {
  /// Both votes that exclude each other, whatever the engine says.
  func nullEverything(_ message: FinalityMessage) -> [FinalityMessage] {
    switch message {
    case .vote(let vote):
      switch vote.statement.kind {
      case .notarize, .finalize:
        return [
          message, .vote(sign(.nullify, like: vote, hash: .zero)),
          .vote(sign(.finalize, like: vote, hash: vote.statement.hash)),
        ]
      case .nullify:
        for case .proposal(let proposal) in heard
        where proposal.block.header.view == vote.statement.view {
          return [message, .vote(sign(.finalize, like: vote, hash: proposal.block.hash))]
        }
        return [message]
      case .handover, .reconfigure: return [message]
      }
    case .proposal(let proposal):
      return [message, .vote(sign(.nullify, like: proposal.leaderVote, hash: .zero))]
    case .certificate, .status, .certificateRequest, .blockRequest, .heightRequest, .block,
      .segment, .memoryQuery, .memoryReply, .consent, .handover, .ending:
      return [message]
    }
  }
}
