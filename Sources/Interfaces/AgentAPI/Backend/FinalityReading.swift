package import Primitives
package import Records

/// The final ledger of the node as the agents' door needs it.
///
/// Everything is called on the loop thread, and completions are called there too, once each, never
/// before the call that takes them has returned.
package protocol FinalityReading: AnyObject {
  /// What the node knows of the chain at present; answered from memory.
  var ledgerHead: LedgerHead { get }

  /// Gives final blocks from a height on, ascending and gapless, at most `count` of them (1 to 64);
  /// fewer, or none, where the chain ends.
  func ledgerBlocks(
    from first: UInt64, count: Int,
    completion: @escaping (Result<[LedgerBlock], ReadFault>) -> Void)
  /// Gives epochs from a number on, ascending and gapless, at most `count` of them (1 to 64).
  func ledgerEpochs(
    from first: UInt64, count: Int,
    completion: @escaping (Result<[EpochDescription], ReadFault>) -> Void)

  /// Makes the proof that an operation is final.
  func ledgerProof(
    of operation: OperationID,
    completion: @escaping (Result<LedgerProofAnswer, ReadFault>) -> Void)
  /// Makes the proof of what a table of the final state has under a key, absence included. The key
  /// has the number and the types of the table's key columns.
  func ledgerProof(
    ofRowIn table: UInt16, key: [ColumnValue],
    completion: @escaping (Result<LedgerProofAnswer, ReadFault>) -> Void)

  /// Signs what became of operations, each at the same place as its name; `nil` for one that is not
  /// executed below a finalized cut.
  func receipts(
    for operations: [OperationID],
    completion: @escaping (Result<[OperationReceipt?], ReadFault>) -> Void)

  /// Reads rows of the final state, all queries from one snapshot.
  func finalRows(
    _ queries: [FinalRowQuery],
    completion: @escaping (Result<FinalRows, ReadFault>) -> Void)
}

/// What a node knows of its chain.
package struct LedgerHead: Hashable, Sendable {
  /// The chain.
  package var chain: ChainID
  /// Why nothing becomes final here at present: no validators named, halted, diverged, amnesia;
  /// `nil` while finality runs.
  package var stopped: String?
  /// Whether this node is a validator of the present epoch.
  package var isValidator: Bool
  /// The present epoch.
  package var epoch: UInt64
  /// The validators of the present epoch.
  package var validators: ValidatorSet
  /// The view that this node is in.
  package var view: UInt64
  /// The last final block; height 0 before the first.
  package var finalized: BlockReference
  /// The last final block's time in milliseconds since 1970; 0 before the first.
  package var finalizedMilliseconds: UInt64
  /// The last height that is executed here, and durable.
  package var executedHeight: UInt64
  /// The execution root at that height; zero at height 0.
  package var executedRoot: Digest
  /// The last height whose execution root a final block vouches for: proofs are of this height.
  package var provenHeight: UInt64

  /// Describes a chain.
  package init(
    chain: ChainID, stopped: String?, isValidator: Bool, epoch: UInt64, validators: ValidatorSet,
    view: UInt64, finalized: BlockReference, finalizedMilliseconds: UInt64,
    executedHeight: UInt64, executedRoot: Digest, provenHeight: UInt64
  ) {
    self.chain = chain
    self.stopped = stopped
    self.isValidator = isValidator
    self.epoch = epoch
    self.validators = validators
    self.view = view
    self.finalized = finalized
    self.finalizedMilliseconds = finalizedMilliseconds
    self.executedHeight = executedHeight
    self.executedRoot = executedRoot
    self.provenHeight = provenHeight
  }
}

/// A final block, with the certificate that finalized it by itself, if there is one.
package struct LedgerBlock: Hashable, Sendable {
  /// The block.
  package var block: Block
  /// A quorum's `finalize` for exactly this block; `nil` when it is final through a descendant.
  package var certificate: Certificate?

  /// Joins a block and its certificate.
  package init(block: Block, certificate: Certificate?) {
    self.block = block
    self.certificate = certificate
  }
}

/// The validators of an epoch, and who vouches for them.
package struct EpochDescription: Hashable, Sendable {
  /// The epoch.
  package var epoch: UInt64
  /// The height and the hash of the block that ended the epoch before; 0 and the chain's name for
  /// the first.
  package var parent: BlockReference
  /// Its validators.
  package var validators: ValidatorSet
  /// The certificate by which those before handed over; `nil` for the first epoch, and until a
  /// quorum has signed.
  package var handover: Certificate?

  /// Describes an epoch.
  package init(
    epoch: UInt64, parent: BlockReference, validators: ValidatorSet, handover: Certificate?
  ) {
    self.epoch = epoch
    self.parent = parent
    self.validators = validators
    self.handover = handover
  }
}

/// What became of the wish for a proof.
package enum LedgerProofAnswer: Hashable, Sendable {
  /// The proof.
  case proof(LedgerProof)
  /// This node holds no such operation.
  case unknown
  /// It is known, and no final block vouches for it yet.
  case notFinal
  /// The state moved on before a final block vouched for it; asked again, it will be there.
  case overtaken
}

/// A read of the final state.
package enum FinalRowQuery: Hashable, Sendable {
  /// The row with these key columns, or none.
  case row(table: UInt16, key: [ColumnValue])
  /// The rows whose first key columns are these, in the order of their keys, at most so many.
  case rows(table: UInt16, prefix: [ColumnValue], limit: Int)
}

/// Rows of the final state at one height.
package struct FinalRows: Hashable, Sendable {
  /// The height.
  package var height: UInt64
  /// The execution root at that height.
  package var executedRoot: Digest
  /// The rows that answer each query, each with all columns of its table.
  package var rows: [[Row]]

  /// Joins rows with their height.
  package init(height: UInt64, executedRoot: Digest, rows: [[Row]]) {
    self.height = height
    self.executedRoot = executedRoot
    self.rows = rows
  }
}
