import BFTCore
import CoreKit
import Crypto
import GossipCore
import NodeCore
import Primitives
import Records
import Testing

/// The only validator of a chain: what it votes for is final as soon as it is durable.
private struct PlaneRig {
  var lanes: LanesRig
  var plane: FinalityPlane
  var out = FinalityPlaneEffects()
  /// Blocks handed out and not reported as executed.
  var handedOut: [FinalizedBlock] = []
  var blockCount = 0
  private var milliseconds: UInt64 = 1

  init(cut: [LanePosition] = [], due: UInt64? = nil) throws {
    lanes = try LanesRig()
    let founders = try #require(ValidatorSet([lanes.own.node]))
    let chain = ChainID(cluster: LaneAuthor.cluster, swarm: LaneAuthor.swarm)
    var stored = StoredChain()
    stored.epochs = [
      StoredChain.Epoch(
        number: 1, parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
        validators: founders)
    ]
    stored.cut = cut
    stored.nextDue = due
    plane = try FinalityPlane(
      FinalityPlaneConfiguration(
        engine: BFTConfiguration(chain: chain, genesis: founders, key: lanes.own.key)),
      recovery: stored.recovery(votes: [], isAmnesiac: false), at: LanesRig.moment)
  }

  var now: Moment {
    Moment(
      instant: .origin + .milliseconds(milliseconds),
      wallMilliseconds: LaneAuthor.wall + milliseconds)
  }

  /// Takes bundles as the node's machine does.
  mutating func take(_ bundles: Verified<SignedBundle>..., isSynced: Bool = true) {
    for bundle in bundles {
      let before = lanes.effects.delivered.count
      lanes.take(bundle, isSynced: isSynced)
      for delivered in lanes.effects.delivered[before...] { plane.take(delivered.value) }
    }
    plane.noteLanesMoved()
  }

  /// Lets time pass, with all votes durable at once, until nothing more happens.
  mutating func run(_ more: UInt64 = 0) {
    let end = milliseconds + more
    while true {
      settle()
      guard let due = plane.nextDeadline, due <= .origin + .milliseconds(end) else { break }
      milliseconds = max(milliseconds, (due.nanoseconds + 999_999) / 1_000_000)
      plane.handleDeadline(at: now)
    }
    milliseconds = end
  }

  private mutating func settle() {
    for _ in 0..<200 {
      out.removeAll()
      plane.endTurn(lanes.gossip, at: now, into: &out)
      handedOut += out.execute
      blockCount += out.execute.count
      guard let step = out.journal else { return }
      plane.handle(.journalled(through: step.sequence), at: now)
    }
    Issue.record("the plane does not come to rest")
  }

  /// Reports everything handed out as executed.
  mutating func execute() {
    let reports = handedOut.map { final in
      ExecutionReport(
        height: final.block.header.height,
        root: Digest(words: 5, 0, 0, final.block.header.height), nextDue: nil,
        nextValidators: nil)
    }
    handedOut = []
    plane.handle(.executed(reports), at: now)
  }
}

struct FinalityPlaneTests {
  @Test func `nothing is proposed while there is nothing to agree on`() throws {
    var rig = try PlaneRig()
    rig.run(5_000)
    #expect(rig.blockCount == 0 && rig.plane.nextDeadline.map { $0 > rig.now.instant } ?? true)
  }

  @Test func `bundles on disk become final, and are executed when it is reported`() throws {
    var rig = try PlaneRig()
    var second = LaneAuthor(2)
    rig.take(second.write(), second.write())
    rig.run()
    #expect(rig.handedOut.map(\.block.body.advances.count) == [1])
    #expect(rig.handedOut[0].block.body.advances[0].number == 2)
    #expect(rig.plane.counters.bundlesFinalized == 2)
    // F3: final is not executed.
    #expect(rig.plane.executed(second.lane) == 0 && rig.plane.executedBundles == 0)
    rig.execute()
    #expect(rig.plane.executed(second.lane) == 2 && rig.plane.executedBundles == 2)
    #expect(rig.plane.executedRoot == Digest(words: 5, 0, 0, 1))
    #expect(rig.plane.brokenInvariant == nil)
  }

