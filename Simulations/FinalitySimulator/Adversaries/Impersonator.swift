internal import BFTCore
internal import Records

extension AdversaryState {
  /// Beside each vote the same vote in the name of the next validator, and a certificate of one
  /// signature.
  func impersonate(_ message: FinalityMessage) -> [FinalityMessage] {
    guard case .vote(let vote) = message else { return [message] }
    let other = UInt16((Int(vote.signer) + 1) % nodes)
    let forged = Vote(signing: vote.statement, as: other, with: key)
    let alone = Certificate(
      statement: vote.statement, signers: [vote.signer], signatures: [vote.signature])
    return [.vote(forged), message, .certificate(alone)]
  }
}
