package import Crypto
package import Primitives
package import Records

/// Where a node stands.
package struct FinalityStatus: Hashable, Sendable {
  /// The epoch.
  package let epoch: UInt64
  /// The view it is in.
  package let view: UInt64
  /// The view of its last final block; 0 when that begins the epoch.
  package let finalizedView: UInt64
  /// That block's height.
  package let finalizedHeight: UInt64
  /// That block.
  package let finalizedHash: Digest

  /// Joins the parts.
  package init(
    epoch: UInt64, view: UInt64, finalizedView: UInt64, finalizedHeight: UInt64,
    finalizedHash: Digest
  ) {
    self.epoch = epoch
    self.view = view
    self.finalizedView = finalizedView
    self.finalizedHeight = finalizedHeight
    self.finalizedHash = finalizedHash
  }
}

/// What nodes say to each other to agree on blocks.
package enum FinalityMessage: Hashable, Sendable {
  /// A block and why it may follow its parent.
  indirect case proposal(Proposal)
  /// A vote.
  case vote(Vote)
  /// A quorum's votes.
  case certificate(Certificate)
  /// Where the sender stands.
  case status(FinalityStatus)
  /// A wish for certificates of views that the sender lacks.
  case certificateRequest(epoch: UInt64, first: UInt64, last: UInt64)
  /// A wish for a block that is not final at the sender.
  case blockRequest(hash: Digest)
  /// A wish for final blocks.
  case heightRequest(first: UInt64, count: UInt64)
  /// A block that was wished for.
  indirect case block(Block)
  /// Final blocks in order, the last of which the certificate finalizes.
  indirect case segment([Block], Certificate)
  /// A wish, by a node that lost its journal, to hear the highest certificate of an epoch.
  case memoryQuery(nonce: UInt64, epoch: UInt64)
  /// The highest certificate held; `nil` when none is.
  indirect case memoryReply(nonce: UInt64, epoch: UInt64, highest: Certificate?)
  /// A validator's consent to a change of validators.
  case consent(Vote, added: [NodeID], removed: [NodeID])
  /// A validator's word on the end of an epoch.
  case handover(Vote)
  /// A quorum's word on the end of an epoch: goes before the first blocks of the next one, to those
  /// who were not there.
  case ending(Certificate)

  /// The largest encoded message that is accepted, in bytes.
  package static let bytesMax = 1 << 20
  /// More than what a proposal holds beside body and certificates, in bytes.
  static let headBytesMax = 512
  /// Views asked for at once.
  package static let certificatesMax: UInt64 = 64
  /// Final blocks asked for at once.
  package static let segmentMax: UInt64 = 64
  /// Final blocks sent at once, when the first certified one comes later than asked for.
  package static let segmentBlocksMax = 512
}

/// The validators of the epochs whose messages a node can judge.
package struct EpochValidators: Sendable {
  /// Epochs that are remembered: evidence counts for two more.
  static let epochsKept = 4

  /// The chain.
  package let chain: ChainID
  private var sets = SortedMap<UInt64, ValidatorSet>()
  /// A bug of the simulator's.
  let plantedBug: BFTBug?

  /// Knows nobody yet.
  package init(chain: ChainID, planted bug: BFTBug? = nil) {
    self.chain = chain
    plantedBug = bug
  }

  /// The validators of an epoch, when it is one of the latest.
  package subscript(epoch: UInt64) -> ValidatorSet? { sets[epoch] }

  /// Takes note of an epoch's validators.
  package mutating func learn(_ set: ValidatorSet, epoch: UInt64) {
    sets[epoch] = set
    while sets.count > EpochValidators.epochsKept, let oldest = sets.entries.first?.key {
      sets[oldest] = nil
    }
  }
}

extension FinalityMessage: ListedSignedValue {
  package func signedParts(in epochs: EpochValidators) -> [SignedPart]? {
    switch self {
    case .proposal(let proposal): return FinalityMessage.parts(proposal, epochs)
    case .vote(let vote):
      guard vote.statement.kind.isOfView else { return nil }
      return FinalityMessage.parts(vote, epochs)
    case .certificate(let certificate):
      guard certificate.statement.kind.isOfView else { return nil }
      return FinalityMessage.parts(certificate, epochs)
    case .status, .blockRequest, .block, .memoryQuery: return []
    case .certificateRequest(_, let first, let last):
      return last >= first && last - first < FinalityMessage.certificatesMax ? [] : nil
    case .heightRequest(let first, let count):
      return first > 0 && (1...FinalityMessage.segmentMax).contains(count) ? [] : nil
    case .segment(let blocks, let certificate):
      guard FinalityMessage.isLinked(blocks, to: certificate, chain: epochs.chain) else {
        return nil
      }
      return FinalityMessage.parts(certificate, epochs)
    case .memoryReply(_, let epoch, let highest):
      guard let highest else { return [] }
      guard highest.statement.epoch == epoch, highest.statement.kind.isOfView else { return nil }
      return FinalityMessage.parts(highest, epochs)
    case .consent(let vote, let added, let removed):
      guard vote.statement.kind == .reconfigure,
        vote.statement.hash == Reconfiguration.hash(added: added, removed: removed)
      else { return nil }
      return FinalityMessage.parts(vote, epochs)
    case .handover(let vote):
      guard vote.statement.kind == .handover else { return nil }
      return FinalityMessage.parts(vote, epochs)
    case .ending(let certificate):
      guard certificate.statement.kind == .handover else { return nil }
      return FinalityMessage.parts(certificate, epochs)
    }
  }

