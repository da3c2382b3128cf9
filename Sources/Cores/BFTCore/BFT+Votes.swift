internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// Votes and certificates: counting them, and what they lead to.
extension BFT {
  /// Signs what the guard permits and keeps it until its record is durable.
  mutating func vote(
    _ kind: StatementKind, in view: UInt64, for hash: Digest, with proposal: Proposal? = nil,
    into effects: inout BFTEffects
  ) {
    guard canVote, let own, kind != .nullify || mayGiveUp else { return }
    let statement = Statement(
      kind: kind, chain: configuration.chain, epoch: epoch, view: view, hash: hash)
    guard
      let vote = guardian.sign(
        statement, as: own, with: configuration.key, planted: configuration.plantedBug)
    else { return }
    hold(vote, proposal, into: &effects)
  }

  /// Keeps an own vote until it is durable.
  mutating func hold(
    _ vote: Vote, _ proposal: Proposal? = nil,
    change: (added: [NodeID], removed: [NodeID])? = nil, of set: ValidatorSet? = nil,
    into effects: inout BFTEffects
  ) {
    let block = vote.statement.kind == .notarize ? blocks[vote.statement.hash] : nil
    for certificate in entryCertificates(of: vote.statement) {
      records.append(JournalRecord.certificate(certificate).encoded)
    }
    let record =
      change.map { JournalRecord.consent(vote, added: $0.added, removed: $0.removed) }
      ?? .vote(vote, block)
    records.append(record.encoded)
    let verified = Verified(ownVote: vote, in: set ?? validators, signedWith: configuration.key)
    let waiting = HeldVote(vote: verified, proposal: proposal, change: change ?? ([], []))
    if configuration.plantedBug == .forgetJournal {
      send(waiting, into: &effects)
    } else {
      held.append(waiting)
    }
  }

  /// What entitles this node to vote in a view: others rely on its having kept that.
  private func entryCertificates(of statement: Statement) -> [Certificate] {
    if statement.kind == .finalize {
      return [views[statement.view]?.notarization].compactMap(\.self)
    }
    guard statement.view > 1, let before = views[statement.view - 1] else { return [] }
    return [before.finalization ?? before.notarization ?? before.nullification].compactMap(\.self)
  }

  /// The records up to a step are durable: counts and sends what waited for them.
  mutating func release(
    through sequence: UInt64, at now: Moment, into effects: inout BFTEffects
  ) {
    while let first = stepsInFlight.first, first.sequence <= sequence {
      stepsInFlight.removeFirst()
      for waiting in first.votes { release(waiting, at: now, into: &effects) }
    }
  }

  private mutating func release(
    _ waiting: HeldVote, at now: Moment, into effects: inout BFTEffects
  ) {
    let vote = waiting.vote.value
    if vote.statement.kind == .handover {
      send(waiting, into: &effects)
      takeHandover(vote)
      return
    }
    guard vote.statement.epoch == epoch else { return }
    send(waiting, into: &effects)
    if vote.statement.kind == .reconfigure {
      takeConsent(vote, added: waiting.change.added, removed: waiting.change.removed)
      return
    }
    if waiting.proposal != nil { proposedAt = (vote.statement.view, now.instant) }
    add(vote, at: now, into: &effects)
  }

  private func send(_ waiting: HeldVote, into effects: inout BFTEffects) {
    let vote = waiting.vote.value
    switch vote.statement.kind {
    case .handover: broadcast(.handover(vote), into: &effects)
    case .reconfigure:
      let change = waiting.change
      broadcast(
        .consent(vote, added: change.added, removed: change.removed), into: &effects)
    case .notarize, .nullify, .finalize:
      let proposal = waiting.proposal.map { FinalityMessage.proposal($0) }
      broadcast(proposal ?? .vote(vote), into: &effects)
    }
  }

  func broadcast(_ message: FinalityMessage, into effects: inout BFTEffects) {
    for peer in peers where peer.isConnected { effects.sends.append((peer.index, message)) }
  }

  /// Counts a vote; a second, different one of its signer is evidence and does not count.
  mutating func add(_ vote: Vote, at now: Moment, into effects: inout BFTEffects) {
    let statement = vote.statement
    guard statement.epoch == epoch, statement.kind.isOfView, statement.view > 0,
      statement.view + BFTConfiguration.viewsBehind > finalized.view,
      statement.view <= view + BFTConfiguration.viewsAhead, statement.view > compacted
    else { return }
    let isNew = withView(statement.view) { state in
      state.isActive = true
      return state.insert(vote)
    }
    noteContradiction(vote, into: &effects)
    guard isNew, let state = views[statement.view] else { return }
    if vote.signer == leader(of: statement.view), statement.kind == .nullify,
      statement.view == view, vote.signer != own
    {
      // The leader gives its view up: nothing is to be waited for.
      self.vote(.nullify, in: view, for: .zero, into: &effects)
    }
    if let certificate = state.certificate(statement.kind, for: statement.hash, quorum: quorum) {
      add(certificate, at: now, into: &effects)
    }
  }

