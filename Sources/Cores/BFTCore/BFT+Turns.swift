package import CoreKit
internal import Crypto
internal import Primitives
internal import Records
internal import Wire

extension BFT {
  /// Applies the rules until nothing follows any more.
  mutating func settle(at now: Moment, into effects: inout BFTEffects) {
    if !uncounted.isEmpty {
      let votes = uncounted
      uncounted = []
      for vote in votes { add(vote, at: now, into: &effects) }
    }
    beginEpoch(at: now, into: &effects)
    sayHandover(into: &effects)
    settleHandover(into: &effects)
    noticeDivergence(into: &effects)
    if let pending = pendingFinalization { finalize(pending, at: now, into: &effects) }
    consider(at: now, into: &effects)
    voteToFinalize(at: now, into: &effects)
    askForBody(at: now, into: &effects)
    arm(at: now)
  }

  /// A view runs out only while there is something to agree on.
  private mutating func arm(at now: Moment) {
    let isWanted =
      hasWork || hasUnfinalized || (views[view]?.isActive ?? false) || pendingFinalization != nil
    guard isWanted, !isEpochOver else {
      armedAt = nil
      retryAt = nil
      return
    }
    if armedAt == nil {
      armedAt = now.instant
      retryAt = now.instant + retryInterval
    }
  }

  mutating func tick(at now: Moment, into effects: inout BFTEffects) {
    if now.instant >= statusAt {
      statusAt = now.instant + configuration.statusInterval
      broadcast(.status(status), into: &effects)
      for message in unsettled { broadcast(message, into: &effects) }
      if isAmnesiac { broadcast(.memoryQuery(nonce: nonce, epoch: epoch), into: &effects) }
    }
    guard let armed = armedAt else { return }
    if now.instant >= armed + patience, canVoteNow, mayGiveUp, guardian[view].nullify == nil,
      guardian[view].finalize == nil
    {
      timeouts += 1
      vote(.nullify, in: view, for: .zero, into: &effects)
    }
    if let retry = retryAt, now.instant >= retry {
      retryAt = now.instant + retryInterval
      broadcast(.status(status), into: &effects)
      for message in retryMessages { broadcast(message, into: &effects) }
      if let pending = pendingFinalization {
        fetchMissing(to: pending.statement.hash, at: now, into: &effects)
      }
    }
  }

  /// Hands the journal what the turn's votes rest on.
  mutating func endTurn(into effects: inout BFTEffects) {
    guard !records.isEmpty else { return }
    recordsSinceCheckpoint += records.count
    var isCheckpoint = false
    if recordsSinceCheckpoint > configuration.checkpointRecords, stepsInFlight.isEmpty {
      records = checkpoint()
      recordsSinceCheckpoint = 0
      isCheckpoint = true
    }
    effects.journal = JournalStep(
      sequence: nextStep, records: records, isCheckpoint: isCheckpoint)
    stepsInFlight.append((nextStep, held))
    nextStep += 1
    records = []
    held = []
  }

  /// Everything that must still be known: votes of views that are not final on this node's disk,
  /// and the certificates above.
  private func checkpoint() -> [[UInt8]] {
    // Always: without votes it says which epoch was reached (B7).
    var kept = [JournalRecord.abstain(epoch: epoch, view: guardian.abstainThrough)] + carried
    if let rememberedView { kept.append(.remembered(epoch: epoch, view: rememberedView)) }
    if let handover = guardian.handover { kept.append(.vote(handover, nil)) }
    if let consent = guardian.consent, let change = ownChange {
      kept.append(.consent(consent, added: change.added, removed: change.removed))
    }
    for entry in views.entries { kept += entry.value.certificates.map { .certificate($0) } }
    for vote in guardian.votes(above: 0) {
      kept.append(.vote(vote, blocks[vote.statement.hash] ?? finalBlock(vote.statement.hash)))
    }
    return kept.map(\.encoded)
  }

  private func finalBlock(_ hash: Digest) -> Block? {
    recent.last { $0.block.hash == hash }?.block
  }
}

