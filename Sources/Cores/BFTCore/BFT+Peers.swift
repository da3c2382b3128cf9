internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// What peers say, and what they are told.
extension BFT {
  /// The least time between two helps of a peer, and between two fetches.
  static let helpInterval = TimeSpan.milliseconds(100)
  /// Wishes of a peer that are answered at once, and how soon another one is.
  static let answersMax: UInt64 = 32
  static let answerInterval = TimeSpan.milliseconds(20)
  /// Blocks of which a request is remembered: no others are taken.
  static let askedMax = 64

  mutating func connect(
    _ peer: PeerIndex, _ node: NodeID, at now: Moment, into effects: inout BFTEffects
  ) {
    if let index = peers.firstIndex(where: { $0.index == peer }) {
      peers[index].isConnected = true
      peers[index].view = 0
      peers[index].helpedAt = nil
    } else {
      peers.append(PeerState(index: peer, node: node))
    }
    effects.sends.append((peer, .status(status)))
    if let handover = guardian.handover, isReleased(handover) {
      effects.sends.append((peer, .handover(handover)))
    }
    for message in unsettled { effects.sends.append((peer, message)) }
    if isAmnesiac { effects.sends.append((peer, .memoryQuery(nonce: nonce, epoch: epoch))) }
  }

  var status: FinalityStatus {
    FinalityStatus(
      epoch: epoch, view: view, finalizedView: finalized.view, finalizedHeight: finalized.height,
      finalizedHash: finalized.hash)
  }

  mutating func receive(
    _ message: Verified<FinalityMessage>, from peer: PeerIndex, at now: Moment,
    into effects: inout BFTEffects
  ) {
    switch message.value {
    case .proposal(let proposal):
      see(peer, in: proposal.block.header.view, epoch: proposal.block.header.epoch)
      take(proposal, at: now, into: &effects)
    case .vote(let vote):
      measure(vote, from: peer, at: now)
      see(peer, in: vote.statement.view, epoch: vote.statement.epoch)
      add(vote, at: now, into: &effects)
    case .certificate(let certificate):
      see(peer, in: certificate.statement.view + 1, epoch: certificate.statement.epoch)
      add(certificate, at: now, into: &effects)
    case .status(let status): take(status, from: peer, at: now, into: &effects)
    case .certificateRequest(let wanted, let first, let last):
      guard wanted == epoch, mayAnswer(peer, at: now) else { return }
      for number in first...last {
        for certificate in views[number]?.certificates ?? [] {
          effects.sends.append((peer, .certificate(certificate)))
        }
      }
    case .blockRequest(let hash):
      guard mayAnswer(peer, at: now) else { return }
      let known = blocks[hash] ?? recent.last { $0.block.hash == hash }?.block
      if let known { effects.sends.append((peer, .block(known))) }
    case .heightRequest(let first, let count):
      guard mayAnswer(peer, costing: 4, at: now) else { return }
      sendHeights(from: first, Int(count), to: peer, into: &effects)
    case .block(let block):
      if asked.contains(where: { $0.hash == block.hash }) { keep(block) }
    case .segment(let blocks, let certificate):
      if let index = peers.firstIndex(where: { $0.index == peer }) { peers[index].askedAt = nil }
      guard certificate.statement.epoch == epoch else { return }
      for block in blocks { keep(block) }
      add(certificate, at: now, into: &effects)
      finalize(certificate, at: now, into: &effects)
    case .memoryQuery(let nonce, let wanted):
      guard mayAnswer(peer, at: now) else { return }
      tellMemory(nonce, of: wanted, to: peer, into: &effects)
    case .memoryReply(let nonce, let wanted, let highest):
      guard nonce == self.nonce, wanted == epoch else { return }
      remember(highest, of: peer, into: &effects)
    case .consent(let vote, let added, let removed):
      takeConsent(vote, added: added, removed: removed)
    case .handover(let vote): takeHandover(vote)
    case .ending(let certificate): takeHandover(certificate, into: &effects)
    }
  }

  /// Whether a peer's wish is answered: a few at once, and then so many in a second.
  private mutating func mayAnswer(
    _ peer: PeerIndex, costing cost: UInt64 = 1, at now: Moment
  ) -> Bool {
    guard let index = peers.firstIndex(where: { $0.index == peer }) else { return false }
    let passed = now.instant.since(peers[index].answersAt).nanoseconds
    let earned = passed / BFT.answerInterval.nanoseconds
    if earned > 0 {
      peers[index].answers = min(peers[index].answers + min(earned, BFT.answersMax), BFT.answersMax)
      peers[index].answersAt = now.instant
    }
    guard peers[index].answers >= cost else { return false }
    peers[index].answers -= cost
    return true
  }

