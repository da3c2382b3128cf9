/// How far a write had to get before its client was told that it is done.
package enum WriteTier: String, CaseIterable, Sendable {
  /// Synced on the node that took it.
  case local
  /// Synced on a majority of the voters.
  case quorum
  /// In the one order of the control log.
  case ordered
}

/// One write and what its client was told.
package struct WriteAttempt: Equatable, Sendable {
  /// What a client was told.
  package enum Outcome: String, CaseIterable, Sendable {
    /// That it is done.
    case acknowledged
    /// Nothing, or that the outcome is unknown.
    case unknown
    /// That it was refused and has no effect.
    case refused
  }

  /// What had to be reached.
  package let tier: WriteTier
  /// When it was called, in nanoseconds.
  package let call: UInt64
  /// When the client was told; `nil` when it never was.
  package let answered: UInt64?
  /// What the client was told.
  package let outcome: Outcome

  /// Makes an attempt; what was never answered is unknown.
  package init(tier: WriteTier, call: UInt64, answered: UInt64?, outcome: Outcome) {
    precondition(answered != nil || outcome == .unknown, "\(outcome) without an instant")
    precondition(answered ?? call >= call, "answered at \(answered ?? 0), called at \(call)")
    self.tier = tier
    self.call = call
    self.answered = answered
    self.outcome = outcome
  }

  /// The attempt that a record of the control state was; `nil` when it was no write.
  package init?(_ record: HistoryRecord) {
    switch record.operation {
    case .put, .compareAndSet, .delete: break
    case .get, .lock, .unlock, .watch: return nil
    }
    let outcome: Outcome
    switch record.result {
    case .unknown: outcome = .unknown
    case .refused: outcome = .refused
    // A conflict is an answer of the ordered tier as good as a new version.
    case .written, .deleted, .absent, .conflict, .value, .acquired, .held, .released, .lost,
      .observed:
      outcome = .acknowledged
    }
    self.init(tier: .ordered, call: record.call, answered: record.answered, outcome: outcome)
  }
}
