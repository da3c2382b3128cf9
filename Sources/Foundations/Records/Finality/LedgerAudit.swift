package import Primitives

/// What a whole ledger, read from the first block on, has shown.
package struct LedgerAuditReport: Hashable, Sendable {
  /// The last block's height.
  package internal(set) var height: UInt64 = 0
  /// The last block; zero for none.
  package internal(set) var hash: Digest = .zero
  /// The last height that a quorum vouches for, together with all below.
  package internal(set) var certifiedHeight: UInt64 = 0
  /// The last epoch.
  package internal(set) var epoch: UInt64 = LedgerTrust.firstEpoch
  /// Certificates that were checked, handovers included.
  package internal(set) var certificates = 0
  /// Lanes that advanced, summed over blocks.
  package internal(set) var advances = 0
  /// The last height whose execution a certified header vouches for.
  package internal(set) var executedHeight: UInt64 = 0
  /// The execution root at that height.
  package internal(set) var executedRoot: Digest = .zero
}

/// Checks a whole ledger with nothing but the genesis: that its blocks are a chain, that every
/// epoch was handed over, and that quorums finalized the blocks.
///
/// Blocks come in the order of their heights; an epoch's handover comes before its first block.
package struct LedgerAudit: Sendable {
  private let trust: LedgerTrust
  private var epochs: EpochChain
  private var last: BlockHeader?
  private var lastHash: Digest
  /// The cut, as far as blocks have moved it.
  private var cut: [LaneID: UInt64] = [:]
  /// A handover that came, until a block begins its epoch.
  private var hasFreshHandover = false
  /// What was found so far.
  package private(set) var report = LedgerAuditReport()

  /// Starts at the genesis.
  package init(_ trust: LedgerTrust) {
    self.trust = trust
    epochs = EpochChain(trust)
    lastHash = trust.chain.digest
  }

  /// Takes the handover to the next epoch.
  package mutating func take(_ handover: EpochHandover) throws(LedgerProofFault) {
    guard !hasFreshHandover else {
      throw .handover(epoch: epochs.epoch, "no block of it comes before the next epoch")
    }
    guard handover.boundary == lastHash, let last else {
      throw .handover(epoch: epochs.epoch + 1, "it does not follow the last block")
    }
    try epochs.follow(handover)
    hasFreshHandover = true
    report.certificates += 1
    report.epoch = epochs.epoch
    certified(last)
  }

  /// Takes the next block.
  package mutating func take(
    _ block: Block, _ certificate: Certificate?
  ) throws(LedgerProofFault) {
    let header = block.header
    if let problem = problem(of: block) { throw .header(height: header.height, problem) }
    for advance in block.body.advances {
      if let before = cut[advance.lane], advance.number <= before {
        throw .header(height: header.height, "it moves a lane's cut back")
      }
      cut[advance.lane] = advance.number
    }
    if let certificate {
      _ = try epochs.checkSeal(of: header, certificate)
      report.certificates += 1
      certified(header)
    }
    last = header
    lastHash = block.hash
    hasFreshHandover = false
    report.height = header.height
    report.hash = block.hash
    report.advances += block.body.advances.count
  }

  private mutating func certified(_ header: BlockHeader) {
    report.certifiedHeight = header.height
    report.executedHeight = header.executedHeight
    report.executedRoot = header.executedRoot
  }

  private func problem(of block: Block) -> String? {
    let header = block.header
    guard header.chain == trust.chain else { return "it is of another chain" }
    guard header.height == (last?.height ?? 0) + 1, header.parentHash == lastHash else {
      return "it does not follow the block before"
    }
    guard header.executedHeight < header.height else { return "it vouches for itself" }
    guard block.isConsistent else { return "its body is another one than its header names" }
    guard header.epoch == epochs.epoch else {
      return "it is of epoch \(header.epoch), the handovers lead to \(epochs.epoch)"
    }
    guard header.validatorSetHash == epochs.validators.hash,
      Int(header.proposer) < epochs.validators.count
    else { return "it names other validators than its epoch has" }
    guard let last else {
      guard header.parentView == 0, header.executedHeight == 0 else {
        return "it does not begin the chain"
      }
      return nil
    }
    guard header.parentView == (header.epoch == last.epoch ? last.view : 0) else {
      return "its parent has another view"
    }
    guard header.timestamp > last.timestamp else { return "it is not later than its parent" }
    guard header.executedHeight >= last.executedHeight,
      header.executedHeight > last.executedHeight || header.executedRoot == last.executedRoot
    else { return "it vouches for less, or for something else, than its parent" }
    return nil
  }
}
