internal import BFTCore
internal import Records

extension AdversaryState {
  /// No vote to finalize, and certificates for the first node alone.
  func withhold(_ message: FinalityMessage, _ receiver: Int) -> [FinalityMessage] {
    switch message {
    case .vote(let vote): vote.statement.kind == .finalize ? [] : [message]
    case .certificate: receiver == 0 ? [message] : []
    case .memoryReply, .segment: []
    case .proposal, .status, .certificateRequest, .blockRequest, .heightRequest, .block,
      .memoryQuery, .consent, .handover, .ending:
      [message]
    }
  }

  /// As leader shows its block to everybody but the last node.
  func leaveOut(_ message: FinalityMessage, _ receiver: Int) -> [FinalityMessage] {
    guard case .proposal = message, receiver == nodes - 1 else { return [message] }
    return []
  }
}
