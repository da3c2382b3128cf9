package import Crypto
package import Primitives
package import Records

/// A bug that the simulator plants to prove that it would be found; a node never has one.
package enum BFTBug: String, CaseIterable, Sendable {
  /// Votes to finalize a view that it voted to nullify.
  case finalizeAfterNullify
  /// Votes for a block whatever views it skips.
  case skipJustification
  /// Sends votes before they are durable.
  case forgetJournal
  /// Does not count its own votes after a restart.
  case ownVoteNotCounted
  /// Does not move on with a notarization of a view that it voted to nullify.
  case ignoreNotarizationAfterNullify
  /// Takes a majority for a quorum.
  case smallQuorum
  /// Does not tell of contradicting votes.
  case skipEvidence
  /// Accepts blocks of any validator.
  case skipLeaderCheck
  /// Forgets its votes of views that are not final.
  case pruneAboveFloor
  /// Votes on after it lost its journal.
  case naiveAmnesia
}

/// What the engine of a chain is made with.
package struct BFTConfiguration: Sendable {
  /// Blocks by which execution may lag behind a block with content.
  package static let executionLagMax: UInt64 = 8
  /// Heights between a finalized change of validators and the end of its epoch.
  package static let reconfigurationDelay: UInt64 = 8
  /// Milliseconds by which a leader's clock may run ahead.
  package static let aheadMillisecondsMax: UInt64 = 2_000
  /// Views beyond its own of which a node takes votes.
  package static let viewsAhead: UInt64 = 8
  /// Views below the final one that are remembered.
  package static let viewsBehind: UInt64 = 8

  /// The chain.
  package var chain: ChainID
  /// The validators of the first epoch.
  package var genesis: ValidatorSet
  /// The node's key; a node whose key is no validator's only follows.
  package var key: SigningKey
  /// Heights of an epoch.
  package var epochLength: UInt64 = 1_000
  /// The assumed time for a message to arrive before any was measured.
  package var delayAtFirst = TimeSpan.milliseconds(100)
  /// The least that is assumed.
  package var delayMin = TimeSpan.milliseconds(20)
  /// The most that is assumed.
  package var delayMax = TimeSpan.seconds(2)
  /// The longest that back-off makes a timer.
  package var timerMax = TimeSpan.seconds(10)
  /// How often a node says where it stands.
  package var statusInterval = TimeSpan.seconds(1)
  /// Records after which the journal is rewritten.
  package var checkpointRecords = 1_024
  /// A bug of the simulator's.
  package var plantedBug: BFTBug?

  /// Describes an engine with default timing.
  package init(chain: ChainID, genesis: ValidatorSet, key: SigningKey) {
    self.chain = chain
    self.genesis = genesis
    self.key = key
  }
}

/// What the engine starts from: the journal, and the last executed block with what it rests on.
package struct BFTRecovery: Sendable {
  /// The records of the vote journal, in order.
  package var journal: [[UInt8]] = []
  /// Whether the key has signed and the journal is gone.
  package var isAmnesiac = false
  /// The epoch.
  package var epoch: UInt64 = 1
  /// The validators of the epoch; `nil` for the first epoch's.
  package var validators: ValidatorSet?
  /// The sets of earlier epochs that are remembered, ascending.
  package var earlierSets: [(epoch: UInt64, set: ValidatorSet)] = []
  /// What the epoch began with; `nil` for the chain's beginning.
  package var genesis: BlockReference?
  /// The last block that was executed, when it is of this epoch.
  package var tip: Block?
  /// What finalizes it.
  package var certificate: Certificate?
  /// The height that execution has reached, and the root there.
  package var executed: (height: UInt64, root: Digest) = (0, .zero)
  /// Roots of the latest heights before, ascending.
  package var earlierRoots: [(height: UInt64, root: Digest)] = []
  /// The latest final blocks, ascending, for peers.
  package var recent: [FinalizedBlock] = []

  /// What a node starts from that never ran.
  package init() {}
}
