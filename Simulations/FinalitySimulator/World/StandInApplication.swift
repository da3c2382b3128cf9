package import BFTCore
internal import Crypto
package import Primitives
package import Records

/// What a node has beside the engine: bundles that it has heard of, and the executed chain.
///
/// One lane grows; bundle k has the digest that everybody computes. Executing a block hashes it
/// onto the root before. Blocks are executed and kept in the batches in which they became final.
package struct StandInApplication: Sendable {
  /// Bundles of the lane that the node has.
  package var known: UInt64 = 0
  /// The final and executed blocks, from height 1.
  package private(set) var ledger: [FinalizedBlock] = []
  /// The roots from height 0.
  package private(set) var roots: [Digest] = [.zero]
  private var waiting: [[FinalizedBlock]] = []
  private let chain: ChainID
  private let epochLength: UInt64
  private let sets: [ValidatorSet]
  /// From which height execution is wrong.
  package var corruptFrom: UInt64?

  /// An application before the first block; `sets` are the epochs' validators, the last one for
  /// all that follow.
  package init(chain: ChainID, epochLength: UInt64, sets: [ValidatorSet]) {
    precondition(!sets.isEmpty, "a chain without validators")
    self.chain = chain
    self.epochLength = epochLength
    self.sets = sets
  }

  /// The validators of an epoch.
  package func validators(ofEpoch epoch: UInt64) -> ValidatorSet {
    sets[min(Int(clamping: epoch) - 1, sets.count - 1)]
  }

  /// The height up to which blocks are executed.
  package var height: UInt64 { UInt64(ledger.count) }

  /// Whether bundles wait for a final block.
  package var hasWork: Bool {
    known > StandInApplication.cut(of: ledger.last(where: { !$0.block.body.isEmpty })?.block)
  }

  /// The body of a block above `parents`.
  package func body(above parents: [Block]) -> BlockBody {
    let cut = self.cut(above: parents)
    guard known > cut else { return BlockBody() }
    let number = min(known, cut + BlockLimits.laneAdvanceMax)
    return BlockBody(advances: [
      CutAdvance(lane: lane, number: number, digest: StandInApplication.bundle(number))
    ])
  }

  /// What the application says of a block.
  package func verdict(on block: Block, above parents: [Block]) -> BlockVerdict {
    guard let advance = block.body.advances.first else { return .valid }
    let cut = self.cut(above: parents)
    guard block.body.advances.count == 1, advance.lane == lane, advance.number > cut,
      advance.number - cut <= BlockLimits.laneAdvanceMax
    else { return .invalid("the cut does not advance by a step") }
    guard advance.number <= known else { return .missing }
    return advance.digest == StandInApplication.bundle(advance.number)
      ? .valid : .invalid("another bundle")
  }

  /// Takes blocks that became final together.
  package mutating func take(_ batch: [FinalizedBlock]) {
    waiting.append(batch)
  }

  /// Executes the earliest batch and keeps it; the outcomes by height.
  package mutating func execute() -> [(height: UInt64, root: Digest, next: ValidatorSet?)] {
    guard !waiting.isEmpty else { return [] }
    var outcomes: [(height: UInt64, root: Digest, next: ValidatorSet?)] = []
    for final in waiting.removeFirst() {
      let header = final.block.header
      guard header.height == height + 1 else { continue }
      var hash = Blake2b(.execution)
      hash.update(roots[roots.count - 1])
      hash.update(final.block.hash)
      if let corruptFrom, header.height >= corruptFrom { hash.update(UInt64(1)) }
      roots.append(hash.finalize())
      ledger.append(final)
      let isLast = header.height.isMultiple(of: epochLength)
      outcomes.append(
        (
          header.height, roots[roots.count - 1],
          isLast ? validators(ofEpoch: header.epoch + 1) : nil
        ))
    }
    return outcomes
  }

  /// Loses what was not executed.
  package mutating func crash() {
    waiting.removeAll()
  }

  /// Loses what was executed, too.
  package mutating func loseLedger() {
    crash()
    ledger = []
    roots = [.zero]
  }

  /// Where the engine starts again.
  package func recovery() -> BFTRecovery {
    var recovery = BFTRecovery()
    recovery.executed = (height, roots[roots.count - 1])
    let first = roots.count - min(roots.count, 17)
    recovery.earlierRoots = (first..<roots.count - 1).map { (UInt64($0), roots[$0]) }
    recovery.recent = Array(ledger.suffix(64))
    guard let last = ledger.last else { return recovery }
    let header = last.block.header
    let isLast = header.height.isMultiple(of: epochLength)
    recovery.epoch = isLast ? header.epoch + 1 : header.epoch
    recovery.validators = validators(ofEpoch: recovery.epoch)
    let oldest = recovery.epoch > 3 ? recovery.epoch - 3 : 1
    recovery.earlierSets = (oldest..<recovery.epoch).map { ($0, validators(ofEpoch: $0)) }
    let below = (recovery.epoch - 1) * epochLength
    if below > 0 {
      recovery.genesis = BlockReference(
        epoch: recovery.epoch, view: 0, height: below, hash: ledger[Int(below) - 1].block.hash)
    }
    if !isLast {
      recovery.tip = last.block
      recovery.certificate = last.certificate
    }
    return recovery
  }

  /// Final blocks for a peer, up to one that has a certificate.
  package func blocks(from first: UInt64, count: Int) -> ([Block], Certificate?) {
    guard first > 0, first <= height else { return ([], nil) }
    var blocks: [Block] = []
    for final in ledger[Int(first - 1)...].prefix(FinalityMessage.segmentBlocksMax) {
      guard final.block.header.epoch == ledger[Int(first - 1)].block.header.epoch else { break }
      blocks.append(final.block)
      if blocks.count >= count, let certificate = final.certificate {
        return (blocks + final.descendants, certificate)
      }
    }
    while let last = blocks.last {
      let final = ledger[Int(last.header.height) - 1]
      if let certificate = final.certificate {
        return (blocks + final.descendants, certificate)
      }
      blocks.removeLast()
    }
    return ([], nil)
  }

  private var lane: LaneID { LaneID(digest: chain.digest) }

  private func cut(above parents: [Block]) -> UInt64 {
    if let block = parents.last(where: { !$0.body.isEmpty }) {
      return StandInApplication.cut(of: block)
    }
    return StandInApplication.cut(of: finalWithContent)
  }

  /// The last final block with content, executed or not.
  private var finalWithContent: Block? {
    for batch in waiting.reversed() {
      if let final = batch.last(where: { !$0.block.body.isEmpty }) { return final.block }
    }
    return ledger.last { !$0.block.body.isEmpty }?.block
  }

  private static func cut(of block: Block?) -> UInt64 { block?.body.advances.last?.number ?? 0 }

  private static func bundle(_ number: UInt64) -> Digest {
    Digest(words: number, 0x62_75_6e_64_6c_65, number &* 31, 1)
  }
}
