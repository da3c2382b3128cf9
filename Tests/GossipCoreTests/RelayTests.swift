import CoreKit
import Crypto
import GossipCore
import Primitives
import Records
import Testing

@Suite struct `Bundles on their way through relays` {
  private let far = Author(4)
  private let farPeer = PeerIndex(2)

  /// A rig with three peers, of which the left one is an origin whose bundles go on to the others.
  private func relay(parents: [NodeID] = []) -> Rig {
    var rig = Rig.connected()
    rig.gossip.setMembers([rig.author.node, rig.left.node, rig.right.node, far.node])
    rig.connect(farPeer, far.node)
    var routes = RelayRoutes.direct
    routes.duties[rig.left.node] = RelayDuty(
      parents: parents, children: [RelayBranch(node: rig.right.node), RelayBranch(node: far.node)])
    rig.gossip.setRoutes(routes)
    rig.effects.removeAll()
    return rig
  }

  private func handedOn(_ rig: Rig) -> [[PeerIndex]] { rig.effects.handedOn.map(\.peers) }

  @Test func `a bundle that its origin pushed goes on to the children, once`() {
    var rig = relay()
    let bundle = rig.left.write()
    _ = rig.receive(bundle)
    #expect(handedOn(rig) == [[rig.rightPeer, farPeer]])
    #expect(rig.effects.handedOn.first?.bundle == bundle)
    _ = rig.receive(bundle)
    #expect(rig.effects.handedOn.count == 1)
    #expect(rig.gossip.counters.handedOn == 2)
  }

  @Test func `a bundle that was pulled goes no further`() {
    var rig = relay()
    _ = rig.receive(rig.left.write(), from: rig.leftPeer, .pulled)
    #expect(rig.number(rig.left) == 1)
    #expect(rig.effects.handedOn.isEmpty)
  }

  @Test func `a bundle goes on from its origin and from a parent, and from nobody else`() {
    var rig = relay(parents: [far.node])
    _ = rig.receive(rig.left.write(), from: rig.rightPeer)
    #expect(rig.effects.handedOn.isEmpty)
    _ = rig.receive(rig.left.write(), from: farPeer)
    #expect(handedOn(rig) == [[rig.rightPeer]], "and not back to the parent")
    _ = rig.receive(rig.left.write())
    #expect(handedOn(rig).last == [rig.rightPeer, farPeer])
  }

  @Test func `a bundle of an origin without a duty goes nowhere`() {
    var rig = relay()
    _ = rig.receive(rig.right.write(), from: rig.rightPeer)
    #expect(rig.number(rig.right) == 1)
    #expect(rig.effects.handedOn.isEmpty)
  }

  @Test func `a bundle that has to wait here goes on at once`() {
    var rig = relay()
    rig.left.write()
    let second = rig.left.write()
    _ = rig.receive(second)
    #expect(rig.number(rig.left) == 0)
    #expect(handedOn(rig) == [[rig.rightPeer, farPeer]])
    _ = rig.receive(second)
    #expect(rig.effects.handedOn.count == 1)
  }

  @Test func `a bundle that breaks a rule goes nowhere`() {
    var rig = relay()
    _ = rig.receive(rig.left.write())
    _ = rig.receive(rig.left.write(skippingSequence: 3))
    #expect(rig.gossip.counters.invalid == 1)
    _ = rig.receive(rig.left.write())
    #expect(rig.effects.handedOn.count == 1, "the lane is frozen")
  }

  @Test func `who is blocked, away or has said that it holds it gets no copy`() {
    var rig = relay()
    rig.gossip.setEager(false, rig.rightPeer)
    _ = rig.receive(rig.left.write())
    #expect(handedOn(rig) == [[farPeer]])
    rig.tell(rig.left.lane, 2, from: farPeer)
    _ = rig.receive(rig.left.write())
    #expect(rig.effects.handedOn.count == 1)
    rig.gossip.setEager(true, rig.rightPeer)
    rig.gossip.disconnect(farPeer, at: Place.moment(2), into: &rig.effects)
    _ = rig.receive(rig.left.write())
    #expect(handedOn(rig).last == [rig.rightPeer])
  }

  @Test func `own bundles go to the first hops, their stand-ins, or those behind them`() {
    var rig = relay()
    #expect(rig.gossip.ownPushPeers == [rig.leftPeer, rig.rightPeer, farPeer])
    var routes = RelayRoutes.direct
    routes.own = [
      RelayBranch(
        node: rig.left.node, standIn: rig.right.node, children: [RelayBranch(node: far.node)])
    ]
    rig.gossip.setRoutes(routes)
    #expect(rig.gossip.ownPushPeers == [rig.leftPeer])
    rig.gossip.setEager(false, rig.leftPeer)
    #expect(rig.gossip.ownPushPeers == [rig.rightPeer])
    rig.gossip.setEager(false, rig.rightPeer)
    #expect(rig.gossip.ownPushPeers == [farPeer])
    rig.gossip.setEager(true, rig.leftPeer)
    #expect(rig.gossip.ownPushPeers == [rig.leftPeer])
    rig.gossip.setRoutes(.direct)
    #expect(rig.gossip.ownPushPeers == [rig.leftPeer, farPeer])
  }

  @Test func `a peer that has not greeted yet gets no copy`() {
    var rig = relay()
    rig.gossip.disconnect(farPeer, at: Place.moment(1), into: &rig.effects)
    rig.gossip.connect(farPeer, far.node, at: Place.moment(2), into: &rig.effects)
    _ = rig.receive(rig.left.write())
    #expect(handedOn(rig) == [[rig.rightPeer]])
  }

  /// Who is told something within a second.
  private func told(_ rig: inout Rig, at milliseconds: UInt64) -> [PeerIndex] {
    _ = rig.wait(until: milliseconds)
    let before = rig.effects.sends.count
    _ = rig.wait(until: milliseconds + 1_000)
    return rig.effects.sends[before...].map(\.peer)
  }

  @Test func `the partner of the round hears the whole frontier, while it is there`() {
    var rig = relay()
    _ = rig.receive(rig.left.write())
    // The digests of the first moments are over.
    for now in stride(from: 100 as UInt64, to: 1_000, by: 100) { _ = rig.wait(until: now) }
    rig.gossip.setComparePeer(far.node)
    for round in 1...8 as ClosedRange<UInt64> {
      #expect(told(&rig, at: 2_000 * round) == [farPeer])
    }
    rig.gossip.disconnect(farPeer, at: Place.moment(19_000), into: &rig.effects)
    #expect(told(&rig, at: 20_000).allSatisfy { $0 != farPeer })
    rig.gossip.setComparePeer(nil)
    #expect(told(&rig, at: 30_000).count == 1)
  }
}
