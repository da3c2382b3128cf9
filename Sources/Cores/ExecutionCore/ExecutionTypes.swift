package import Merkle
package import Primitives
package import Records

/// A finalized block with all that executing it reads.
package struct BlockToExecute: Sendable {
  /// The epoch.
  package let epoch: UInt64
  /// One more than the height executed before.
  package let height: UInt64
  /// Milliseconds since 1970, later than the block before.
  package let timestamp: UInt64
  /// Whether the epoch ends with this block.
  package let endsEpoch: Bool
  /// What the block says.
  package let body: BlockBody
  /// The bundles between the cut before and this block's, in any order; their signatures and bodies
  /// were checked.
  package let bundles: [SignedBundle]

  /// Joins the parts.
  package init(
    epoch: UInt64, height: UInt64, timestamp: UInt64, endsEpoch: Bool, body: BlockBody,
    bundles: [SignedBundle]
  ) {
    self.epoch = epoch
    self.height = height
    self.timestamp = timestamp
    self.endsEpoch = endsEpoch
    self.body = body
    self.bundles = bundles
  }
}

/// What became of an operation or of a validators' transaction. The numbers stand in rows: none is
/// given to another meaning.
package enum ResultCode: UInt8, Hashable, Sendable {
  /// It changed the state.
  case accepted = 0
  /// It is no operation, or it breaks a rule of its own.
  case invalid = 1
  /// What it creates exists.
  case exists = 2
  /// Its agent is not registered.
  case unknownAgent = 3
  /// Its agent may not do this.
  case notAllowed = 4
  /// Its question is not posted.
  case unknownQuestion = 5
  /// Its question takes no more of this.
  case closed = 6
  /// The question does not offer this answer.
  case notAChoice = 7
  /// Its agent has less than it puts at stake.
  case insufficientStake = 8
}

/// Why a block cannot be executed; the state is as before.
package enum ExecutionError: Error, Hashable, Sendable {
  /// It is not the next one: its height or its time.
  case notNext(height: UInt64)
  /// A bundle that the cut takes in is not given.
  case missing(LanePosition)
  /// A bundle is given that the cut does not take in, or twice.
  case stray(LanePosition)
  /// A bundle does not continue its lane, or is not the one that the cut names.
  case mismatch(LanePosition)
  /// The cut moves a lane back or not at all.
  case noAdvance(LaneID)
}

/// What executing a block led to.
package struct ExecutedBlock: Hashable, Sendable {
  /// The height.
  package let height: UInt64
  /// The root over all rows.
  package let rowsRoot: Digest
  /// The root over the heads of the lanes.
  package let lanesRoot: Digest
  /// The execution root.
  package let root: Digest
  /// What became of each operation, in the order of execution.
  package let results: [OperationResult]
  /// What became of each transaction, in the order of the body.
  package let transactionResults: [ResultCode]
  /// The earliest block time at which a question changes by time alone.
  package let nextDue: UInt64?
  /// The validators of the next epoch, when this block ends one.
  package let nextValidators: ValidatorSet?
}

/// What became of one operation.
package struct OperationResult: Hashable, Sendable {
  /// The operation.
  package let operation: OperationID
  /// What became of it.
  package let code: ResultCode
}

/// What is to be stored after one or several blocks.
package struct LedgerChanges: Sendable {
  /// Rows in the order in which they were written: a later one replaces an earlier one.
  package var rows: [Row] = []
  /// The place of each of these rows in the tree.
  package var rowKeys: [Digest] = []
  /// Whether the tree had something in that place before.
  package var areReplacing: [Bool] = []
  /// Nodes of the tree over rows, a later one replacing an earlier one.
  package var nodes: [TrieUpdate.Change] = []
  /// What stood in the places of these nodes before; `nil` where there was none.
  package var replaced: [TrieUpdate.Change] = []
  /// The heads of the lanes that moved, as they were before; `nil` where a lane begins.
  package var replacedHeads: [(lane: LaneID, head: LaneHead?)] = []

  /// Holds nothing.
  package init() {}
}

/// Where a question stands by the blocks.
package enum QuestionPhase: UInt8, CaseIterable, Sendable {
  /// It takes answers.
  case open = 1
  /// Its answers disagreed or were too few: further agents may answer.
  case debating = 2
  /// One answer holds more than two thirds of the weight.
  case consensus = 3
  /// No answer came to hold that much.
  case closed = 4
  /// The true answer was declared.
  case verified = 5
}
