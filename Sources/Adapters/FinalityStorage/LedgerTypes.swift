package import Primitives
package import Records

/// A final block, with the certificate that finalized it by itself, if there is one.
package struct FinalBlock: Hashable, Sendable {
  /// The block.
  package let block: Block
  /// A quorum's `finalize` for exactly this block; `nil` when it is final through a descendant.
  package let certificate: Certificate?

  /// Joins a block and its certificate.
  package init(block: Block, certificate: Certificate?) {
    if let statement = certificate?.statement {
      precondition(
        statement.kind == .finalize && statement.hash == block.hash
          && statement.chain == block.header.chain && statement.epoch == block.header.epoch
          && statement.view == block.header.view,
        "block \(block.header.height) has the certificate of another")
    }
    self.block = block
    self.certificate = certificate
  }

  /// The block's height.
  package var height: UInt64 { block.header.height }
}

/// What executing the blocks up to a height led to.
package struct ExecutedState: Hashable, Sendable {
  /// The height.
  package let height: UInt64
  /// The execution root, which later headers vouch for.
  package let root: Digest
  /// The root over the rows.
  package let rowsRoot: Digest
  /// The root over the lanes.
  package let lanesRoot: Digest

  /// Joins the roots.
  package init(height: UInt64, root: Digest, rowsRoot: Digest, lanesRoot: Digest) {
    self.height = height
    self.root = root
    self.rowsRoot = rowsRoot
    self.lanesRoot = lanesRoot
  }
}

/// What became of a bundle's operations.
package struct BundleOutcome: Hashable, Sendable {
  /// The lane of the bundle.
  package let lane: LaneID
  /// The bundle's number.
  package let number: UInt64
  /// The height of the block that executed it.
  package let height: UInt64
  /// What executing each operation answered, in the bundle's order; the execution core knows the
  /// codes.
  package let codes: [UInt32]

  /// Joins the parts.
  package init(lane: LaneID, number: UInt64, height: UInt64, codes: [UInt32]) {
    self.lane = lane
    self.number = number
    self.height = height
    self.codes = codes
  }
}

/// The validators of one epoch.
package struct LedgerEpoch: Hashable, Sendable {
  /// The epoch.
  package let epoch: UInt64
  /// The block that the epoch follows: the boundary block before, or height 0 and the chain's name.
  package let parent: BlockReference
  /// Its validators.
  package let validators: ValidatorSet
  /// The certificate by which the validators before handed over; `nil` for the first epoch, and
  /// until a quorum has signed.
  package let handover: Certificate?

  /// Joins the parts.
  package init(
    epoch: UInt64, parent: BlockReference, validators: ValidatorSet, handover: Certificate?
  ) {
    self.epoch = epoch
    self.parent = parent
    self.validators = validators
    self.handover = handover
  }
}

/// One node of a trie, or its end. The ledger stores tries without knowing their form.
package struct TrieChange: Hashable, Sendable {
  /// Where the node stands; the caller keeps two tries apart by a first byte.
  package let path: [UInt8]
  /// The node, or `nil` when there is none any more.
  package let node: [UInt8]?

  /// Names a change.
  package init(path: [UInt8], node: [UInt8]?) {
    self.path = path
    self.node = node
  }
}

/// What one or more blocks change in the ledger: all of it or nothing is stored.
package struct LedgerTransaction: Sendable {
  /// New final blocks in ascending order, following the last one that is stored.
  package var blocks: [FinalBlock] = []
  /// Certificates that came later than their blocks, which are stored or among `blocks`.
  package var certificates: [Certificate] = []
  /// What execution led to, height by height, following the last one that is stored.
  package var executed: [ExecutedState] = []
  /// Rows that replace those with their keys.
  package var rows: [Row] = []
  /// Changes of trie nodes.
  package var trieNodes: [TrieChange] = []
  /// What became of bundles.
  package var outcomes: [BundleOutcome] = []
  /// Epochs that begin, or whose handover certificate has come.
  package var epochs: [LedgerEpoch] = []
  /// Named values; `nil` removes one.
  package var values: [(name: String, bytes: [UInt8]?)] = []

  /// Makes a transaction that changes nothing.
  package init() {}
}

/// A place where the ledger is not what was written.
package struct LedgerFinding: Hashable, Sendable {
  /// The table in the database.
  package let table: String
  /// Which of its records: a height, a key.
  package let record: String
  /// What is wrong.
  package let finding: String

  init(_ table: String, _ record: String, _ finding: String) {
    self.table = table
    self.record = record
    self.finding = finding
  }
}

extension LedgerFinding: CustomStringConvertible {
  package var description: String { "\(table) \(record): \(finding)" }
}
