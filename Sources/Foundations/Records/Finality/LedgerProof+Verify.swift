internal import Crypto
package import Primitives

/// What a proof that holds has shown.
package struct ProvenState: Hashable, Sendable {
  /// The height whose outcome is shown.
  package let height: UInt64
  /// The execution root at that height.
  package let executedRoot: Digest
  /// The block that a quorum certified.
  package let block: BlockReference
  /// That block's time in milliseconds since 1970.
  package let timestamp: UInt64
  /// How many validators signed, and how many there are.
  package let signers: Int
  /// The validators of the block's epoch.
  package let validators: ValidatorSet
}

extension LedgerProof {
  /// Checks everything against the genesis alone; throws the first thing that is wrong.
  package func verify(_ trust: LedgerTrust) throws(LedgerProofFault) -> ProvenState {
    guard chain == trust.chain else { throw .otherChain }
    guard let first = headers.first, let last = headers.last else {
      throw .format("a proof without headers")
    }
    guard headers.count <= LedgerProof.headersMax, handovers.count <= LedgerProof.handoversMax
    else { throw .format("a proof of more headers or epochs than a proof has") }
    try checkLinks()
    var chainOfSets = EpochChain(trust)
    for handover in handovers { try chainOfSets.follow(handover) }
    let signers = try chainOfSets.checkSeal(of: last, certificate)
    guard first.executedHeight == height, height > 0,
      ExecutionRoot.root(height: height, rows: rowsRoot, lanes: lanesRoot) == first.executedRoot
    else { throw .executionRoot(height: height) }
    switch subject {
    case .operation(let path): try path.check(under: lanesRoot)
    case .row(let path): try path.check(under: rowsRoot)
    }
    return ProvenState(
      height: height, executedRoot: first.executedRoot, block: last.reference,
      timestamp: last.timestamp, signers: signers.count, validators: signers.validators)
  }

  private func checkLinks() throws(LedgerProofFault) {
    for header in headers where header.chain != chain { throw .otherChain }
    for (parent, child) in zip(headers, headers.dropFirst()) {
      guard child.height == parent.height + 1, child.parentHash == parent.hash else {
        throw .header(height: child.height, "it does not follow the header before")
      }
    }
  }
}

/// The validators of one epoch after the other, each epoch vouched for by a quorum of the one
/// before.
package struct EpochChain: Sendable {
  /// The epoch reached.
  package private(set) var epoch: UInt64
  /// Its validators.
  package private(set) var validators: ValidatorSet
  /// The block that ended the epoch before; `nil` in the first.
  package private(set) var boundary: Digest?
  private let chain: ChainID
  private var before: (validators: ValidatorSet, signers: Int)?
  private var memo = SignatureMemo()

  /// Starts at the genesis.
  package init(_ trust: LedgerTrust) {
    chain = trust.chain
    epoch = LedgerTrust.firstEpoch
    validators = trust.validators
  }

  /// Goes on to the next epoch.
  package mutating func follow(_ handover: EpochHandover) throws(LedgerProofFault) {
    guard epoch < BlockLimits.numberMax else { throw .format("more epochs than there are") }
    let next = epoch + 1
    let expected = Handover.statement(
      chain: chain,
      boundary: BlockReference(epoch: epoch, view: 0, height: 0, hash: handover.boundary),
      next: handover.validators)
    guard handover.certificate.statement == expected else {
      throw .handover(epoch: next, "the validators before signed something else")
    }
    guard Verified(checking: handover.certificate, in: validators, memo: &memo) != nil else {
      throw .handover(epoch: next, "no quorum of the validators before signed")
    }
    before = (validators, handover.certificate.signers.count)
    epoch = next
    validators = handover.validators
    boundary = handover.boundary
  }

  /// Checks that a quorum finalized a header of the epoch reached: by a certificate, or for the
  /// block that ended the epoch before, by having handed over after it.
  package mutating func checkSeal(
    of header: BlockHeader, _ certificate: Certificate?
  ) throws(LedgerProofFault) -> (count: Int, validators: ValidatorSet) {
    guard let certificate else {
      guard let before, header.epoch + 1 == epoch, boundary == header.hash else {
        throw .certificate(height: header.height, "there is none, and no handover names the block")
      }
      return (before.signers, before.validators)
    }
    guard header.epoch == epoch else {
      throw .header(
        height: header.height, "it is of epoch \(header.epoch), the handovers lead to \(epoch)")
    }
    guard header.validatorSetHash == validators.hash else {
      throw .header(height: header.height, "it names other validators than its epoch has")
    }
    let expected = Statement(
      kind: .finalize, chain: chain, epoch: header.epoch, view: header.view, hash: header.hash)
    guard certificate.statement == expected else {
      throw .certificate(height: header.height, "it is of another block")
    }
    guard Verified(checking: certificate, in: validators, memo: &memo) != nil else {
      throw .certificate(height: header.height, "no quorum of the epoch's validators signed")
    }
    return (certificate.signers.count, validators)
  }
}
