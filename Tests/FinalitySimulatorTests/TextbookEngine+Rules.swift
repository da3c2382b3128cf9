import BFTCore
import CoreKit
import Crypto
import Primitives
import Records
import Wire

extension TextbookEngine {
  /// Applies every rule until nothing changes, then hands the journal its step.
  mutating func advance(_ now: Moment, _ effects: inout BFTEffects) {
    while step(now, &effects) {}
    finalize(&effects)
    guard !records.isEmpty else { return }
    sequence += 1
    effects.journal = JournalStep(sequence: sequence, records: records, isCheckpoint: false)
    if configuration.plantedBug == .forgetJournal {
      for message in held { for peer in peers { effects.sends.append((peer, message)) } }
    } else {
      waiting.append((sequence, held))
    }
    records = []
    held = []
  }

  private mutating func step(_ now: Moment, _ effects: inout BFTEffects) -> Bool {
    for place in [view] + views.keys.filter({ $0 > tip.view && $0 != view }).sorted() {
      tally(place, &effects)
    }
    let top = views.filter { entry in
      entry.key >= view
        && (entry.value.nullification != nil || entry.value.finalization != nil
          || entry.value.notarization != nil && !ignoresNotarization(of: entry.key))
    }.map(\.key).max()
    if let top {
      view = top + 1
      entered = now.instant
      isActive = true
      return true
    }
    notarize()
    askForBody(&effects)
    return false
  }

  private func ignoresNotarization(of place: UInt64) -> Bool {
    configuration.plantedBug == .ignoreNotarizationAfterNullify
      && own.contains { $0.statement.view == place && $0.statement.kind == .nullify }
  }

  private mutating func tally(_ place: UInt64, _ effects: inout BFTEffects) {
    guard let state = views[place] else { return }
    for vote in state.votes {
      let statement = vote.statement
      let agreeing = state.votes.filter { $0.statement == statement }
        .sorted { $0.signer < $1.signer }
      guard agreeing.count >= quorum else { continue }
      let certificate = Certificate(
        statement: statement, signers: agreeing.prefix(quorum).map(\.signer),
        signatures: agreeing.prefix(quorum).map(\.signature))
      let isKnown = views[place]?.certificates.contains { $0.statement == statement } ?? false
      guard !isKnown else { continue }
      switch statement.kind {
      case .notarize: views[place]?.notarization = certificate
      case .nullify: views[place]?.nullification = certificate
      case .finalize: views[place]?.finalization = certificate
      case .handover, .reconfigure: break
      }
      for peer in peers { effects.sends.append((peer, .certificate(certificate))) }
    }
    if let hash = views[place]?.notarization?.statement.hash {
      if let block = blocks[hash] {
        if valid.contains(hash) { sign(.finalize, place, hash) } else { ask(block, &effects) }
      }
    }
    for proposal in state.proposals where place == view { ask(proposal.block, &effects) }
  }

  private mutating func ask(_ block: Block, _ effects: inout BFTEffects) {
    guard !asked.contains(block.hash), let parents = chain(to: block.header.parentHash) else {
      return
    }
    asked.insert(block.hash)
    effects.checkWanted.append(CheckWanted(block: block, parentChain: parents))
  }

  /// The blocks above the final one up to `hash`.
  private func chain(to hash: Digest) -> [Block]? {
    var blocks: [Block] = []
    var hash = hash
    while hash != tip.hash {
      guard let block = self.blocks[hash], block.header.height > tip.height else { return nil }
      blocks.append(block)
      hash = block.header.parentHash
    }
    return blocks.reversed()
  }

  private mutating func notarize() {
    guard let state = views[view], let proposal = state.proposals.first else { return }
    let header = proposal.block.header
    guard valid.contains(proposal.block.hash), isJustified(proposal),
      header.executedHeight <= executed, header.executedRoot == roots[header.executedHeight]
    else { return }
    sign(.notarize, view, proposal.block.hash)
  }

  private func isJustified(_ proposal: Proposal) -> Bool {
    guard configuration.plantedBug != .skipJustification else { return true }
    let header = proposal.block.header
    guard header.parentView < header.view,
      UInt64(proposal.nullifications.count) == header.view - header.parentView - 1
    else { return false }
    for (offset, certificate) in proposal.nullifications.enumerated()
    where certificate.statement.kind != .nullify
      || certificate.statement.view != header.parentView + 1 + UInt64(offset)
    {
      return false
    }
    guard header.parentView > 0 else { return header.parentHash == configuration.chain.digest }
    return proposal.parentCertificate?.statement.hash == header.parentHash
  }

