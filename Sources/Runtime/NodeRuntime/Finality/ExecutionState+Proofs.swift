internal import ExecutionCore
internal import FinalityStorage
internal import Primitives
internal import Records

/// A state, and what shows that it is final.
struct LedgerSeal: Sendable {
  let seal: BlockSeal
  /// The state that the header vouches for.
  let roots: LedgerHistory.Roots

  /// The proof of something under the roots of the state.
  func proof(_ subject: LedgerProofSubject) -> LedgerProof {
    LedgerProof(
      chain: seal.header.chain, height: roots.height, rowsRoot: roots.rows, lanesRoot: roots.lanes,
      headers: [seal.header], certificate: seal.certificate, handovers: seal.handovers,
      subject: subject)
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
    guard let newest = try database.reads.newestSeal(handovers),
      newest.header.executedHeight >= max(height, 1)
    else { return .notFinal }
    guard let roots = history.roots(at: newest.header.executedHeight) else { return .overtaken }
    return .sealed(LedgerSeal(seal: newest, roots: roots))
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
}
