package import CoreKit
package import Crypto
package import Primitives
package import Records

/// What the application says of a block's body.
package enum BlockVerdict: Hashable, Sendable {
  /// This node holds everything below the cut.
  case valid
  /// It breaks a rule that every node checks alike.
  case invalid(String)
  /// Something is missing here; another verdict follows.
  case missing
}

/// Something that happened to the engine.
package enum BFTEvent: Sendable {
  /// An authenticated connection to a member is up.
  case connected(PeerIndex, NodeID)
  /// The connection is gone.
  case disconnected(PeerIndex)
  /// A message that the door has checked.
  case received(Verified<FinalityMessage>, from: PeerIndex)
  /// Every record of the journal up to this step is durable.
  case journalled(through: UInt64)
  /// The application has, or has not, something to finalize.
  case work(Bool)
  /// A body that was wanted.
  case body(BlockBody, parent: Digest, view: UInt64)
  /// What the application says of a block it was asked about.
  case verdict(Digest, BlockVerdict)
  /// A block was executed, and its effects are durable; the next validators, if it ends its epoch.
  case executed(height: UInt64, root: Digest, validators: ValidatorSet?)
  /// Blocks that a peer asked for, from the disk.
  case blocksLoaded(
    first: UInt64, [Block], Certificate?, ending: Certificate?, to: PeerIndex)
  /// This node's operator consents to a change of validators.
  case proposeChange(added: [NodeID], removed: [NodeID])
  /// An instant that the core asked for has come.
  case deadline
  /// The driver has no more events at hand.
  case turnEnded
}

/// A block that is final.
package struct FinalizedBlock: Hashable, Sendable {
  /// The block.
  package let block: Block
  /// What finalizes it; `nil` when only a descendant has a certificate.
  package let certificate: Certificate?
  /// The blocks between it and the one that the certificate names: empty but at an epoch's end,
  /// where they are no part of the chain.
  package let descendants: [Block]
  /// Whether it is the last one of its epoch.
  package let endsEpoch: Bool

  /// Joins the parts.
  package init(
    block: Block, certificate: Certificate?, descendants: [Block] = [], endsEpoch: Bool = false
  ) {
    self.block = block
    self.certificate = certificate
    self.descendants = descendants
    self.endsEpoch = endsEpoch
  }
}

/// A step of the vote journal.
package struct JournalStep: Hashable, Sendable {
  /// The place in the order of steps, counting from 1 for each run.
  package let sequence: UInt64
  /// The records in order.
  package let records: [[UInt8]]
  /// Whether the records replace everything before them.
  package let isCheckpoint: Bool

  /// Joins the parts.
  package init(sequence: UInt64, records: [[UInt8]], isCheckpoint: Bool) {
    self.sequence = sequence
    self.records = records
    self.isCheckpoint = isCheckpoint
  }
}

/// A body that the engine wants, to propose a block.
package struct BodyWanted: Hashable, Sendable {
  /// The view.
  package let view: UInt64
  /// The parent.
  package let parent: BlockReference
  /// The blocks above the final one, up to the parent, ascending.
  package let parentChain: [Block]

  /// Joins the parts.
  package init(view: UInt64, parent: BlockReference, parentChain: [Block]) {
    self.view = view
    self.parent = parent
    self.parentChain = parentChain
  }
}

/// A block whose body the engine wants judged.
package struct CheckWanted: Hashable, Sendable {
  /// The block.
  package let block: Block
  /// The blocks above the final one, up to its parent, ascending.
  package let parentChain: [Block]

  /// Joins the parts.
  package init(block: Block, parentChain: [Block]) {
    self.block = block
    self.parentChain = parentChain
  }
}

/// Final blocks that a peer wants and memory no longer has.
package struct BlocksWanted: Hashable, Sendable {
  /// The first height.
  package let first: UInt64
  /// How many.
  package let count: Int
  /// The peer.
  package let peer: PeerIndex

  /// Joins the parts.
  package init(first: UInt64, count: Int, peer: PeerIndex) {
    self.first = first
    self.count = count
    self.peer = peer
  }
}

/// Something that operators or others are to hear of.
package enum BFTNotice: Hashable, Sendable {
  /// An epoch began with these validators: the door must know them.
  case epochBegan(UInt64, ValidatorSet)
  /// A quorum confirmed the end of an epoch.
  indirect case handover(Certificate)
  /// A view was finalized and nullified: more validators lie than can be tolerated. The engine
  /// stands still.
  case halted(String)
  /// A block vouches for another outcome of execution than this node's. The node votes no more.
  case diverged(height: UInt64, own: Digest, theirs: Digest)
  /// A validator signed what no honest one signs both of.
  indirect case evidence(VoteEvidence)
  /// The node that lost its journal votes again above this view.
  case amnesiaOver(view: UInt64)
}

/// What the engine asks its owner to do. Votes are held back in the core until they are durable.
package struct BFTEffects: Sendable {
  /// Messages, in order per peer.
  package var sends: [(peer: PeerIndex, message: FinalityMessage)] = []
  /// A step to make durable, after all earlier ones.
  package var journal: JournalStep?
  /// Bodies wanted.
  package var bodyWanted: [BodyWanted] = []
  /// Blocks to be judged.
  package var checkWanted: [CheckWanted] = []
  /// Blocks that became final, in order of height without gaps; the last one has a certificate.
  package var finalized: [FinalizedBlock] = []
  /// Blocks to be read for peers.
  package var blocksWanted: [BlocksWanted] = []
  /// What others are to hear of.
  package var notices: [BFTNotice] = []

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    journal = nil
    bodyWanted.removeAll(keepingCapacity: true)
    checkWanted.removeAll(keepingCapacity: true)
    finalized.removeAll(keepingCapacity: true)
    blocksWanted.removeAll(keepingCapacity: true)
    notices.removeAll(keepingCapacity: true)
  }
}