  /// Tells a node that lost its journal the highest certificate of the epoch.
  private func tellMemory(
    _ nonce: UInt64, of wanted: UInt64, to peer: PeerIndex, into effects: inout BFTEffects
  ) {
    // Of another epoch nothing that is said here would tell what may have been voted for.
    guard !isAmnesiac, isValidator, wanted == epoch else { return }
    let highest = views.entries.reversed().lazy.compactMap { $0.value.certificates.last }.first
    effects.sends.append(
      (
        peer,
        .memoryReply(nonce: nonce, epoch: wanted, highest: highest ?? finalizedCertificate)
      ))
  }

  private mutating func see(_ peer: PeerIndex, in place: UInt64, epoch: UInt64) {
    guard epoch == self.epoch, let index = peers.firstIndex(where: { $0.index == peer }),
      place > peers[index].view, place <= view + BFTConfiguration.viewsAhead
    else { return }
    peers[index].view = place
  }

  private mutating func take(
    _ status: FinalityStatus, from peer: PeerIndex, at now: Moment, into effects: inout BFTEffects
  ) {
    let index = peers.firstIndex { $0.index == peer }
    if status.finalizedHeight > finalized.height, !isEpochOver, let index {
      // Per peer: one that lies about its height must not keep others from being asked.
      let isDue = peers[index].askedAt.map { now.instant >= $0 + BFT.helpInterval } ?? true
      if isDue {
        peers[index].askedAt = now.instant
        effects.sends.append(
          (
            peer,
            .heightRequest(first: finalized.height + 1, count: FinalityMessage.segmentMax)
          ))
      }
    }
    let isBehind =
      status.finalizedHeight < finalized.height
      || status.epoch == epoch && status.view < view
    guard isBehind, let index else { return }
    if let helped = peers[index].helpedAt, now.instant < helped + BFT.helpInterval { return }
    peers[index].helpedAt = now.instant
    effects.sends.append((peer, .status(self.status)))
    for message in retryMessages { effects.sends.append((peer, message)) }
  }

  /// Own votes that are told again at once.
  static let repeatedVotesMax = 64

  /// What a node that is behind is told, and everybody when a view takes long: own votes, the
  /// highest certificates, and all of the view before.
  var retryMessages: [FinalityMessage] {
    var messages: [FinalityMessage] = []
    var told: [Statement] = []
    func tell(_ certificate: Certificate?) {
      guard let certificate, !told.contains(certificate.statement) else { return }
      told.append(certificate.statement)
      messages.append(.certificate(certificate))
    }
    let last = views[finalized.view]
    let open = openViews.reversed()
    tell(
      open.lazy.compactMap { views[$0]?.finalization }.first
        ?? (finalized.view > 0 ? finalizedCertificate : nil))
    tell(open.lazy.compactMap { views[$0]?.notarization }.first ?? last?.notarization)
    tell(views.entries.last { $0.value.nullification != nil }?.value.nullification)
    for certificate in views[view - 1]?.certificates ?? [] { tell(certificate) }
    if let own, let proposal = views[view]?.proposal, leader(of: view) == own,
      isReleased(proposal.leaderVote)
    {
      messages.append(.proposal(proposal))
    }
    let floor = finalized.view + 1
    let latest = view - min(view, BFTConfiguration.viewsBehind - 1)
    let votes = guardian.votes(from: max(floor, latest), finalizing: floor)
    for vote in votes.suffix(BFT.repeatedVotesMax) where isReleased(vote) {
      messages.append(.vote(vote))
    }
    return messages
  }

  /// Whether an own vote is durable (B1).
  func isReleased(_ vote: Vote) -> Bool {
    !held.contains { $0.vote.value == vote }
      && !stepsInFlight.contains { $0.votes.contains { $0.vote.value == vote } }
  }

  private func sendHeights(
    from first: UInt64, _ count: Int, to peer: PeerIndex, into effects: inout BFTEffects
  ) {
    guard first <= finalized.height else { return }
    guard let start = recent.firstIndex(where: { $0.block.header.height == first }) else {
      return effects.blocksWanted.append(BlocksWanted(first: first, count: count, peer: peer))
    }
    let known = recent[start...]
    let epoch = recent[start].block.header.epoch
    let wanted = known.prefix { $0.block.header.epoch == epoch }
    var room = FinalityMessage.bytesMax / 2
    let fitting = wanted.prefix {
      room -= FinalityMessage.headBytesMax + Int($0.block.header.bodyByteCount)
      return room >= 0
    }
    let end =
      fitting.prefix(count).lastIndex { $0.certificate != nil }
      ?? fitting.prefix(FinalityMessage.segmentBlocksMax).firstIndex { $0.certificate != nil }
    guard let end, let certificate = recent[end].certificate else {
      // The last ones are final by a block that is none of the chain's: its certificate is told.
      return
    }
    let blocks = recent[start...end].map(\.block) + recent[end].descendants
    if first == genesis.height + 1, let ending = handover?.certificate {
      effects.sends.append((peer, .ending(ending)))
    }
    effects.sends.append((peer, .segment(blocks, certificate)))
  }

