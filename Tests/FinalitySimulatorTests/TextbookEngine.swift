import BFTCore
import CoreKit
import Crypto
import FinalitySimulator
import Primitives
import Records
import Wire

/// Simplex as the paper has it, in one epoch: what the simulator itself is tried with.
///
/// It restates the rules without the product's code, keeps everything in memory and journals only
/// its votes and blocks. Planted bugs are the product's, where the textbook has the rule.
struct TextbookEngine: FinalityEngine {
  struct View {
    var proposals: [Proposal] = []
    var votes: [Vote] = []
    var notarization: Certificate?
    var nullification: Certificate?
    var finalization: Certificate?
    var isProposed = false
    var certificates: [Certificate] {
      [notarization, nullification, finalization].compactMap(\.self)
    }
  }

  let configuration: BFTConfiguration
  let set: ValidatorSet
  let me: UInt16?
  var views: [UInt64: View] = [:]
  var blocks: [Digest: Block] = [:]
  var valid: Set<Digest> = []
  var asked: Set<Digest> = []
  var own: [Vote] = []
  var view: UInt64 = 1
  var tip: BlockReference
  var tipCertificate: Certificate?
  var timestamp: UInt64 = 0
  var roots: [UInt64: Digest] = [:]
  var executed: UInt64 = 0
  var peers: [PeerIndex] = []
  var records: [[UInt8]] = []
  var held: [FinalityMessage] = []
  var waiting: [(sequence: UInt64, messages: [FinalityMessage])] = []
  var sequence: UInt64 = 0
  var entered: Instant
  var retry: Instant
  var timeouts: UInt64 = 0
  var isActive = false
  let isMute: Bool

  init(_ configuration: BFTConfiguration, recovery: BFTRecovery, at now: Moment) throws {
    self.configuration = configuration
    set = configuration.genesis
    me = set.index(of: NodeID(key: configuration.key.publicKey)).map { UInt16($0) }
    isMute = recovery.isAmnesiac && configuration.plantedBug != .naiveAmnesia
    tip =
      recovery.tip?.header.reference
      ?? BlockReference(epoch: 1, view: 0, height: 0, hash: configuration.chain.digest)
    tipCertificate = recovery.certificate
    timestamp = recovery.tip?.header.timestamp ?? 0
    entered = now.instant
    retry = now.instant
    executed = recovery.executed.height
    roots[executed] = recovery.executed.root
    for (height, root) in recovery.earlierRoots { roots[height] = root }
    for final in recovery.recent { blocks[final.block.hash] = final.block }
    for record in recovery.journal {
      if record[0] == 1 {
        restore(try Vote(decoding: Array(record.dropFirst())))
      } else {
        let block = try Block(decoding: Array(record.dropFirst()))
        blocks[block.hash] = block
      }
    }
    view = max(tip.view + 1, own.map(\.statement.view).max() ?? 1)
    isActive = true
  }

  private mutating func restore(_ vote: Vote) {
    own.append(vote)
    if configuration.plantedBug != .ownVoteNotCounted {
      views[vote.statement.view, default: View()].votes.append(vote)
    }
  }

  var brokenInvariant: String? { nil }
  var nextDeadline: Instant? { isActive ? min(timer, retry) : retry }
  var timer: Instant {
    own.contains { $0.statement.view == view && $0.statement.kind == .nullify }
      ? retry : entered + .milliseconds(300) * min(timeouts + 1, 8)
  }
  var quorum: Int {
    configuration.plantedBug == .smallQuorum ? set.count / 2 + 1 : set.count - (set.count - 1) / 3
  }

  func leader(of view: UInt64) -> UInt16 {
    UInt16((view &+ configuration.chain.digest.words.0) % UInt64(set.count))
  }

  mutating func handle(
    _ event: consuming BFTEvent, at now: Moment, into effects: inout BFTEffects
  ) {
    switch event {
    case .connected(let peer, _): peers.append(peer)
    case .disconnected(let peer): peers.removeAll { $0 == peer }
    case .received(let message, let peer): receive(message.value, peer, now, &effects)
    case .journalled(let through):
      while let first = waiting.first, first.sequence <= through {
        for message in first.messages { broadcast(message, &effects) }
        waiting.removeFirst()
      }
    case .work(let work): isActive = isActive || work
    case .body(let body, let parent, let view): propose(body, parent, view, now)
    case .verdict(let hash, let verdict): if verdict == .valid { valid.insert(hash) }
    case .executed(let height, let root, _):
      executed = max(executed, height)
      roots[height] = root
    case .blocksLoaded(_, let blocks, let certificate, _, let peer):
      if let certificate { effects.sends.append((peer, .segment(blocks, certificate))) }
    case .proposeChange: break
    case .deadline: tick(now, &effects)
    case .turnEnded: advance(now, &effects)
    }
  }