  /// The parent that the views between justify.
  private func parent() -> (view: UInt64, hash: Digest)? {
    var place = view - 1
    while place > tip.view {
      if let certificate = views[place]?.finalization ?? views[place]?.notarization {
        return (place, certificate.statement.hash)
      }
      if configuration.plantedBug != .skipJustification {
        guard views[place]?.nullification != nil else { return nil }
      }
      place -= 1
    }
    return (tip.view, tip.hash)
  }

  private mutating func askForBody(_ effects: inout BFTEffects) {
    guard let me, leader(of: view) == me, !isMute, !views[view, default: View()].isProposed,
      !own.contains(where: { $0.statement.view == view }), let parent = parent(),
      let chain = chain(to: parent.hash)
    else { return }
    views[view, default: View()].isProposed = true
    let height = tip.height + UInt64(chain.count)
    effects.bodyWanted.append(
      BodyWanted(
        view: view,
        parent: BlockReference(epoch: 1, view: parent.view, height: height, hash: parent.hash),
        parentChain: chain))
  }

  mutating func propose(_ body: BlockBody, _ parent: Digest, _ place: UInt64, _ now: Moment) {
    guard place == view, let me, let chosen = self.parent(), chosen.hash == parent,
      let chain = chain(to: parent)
    else { return }
    let certificate = views[chosen.view]?.finalization ?? views[chosen.view]?.notarization
    let nullifications = (chosen.view + 1..<place).compactMap { views[$0]?.nullification }
    let header = BlockHeader(
      chain: configuration.chain, epoch: 1, height: tip.height + UInt64(chain.count) + 1,
      view: place, parentView: chosen.view, parentHash: parent, proposer: me,
      timestamp: max(now.wallMilliseconds, (chain.last?.header.timestamp ?? timestamp) + 1),
      bodyRoot: body.root, bodyByteCount: UInt32(body.encoded.count),
      entryCount: UInt32(body.entryCount), executedHeight: executed,
      executedRoot: roots[executed] ?? .zero, validatorSetHash: set.hash)
    let block = Block(header: header, body: body)
    blocks[block.hash] = block
    valid.insert(block.hash)
    guard let vote = sign(.notarize, place, block.hash) else { return }
    held.removeLast()
    held.append(
      .proposal(
        Proposal(
          block: block, leaderSignature: vote.signature,
          parentCertificate: chosen.view == 0 ? nil : certificate ?? tipCertificate,
          nullifications: nullifications)))
  }

  private mutating func finalize(_ effects: inout BFTEffects) {
    for place in views.keys.filter({ $0 > tip.view }).sorted() {
      guard let certificate = views[place]?.finalization else { continue }
      guard let blocks = chain(to: certificate.statement.hash), !blocks.isEmpty else { continue }
      for block in blocks {
        let own = views[block.header.view]?.finalization
        effects.finalized.append(FinalizedBlock(block: block, certificate: own))
        tip = block.header.reference
        timestamp = block.header.timestamp
      }
      tipCertificate = certificate
      timeouts = 0
    }
  }

  /// The view's timer, and what is said again.
  mutating func tick(_ now: Moment, _ effects: inout BFTEffects) {
    if now.instant >= timer, now.instant >= entered + .milliseconds(300) {
      timeouts += 1
      sign(.nullify, view, .zero)
    }
    guard now.instant >= retry else { return }
    retry = now.instant + .milliseconds(200)
    var messages: [FinalityMessage] = [
      .status(
        FinalityStatus(
          epoch: 1, view: view, finalizedView: tip.view, finalizedHeight: tip.height,
          finalizedHash: tip.hash))
    ]
    let inFlight = waiting.flatMap(\.messages) + held
    for place in views.keys.filter({ $0 + 1 >= max(tip.view, 1) }).sorted().suffix(24) {
      for certificate in views[place]?.certificates ?? [] {
        messages.append(.certificate(certificate))
        if blocks[certificate.statement.hash] == nil && certificate.statement.kind != .nullify {
          messages.append(.blockRequest(hash: certificate.statement.hash))
        }
      }
      for vote in own where vote.statement.view == place {
        if !inFlight.contains(.vote(vote)) && !isProposalInFlight(vote, inFlight) {
          messages.append(.vote(vote))
        }
      }
    }
    for message in messages { for peer in peers { effects.sends.append((peer, message)) } }
  }

  private func isProposalInFlight(_ vote: Vote, _ messages: [FinalityMessage]) -> Bool {
    messages.contains {
      if case .proposal(let proposal) = $0 { return proposal.leaderVote == vote }
      return false
    }
  }
}
