import CoreKit
import Crypto
import GossipCore
import Primitives
import Records
import Testing

@Suite struct `Admission of bundles` {
  @Test func `bundles are applied in the order of their numbers`() {
    var rig = Rig.connected()
    let bundles = (0..<4).map { _ in rig.left.write() }
    #expect(rig.receive(bundles[2], bundles[1]) == [])
    #expect(rig.gossip.parkedCount == 2)
    #expect(rig.receive(bundles[0]) == [1, 2, 3])
    #expect(rig.receive(bundles[3]) == [4])
    #expect(rig.gossip.parkedCount == 0)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a bundle that is held already is only counted`() {
    var rig = Rig.connected()
    let bundle = rig.left.write()
    #expect(rig.receive(bundle, bundle) == [1])
    #expect(rig.receive(bundle) == [])
    #expect(rig.gossip.counters.duplicates == 2)
  }

  @Test func `a bundle waits for its context`() {
    var rig = Rig.connected()
    let cause = rig.right.write()
    let effect = rig.left.write(
      context: [rig.right.end], at: HybridTime(milliseconds: Place.wall, counter: 0))
    #expect(rig.receive(effect) == [])
    #expect(rig.receive(cause, from: rig.rightPeer) == [1, 1])
    #expect(rig.effects.delivered.map(\.value.header.node) == [rig.right.node, rig.left.node])
  }

  @Test func `a bundle not later than its context is never applied and freezes nothing`() {
    var rig = Rig.connected()
    let cause = rig.right.write(at: HybridTime(milliseconds: Place.wall, counter: 5))
    let effect = rig.left.write(
      context: [rig.right.end], at: HybridTime(milliseconds: Place.wall, counter: 5))
    #expect(rig.receive(cause, from: rig.rightPeer) == [1])
    #expect(rig.receive(effect) == [])
    #expect(rig.gossip.fault(of: rig.left.lane) == nil)
  }

  @Test func `a wrong sequence freezes the lane at its number`() {
    var rig = Rig.connected()
    let first = rig.left.write()
    var other = rig.left
    other.write("a", "b", "c")
    let wrong = rig.left.write("x", skippingSequence: 3)
    #expect(rig.receive(first, wrong) == [1])
    #expect(rig.gossip.fault(of: rig.left.lane) == .invalidBundle(number: 2))
    #expect(rig.gossip.counters.invalid == 1)
    #expect(rig.receive(rig.left.write()) == [])
  }

  @Test func `a time that goes back freezes the lane`() {
    var rig = Rig.connected()
    let first = rig.left.write(at: HybridTime(milliseconds: Place.wall, counter: 9))
    let second = rig.left.write(at: HybridTime(milliseconds: Place.wall, counter: 9))
    #expect(rig.receive(first, second) == [1])
    #expect(rig.gossip.fault(of: rig.left.lane) == .invalidBundle(number: 2))
  }

  @Test func `a bundle ahead of the wall clock waits until the clock has caught up`() {
    var rig = Rig.connected()
    let bundle = rig.left.write(
      at: HybridTime(milliseconds: Place.wall + 1 + 500 + 200, counter: 0))
    #expect(rig.receive(bundle) == [])
    #expect(rig.gossip.counters.future == 1)
    #expect(rig.gossip.nextDeadline <= .origin + .milliseconds(201))
    _ = rig.wait(until: 200)
    #expect(rig.number(rig.left) == 0)
    _ = rig.wait(until: 201)
    #expect(rig.number(rig.left) == 1)
  }

  @Test func `a chain that does not name its predecessor is not applied`() {
    var rig = Rig.connected()
    var other = rig.left
    let first = rig.left.write("one")
    other.write("another")
    let second = other.write()
    #expect(rig.receive(first, second) == [1])
    #expect(rig.number(rig.left) == 1)
    #expect(rig.effects.pulls.map(\.request.first) == [1], "the contradiction is asked for")
  }

  @Test func `strangers and other swarms are counted and dropped`() {
    var rig = Rig.connected()
    var stranger = Author(9)
    #expect(rig.receive(stranger.write()) == [])
    let foreign = rig.right.write(swarm: SwarmID(named: "other", in: Place.cluster))
    #expect(rig.receive(foreign) == [])
    #expect(rig.gossip.counters.foreign == 2)
    #expect(rig.gossip.head(of: stranger.lane) == nil)
  }

  @Test func `what is next takes the room of what is further on`() {
    var limits = GossipLimits()
    limits.parkedPerLaneMax = 2
    var rig = Rig.connected(limits: limits)
    rig.right.write()
    let first = rig.left.write(
      context: [rig.right.end], at: HybridTime(milliseconds: Place.wall, counter: 0))
    let rest = (0..<3).map { _ in rig.left.write() }
    #expect(rig.receive(rest[0], rest[1], rest[2]) == [])
    #expect(rig.gossip.counters.parkedDropped == 1)
    #expect(rig.receive(first) == [])
    #expect(rig.gossip.counters.parkedDropped == 2)
    #expect(rig.gossip.parkedCount == 2)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `parked bytes stay within their bound`() {
    var limits = GossipLimits()
    limits.parkedBytesMax = 2_000
    var rig = Rig.connected(limits: limits)
    rig.left.write()
    for _ in 0..<10 { _ = rig.receive(rig.left.write()) }
    #expect(rig.gossip.parkedCount == 3)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a bundle of the own lane that the node lost is reported`() {
    var rig = Rig.connected()
    #expect(rig.receive(rig.author.write()) == [])
    #expect(rig.effects.ownLaneAhead == rig.author.end)
  }

  @Test func `a mere claim about the own lane makes the node ask and nothing more`() {
    var rig = Rig.connected()
    rig.tell(rig.author.lane, 40)
    #expect(rig.effects.ownLaneAhead == nil)
    #expect(rig.effects.pulls.map(\.request.lane) == [rig.author.lane])
    #expect(rig.effects.pulls.map(\.request.first) == [1])
  }
}