  private func broadcast(_ message: FinalityMessage, _ effects: inout BFTEffects) {
    for peer in peers { effects.sends.append((peer, message)) }
  }

  private mutating func receive(
    _ message: FinalityMessage, _ peer: PeerIndex, _ now: Moment, _ effects: inout BFTEffects
  ) {
    switch message {
    case .proposal(let proposal):
      let header = proposal.block.header
      let isLeaders = header.proposer == leader(of: header.view)
      guard isLeaders || configuration.plantedBug == .skipLeaderCheck else { return }
      blocks[proposal.block.hash] = proposal.block
      for certificate in proposal.nullifications + [proposal.parentCertificate].compactMap(\.self) {
        learn(certificate)
      }
      if !views[header.view, default: View()].proposals.contains(proposal) {
        views[header.view, default: View()].proposals.append(proposal)
      }
      count(proposal.leaderVote, &effects)
    case .vote(let vote): count(vote, &effects)
    case .certificate(let certificate): learn(certificate)
    case .status(let status):
      if status.finalizedHeight > tip.height {
        effects.sends.append((peer, .heightRequest(first: tip.height + 1, count: 64)))
      }
    case .blockRequest(let hash):
      if let block = blocks[hash] { effects.sends.append((peer, .block(block))) }
    case .heightRequest(let first, let count):
      effects.blocksWanted.append(BlocksWanted(first: first, count: Int(count), peer: peer))
    case .block(let block): blocks[block.hash] = block
    case .segment(let segment, let certificate):
      for block in segment { blocks[block.hash] = block }
      learn(certificate)
    case .certificateRequest, .memoryQuery, .memoryReply, .consent, .handover, .ending: break
    }
  }

  private mutating func count(_ vote: Vote, _ effects: inout BFTEffects) {
    let place = vote.statement.view
    guard place + 8 > tip.view, place < view + 8 else { return }
    let known = views[place, default: View()].votes
    guard !known.contains(vote) else { return }
    let evidence = known.filter { $0.signer == vote.signer }.compactMap { VoteEvidence($0, vote) }
    if let evidence = evidence.first, configuration.plantedBug != .skipEvidence {
      effects.notices.append(.evidence(evidence))
    }
    let hasKind = known.contains {
      $0.signer == vote.signer && $0.statement.kind == vote.statement.kind
    }
    if !hasKind { views[place, default: View()].votes.append(vote) }
  }

  private mutating func learn(_ certificate: Certificate) {
    let place = certificate.statement.view
    switch certificate.statement.kind {
    case .notarize: views[place, default: View()].notarization = certificate
    case .nullify: views[place, default: View()].nullification = certificate
    case .finalize: views[place, default: View()].finalization = certificate
    case .handover, .reconfigure: break
    }
  }

  /// Signs what the guard permits; it leaves when it is durable.
  @discardableResult
  mutating func sign(_ kind: StatementKind, _ place: UInt64, _ hash: Digest) -> Vote? {
    guard let me, !isMute else { return nil }
    let mine = own.filter { $0.statement.view == place }
    let has = { (kind: StatementKind) in mine.contains { $0.statement.kind == kind } }
    switch kind {
    case .notarize: if has(.notarize) || has(.nullify) { return nil }
    case .nullify: if has(.nullify) || has(.finalize) { return nil }
    case .finalize:
      if has(.finalize) { return nil }
      if has(.nullify) && configuration.plantedBug != .finalizeAfterNullify { return nil }
      if mine.contains(where: { $0.statement.kind == .notarize && $0.statement.hash != hash }) {
        return nil
      }
    case .handover, .reconfigure: return nil
    }
    let statement = Statement(
      kind: kind, chain: configuration.chain, epoch: 1, view: place, hash: hash)
    let vote = Vote(signing: statement, as: me, with: configuration.key)
    own.append(vote)
    views[place, default: View()].votes.append(vote)
    records.append([1] + vote.encoded)
    if let block = blocks[hash] { records.append([2] + block.encoded) }
    held.append(.vote(vote))
    return vote
  }
}
