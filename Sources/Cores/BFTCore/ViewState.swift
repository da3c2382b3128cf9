internal import Crypto
internal import Primitives
internal import Records

/// What a node knows of one view.
struct ViewState: Sendable {
  /// The votes of one kind: at most one of each validator.
  struct Tally: Sendable {
    private(set) var votes: [Vote] = []

    /// The vote of a validator.
    func vote(of signer: UInt16) -> Vote? { votes.first { $0.signer == signer } }

    /// Takes a vote of a validator that has none yet.
    mutating func insert(_ vote: Vote) { votes.append(vote) }

    /// Takes back the vote of a validator.
    mutating func remove(_ signer: UInt16) { votes.removeAll { $0.signer == signer } }

    /// The certificate of the first `quorum` validators by place that say the same.
    func certificate(for hash: Digest, quorum: Int) -> Certificate? {
      let agreeing = votes.filter { $0.statement.hash == hash }.sorted { $0.signer < $1.signer }
      guard agreeing.count >= quorum, let statement = agreeing.first?.statement else { return nil }
      let chosen = agreeing.prefix(quorum)
      return Certificate(
        statement: statement, signers: chosen.map(\.signer), signatures: chosen.map(\.signature))
    }
  }

  /// The leader's first proposal that came.
  var proposal: Proposal?
  /// Whether the leader signed two blocks.
  var leaderEquivocated = false

  var notarizes = Tally()
  var nullifies = Tally()
  var finalizes = Tally()

  var notarization: Certificate?
  var nullification: Certificate?
  var finalization: Certificate?

  /// Whether this node asked for a body, to propose.
  var isBodyWanted = false
  /// Whether somebody said something in this view.
  var isActive = false

  /// The certificates held.
  var certificates: [Certificate] {
    [notarization, nullification, finalization].compactMap(\.self)
  }
}
