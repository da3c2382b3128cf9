internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

/// What validators say beside blocks: the end of an epoch, evidence, and consent to changes.
extension BFT {
  /// The end of an epoch is to be told by its validators.
  mutating func prepareHandover(of boundary: BlockReference, by ended: ValidatorSet) {
    if handover.epoch < boundary.epoch {
      handover = (boundary.epoch, ended.quorum, false)
      handoverVotes = ViewState.Tally()
    }
    let next = nextValidators?.set ?? validators
    let statement = Handover.statement(
      chain: configuration.chain, boundary: boundary, next: next)
    unsaidHandover = (statement, ended)
  }

  /// Signs what is to be said on the end of an epoch, or counts what was said before a restart.
  mutating func sayHandover(into effects: inout BFTEffects) {
    guard let unsaid = unsaidHandover, standstill == nil, !isAmnesiac else { return }
    unsaidHandover = nil
    let node = NodeID(key: configuration.key.publicKey)
    guard let place = unsaid.validators.index(of: node) else { return }
    let vote = guardian.sign(
      unsaid.statement, as: UInt16(place), with: configuration.key,
      planted: configuration.plantedBug)
    if let vote {
      hold(vote, of: unsaid.validators, into: &effects)
    } else if let said = guardian.handover, said.statement == unsaid.statement {
      broadcast(.handover(said), into: &effects)
      takeHandover(said, into: &effects)
    }
  }

  /// Own words beside blocks that are durable and have not led to what they are for.
  var unsettled: [FinalityMessage] {
    var messages: [FinalityMessage] = []
    if let said = guardian.handover, !handover.isKnown, said.statement.epoch == handover.epoch,
      isReleased(said)
    {
      messages.append(.handover(said))
    }
    if let said = guardian.consent, let change = ownChange, isReleased(said),
      consents.contains(where: { $0.added == change.added && $0.removed == change.removed })
    {
      messages.append(.consent(said, added: change.added, removed: change.removed))
    }
    return messages
  }

  mutating func takeHandover(_ vote: Vote, into effects: inout BFTEffects) {
    let ended = vote.statement.epoch
    guard vote.statement.kind == .handover else { return }
    if ended == epoch, ended > handover.epoch {
      handover = (ended, validators.quorum, false)
      handoverVotes = ViewState.Tally()
    }
    guard ended == handover.epoch, handoverVotes.vote(of: vote.signer) == nil else { return }
    handoverVotes.insert(vote)
    guard !handover.isKnown,
      let certificate = handoverVotes.certificate(
        for: vote.statement.hash, quorum: handover.quorum)
    else { return }
    handover.isKnown = true
    effects.notices.append(.handover(certificate))
  }

  /// What validators have to say in the next block after `chain`.
  func transactions(after chain: [Block]) -> [ValidatorTransaction] {
    var said: [ValidatorTransaction] = []
    for block in chain { said += block.body.transactions }
    var wanted: [ValidatorTransaction] = []
    for found in evidence {
      let origin = found.first.statement.epoch
      let transaction = ValidatorTransaction.evidence(found, epoch: origin)
      if epoch - origin <= 2, !said.contains(transaction) { wanted.append(transaction) }
    }
    for consent in consents {
      let hash = Reconfiguration.hash(added: consent.added, removed: consent.removed)
      guard let certificate = consent.votes.certificate(for: hash, quorum: quorum) else {
        continue
      }
      let transaction = ValidatorTransaction.reconfigure(
        Reconfiguration(added: consent.added, removed: consent.removed, consent: certificate))
      let isSaid = said.contains {
        if case .reconfigure(let other) = $0 {
          return other.added == consent.added && other.removed == consent.removed
        }
        return false
      }
      if !isSaid { wanted.append(transaction) }
    }
    return wanted
  }

  mutating func consent(
    added: [NodeID], removed: [NodeID], into effects: inout BFTEffects
  ) {
    guard canVote, let own else { return }
    let statement = Statement(
      kind: .reconfigure, chain: configuration.chain, epoch: epoch, view: 0,
      hash: Reconfiguration.hash(added: added, removed: removed))
    let vote = guardian.sign(
      statement, as: own, with: configuration.key, planted: configuration.plantedBug)
    guard let vote else { return }
    ownChange = (added, removed)
    hold(vote, change: (added, removed), into: &effects)
  }

  mutating func takeConsent(_ vote: Vote, added: [NodeID], removed: [NodeID]) {
    guard vote.statement.epoch == epoch else { return }
    let place = consents.firstIndex { $0.added == added && $0.removed == removed }
    if let place, consents[place].votes.vote(of: vote.signer) != nil { return }
    // A validator consents to one change at a time, so that none can take all the room.
    for index in consents.indices { consents[index].votes.remove(vote.signer) }
    if let place {
      consents[place].votes.insert(vote)
    } else {
      var consent = Consent(added: added, removed: removed)
      consent.votes.insert(vote)
      consents.append(consent)
    }
    consents.removeAll { $0.votes.votes.isEmpty }
  }
}
