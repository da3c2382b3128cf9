package import CoreKit
package import Crypto
package import BFTCore
package import Primitives
package import Records

/// What the finality of a node's swarm is made with.
package struct FinalityPlaneConfiguration: Sendable {
  /// The engine that agrees on blocks.
  package var engine: BFTConfiguration
  /// How long a leader waits for execution, or for something to carry, before it proposes a block
  /// without content.
  package var emptyDelay = TimeSpan.milliseconds(20)
  /// How long what was executed waits for a next block that vouches for it anyway, before one is
  /// made for that alone.
  package var vouchDelay = TimeSpan.milliseconds(50)

  /// Describes the finality of a chain.
  package init(engine: BFTConfiguration) {
    self.engine = engine
  }
}

/// What a node's finality starts from.
package struct FinalityRecovery: Sendable {
  /// The engine's part: journal and last executed block.
  package var engine: BFTRecovery
  /// The cut at the last executed block.
  package var cut: [LanePosition] = []
  /// When the ledger next changes by time alone, in milliseconds since 1970.
  package var nextDue: UInt64?
  /// The last height whose block changed something.
  package var lastChange: UInt64 = 0

  /// Joins the parts.
  package init(engine: BFTRecovery) {
    self.engine = engine
  }
}

/// Something that happened to the finality of a swarm.
package enum FinalityPlaneEvent: Sendable {
  /// A message of a peer, checked at the door.
  case received(Verified<FinalityMessage>, from: PeerIndex)
  /// Every record of the vote journal up to this step is durable.
  case journalled(through: UInt64)
  /// Outlines that were asked for; fewer when the log holds fewer.
  case outlines(LaneID, first: UInt64, [BundleOutline])
  /// Blocks were executed, and their effects are durable.
  case executed([ExecutionReport])
  /// The first block that was not executed names another bundle at a place than this node holds;
  /// its lane is executed up to `after`.
  case contradicted(LanePosition, after: UInt64)
  /// Blocks that a peer asked for, from the disk.
  indirect case blocksLoaded(BlockRange, to: PeerIndex)
  /// The operator of this node consents to a change of validators.
  case proposeChange(added: [NodeID], removed: [NodeID])
}

/// Final blocks read from the disk for a peer.
package struct BlockRange: Sendable {
  /// The first height.
  package let first: UInt64
  /// The blocks, ascending; none when they are not held.
  package let blocks: [Block]
  /// What finalizes the last one.
  package let certificate: Certificate?
  /// A quorum's word on the end of the epoch before, when the first one begins its own.
  package let ending: Certificate?

  /// Joins the parts.
  package init(
    first: UInt64, blocks: [Block], certificate: Certificate?, ending: Certificate? = nil
  ) {
    self.first = first
    self.blocks = blocks
    self.certificate = certificate
    self.ending = ending
  }
}

/// What executing one block led to, as far as agreement needs it.
package struct ExecutionReport: Hashable, Sendable {
  /// The block.
  package let height: UInt64
  /// The root over everything after it.
  package let root: Digest
  /// When the ledger next changes by time alone, in milliseconds since 1970.
  package let nextDue: UInt64?
  /// The next validators, when the block ends its epoch.
  package let nextValidators: ValidatorSet?

  /// Joins the parts.
  package init(
    height: UInt64, root: Digest, nextDue: UInt64?, nextValidators: ValidatorSet?
  ) {
    self.height = height
    self.root = root
    self.nextDue = nextDue
    self.nextValidators = nextValidators
  }
}

/// What finality asks its driver to do.
package struct FinalityPlaneEffects: Sendable {
  /// Outlines to be read from the log.
  package struct OutlinesWanted: Hashable, Sendable {
    /// The lane.
    package let lane: LaneID
    /// The first bundle.
    package let first: UInt64
    /// How many at most.
    package let count: Int
  }

  /// Messages, in order per peer.
  package var sends: [(peer: PeerIndex, message: FinalityMessage)] = []
  /// A step of the vote journal to make durable, after all earlier ones.
  package var journal: JournalStep?
  /// Blocks to execute after all earlier ones, whose bundles are on this node's disk; the last one
  /// has a certificate.
  package var execute: [FinalizedBlock] = []
  /// Outlines to be read.
  package var outlinesWanted: [OutlinesWanted] = []
  /// Blocks to be read for peers.
  package var blocksWanted: [BlocksWanted] = []
  /// What others are to hear of.
  package var notices: [BFTNotice] = []
  /// A lane of which this node holds a version that did not become final: all after this place is
  /// to be taken out of the log, and the node to begin anew from what remains.
  package var withdrawal: LanePosition?

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    journal = nil
    execute.removeAll(keepingCapacity: true)
    outlinesWanted.removeAll(keepingCapacity: true)
    blocksWanted.removeAll(keepingCapacity: true)
    notices.removeAll(keepingCapacity: true)
    withdrawal = nil
  }
}
