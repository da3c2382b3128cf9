import Crypto
import GossipCore
import NodeCore
import Primitives
import Records
import Testing

struct CutBuilderTests {
  private static func advance(_ author: LaneAuthor, _ number: Int? = nil) -> CutAdvance {
    let number = number ?? author.bundles.count
    return CutAdvance(
      lane: author.lane, number: UInt64(number), digest: author.bundles[number - 1].digest)
  }

  // MARK: Choosing

  @Test func `everything on this disk is offered, each lane by its last bundle`() throws {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    rig.take(second.write(), second.write(), third.write())
    let offered = rig.advances()
    #expect(
      offered
        == [Self.advance(second), Self.advance(third)].sorted { $0.lane < $1.lane })
  }

  @Test func `what is not on this disk is not offered`() throws {
    var rig = try LanesRig()
    var second = LaneAuthor(2)
    rig.take(second.write())
    rig.take(second.write(), isSynced: false)
    #expect(rig.advances() == [Self.advance(second, 1)])
    #expect(CutBuilder.hasAdvance(rig.windows, rig.gossip))
    rig.windows[second.lane]?.finalize(through: 1)
    #expect(rig.advances().isEmpty)
    #expect(!CutBuilder.hasAdvance(rig.windows, rig.gossip))
  }

  @Test func `a cut is drawn back until every context is below it`() throws {
    var rig = try LanesRig()
    var (second, third, fourth) = (LaneAuthor(2), LaneAuthor(3), LaneAuthor(4))
    // A chain of causes over three lanes, whose first is not on this disk.
    rig.take(second.write(), isSynced: false)
    rig.take(third.write(context: [second.end]))
    rig.take(fourth.write(context: [third.end]))
    #expect(rig.advances().isEmpty)
    rig.gossip.markSynced([second.end], at: LanesRig.moment, into: &rig.effects)
    #expect(rig.advances().count == 3)
    #expect(rig.judge(rig.advances()) == .held)
  }

  @Test func `a bundle whose cause is final needs nothing more`() throws {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    rig.take(second.write())
    rig.take(third.write(context: [second.end]))
    rig.windows[second.lane]?.finalize(through: 1)
    #expect(rig.advances() == [Self.advance(third)])
  }

  @Test func `operations of a block are shared out evenly, a lane's first bundle in any case`()
    throws
  {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    let half = CutBuilder.operationsMax / 2
    // The first bundle alone is more than the lane's share of two.
    for _ in 0..<3 { rig.take(second.write(BundleLimits.operationsMax)) }
    let perShare = max(1, half / BundleLimits.operationsMax)
    for _ in 0..<2 { rig.take(third.write(1)) }
    let offered = rig.advances()
    let ends = Dictionary(uniqueKeysWithValues: offered.map { ($0.lane, $0.number) })
    #expect(ends[third.lane] == 2)
    #expect(ends[second.lane] == UInt64(min(3, perShare)))
  }

  @Test func `after a lost view only what a quorum holds is offered`() throws {
    var rig = try LanesRig()
    var second = LaneAuthor(2)
    rig.take(second.write(), second.write(), second.write())
    // This node and one peer are no quorum of four.
    rig.tell(second, synced: 3, from: 0)
    #expect(rig.advances(cautiously: true).isEmpty)
    rig.tell(second, synced: 2, from: 1)
    #expect(rig.advances(cautiously: true) == [Self.advance(second, 2)])
    #expect(rig.advances() == [Self.advance(second, 3)])
  }

  @Test func `a lane known to have forked stays where it is, and holds up nobody`() throws {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    var twin = second
    rig.take(second.write(says: "one"))
    rig.take(third.write(context: [second.end]))
    rig.take(twin.write(says: "other"))
    guard case .equivocation = rig.gossip.fault(of: second.lane) else {
      Issue.record("two bundles for one place are no fork")
      return
    }
    #expect(rig.advances() == [Self.advance(third)])
    #expect(rig.judge([Self.advance(third)]) == .held)
  }

  // MARK: Judging

  @Test func `what this node offers it holds`() throws {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    rig.take(second.write())
    rig.take(third.write(context: [second.end]))
    #expect(rig.judge(rig.advances()) == .held)
    #expect(rig.judge([]) == .held)
  }

  @Test func `a block that would execute too much is wrong, and nobody offers it`() throws {
    var rig = try LanesRig()
    var second = LaneAuthor(2)
    let most = CutBuilder.operationsMax / BundleLimits.operationsMax
    for _ in 0..<(most + 2) { rig.take(second.write(BundleLimits.operationsMax)) }
    let offered = rig.advances()
    #expect(rig.judge(offered) == .held)
    #expect(offered.first?.number == UInt64(most))
    // The first bundle of a lane counts in no case.
    #expect(rig.judge([Self.advance(second, most + 1)]) == .held)
    guard case .wrong = rig.judge([Self.advance(second, most + 2)]) else {
      Issue.record("\(most + 2) full bundles are not too much")
      return
    }
  }

  @Test func `bytes bound a block as operations do`() throws {
    var rig = try LanesRig()
    var second = LaneAuthor(2)
    let text = String(repeating: "x", count: BundleLimits.operationBytesMax - 2)
    for _ in 0..<100 { rig.take(second.write(3, says: text)) }
    let offered = try #require(rig.advances().first)
    let bytes = second.bundles[0].header.bodyByteCount
    #expect(offered.number == UInt64(CutBuilder.bytesMax / bytes))
    #expect(rig.judge([offered]) == .held)
    guard case .wrong = rig.judge([Self.advance(second, Int(offered.number) + 2)]) else {
      Issue.record("more than \(CutBuilder.bytesMax) bytes are not too much")
      return
    }
  }

  @Test func `a cut over what is not here, or not synced, is missing`() throws {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    third.write()
    rig.take(second.write(), isSynced: false)
    #expect(rig.judge([Self.advance(second)]) == .missing)
    #expect(rig.judge([Self.advance(third)]) == .missing)
    rig.gossip.markSynced([second.end], at: LanesRig.moment, into: &rig.effects)
    #expect(rig.judge([Self.advance(second)]) == .held)
  }

  @Test func `a cut that names another bundle in a place is not held`() throws {
    var rig = try LanesRig()
    var second = LaneAuthor(2)
    var twin = second
    twin.write(says: "other")
    rig.take(second.write(says: "one"))
    #expect(rig.judge([Self.advance(twin)]) == .missing)
  }

  @Test func `a cut that leaves out a cause is not held`() throws {
    var rig = try LanesRig()
    var (second, third) = (LaneAuthor(2), LaneAuthor(3))
    rig.take(second.write())
    rig.take(third.write(context: [second.end]))
    #expect(rig.judge([Self.advance(third)]) == .missing)
    // Below an ancestor's cut it is covered.
    let ancestor = LanesRig.block([Self.advance(second)])
    #expect(rig.judge([Self.advance(third)], after: [ancestor]) == .held)
  }

  @Test func `a cut that does not advance, or by too much, is wrong`() throws {
    var rig = try LanesRig()
    var second = LaneAuthor(2)
    rig.take(second.write())
    let ancestor = LanesRig.block([Self.advance(second)])
    #expect(
      rig.judge([Self.advance(second)], after: [ancestor]) == .wrong("a lane that does not advance")
    )
    let far = CutAdvance(
      lane: second.lane, number: BlockLimits.laneAdvanceMax + 1, digest: .zero)
    #expect(rig.judge([far]) == .wrong("a lane that advances too far"))
  }
}
