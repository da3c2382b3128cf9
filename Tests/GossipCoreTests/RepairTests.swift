import CoreKit
import Crypto
import GossipCore
import Primitives
import Records
import Testing

@Suite struct `Repair by pulls` {
  @Test func `a lane that a peer is ahead in is pulled after a while`() throws {
    var rig = Rig.connected()
    rig.tell(rig.left.lane, 7, at: Place.moment(10))
    #expect(rig.wait(until: 20).isEmpty, "pushes come first")
    #expect(rig.gossip.nextDeadline <= .origin + .milliseconds(50))
    let pull = try #require(rig.wait(until: 50).first)
    #expect(pull.peer == rig.leftPeer)
    #expect(pull.request.first == 1 && pull.request.last == 7)
    #expect(rig.wait(until: 60).isEmpty, "one pull per lane")
  }

  @Test func `what a greeting shows is pulled at once`() {
    var rig = Rig()
    let progress = LaneProgress(lane: rig.left.lane, applied: 3, synced: 3, mark: 0)
    rig.connect(rig.leftPeer, rig.left.node, [progress], at: 1_000)
    #expect(rig.wait(until: 1_000).map(\.request.last) == [3])
  }

  @Test func `a pull reaches across gaps and leaves out what is parked at the end`() {
    var rig = Rig.connected()
    let bundles = (0..<6).map { _ in rig.left.write() }
    _ = rig.receive(bundles[1], bundles[4], bundles[5])
    rig.tell(rig.left.lane, 6)
    #expect(rig.wait(until: 60).map { $0.request.first...$0.request.last } == [1...4])
  }

  @Test func `nothing is pulled while the next bundle is here and waits for another lane`() {
    var rig = Rig.connected()
    rig.right.write()
    let effect = rig.left.write(
      context: [rig.right.end], at: HybridTime(milliseconds: Place.wall, counter: 0))
    _ = rig.receive(effect)
    rig.tell(rig.left.lane, 5)
    #expect(rig.wait(until: 100).isEmpty)
  }

  @Test func `the pause after fruitless pulls doubles up to its limit`() throws {
    var rig = Rig.connected()
    rig.tell(rig.left.lane, 5)
    var now: UInt64 = 100
    var pauses: [UInt64] = []
    for _ in 0..<9 {
      let pull = try #require(rig.wait(until: now).first)
      rig.end(pull, .failed, at: now)
      let start = now
      while rig.wait(until: now + 1).isEmpty { now += 1 }
      now += 1
      pauses.append(now - start)
      let again = try #require(rig.effects.pulls.last)
      rig.end(again, .complete, at: now)
      now += 6_000
    }
    #expect(pauses.first == 100)
    #expect(pauses[1] == 400)
    #expect(pauses.last == 5_000)
    #expect(rig.gossip.counters.pullsFruitless == 18)
  }

  @Test func `a pull that only parked bundles was worth it`() throws {
    var rig = Rig.connected()
    rig.right.write()
    let effect = rig.left.write(
      context: [rig.right.end], at: HybridTime(milliseconds: Place.wall, counter: 0))
    rig.tell(rig.left.lane, 1)
    let pull = try #require(rig.wait(until: 60).first)
    _ = rig.receive(effect, at: Place.moment(70))
    rig.end(pull, .complete, at: 70)
    #expect(rig.gossip.counters.pullsFruitless == 0)
  }

  @Test func `a pull that takes too long is given up and another peer is asked`() throws {
    var rig = Rig.connected()
    rig.tell(rig.left.lane, 5)
    let pull = try #require(rig.wait(until: 60).first)
    #expect(rig.gossip.nextDeadline <= .origin + .milliseconds(10_060))
    rig.tell(rig.left.lane, 5, from: rig.rightPeer)
    rig.gossip.disconnect(rig.leftPeer, at: Place.moment(100), into: &rig.effects)
    let again = try #require(rig.wait(until: 300).first)
    #expect(again.peer == rig.rightPeer)
    rig.end(pull, .complete, at: 310)
    #expect(rig.wait(until: 10_301).isEmpty)
    #expect(rig.gossip.counters.pullsFruitless == 2)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a node whose peers are all busy sleeps until one is free`() throws {
    var limits = GossipLimits()
    limits.pullsPerPeerMax = 1
    var rig = Rig.connected(limits: limits)
    rig.tell(rig.left.lane, 5)
    rig.tell(rig.right.lane, 5)
    let first = rig.wait(until: 60)
    #expect(first.count == 1)
    let now = Place.moment(60).instant
    #expect(rig.gossip.nextDeadline > now, "it must not ask to be called at once for ever")
    let pull = try #require(first.first)
    rig.end(pull, .complete, at: 70)
    #expect(rig.wait(until: 71).count == 1)
  }

  @Test func `a pull asks for no more than its bounds`() throws {
    var limits = GossipLimits()
    limits.pullBundlesMax = 10
    var rig = Rig.connected(limits: limits)
    rig.tell(rig.left.lane, .max)
    let pull = try #require(rig.wait(until: 60).first)
    #expect(pull.request.last == 10)
    #expect(pull.request.bytesMax == UInt32(limits.pullBytesMax))
  }

  @Test func `names of lanes that nobody signed are listed within a bound`() {
    var rig = Rig.connected()
    for number in 1...200 as ClosedRange<UInt64> {
      rig.tell(LaneID(digest: Digest(words: number, 0, 0, 0)), 5)
    }
    _ = rig.receive(rig.left.write())
    #expect(rig.number(rig.left) == 1)
    #expect(rig.gossip.frontier.count == 1)
  }
}