  private static func isLinked(
    _ blocks: [Block], to certificate: Certificate, chain: ChainID
  ) -> Bool {
    guard let last = blocks.last, last.hash == certificate.statement.hash,
      certificate.statement.kind == .finalize, certificate.statement.epoch == last.header.epoch
    else { return false }
    guard blocks.allSatisfy({ $0.header.chain == chain }) else { return false }
    return zip(blocks, blocks.dropFirst()).allSatisfy { lower, upper in
      upper.header.parentHash == lower.hash && upper.header.height == lower.header.height + 1
        && upper.header.epoch == lower.header.epoch
        && upper.header.parentView == lower.header.view
    }
  }

  private static func parts(_ vote: Vote, _ epochs: EpochValidators) -> [SignedPart]? {
    guard vote.statement.chain == epochs.chain, let set = epochs[vote.statement.epoch] else {
      return nil
    }
    return vote.signedParts(in: set)
  }

  private static func parts(
    _ certificate: Certificate, _ epochs: EpochValidators
  ) -> [SignedPart]? {
    guard certificate.statement.chain == epochs.chain,
      let set = epochs[certificate.statement.epoch]
    else { return nil }
    return certificate.signedParts(in: set)
  }

  private static func parts(_ proposal: Proposal, _ epochs: EpochValidators) -> [SignedPart]? {
    guard proposal.block.header.chain == epochs.chain,
      proposal.isJustified || epochs.plantedBug == .skipJustification,
      var parts = parts(proposal.leaderVote, epochs)
    else { return nil }
    for certificate in proposal.nullifications + [proposal.parentCertificate].compactMap(\.self) {
      guard let more = self.parts(certificate, epochs) else { return nil }
      parts += more
    }
    for transaction in proposal.block.body.transactions {
      guard let more = self.parts(transaction, of: proposal.block.header.epoch, epochs) else {
        return nil
      }
      parts += more
    }
    return parts
  }

  private static func parts(
    _ transaction: ValidatorTransaction, of epoch: UInt64, _ epochs: EpochValidators
  ) -> [SignedPart]? {
    switch transaction {
    case .evidence(let evidence, let origin):
      guard origin <= epoch, epoch - origin <= 2, evidence.first.statement.chain == epochs.chain,
        let set = epochs[origin]
      else { return nil }
      return evidence.signedParts(in: set)
    case .reconfigure(let change):
      let statement = change.consent.statement
      guard statement.kind == .reconfigure, statement.epoch == epoch,
        statement.hash == Reconfiguration.hash(added: change.added, removed: change.removed)
      else { return nil }
      return parts(change.consent, epochs)
    }
  }
}

extension StatementKind {
  /// Whether it is a vote on a view.
  var isOfView: Bool {
    switch self {
    case .notarize, .nullify, .finalize: true
    case .handover, .reconfigure: false
    }
  }
}

extension FinalityMessage {
  /// The epoch whose validators have signed parts of it; `nil` when nothing in it is signed.
  package var statedEpoch: UInt64? {
    switch self {
    case .proposal(let proposal): proposal.block.header.epoch
    case .vote(let vote), .handover(let vote), .consent(let vote, _, _): vote.statement.epoch
    case .certificate(let certificate), .segment(_, let certificate), .ending(let certificate):
      certificate.statement.epoch
    case .memoryReply(_, let epoch, let highest): highest == nil ? nil : epoch
    case .status, .certificateRequest, .blockRequest, .heightRequest, .block, .memoryQuery: nil
    }
  }
}

/// The one door by which messages reach the engine: it checks every signature they rest on.
package struct FinalityDoor: Sendable {
  private var epochs: EpochValidators
  /// Signatures that were checked.
  package private(set) var memo = SignatureMemo()

  /// Makes the door of a chain; it refuses everything signed until it knows validators.
  package init(chain: ChainID, planted bug: BFTBug? = nil) {
    epochs = EpochValidators(chain: chain, planted: bug)
  }

  /// Takes note of an epoch's validators.
  package mutating func learn(_ set: ValidatorSet, epoch: UInt64) {
    epochs.learn(set, epoch: epoch)
  }

  /// Whether the validators of an epoch are known.
  package func knows(epoch: UInt64) -> Bool { epochs[epoch] != nil }

  /// Checks a message; `nil` when it is forged, of another chain, of an epoch unknown here, or its
  /// parts disagree.
  package mutating func check(_ message: FinalityMessage) -> Verified<FinalityMessage>? {
    Verified(checking: message, in: epochs, memo: &memo)
  }
}
