import CoreKit
import Crypto
import GossipCore
import Merkle
import Primitives
import Records
import Testing
import Wire

/// Lanes that are not held from their beginning.
@Suite struct `Lane bases` {
  /// The head of an author's lane after so many bundles.
  private static func head(_ author: Author, after count: Int) -> LaneHead {
    var range = MountainRange()
    for bundle in author.bundles[..<count] { range.append(bundle.digest) }
    let header = author.bundles[count - 1].header
    return LaneHead(
      lane: header.lane, node: header.node, epoch: header.epoch, number: header.number,
      lastSequence: header.lastSequence, lastTime: header.lastTime,
      digest: author.bundles[count - 1].digest, range: range)
  }

  /// A rig that holds of the left lane what comes after `base`, up to `end`.
  private static func rig(base: Int, end: Int, written: Int) -> Rig {
    var rig = Rig.connected()
    for _ in 0..<written { rig.left.write() }
    let held = rig.left.bundles[base..<end]
    let lane = RestoredLane(
      head: head(rig.left, after: end), base: head(rig.left, after: base),
      times: held.map(\.header.lastTime), marks: held.map(\.digest.words.0))
    rig.gossip = Gossip(
      node: rig.author.node, epoch: rig.author.epoch, cluster: Place.cluster, swarm: Place.swarm,
      lanes: [lane], proofs: [], limits: GossipLimits(), seed: 1)
    rig.gossip.setMembers([rig.author.node, rig.left.node, rig.right.node])
    rig.connect(rig.leftPeer, rig.left.node)
    rig.connect(rig.rightPeer, rig.right.node)
    rig.effects.removeAll()
    return rig
  }

  private static func verified(_ rig: Rig, _ number: Int) throws -> Verified<SignedBundle> {
    try #require(Verified(checking: rig.left.bundles[number - 1]))
  }

