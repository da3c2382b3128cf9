internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// Proposing, judging and voting for blocks.
extension BFT {
  /// The blocks above the final one up to `hash`, ascending; `nil` when one is missing.
  func chain(to hash: Digest) -> [Block]? {
    var chain: [Block] = []
    var hash = hash
    while hash != finalized.hash {
      guard let block = blocks[hash], block.header.height > finalized.height else { return nil }
      chain.append(block)
      hash = block.header.parentHash
    }
    return chain.reversed()
  }

  /// The block that keeps the chain to `hash` from being whole; `nil` when the chain is whole, or
  /// leads past the final block.
  func missingBlock(to hash: Digest) -> Digest? {
    var hash = hash
    while hash != finalized.hash {
      guard let block = blocks[hash] else { return hash }
      guard block.header.height > finalized.height + 1 else { return nil }
      hash = block.header.parentHash
    }
    return nil
  }

  /// The last view between two of which no nullification is here. What was found whole is not
  /// looked through again: after a long outage thousands of views lie between.
  mutating func gap(below end: UInt64, above parent: UInt64) -> UInt64? {
    var place = end
    while place > parent + 1 {
      place -= 1
      if place > nullifiedRun.above && place < nullifiedRun.below {
        place = max(nullifiedRun.above, parent) + 1
      } else if views[place]?.nullification == nil {
        return place
      }
    }
    if end > nullifiedRun.below { nullifiedRun = (parent, end) }
    return nil
  }

  /// The parent that certificates justify for a block of the current view: the last view that was
  /// not nullified, and the latest certificates in between.
  func justifiedParent() -> (certificate: Certificate?, view: UInt64, nullified: [Certificate])? {
    var nullified: [Certificate] = []
    var place = view - 1
    while place > finalized.view {
      let state = views[place]
      if let certificate = state?.finalization ?? state?.notarization {
        return (certificate, place, nullified.reversed())
      }
      if configuration.plantedBug != .skipJustification {
        guard let certificate = state?.nullification else { return nil }
        if nullified.count < Proposal.carriedMax { nullified.append(certificate) }
      }
      place -= 1
    }
    guard finalized.view > 0 else { return (nil, 0, nullified.reversed()) }
    let state = views[finalized.view]
    let own = [finalizedCertificate, state?.finalization, state?.notarization]
      .compactMap(\.self).first { $0.statement.hash == finalized.hash }
    return own.map { ($0, finalized.view, nullified.reversed()) }
  }

  /// The latest view without a certificate that keeps a leader from knowing its parent.
  private var missingView: UInt64 {
    var place = view - 1
    while place > finalized.view, let state = views[place], !state.certificates.isEmpty {
      place -= 1
    }
    return place
  }

  /// Whether a notarized block waits for a descendant to become final by.
  package var hasUnfinalized: Bool {
    openViews.contains { views[$0]?.notarization != nil }
  }

  /// When a leader without work proposes nevertheless, because a notarized block has not become
  /// final by itself: not at once, or every block would call for the next.
  var descendantDueAt: Instant? {
    guard !hasWork, hasUnfinalized, canVoteNow, let own, leader(of: view) == own,
      guardian[view].notarize == nil, guardian[view].nullify == nil,
      !(views[view]?.isBodyWanted ?? false)
    else { return nil }
    return armedAt.map { $0 + assumedDelay }
  }

  private func isDescendantDue(at now: Moment) -> Bool {
    descendantDueAt.map { $0 <= now.instant } ?? false
  }

  /// Asks for a body when this node leads and there is something to agree on.
  mutating func askForBody(at now: Moment, into effects: inout BFTEffects) {
    guard canVoteNow, let own, leader(of: view) == own, hasWork || isDescendantDue(at: now),
      guardian[view].notarize == nil, guardian[view].nullify == nil,
      !(views[view]?.isBodyWanted ?? false)
    else { return }
    guard let parent = justifiedParent() else {
      parentLackedAt = now.instant
      return fetchCertificates(through: missingView, at: now, into: &effects)
    }
    let hash =
      parent.view == finalized.view ? finalized.hash : parent.certificate?.statement.hash
    guard let hash else {
      parentLackedAt = now.instant
      return
    }
    guard let chain = chain(to: hash) else {
      parentLackedAt = now.instant
      return fetchMissing(to: hash, at: now, into: &effects)
    }
    withView(view) { $0.isBodyWanted = true }
    let reference = chain.last?.header.reference ?? finalized
    effects.bodyWanted.append(BodyWanted(view: view, parent: reference, parentChain: chain))
  }

