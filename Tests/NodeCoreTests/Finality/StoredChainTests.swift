import BFTCore
import Crypto
import NodeCore
import Primitives
import Records
import Testing
import Wire

struct StoredChainTests {
  private static let chain = ChainID(cluster: LaneAuthor.cluster, swarm: LaneAuthor.swarm)

  private static func set(_ first: UInt64) throws -> ValidatorSet {
    try #require(ValidatorSet((first..<first + 4).map { LaneAuthor($0).node }))
  }

  private static func root(_ height: UInt64) -> Digest { Digest(words: 9, 0, 0, height) }

  /// Executed blocks of heights up to `height`, each second one with a cut.
  private static func blocks(_ height: UInt64, in epoch: UInt64) -> [FinalizedBlock] {
    guard height > 0 else { return [] }
    return (1...height).map { height in
      let advances =
        height.isMultiple(of: 2)
        ? [CutAdvance(lane: LaneAuthor(2).lane, number: height, digest: .zero)] : []
      let body = BlockBody(advances: advances)
      let header = BlockHeader(
        chain: chain, epoch: epoch, height: height, view: height, parentView: height - 1,
        parentHash: .zero, proposer: 0, timestamp: height, bodyRoot: body.root,
        bodyByteCount: UInt32(body.encoded.count), entryCount: UInt32(body.entryCount),
        executedHeight: 0, executedRoot: .zero, validatorSetHash: .zero)
      return FinalizedBlock(
        block: Block(header: header, body: body), certificate: nil)
    }
  }

  private static func stored(_ height: UInt64, in epoch: UInt64 = 1) throws -> StoredChain {
    var stored = StoredChain()
    stored.epochs = [
      StoredChain.Epoch(
        number: 1, parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
        validators: try set(1))
    ]
    stored.recent = blocks(height, in: epoch)
    if height > 0 { stored.roots = (1...height).map { ($0, root($0)) } }
    return stored
  }

  @Test func `a chain without blocks begins with the founders`() throws {
    let recovery = try Self.stored(0).recovery(votes: [[1]], isAmnesiac: true)
    #expect(recovery.engine.epoch == 1 && recovery.engine.executed == (0, .zero))
    #expect(recovery.engine.validators == (try Self.set(1)))
    #expect(recovery.engine.genesis == nil && recovery.engine.tip == nil)
    #expect(recovery.engine.journal == [[1]] && recovery.engine.isAmnesiac)
    #expect(recovery.lastChange == 0)
  }

  @Test func `agreement goes on after the last executed block`() throws {
    let recovery = try Self.stored(7).recovery(votes: [], isAmnesiac: false)
    #expect(recovery.engine.tip?.header.height == 7)
    #expect(recovery.engine.executed == (7, Self.root(7)))
    #expect(recovery.engine.earlierRoots.map(\.height) == Array(1...6))
    #expect(recovery.engine.recent.count == 7)
    // The last block that moved the cut, whose outcome a header must vouch for.
    #expect(recovery.lastChange == 6)
  }

  @Test func `an epoch that the last block began has it for its beginning`() throws {
    var stored = try Self.stored(10)
    let parent = BlockReference(epoch: 2, view: 0, height: 10, hash: Self.root(99))
    stored.epochs.append(
      StoredChain.Epoch(number: 2, parent: parent, validators: try Self.set(2)))
    let recovery = stored.recovery(votes: [], isAmnesiac: false)
    #expect(recovery.engine.epoch == 2 && recovery.engine.genesis == parent)
    #expect(recovery.engine.validators == (try Self.set(2)))
    // The block is of the epoch before.
    #expect(recovery.engine.tip == nil)
    #expect(recovery.engine.earlierSets.map(\.epoch) == [1])
  }

  @Test func `an epoch that no executed block has begun is not entered`() throws {
    var stored = try Self.stored(9)
    stored.epochs.append(
      StoredChain.Epoch(
        number: 2, parent: BlockReference(epoch: 2, view: 0, height: 10, hash: .zero),
        validators: try Self.set(2)))
    let recovery = stored.recovery(votes: [], isAmnesiac: false)
    #expect(recovery.engine.epoch == 1 && recovery.engine.tip?.header.height == 9)
  }

  @Test func `three earlier sets are remembered`() throws {
    var stored = try Self.stored(60, in: 6)
    for number in 2...6 {
      stored.epochs.append(
        StoredChain.Epoch(
          number: UInt64(number),
          parent: BlockReference(
            epoch: UInt64(number), view: 0, height: UInt64(number - 1) * 10, hash: .zero),
          validators: try Self.set(UInt64(number))))
    }
    let recovery = stored.recovery(votes: [], isAmnesiac: false)
    #expect(recovery.engine.epoch == 6)
    #expect(recovery.engine.earlierSets.map(\.epoch) == [3, 4, 5])
    #expect(recovery.engine.tip?.header.height == 60)
  }
}