extension BFT {
  /// Makes the engine from what was stored; fails when a journal record is not one.
  package init(_ configuration: BFTConfiguration, recovery: BFTRecovery, at now: Moment) throws {
    self.configuration = configuration
    epoch = recovery.epoch
    validators = recovery.validators ?? configuration.genesis
    let start =
      recovery.genesis
      ?? BlockReference(epoch: recovery.epoch, view: 0, height: 0, hash: configuration.chain.digest)
    genesis = start
    own = validators.index(of: NodeID(key: configuration.key.publicKey)).map { UInt16($0) }
    leaderOffset = BFT.leaderOffset(start.hash)
    lastHeight = start.height + configuration.epochLength
    finalized = recovery.tip?.header.reference ?? start
    finalizedCertificate = recovery.certificate
    finalizedTimestamp =
      recovery.tip?.header.timestamp ?? recovery.recent.last?.block.header.timestamp ?? 0
    finalizedExecutedHeight = recovery.tip?.header.executedHeight ?? start.height
    finalizedExecutedRoot = recovery.tip?.header.executedRoot
    recent = recovery.recent
    executed = recovery.earlierRoots + [recovery.executed]
    statusAt = now.instant
    nonce = now.instant.nanoseconds ^ configuration.key.publicKey.words.0
    isAmnesiac = recovery.isAmnesiac && configuration.plantedBug != .naiveAmnesia
    if start.height > 0 && recovery.tip == nil { finalizedExecutedHeight = 0 }
    for final in recovery.recent where final.block.header.epoch == epoch {
      for case .evidence(let found, let origin) in final.block.body.transactions
      where !isConvicted(found.first.signer, in: origin) {
        convicted.append((found.first.signer, origin))
      }
      for case .reconfigure in final.block.body.transactions {
        lastHeight = min(
          lastHeight, final.block.header.height + BFTConfiguration.reconfigurationDelay)
      }
    }
    if let ended = recovery.earlierSets.last, ended.epoch + 1 == epoch, start.height > 0 {
      let boundary = BlockReference(
        epoch: ended.epoch, view: 0, height: start.height, hash: start.hash)
      prepareHandover(of: boundary, by: ended.set)
    }
    carried = try recovery.journal.map { (bytes) throws in try JournalRecord(decoding: bytes) }
    for record in carried {
      signedEpoch = max(signedEpoch, record.reachedEpoch)
      if case .vote(let vote, _) = record, vote.statement.kind == .handover {
        guardian.restore(vote)
      }
    }
    restore()
  }

  /// Counts own votes of the epoch again, as if they had just come: every tally would else be one
  /// short for ever after a crash of everybody.
  mutating func restore() {
    var last = finalized.view
    let records = carried
    carried.removeAll { $0.epoch <= epoch }
    for record in records where record.epoch == epoch {
      switch record {
      case .vote(let vote, _) where vote.statement.kind == .handover: break
      case .consent(let vote, let added, let removed):
        guardian.restore(vote)
        ownChange = (added, removed)
        takeConsent(vote, added: added, removed: removed)
      case .vote(let vote, let block):
        if let block { keep(block) }
        guardian.restore(vote)
        last = max(last, vote.statement.view - 1)
      case .certificate(let certificate):
        last = max(last, certificate.statement.view)
        let isSplit = withView(certificate.statement.view) { state in
          _ = state.insert(certificate)
          return state.finalization != nil && state.nullification != nil
        }
        if isSplit { standstill = "view \(certificate.statement.view) is finalized and nullified" }
      case .abstain(_, let view): guardian.abstain(through: view)
      case .remembered(_, let view): rememberedView = view
      }
    }
    view = last + 1
    if configuration.plantedBug != .ownVoteNotCounted {
      // With the first event: what follows from them is for the owner, too.
      uncounted = guardian.votes(above: 0)
    }
    for entry in views.entries {
      for certificate in entry.value.certificates { noteOpen(certificate) }
      if let certificate = entry.value.finalization {
        pendingFinalization = certificate.statement.view > finalized.view ? certificate : nil
      }
    }
    // Whoever restarts may be one of many, and the view they were in has to end.
    let hasVoted = !guardian.isEmpty
    withView(view) { $0.isActive = $0.isActive || hasVoted }
  }
}