  mutating func propose(
    _ wanted: BlockBody, after hash: Digest, in place: UInt64, at now: Moment,
    into effects: inout BFTEffects
  ) {
    guard place == view, canVoteNow, let own, leader(of: view) == own else { return }
    // Whatever becomes of this body, another may be asked for.
    withView(view) { $0.isBodyWanted = false }
    guard let parent = justifiedParent(), let chain = chain(to: hash) else { return }
    let parentHash =
      parent.view == finalized.view ? finalized.hash : parent.certificate?.statement.hash
    guard parentHash == hash else { return }
    let last = chain.last?.header
    let height = (last?.height ?? finalized.height) + 1
    let known: (height: UInt64, root: Digest) =
      executed.last { $0.height <= finalized.height } ?? (0, .zero)
    let isAhead = known.height >= (last?.executedHeight ?? finalizedExecutedHeight)
    let before = last.map { (height: $0.executedHeight, root: $0.executedRoot) }
    let vouched = isAhead ? known : before ?? known
    let mustBeEmpty =
      height > lastHeight || height - 1 - vouched.height > BFTConfiguration.executionLagMax
    let body =
      mustBeEmpty
      ? BlockBody()
      : fitting(
        wanted, transactions(after: chain), beside: parent.nullified + [parent.certificate])
    let header = BlockHeader(
      chain: configuration.chain, epoch: epoch, height: height, view: view,
      parentView: parent.view, parentHash: hash, proposer: own,
      timestamp: max(now.wallMilliseconds, (last?.timestamp ?? finalizedTimestamp) + 1),
      bodyRoot: body.root, bodyByteCount: UInt32(body.encoded.count),
      entryCount: UInt32(body.entryCount), executedHeight: vouched.height,
      executedRoot: vouched.root, validatorSetHash: validators.hash)
    let block = Block(header: header, body: body)
    blocks[block.hash] = block
    judged[block.hash] = .valid
    let statement = block.notarizeStatement
    guard
      let vote = guardian.sign(
        statement, as: own, with: configuration.key, planted: configuration.plantedBug)
    else { return }
    let proposal = Proposal(
      block: block, leaderSignature: vote.signature,
      parentCertificate: parent.view == 0 ? nil : parent.certificate,
      nullifications: parent.nullified)
    withView(view) { $0.proposal = proposal }
    hold(vote, proposal, into: &effects)
  }

  /// The body with what validators say, as much as a message holds beside the certificates.
  private func fitting(
    _ wanted: BlockBody, _ said: [ValidatorTransaction], beside certificates: [Certificate?]
  ) -> BlockBody {
    let room = BlockLimits.transactionsMax - wanted.transactions.count
    let body = BlockBody(
      advances: wanted.advances, transactions: wanted.transactions + said.prefix(max(room, 0)))
    let justification = certificates.compactMap(\.self).reduce(0) { $0 + $1.encoded.count }
    let byteCount = body.encoded.count + justification + FinalityMessage.headBytesMax
    let fits =
      byteCount <= FinalityMessage.bytesMax && body.encoded.count <= BlockLimits.bodyBytesMax
    return fits ? body : BlockBody()
  }

  /// Takes a proposal that the door has checked: its certificates count whatever becomes of it.
  mutating func take(_ proposal: Proposal, at now: Moment, into effects: inout BFTEffects) {
    let header = proposal.block.header
    guard header.epoch == epoch, header.view > finalized.view else { return }
    let isLeaders = header.proposer == leader(of: header.view)
    guard isLeaders || configuration.plantedBug == .skipLeaderCheck else { return }
    for certificate in proposal.nullifications { add(certificate, at: now, into: &effects) }
    if let certificate = proposal.parentCertificate { add(certificate, at: now, into: &effects) }
    // What justifies a block leads to its view, so that none further ahead is to be remembered.
    guard header.epoch == epoch, header.view > finalized.view,
      header.view <= view + BFTConfiguration.viewsAhead
    else { return }
    // One block per view: another is asked for by name once a quorum stands behind it.
    if views[header.view]?.proposal == nil { keep(proposal.block) }
    withView(header.view) { state in
      state.isActive = true
      if state.proposal == nil { state.proposal = proposal }
    }
    add(proposal.leaderVote, at: now, into: &effects)
  }

  /// Blocks that are kept above the final one.
  package static let blocksMax = 1_024

  mutating func keep(_ block: Block) {
    guard block.header.epoch == epoch, block.header.height > finalized.height,
      blocks.count < BFT.blocksMax
    else { return }
    blocks[block.hash] = block
  }

  /// Votes for the current view's block when everything speaks for it.
  mutating func consider(at now: Moment, into effects: inout BFTEffects) {
    guard canVote, let state = views[view], let proposal = state.proposal,
      !state.leaderEquivocated, guardian[view].notarize == nil, guardian[view].nullify == nil
    else { return }
    switch judge(proposal, at: now, into: &effects) {
    case .valid: vote(.notarize, in: view, for: proposal.block.hash, into: &effects)
    case .invalid:
      vote(.nullify, in: view, for: .zero, into: &effects)
    case .missing: break
    }
  }