  private mutating func noteContradiction(_ vote: Vote, into effects: inout BFTEffects) {
    guard configuration.plantedBug != .skipEvidence, let state = views[vote.statement.view],
      let found = state.contradiction(to: vote)
    else { return }
    if found.first.statement.kind == .notarize,
      vote.signer == leader(of: vote.statement.view)
    {
      withView(vote.statement.view) { $0.leaderEquivocated = true }
    }
    let isKnown = evidence.contains {
      $0.first.signer == found.first.signer
        && $0.first.statement.epoch == found.first.statement.epoch
    }
    guard !isKnown, !isConvicted(found.first.signer, in: epoch),
      evidence.count < BlockLimits.transactionsMax
    else { return }
    evidence.append(found)
    effects.notices.append(.evidence(found))
  }

  /// Takes a quorum's votes, which end their view or make its block final.
  mutating func add(_ certificate: Certificate, at now: Moment, into effects: inout BFTEffects) {
    let statement = certificate.statement
    guard statement.epoch == epoch, statement.view > 0,
      statement.view + BFTConfiguration.viewsBehind > finalized.view
    else { return }
    let isNew = withView(statement.view) { $0.insert(certificate) }
    guard isNew else { return }
    noteOpen(certificate)
    if let state = views[statement.view], state.finalization != nil, state.nullification != nil {
      halt("view \(statement.view) is finalized and nullified", into: &effects)
      return
    }
    for peer in peers where peer.isConnected && peer.view <= statement.view {
      effects.sends.append((peer.index, .certificate(certificate)))
    }
    if statement.kind == .finalize { finalize(certificate, at: now, into: &effects) }
    guard statement.view >= view, statement.epoch == epoch else { return }
    if statement.kind == .notarize, guardian[statement.view].nullify != nil,
      configuration.plantedBug == .ignoreNotarizationAfterNullify
    {
      return
    }
    enter(statement.view + 1, at: now)
  }

  mutating func enter(_ next: UInt64, at now: Moment) {
    view = next
    parentLackedAt = nil
    armedAt = nil
    retryAt = nil
    compact()
  }

  /// Keeps the list of views above the final one that have a notarization or a finalization.
  mutating func noteOpen(_ certificate: Certificate) {
    let place = certificate.statement.view
    guard certificate.statement.kind != .nullify, place > finalized.view,
      !openViews.contains(place)
    else { return }
    let index = openViews.lastIndex { $0 < place }.map { $0 + 1 } ?? 0
    openViews.insert(place, at: index)
  }

  /// Views below the current one whose votes are kept; of earlier ones that were nullified only the
  /// certificate is, which leaders and voters need.
  static let votedViewsMax: UInt64 = 64
  /// Nullified views above the final one: beyond, a view ends by its block alone. It takes weeks.
  static let skippedMax: UInt64 = 16_384
  /// Nullified views above which a view is waited for much longer.
  static let skippedPatientlyMax: UInt64 = 12_288

  /// Whether another view may be nullified.
  var mayGiveUp: Bool { view - min(view, finalized.view) <= BFT.skippedMax }

  private mutating func compact() {
    guard view > BFT.votedViewsMax else { return }
    compacted = max(compacted, finalized.view)
    while compacted + BFT.votedViewsMax < view {
      let place = compacted + 1
      compacted = place
      guard let state = views[place], let nullification = state.nullification,
        state.notarization == nil, state.finalization == nil
      else { continue }
      if let hash = state.proposal?.block.hash {
        blocks[hash] = nil
        judged[hash] = nil
      }
      var kept = ViewState()
      kept.nullification = nullification
      views[place] = kept
    }
  }

  mutating func halt(_ reason: String, into effects: inout BFTEffects) {
    guard standstill == nil else { return }
    standstill = reason
    effects.notices.append(.halted(reason))
  }
}

extension ViewState {
  /// Takes a vote of a signer that has none of its kind; false when it has.
  mutating func insert(_ vote: Vote) -> Bool {
    switch vote.statement.kind {
    case .notarize: return ViewState.insert(vote, into: &notarizes)
    case .nullify: return ViewState.insert(vote, into: &nullifies)
    case .finalize: return ViewState.insert(vote, into: &finalizes)
    case .handover, .reconfigure: return false
    }
  }

  private static func insert(_ vote: Vote, into tally: inout Tally) -> Bool {
    guard tally.vote(of: vote.signer) == nil else { return false }
    tally.insert(vote)
    return true
  }

  /// A vote of the same signer that no honest one makes beside `vote`.
  func contradiction(to vote: Vote) -> VoteEvidence? {
    for tally in [notarizes, nullifies, finalizes] {
      if let other = tally.vote(of: vote.signer), let found = VoteEvidence(other, vote) {
        return found
      }
    }
    return nil
  }

  /// The certificate for a hash, once a quorum says so.
  func certificate(_ kind: StatementKind, for hash: Digest, quorum: Int) -> Certificate? {
    switch kind {
    case .notarize: notarizes.certificate(for: hash, quorum: quorum)
    case .nullify: nullifies.certificate(for: hash, quorum: quorum)
    case .finalize: finalizes.certificate(for: hash, quorum: quorum)
    case .handover, .reconfigure: nil
    }
  }

  /// Takes a certificate; false when one of its kind is here.
  mutating func insert(_ certificate: Certificate) -> Bool {
    switch certificate.statement.kind {
    case .notarize:
      guard notarization == nil else { return false }
      notarization = certificate
    case .nullify:
      guard nullification == nil else { return false }
      nullification = certificate
    case .finalize:
      guard finalization == nil else { return false }
      finalization = certificate
    case .handover, .reconfigure: return false
    }
    return true
  }
}
