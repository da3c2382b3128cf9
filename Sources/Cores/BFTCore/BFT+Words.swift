internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

/// What validators say beside blocks: the end of an epoch, evidence, and consent to changes.
extension BFT {
  /// The end of an epoch is to be told by its validators.
  mutating func prepareHandover(of boundary: BlockReference, by ended: ValidatorSet) {
    let next = nextValidators?.set ?? validators
    let statement = Handover.statement(
      chain: configuration.chain, boundary: boundary, next: next)
    unsaidHandover = (statement, ended)
    guard handover.map({ $0.epoch < statement.epoch }) ?? true else { return }
    handover = Ending(statement: statement, quorum: ended.quorum)
    handoverVotes = earlyHandovers
    earlyHandovers = ViewState.Tally()
  }

  /// Takes note when a quorum has said how an epoch ended.
  mutating func settleHandover(into effects: inout BFTEffects) {
    guard let ending = handover, ending.certificate == nil,
      let certificate = handoverVotes.certificate(
        for: ending.statement.hash, quorum: ending.quorum)
    else { return }
    takeHandover(certificate, into: &effects)
  }

  /// Takes a quorum's word on the end of an epoch.
  mutating func takeHandover(_ certificate: Certificate, into effects: inout BFTEffects) {
    guard handover?.certificate == nil, handover?.statement == certificate.statement else { return }
    handover?.certificate = certificate
    effects.notices.append(.handover(certificate))
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
      takeHandover(said)
    }
  }

  /// Own words beside blocks that are durable and have not led to what they are for.
  var unsettled: [FinalityMessage] {
    var messages: [FinalityMessage] = []
    if let said = guardian.handover, let ending = handover, ending.certificate == nil,
      said.statement.epoch == ending.epoch, isReleased(said)
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

  /// Takes a validator's word on the end of an epoch.
  mutating func takeHandover(_ vote: Vote) {
    guard vote.statement.kind == .handover else { return }
    if vote.statement.epoch == handover?.epoch {
      if handoverVotes.vote(of: vote.signer) == nil { handoverVotes.insert(vote) }
    } else if vote.statement.epoch == epoch, earlyHandovers.vote(of: vote.signer) == nil {
      // It counts once this node is there itself.
      earlyHandovers.insert(vote)
    }
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