  @Test func `what is not synced here is not proposed until it is`() throws {
    var rig = try PlaneRig()
    var second = LaneAuthor(2)
    rig.take(second.write(), isSynced: false)
    rig.run(200)
    #expect(rig.blockCount == 0)
    rig.lanes.gossip.markSynced([second.end], at: rig.now, into: &rig.lanes.effects)
    rig.plane.noteLanesMoved()
    rig.run()
    #expect(rig.blockCount == 1)
  }

  @Test func `one more block vouches for what was executed, after a while and only once`() throws {
    var rig = try PlaneRig()
    var second = LaneAuthor(2)
    rig.take(second.write())
    rig.run()
    rig.execute()
    rig.run(40)
    #expect(rig.blockCount == 1)
    rig.run(40)
    #expect(rig.blockCount == 2)
    #expect(rig.handedOut.allSatisfy { $0.block.body.isEmpty })
    #expect(rig.handedOut.last?.block.header.executedHeight == 1)
    #expect(rig.handedOut.last?.block.header.executedRoot == Digest(words: 5, 0, 0, 1))
    rig.execute()
    rig.run(5_000)
    #expect(rig.blockCount == 2)
  }

  @Test func `bundles that come meanwhile are carried by the block that vouches`() throws {
    var rig = try PlaneRig()
    var second = LaneAuthor(2)
    for number in 1...5 {
      rig.take(second.write())
      rig.run()
      #expect(rig.blockCount == number)
      rig.execute()
      rig.run(20)
    }
    #expect(rig.blockCount == 5)
    rig.run(5_000)
    rig.execute()
    rig.run(5_000)
    #expect(rig.blockCount == 6)
  }

  @Test func `while execution is far behind, no block has content`() throws {
    var rig = try PlaneRig()
    var second = LaneAuthor(2)
    for _ in 0..<20 {
      rig.take(second.write())
      rig.run(200)
    }
    let contents = rig.handedOut.count { !$0.block.body.isEmpty }
    #expect(contents <= Int(BFTConfiguration.executionLagMax) + 1)
    #expect(rig.handedOut.last?.block.body.isEmpty == true || contents == rig.blockCount)
    for _ in 0..<100 where rig.plane.executedBundles < 20 {
      rig.execute()
      rig.run(200)
    }
    #expect(rig.plane.executed(second.lane) == 20)
  }

  @Test func `a change that is due by time makes a block`() throws {
    var rig = try PlaneRig(due: LaneAuthor.wall + 500)
    rig.run(400)
    #expect(rig.blockCount == 0)
    rig.run(800)
    #expect(rig.blockCount >= 1)
    #expect(rig.handedOut.contains { $0.block.header.timestamp > LaneAuthor.wall + 500 })
  }

  @Test func `after a restart outlines above the cut are asked for, and fill the windows`() throws {
    var second = LaneAuthor(2)
    let bundles = (0..<5).map { _ in second.write() }
    var rig = try PlaneRig(cut: [LanePosition(lane: second.lane, number: 3)])
    // The lanes are on disk; finality has only its cut.
    for bundle in bundles { rig.lanes.take(bundle) }
    rig.plane.noteLanesMoved()
    var out = FinalityPlaneEffects()
    rig.plane.endTurn(rig.lanes.gossip, at: rig.now, into: &out)
    let wanted = try #require(out.outlinesWanted.first)
    #expect(out.outlinesWanted.count == 1)
    #expect(wanted.lane == second.lane && wanted.first == 4)
    #expect(rig.plane.executed(second.lane) == 3 && rig.plane.executedBundles == 3)
    // Once is enough.
    var again = FinalityPlaneEffects()
    rig.plane.endTurn(rig.lanes.gossip, at: rig.now, into: &again)
    #expect(again.outlinesWanted.isEmpty && rig.blockCount == 0)
    let outlines = bundles[3...].map { BundleOutline($0.value.signedHeader) }
    rig.plane.handle(.outlines(second.lane, first: 4, outlines), at: rig.now)
    rig.run()
    #expect(rig.handedOut.first?.block.body.advances.map(\.number) == [5])
  }
}
