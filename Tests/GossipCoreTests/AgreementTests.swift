import CoreKit
import Crypto
import GossipCore
import Primitives
import Records
import Testing

/// A lane that forked goes on up to what others agree that it holds.
@Suite struct `Agreed ends` {
  /// A rig that holds two bundles of a lane and knows that a third exists in two versions; the lane
  /// as the swarm has it, of `count` bundles, and as its node showed it to others.
  private func forked(
    _ count: Int, limits: GossipLimits = GossipLimits()
  ) throws -> (rig: Rig, lane: [Verified<SignedBundle>], other: [Verified<SignedBundle>]) {
    var rig = Rig.connected(limits: limits)
    var lane = (0..<2).map { _ in rig.left.write() }
    var other = lane
    var liar = rig.left
    #expect(rig.receive(lane[0], lane[1]) == [1, 2])
    for number in 3...count {
      lane.append(rig.left.write("yes \(number)"))
      other.append(liar.write("no \(number)"))
    }
    let proof = try #require(
      EquivocationProof(checking: lane[2].value.signedHeader, against: other[2].value.signedHeader)
    )
    rig.gossip.receive(
      .proof(proof), from: rig.rightPeer, at: Place.moment(1), into: &rig.effects)
    #expect(rig.gossip.fault(of: rig.left.lane) == .equivocation(proof))
    return (rig, lane, other)
  }

  private func agree(_ rig: inout Rig, on bundle: Verified<SignedBundle>) {
    let end = LanePosition(lane: rig.left.lane, number: bundle.value.header.number)
    rig.gossip.agree(on: end, digest: bundle.value.digest, at: Place.moment(2))
  }

  @Test func `the lane is pulled up to its end and then stands still again`() throws {
    var (rig, lane, _) = try forked(6)
    #expect(rig.receive(lane[2], from: rig.rightPeer, .pulled) == [])
    rig.tell(rig.left.lane, 6, from: rig.rightPeer)
    #expect(rig.wait(until: 5_000).isEmpty)
    agree(&rig, on: lane[4])
    let pull = try #require(rig.wait(until: 10_000).first)
    #expect(pull.request.first == 3 && pull.request.last == 5)
    #expect(rig.receive(lane[2], lane[3], from: rig.rightPeer, .pulled) == [])
    #expect(rig.gossip.brokenInvariant == nil)
    #expect(rig.receive(lane[4], from: rig.rightPeer, .pulled) == [3, 4, 5])
    rig.end(pull, .complete, at: 10_001)
    #expect(rig.receive(lane[5], from: rig.rightPeer, .pulled) == [])
    #expect(rig.wait(until: 60_000).isEmpty)
    #expect(rig.number(rig.left) == 5)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `another version is dropped as a whole and asked for again`() throws {
    var (rig, lane, other) = try forked(5)
    rig.tell(rig.left.lane, 5, from: rig.rightPeer)
    agree(&rig, on: lane[4])
    let first = try #require(rig.wait(until: 10_000).first)
    #expect(rig.receive(other[2], other[3], other[4], from: rig.rightPeer, .pulled) == [])
    rig.end(first, .complete, at: 10_001)
    #expect(rig.number(rig.left) == 2)
    #expect(rig.gossip.brokenInvariant == nil)
    let second = try #require(rig.wait(until: 20_000).first)
    #expect(second.request.first == 3)
    #expect(rig.receive(lane[2], lane[3], lane[4], from: rig.rightPeer, .pulled) == [3, 4, 5])
  }

  @Test func `a mixture of versions does not lead to the end`() throws {
    var (rig, lane, other) = try forked(5)
    agree(&rig, on: lane[4])
    #expect(rig.receive(lane[2], other[3], lane[4], from: rig.rightPeer, .pulled) == [])
    #expect(rig.number(rig.left) == 2)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `what is pushed of a forked lane does not count`() throws {
    var (rig, lane, other) = try forked(5)
    agree(&rig, on: lane[4])
    #expect(rig.receive(lane[2], lane[3], from: rig.rightPeer, .pulled) == [])
    #expect(rig.receive(other[2], other[3], other[4]) == [])
    #expect(rig.receive(lane[4]) == [])
    #expect(rig.receive(lane[4], from: rig.rightPeer, .pulled) == [3, 4, 5])
  }

  @Test func `a pull begins after what is here already`() throws {
    var (rig, lane, _) = try forked(6)
    rig.tell(rig.left.lane, 6, from: rig.rightPeer)
    agree(&rig, on: lane[5])
    let first = try #require(rig.wait(until: 10_000).first)
    #expect(rig.receive(lane[2], lane[3], from: rig.rightPeer, .pulled) == [])
    rig.end(first, .complete, at: 10_001)
    let second = try #require(rig.wait(until: 20_000).first)
    #expect(second.request.first == 5 && second.request.last == 6)
  }

  @Test func `bundles that find no room are asked for again`() throws {
    var limits = GossipLimits()
    limits.agreedBytesMax = 1_200
    var (rig, lane, _) = try forked(6, limits: limits)
    rig.tell(rig.left.lane, 6, from: rig.rightPeer)
    agree(&rig, on: lane[5])
    #expect(rig.receive(lane[2], lane[3], lane[4], lane[5], from: rig.rightPeer, .pulled) == [])
    #expect(rig.gossip.counters.parkedDropped > 0)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a new end replaces the one before, and what was kept for it`() throws {
    var (rig, lane, other) = try forked(5)
    agree(&rig, on: other[3])
    #expect(rig.receive(other[2], from: rig.rightPeer, .pulled) == [])
    agree(&rig, on: lane[3])
    #expect(rig.receive(lane[2], lane[3], from: rig.rightPeer, .pulled) == [3, 4])
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `an end means nothing to a lane that did not fork, or is unknown`() throws {
    var rig = Rig.connected()
    let first = rig.left.write()
    let second = rig.left.write()
    #expect(rig.receive(first) == [1])
    agree(&rig, on: second)
    rig.gossip.agree(
      on: LanePosition(lane: rig.right.lane, number: 3), digest: .zero, at: Place.moment(2))
    #expect(rig.receive(second) == [2])
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a place with another final version is asked for until the fork is proven`() throws {
    var rig = Rig.connected()
    let lane = (0..<2).map { _ in rig.left.write() }
    var liar = rig.left
    let third = rig.left.write("yes")
    let other = liar.write("no")
    #expect(rig.receive(lane[0], lane[1], third) == [1, 2, 3])
    rig.tell(rig.left.lane, 3, mark: third.value.digest.words.0, from: rig.rightPeer)
    let place = LanePosition(lane: rig.left.lane, number: 3)
    rig.gossip.doubt(place, at: Place.moment(2))
    let first = try #require(rig.wait(until: 10_000).first)
    #expect(first.request.first == 3 && first.request.last == 3)
    #expect(rig.receive(third, from: rig.rightPeer, .pulled) == [])
    rig.end(first, .complete, at: 10_001)
    #expect(!rig.gossip.isForked(place.lane))
    let second = try #require(rig.wait(until: 60_000).first)
    #expect(rig.receive(other, from: rig.rightPeer, .pulled) == [])
    rig.end(second, .complete, at: 60_001)
    #expect(rig.gossip.isForked(place.lane))
    #expect(rig.effects.proofs.count == 1)
    #expect(rig.number(rig.left) == 3)
    #expect(rig.wait(until: 120_000).isEmpty)
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `no evidence is sought of who cannot have it, or for what is not held`() {
    var rig = Rig.connected()
    let first = rig.left.write()
    let second = rig.left.write()
    #expect(rig.receive(first, second) == [1, 2])
    rig.gossip.doubt(LanePosition(lane: rig.left.lane, number: 2), at: Place.moment(2))
    rig.gossip.doubt(LanePosition(lane: rig.right.lane, number: 1), at: Place.moment(2))
    #expect(rig.wait(until: 60_000).isEmpty)
    rig.tell(rig.left.lane, 2, mark: second.value.digest.words.0, from: rig.rightPeer)
    #expect(rig.wait(until: 120_000).count == 1)
  }
}
