internal import Crypto
internal import Primitives
internal import Records

/// What this node has signed in the current epoch, and what it therefore may still sign.
///
/// Every vote is made here and nowhere else, re-sent ones included: they are kept and sent again
/// as they are.
struct SigningGuard: Sendable {
  /// The own votes of one view.
  struct OwnVotes: Sendable {
    var notarize: Vote?
    var nullify: Vote?
    var finalize: Vote?

    var all: [Vote] { [notarize, nullify, finalize].compactMap(\.self) }
  }

  private var votes = SortedMap<UInt64, OwnVotes>()

  /// Begins an epoch; what was said on the end of the one before stays said.
  init(after handover: Vote? = nil) {
    self.handover = handover
  }

  /// No vote at or below this view; the largest number while memory is lost.
  private(set) var abstainThrough: UInt64 = 0
  /// The own word on the end of the latest epoch that ended.
  private(set) var handover: Vote?
  /// The own consent to a change of validators; another one takes its place.
  private(set) var consent: Vote?
  /// Whether some vote was ever restored or made.
  var isEmpty: Bool { votes.isEmpty }

  /// The own votes of a view.
  subscript(view: UInt64) -> OwnVotes { votes[view] ?? OwnVotes() }

  /// Every own vote above a view.
  func votes(above view: UInt64) -> [Vote] {
    votes(from: view + 1)
  }

  /// Every own vote of a view and those above, and the votes to finalize in the ones before.
  func votes(from view: UInt64, finalizing floor: UInt64? = nil) -> [Vote] {
    let entries = votes.entries
    let first = votes.position(of: view)
    var found: [Vote] = []
    if let floor {
      for index in votes.position(of: min(floor, view))..<first {
        if let vote = entries[index].value.finalize { found.append(vote) }
      }
    }
    for entry in entries[first...] { found += entry.value.all }
    return found
  }

  /// Whether a vote may be signed (bft rule: the guard).
  func permits(_ statement: Statement, planted bug: BFTBug?) -> Bool {
    let view = statement.view
    guard !statement.kind.isOfView || view > abstainThrough else { return false }
    let own = self[view]
    switch statement.kind {
    case .notarize: return own.notarize == nil && own.nullify == nil
    case .nullify: return own.nullify == nil && own.finalize == nil
    case .finalize:
      if own.nullify != nil && bug != .finalizeAfterNullify { return false }
      if own.finalize != nil { return false }
      return own.notarize.map { $0.statement.hash == statement.hash } ?? true
    case .handover: return handover.map { $0.statement.epoch < statement.epoch } ?? true
    case .reconfigure: return consent?.statement.hash != statement.hash
    }
  }

  /// Signs a statement that is permitted.
  mutating func sign(
    _ statement: Statement, as signer: UInt16, with key: SigningKey, planted bug: BFTBug?
  ) -> Vote? {
    guard permits(statement, planted: bug) else { return nil }
    let vote = Vote(signing: statement, as: signer, with: key)
    restore(vote)
    return vote
  }

  /// Takes note of a vote of this node's.
  mutating func restore(_ vote: Vote) {
    let view = vote.statement.view
    if vote.statement.kind.isOfView, votes[view] == nil { votes[view] = OwnVotes() }
    switch vote.statement.kind {
    case .notarize: votes[view]?.notarize = vote
    case .nullify: votes[view]?.nullify = vote
    case .finalize: votes[view]?.finalize = vote
    case .handover: handover = vote
    case .reconfigure: consent = vote
    }
  }

  /// Votes at or below `view` are not given any more.
  mutating func abstain(through view: UInt64) {
    abstainThrough = max(abstainThrough, view)
  }

  /// Forgets votes below a view that is final and durable, and signs no more there.
  mutating func prune(below view: UInt64) {
    forget(below: view)
    if view > 0 { abstain(through: view - 1) }
  }

  /// Forgets votes; alone it is a bug, which the simulator plants.
  mutating func forget(below view: UInt64) {
    while let first = votes.entries.first?.key, first < view { votes[first] = nil }
  }
}