  // MARK: Fetching

  /// Asks everybody for what a chain lacks.
  mutating func fetchMissing(to hash: Digest, at now: Moment, into effects: inout BFTEffects) {
    if let missing = missingBlock(to: hash) { fetch(missing, at: now, into: &effects) }
  }

  /// Asks everybody for a block; for one and the same at most once in a while.
  mutating func fetch(_ hash: Digest, at now: Moment, into effects: inout BFTEffects) {
    if let last = asked.first(where: { $0.hash == hash }) {
      guard now.instant >= last.at + BFT.helpInterval else { return }
    }
    ask(for: hash, at: now, into: &effects)
  }

  /// Asks everybody for a block that this node will then accept.
  mutating func ask(for hash: Digest, at now: Moment, into effects: inout BFTEffects) {
    asked.removeAll { $0.hash == hash }
    if asked.count == BFT.askedMax { asked.removeFirst() }
    asked.append((hash, now.instant))
    broadcast(.blockRequest(hash: hash), into: &effects)
  }

  /// Asks everybody for the certificates of a view and of those before it.
  mutating func fetchCertificates(
    through last: UInt64, at now: Moment, into effects: inout BFTEffects
  ) {
    if let before = certificatesAskedAt, now.instant < before + BFT.helpInterval { return }
    let floor = max(finalized.view, 1)
    guard last >= floor else { return }
    certificatesAskedAt = now.instant
    let count = min(last - floor, FinalityMessage.certificatesMax - 1)
    broadcast(.certificateRequest(epoch: epoch, first: last - count, last: last), into: &effects)
  }

  // MARK: After the journal was lost

  /// Takes what a validator knows; once a quorum without this node has said it, this node knows
  /// what it may have voted for: its entry certificate of that view is with an honest one of them.
  private mutating func remember(
    _ highest: Certificate?, of peer: PeerIndex, into effects: inout BFTEffects
  ) {
    guard isAmnesiac, let node = peers.first(where: { $0.index == peer })?.node,
      let place = validators.index(of: node), own.map({ Int($0) != place }) ?? true
    else { return }
    memories[UInt16(place)] = highest?.statement.view ?? 0
    guard memories.count >= validators.quorum else { return }
    let top = memories.entries.map(\.value).max() ?? 0
    isAmnesiac = false
    guardian.abstain(through: top + 2)
    records.append(JournalRecord.abstain(epoch: epoch, view: top + 2).encoded)
    rememberedView = top
    records.append(JournalRecord.remembered(epoch: epoch, view: top).encoded)
    effects.notices.append(.amnesiaOver(view: top + 2))
  }

  // MARK: Delays

  /// Half of the time from this node's proposal to a peer's vote for it.
  private mutating func measure(_ vote: Vote, from peer: PeerIndex, at now: Moment) {
    guard vote.statement.kind == .notarize, let proposed = proposedAt,
      proposed.view == vote.statement.view,
      let index = peers.firstIndex(where: { $0.index == peer }),
      validators.index(of: peers[index].node) == Int(vote.signer)
    else { return }
    let half = now.instant.since(proposed.instant).nanoseconds / 2
    let before = peers[index].delay?.nanoseconds ?? half
    peers[index].delay = TimeSpan(nanoseconds: (before * 7 + half) / 8)
  }

  /// The time that a message is assumed to take: half as much again as within a quorum.
  var assumedDelay: TimeSpan {
    let known = peers.compactMap(\.delay).sorted()
    guard validators.quorum >= 2, known.count >= validators.quorum - 1 else {
      return configuration.delayAtFirst
    }
    let delay = TimeSpan(nanoseconds: known[validators.quorum - 2].nanoseconds / 2 * 3)
    return min(max(delay, configuration.delayMin), configuration.delayMax)
  }

  /// A number of delays, backed off by the timeouts in a row.
  private func timer(_ delays: UInt64) -> TimeSpan {
    var nanoseconds = assumedDelay.nanoseconds * delays
    for _ in 0..<min(timeouts, 12) { nanoseconds = nanoseconds / 2 * 3 }
    return min(TimeSpan(nanoseconds: nanoseconds), configuration.timerMax)
  }

  /// How long after arming a view is given up: sooner when its leader is silent.
  var patience: TimeSpan {
    let usual = timer(views[view]?.proposal == nil ? 2 : 3)
    // After a day without a block another view would help as little as the last: room runs out.
    let isLate = view - min(view, finalized.view) > BFT.skippedPatientlyMax
    return isLate ? TimeSpan(nanoseconds: usual.nanoseconds * 60) : usual
  }

  var retryInterval: TimeSpan { timer(2) }
}
