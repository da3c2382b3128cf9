internal import BFTCore
internal import Records

extension AdversaryState {
  /// The own block to the victim alone, so that no quorum votes for it; whatever is sent to the
  /// victim later brings another block of that view. Whoever forgot its vote gives a second one.
  mutating func deceive(_ message: FinalityMessage, _ receiver: Int) -> [FinalityMessage] {
    switch message {
    case .proposal(let proposal):
      guard receiver == victim else { return [] }
      if let shown, shown.block.hash == proposal.block.hash { return [.proposal(twin(of: shown))] }
      shown = proposal
      return [message]
    case .status:
      guard receiver == victim, let shown else { return [message] }
      return [message, .proposal(twin(of: shown))]
    case .vote, .certificate, .certificateRequest, .blockRequest, .heightRequest, .block, .segment,
      .memoryQuery, .memoryReply, .consent, .handover, .ending:
      return [message]
    }
  }
}
