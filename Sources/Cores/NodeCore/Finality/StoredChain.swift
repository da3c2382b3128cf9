package import BFTCore
package import Primitives
package import Records

/// What a node's ledger holds of its chain: from it follows where agreement goes on.
package struct StoredChain: Sendable {
  /// Final blocks that agreement remembers from the start, for peers and for what its journal
  /// refers to.
  package static let recentMax: UInt64 = 64
  /// Heights whose roots are remembered.
  package static let rootsMax: UInt64 = 17

  /// An epoch and what it follows.
  package struct Epoch: Sendable {
    /// The number.
    package let number: UInt64
    /// The block before, with the epoch's own number and view 0.
    package let parent: BlockReference
    /// The validators.
    package let validators: ValidatorSet

    /// Joins the parts.
    package init(number: UInt64, parent: BlockReference, validators: ValidatorSet) {
      self.number = number
      self.parent = parent
      self.validators = validators
    }
  }

  /// All epochs, ascending; the first has the founders.
  package var epochs: [Epoch] = []
  /// The latest executed blocks, ascending, at most `recentMax`.
  package var recent: [FinalizedBlock] = []
  /// The latest execution roots, ascending, at most `rootsMax`; the last one is the last block's.
  package var roots: [(height: UInt64, root: Digest)] = []
  /// The cut at the last block.
  package var cut: [LanePosition] = []
  /// When the ledger next changes by time alone, in milliseconds since 1970.
  package var nextDue: UInt64?

  /// Holds nothing.
  package init() {}

  /// Where agreement goes on: after the last executed block, in its epoch or the one that it began.
  ///
  /// - Precondition: the first epoch is there.
  package func recovery(votes: [[UInt8]], isAmnesiac: Bool) -> FinalityRecovery {
    var engine = BFTRecovery()
    engine.journal = votes
    engine.isAmnesiac = isAmnesiac
    let height = recent.last?.block.header.height ?? 0
    if let last = roots.last {
      precondition(last.height == height, "the root of height \(last.height) after \(height)")
      engine.executed = last
      engine.earlierRoots = Array(roots.dropLast())
    }
    guard let epoch = epochs.last(where: { $0.parent.height <= height }) else {
      preconditionFailure("no epoch of height \(height) is known")
    }
    engine.epoch = epoch.number
    engine.validators = epoch.validators
    if epoch.parent.height > 0 { engine.genesis = epoch.parent }
    for earlier in epochs where earlier.number < epoch.number && epoch.number - earlier.number <= 3
    {
      engine.earlierSets.append((earlier.number, earlier.validators))
    }
    engine.recent = recent
    if let tip = recent.last, height > epoch.parent.height {
      engine.tip = tip.block
      engine.certificate = tip.certificate
    }
    var recovery = FinalityRecovery(engine: engine)
    recovery.cut = cut
    recovery.nextDue = nextDue
    recovery.lastChange = recent.last { !$0.block.body.isEmpty }?.block.header.height ?? 0
    return recovery
  }
}