  private mutating func judge(
    _ proposal: Proposal, at now: Moment, into effects: inout BFTEffects
  ) -> BlockVerdict {
    let header = proposal.block.header
    if !proposal.isJustified && configuration.plantedBug != .skipJustification {
      return .invalid("not justified")
    }
    guard header.validatorSetHash == validators.hash else { return .invalid("other validators") }
    guard header.parentView >= finalized.view else { return .invalid("below the final block") }
    if header.parentView == finalized.view && header.parentHash != finalized.hash {
      return .invalid("beside the final block")
    }
    let carried = UInt64(proposal.nullifications.count)
    if header.view - header.parentView > carried + 1,
      configuration.plantedBug != .skipJustification,
      let missing = gap(below: header.view - carried, above: header.parentView)
    {
      fetchCertificates(through: missing, at: now, into: &effects)
      return .missing
    }
    guard let chain = chain(to: header.parentHash) else {
      fetchMissing(to: header.parentHash, at: now, into: &effects)
      return .missing
    }
    if let last = chain.last, last.header.view != header.parentView {
      return .invalid("another view of the parent")
    }
    guard header.height == (chain.last?.header.height ?? finalized.height) + 1 else {
      return .invalid("another height")
    }
    guard header.timestamp > (chain.last?.header.timestamp ?? finalizedTimestamp) else {
      return .invalid("a time that goes back")
    }
    guard header.timestamp <= now.wallMilliseconds + BFTConfiguration.aheadMillisecondsMax else {
      return .missing
    }
    if let verdict = judgeExecution(proposal.block, after: chain, into: &effects) {
      return verdict
    }
    return judgeBody(proposal.block, after: chain, into: &effects)
  }

  /// What a block vouches for: only what is final, and what this node found, too.
  private mutating func judgeExecution(
    _ block: Block, after chain: [Block], into effects: inout BFTEffects
  ) -> BlockVerdict? {
    let header = block.header
    let before = chain.last?.header.executedHeight ?? finalizedExecutedHeight
    guard header.executedHeight >= before else { return .invalid("execution goes back") }
    if header.height - 1 - header.executedHeight > BFTConfiguration.executionLagMax
      || header.height > lastHeight, !block.body.isEmpty
    {
      return .invalid("content where there must be none")
    }
    guard header.executedHeight <= finalized.height,
      let last = executed.last, last.height >= header.executedHeight
    else { return .missing }
    guard let known = executed.last(where: { $0.height == header.executedHeight }) else {
      // Older than what is remembered: an ancestor vouched for it, and for the same.
      guard header.executedHeight == before else { return .missing }
      let root = chain.last?.header.executedRoot ?? finalizedExecutedRoot
      return root.map { $0 == header.executedRoot } ?? true ? nil : .invalid("another outcome")
    }
    guard known.root == header.executedRoot else { return .invalid("another outcome") }
    return nil
  }

  /// Stands still when a quorum vouches for another outcome of execution: a leader alone may lie,
  /// a quorum may not.
  mutating func noticeDivergence(into effects: inout BFTEffects) {
    guard standstill == nil else { return }
    for place in openViews {
      guard let state = views[place], let certificate = state.finalization ?? state.notarization,
        let header = blocks[certificate.statement.hash]?.header,
        let known = executed.last(where: { $0.height == header.executedHeight }),
        known.root != header.executedRoot
      else { continue }
      standstill = "execution of height \(header.executedHeight) differs"
      effects.notices.append(
        .diverged(height: header.executedHeight, own: known.root, theirs: header.executedRoot))
      return
    }
  }

  /// Asks the application about a body, once.
  mutating func judgeBody(
    _ block: Block, after chain: [Block], into effects: inout BFTEffects
  ) -> BlockVerdict {
    if let verdict = judged[block.hash] { return verdict }
    judged[block.hash] = .missing
    effects.checkWanted.append(CheckWanted(block: block, parentChain: chain))
    return .missing
  }

  mutating func take(
    _ verdict: BlockVerdict, of hash: Digest, at now: Moment, into effects: inout BFTEffects
  ) {
    guard judged[hash] != nil, judged[hash] != .valid else { return }
    judged[hash] = verdict
  }

  /// Votes to finalize the views above the final one that are notarized, held and not given up.
  mutating func voteToFinalize(at now: Moment, into effects: inout BFTEffects) {
    guard canVote else { return }
    for place in openViews {
      guard let state = views[place], let hash = state.notarization?.statement.hash,
        guardian[place].finalize == nil,
        !state.leaderEquivocated || configuration.plantedBug == .finalizeAfterNullify,
        guardian[place].nullify == nil || configuration.plantedBug == .finalizeAfterNullify
      else { continue }
      guard let block = blocks[hash], let chain = chain(to: block.header.parentHash) else {
        fetchMissing(to: hash, at: now, into: &effects)
        continue
      }
      guard judgeBody(block, after: chain, into: &effects) == .valid else { continue }
      vote(.finalize, in: place, for: hash, into: &effects)
    }
  }
}