  @Test(arguments: [(5, 5), (5, 8), (1, 1)])
  func `a lane goes on after its base with everybody's root`(base: Int, end: Int) throws {
    var rig = Self.rig(base: base, end: end, written: 12)
    for number in end + 1...12 {
      #expect(rig.receive(try Self.verified(rig, number)) == [UInt64(number)])
    }
    #expect(rig.gossip.head(of: rig.left.lane) == Self.head(rig.left, after: 12))
    #expect(rig.gossip.base(of: rig.left.lane) == UInt64(base))
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `what lies below the base is a duplicate and asks for nothing`() throws {
    var rig = Self.rig(base: 5, end: 6, written: 6)
    for number in 1...6 { #expect(rig.receive(try Self.verified(rig, number)) == []) }
    #expect(rig.gossip.counters.duplicates == 6)
    #expect(rig.effects.headersWanted.isEmpty)
    for applied in 1...4 as ClosedRange<UInt64> { rig.tell(rig.left.lane, applied, mark: 99) }
    #expect(rig.effects.pulls.isEmpty)
    #expect(rig.gossip.synced(rig.left.lane, at: rig.left.node) == 0)
  }

  @Test func `another bundle in the base's place is noticed`() throws {
    var rig = Self.rig(base: 5, end: 6, written: 6)
    rig.tell(rig.left.lane, 5, mark: 99)
    #expect(rig.effects.pulls.map(\.request.first) == [5])
    var fork = Author(2)
    for number in 1...4 { fork.write("fork \(number)") }
    let other = fork.write("another")
    _ = rig.receive(other)
    #expect(rig.effects.headersWanted.map(\.position.number) == [5])
  }

  @Test func `a context at the base orders times and one below it does not`() throws {
    var rig = Self.rig(base: 5, end: 5, written: 5)
    let late = rig.left.bundles[4].header.lastTime
    let early = HybridTime(raw: late.raw - 1)
    let bound = LanePosition(lane: rig.left.lane, number: 5)
    #expect(rig.receive(rig.right.write(context: [bound], at: early)) == [])
    let below = LanePosition(lane: rig.left.lane, number: 4)
    var fresh = Self.rig(base: 5, end: 5, written: 5)
    #expect(fresh.receive(fresh.right.write(context: [below], at: early)) == [1])
  }

  @Test func `a peer that let go of what is missing is asked no more, and another is`() throws {
    var rig = Rig.connected()
    rig.tell(rig.left.lane, 9, from: rig.leftPeer)
    let first = try #require(rig.wait(until: 60).first)
    #expect(first.peer == rig.leftPeer)
    rig.end(first, .refused(base: 4), at: 61)
    #expect(rig.wait(until: 20_000).isEmpty)
    #expect(rig.gossip.lanesOutOfReach == [rig.left.lane])
    #expect(rig.gossip.counters.pullsRefused == 1)
    rig.tell(rig.left.lane, 9, from: rig.rightPeer, at: Place.moment(20_001))
    #expect(rig.gossip.lanesOutOfReach.isEmpty)
    #expect(rig.wait(until: 20_100).map(\.peer) == [rig.rightPeer])
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a refusal that refuses what was not asked is a fruitless pull`() throws {
    var rig = Rig.connected()
    for _ in 0..<9 { rig.left.write() }
    for number in 1...6 { _ = rig.receive(try Self.verified(rig, number)) }
    rig.tell(rig.left.lane, 9)
    let pull = try #require(rig.wait(until: 60).first)
    rig.end(pull, .refused(base: 2), at: 61)
    #expect(rig.gossip.counters.pullsFruitless == 1)
    #expect(rig.wait(until: 300).map(\.request.first) == [7])
  }

  @Test func `a greeting forgets what the peer had let go of`() throws {
    var rig = Rig.connected()
    rig.tell(rig.left.lane, 9)
    rig.end(try #require(rig.wait(until: 60).first), .refused(base: 4), at: 61)
    rig.gossip.disconnect(rig.leftPeer, at: Place.moment(70), into: &rig.effects)
    let progress = LaneProgress(lane: rig.left.lane, applied: 9, synced: 9, mark: 0)
    rig.connect(rig.leftPeer, rig.left.node, [progress], at: 80)
    #expect(rig.wait(until: 200).count == 1)
  }

  @Test func `a base moves up to what is durable`() throws {
    var rig = Self.rig(base: 3, end: 6, written: 10)
    rig.gossip.moveBase(to: Self.head(rig.left, after: 6))
    #expect(rig.gossip.base(of: rig.left.lane) == 6)
    for number in 7...10 { _ = rig.receive(try Self.verified(rig, number)) }
    rig.gossip.markSynced(
      [LanePosition(lane: rig.left.lane, number: 9)], at: Place.moment(5), into: &rig.effects)
    rig.gossip.moveBase(to: Self.head(rig.left, after: 8))
    #expect(rig.gossip.brokenInvariant == nil)
    #expect(rig.gossip.head(of: rig.left.lane) == Self.head(rig.left, after: 10))
  }

  @Test func `a base beyond what is durable ends the process`() async {
    await #expect(processExitsWith: .failure) {
      var rig = Self.rig(base: 3, end: 6, written: 10)
      _ = rig.receive(try Self.verified(rig, 7))
      rig.gossip.moveBase(to: Self.head(rig.left, after: 7))
    }
  }

  @Test func `a refusal has one encoding, and no bundle looks like it`() throws {
    let refusal = PullRefusal(base: 300)
    #expect(refusal.encoded == [0, 0xac, 0x02])
    #expect(try PullRefusal(decoding: refusal.encoded) == refusal)
    #expect(refusal.encoded.count <= PullRefusal.encodedBytesMax)
    #expect(PullRefusal(base: .max).encoded.count <= PullRefusal.encodedBytesMax)
    for bytes in [[], [0], [0, 0], [1, 5], [0, 5, 5], [0, 0xac]] as [[UInt8]] {
      #expect(throws: (any Error).self) { try PullRefusal(decoding: bytes) }
    }
    var author = Author(1)
    let bundle = author.write()
    #expect(!PullRefusal.isRefusal(bundle.value.encoded))
    #expect(PullRefusal.isRefusal(refusal.encoded))
  }
}
