internal import ExecutionCore
internal import FinalityStorage
internal import Primitives
internal import Records

/// What shows that a height is final: a header that vouches for it, and who vouches for the header.
struct LedgerSeal: Sendable {
  let header: BlockHeader
  let certificate: Certificate?
  let handovers: [EpochHandover]
  /// The state that the header vouches for.
  let roots: LedgerHistory.Roots

  /// The proof of something under the roots of the state.
  func proof(_ subject: LedgerProofSubject) -> LedgerProof {
    LedgerProof(
      chain: header.chain, height: roots.height, rowsRoot: roots.rows, lanesRoot: roots.lanes,
      headers: [header], certificate: certificate, handovers: handovers, subject: subject)
  }
}

/// What is known when a proof is asked for.
enum SealAnswer {
  case sealed(LedgerSeal)
  /// No final block vouches for what was asked for.
  case notFinal
  /// One does, for a height that is not remembered any more.
  case overtaken
}

/// Proofs from the executed ledger.
extension ExecutionState {
  /// The newest state that a final block vouches for, if it is that of `height` or a later one.
  func seal(atLeast height: UInt64) throws -> SealAnswer {
    guard let sealed = try newestSealed(), sealed.header.executedHeight >= max(height, 1) else {
      return .notFinal
    }
    let header = sealed.header
    guard let roots = history.roots(at: header.executedHeight) else { return .overtaken }
    return .sealed(
      LedgerSeal(
        header: header, certificate: sealed.certificate,
        handovers: Array(handovers.prefix(sealed.handovers)), roots: roots))
  }

  /// The last block that a quorum vouches for, to whom knows the genesis: by a certificate of its
  /// own, or, when it ended its epoch, by the handover.
  private func newestSealed() throws -> (
    header: BlockHeader, certificate: Certificate?, handovers: Int
  )? {
    let epoch = LedgerTrust.firstEpoch + UInt64(handovers.count)
    let certified = try database.reads.lastCertifiedBlock(throughEpoch: epoch)
    let boundary = try handovers.last.flatMap { try database.reads.block(named: $0.boundary) }
    if let boundary, boundary.height > certified?.height ?? 0 {
      return (boundary.block.header, nil, handovers.count)
    }
    guard let certified else { return nil }
    let header = certified.block.header
    return (header, certified.certificate, Int(header.epoch - LedgerTrust.firstEpoch))
  }

  /// The lane heads of a state.
  func laneHeads(of seal: LedgerSeal) -> [LaneHead] {
    history.laneHeads(atHeight: seal.roots.height, in: ledger) ?? []
  }

  /// The way to a row of a state, or to its absence.
  func rowPath(
    table: UInt16, key: [ColumnValue], of seal: LedgerSeal
  ) throws -> FinalRowPath? {
    try history.prove(
      table: table, key: key, atHeight: seal.roots.height, in: ledger
    ) { try database.reads.row(table: table, key: key) }
  }

  /// The epochs' handovers from the first on, up to the first that no certificate shows.
  static func handovers(_ reads: LedgerReads) throws -> [EpochHandover] {
    var handovers: [EpochHandover] = []
    for epoch in try reads.epochs().dropFirst() {
      guard let certificate = epoch.handover else { break }
      handovers.append(
        EpochHandover(
          boundary: epoch.parent.hash, validators: epoch.validators, certificate: certificate))
    }
    return handovers
  }
}
