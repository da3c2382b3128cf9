import CoreKit
import Crypto
import GossipCore
import Primitives
import Records
import Testing

@Suite struct `Progress between peers` {
  private func progress(_ rig: Rig, to peer: PeerIndex) -> [LaneProgress] {
    rig.effects.sends.filter { $0.peer == peer }.flatMap { send -> [LaneProgress] in
      switch send.message {
      case .hello(let hello): hello.progress
      case .progress(let news): news
      case .proof: []
      }
    }
  }

  @Test func `the own lane is shown only as far as it is durable`() {
    var rig = Rig()
    let bundle = rig.author.write()
    rig.gossip.appendOwn(bundle, at: Place.moment(1), into: &rig.effects)
    rig.connect(rig.leftPeer, rig.left.node)
    _ = rig.wait(until: 2_000)
    #expect(progress(rig, to: rig.leftPeer).isEmpty)
    rig.gossip.markSynced([rig.author.end], at: Place.moment(2_001), into: &rig.effects)
    _ = rig.wait(until: 2_100)
    let shown = progress(rig, to: rig.leftPeer)
    #expect(shown.map(\.applied) == [1])
    #expect(shown.map(\.synced) == [1])
  }

  @Test func `what is synced is acknowledged to the lane's node at once`() {
    var rig = Rig.connected()
    _ = rig.receive(rig.left.write())
    rig.gossip.markSynced([rig.left.end], at: Place.moment(2), into: &rig.effects)
    #expect(progress(rig, to: rig.leftPeer).map(\.synced) == [1])
    #expect(progress(rig, to: rig.rightPeer).isEmpty)
  }

  @Test func `news that comes late never takes anything back`() {
    var rig = Rig.connected()
    rig.tell(rig.right.lane, 5, synced: 5)
    rig.tell(rig.right.lane, 3, synced: 2)
    #expect(rig.gossip.synced(rig.right.lane, at: rig.left.node) == 5)
  }

  @Test func `a peer does not vouch for bundles other than those held here`() {
    var rig = Rig.connected()
    let bundle = rig.author.write()
    rig.gossip.appendOwn(bundle, at: Place.moment(1), into: &rig.effects)
    rig.tell(rig.author.lane, 1, synced: 1, mark: bundle.value.digest.words.0)
    #expect(rig.gossip.synced(rig.author.lane, at: rig.left.node) == 1)
    rig.tell(rig.author.lane, 1, synced: 1, mark: 77, from: rig.rightPeer)
    #expect(rig.gossip.synced(rig.author.lane, at: rig.right.node) == 0, "another bundle 1")
    rig.tell(rig.author.lane, 20, synced: 20, mark: 78, from: rig.rightPeer)
    #expect(
      rig.gossip.synced(rig.author.lane, at: rig.right.node) == 0,
      "more of the own lane than there is: of a life that this node has forgotten")
  }

  @Test func `a new greeting replaces what the peer said before`() {
    var rig = Rig.connected()
    rig.tell(rig.right.lane, 5, synced: 5)
    rig.gossip.disconnect(rig.leftPeer, at: Place.moment(5), into: &rig.effects)
    #expect(rig.gossip.synced(rig.right.lane, at: rig.left.node) == 5, "durable while away")
    rig.connect(
      rig.leftPeer, rig.left.node,
      [LaneProgress(lane: rig.right.lane, applied: 2, synced: 1, mark: 0)])
    #expect(rig.gossip.synced(rig.right.lane, at: rig.left.node) == 1)
  }

  @Test func `progress before the greeting is ignored`() {
    var rig = Rig()
    rig.gossip.connect(rig.leftPeer, rig.left.node, at: Place.moment(0), into: &rig.effects)
    rig.tell(rig.right.lane, 5, synced: 5)
    #expect(rig.gossip.synced(rig.right.lane, at: rig.left.node) == 0)
    #expect(rig.gossip.eagerPeers.isEmpty)
  }

  @Test func `a lost digest is made good by the full one`() {
    var rig = Rig.connected()
    _ = rig.receive(rig.left.write())
    _ = rig.wait(until: 60)
    let told = rig.effects.sends.count
    _ = rig.wait(until: 120)
    #expect(rig.effects.sends.count == told, "nothing moved, nothing is said")
    _ = rig.wait(until: 3_000)
    #expect(rig.effects.sends.count == told + 1)
  }

  @Test(arguments: [
    (UInt16(2), Place.cluster, Place.swarm),
    (GossipMessage.version, ClusterID(digest: .zero), Place.swarm),
    (GossipMessage.version, Place.cluster, SwarmID(named: "other", in: Place.cluster)),
  ]) func `whoever speaks of something else is disconnected`(
    version: UInt16, cluster: ClusterID, swarm: SwarmID
  ) {
    var rig = Rig()
    rig.gossip.connect(rig.leftPeer, rig.left.node, at: Place.moment(0), into: &rig.effects)
    let hello = GossipMessage.Hello(
      version: version, cluster: cluster, swarm: swarm, progress: [])
    rig.gossip.receive(.hello(hello), from: rig.leftPeer, at: Place.moment(0), into: &rig.effects)
    #expect(rig.effects.disconnects.map(\.peer) == [rig.leftPeer])
    #expect(rig.gossip.eagerPeers.isEmpty)
  }

  @Test func `a blocked peer is not pushed to until it is ready`() {
    var rig = Rig.connected()
    rig.gossip.setEager(false, rig.leftPeer)
    #expect(rig.gossip.eagerPeers == [rig.rightPeer])
    rig.gossip.setEager(true, rig.leftPeer)
    #expect(rig.gossip.eagerPeers == [rig.leftPeer, rig.rightPeer])
    #expect(rig.gossip.counters.pushesBlocked == 1)
  }

  @Test func `a context names the lanes that moved and never the own one`() {
    var rig = Rig.connected()
    rig.gossip.appendOwn(rig.author.write(), at: Place.moment(1), into: &rig.effects)
    _ = rig.receive(rig.left.write(), rig.left.write())
    #expect(rig.gossip.contextDelta(since: Frontier()) == [rig.left.end])
    var told = Frontier()
    told[rig.left.lane] = 2
    #expect(rig.gossip.contextDelta(since: told).isEmpty)
  }
}

@Suite struct `Broken rules of ours` {
  @Test func `a lane synced beyond what is applied stops the process`() async {
    await #expect(processExitsWith: .failure) {
      var rig = Rig.connected()
      let position = LanePosition(lane: rig.author.lane, number: 3)
      rig.gossip.markSynced([position], at: Place.moment(1), into: &rig.effects)
    }
  }

  @Test func `a peer index that skips one stops the process`() async {
    await #expect(processExitsWith: .failure) {
      var rig = Rig()
      rig.gossip.connect(
        PeerIndex(3), rig.left.node, at: Place.moment(1), into: &rig.effects)
    }
  }

  @Test func `an own bundle out of turn stops the process`() async {
    await #expect(processExitsWith: .failure) {
      var rig = Rig()
      rig.author.write()
      let second = rig.author.write()
      rig.gossip.appendOwn(second, at: Place.moment(1), into: &rig.effects)
    }
  }

  @Test func `progress synced beyond applied stops the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = LaneProgress(
        lane: LaneID(digest: .zero), applied: 1, synced: 2, mark: 0)
    }
  }

  @Test func `an empty pull stops the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = PullRequest(
        swarm: Place.swarm, lane: LaneID(digest: .zero), first: 2, last: 1, bytesMax: 1)
    }
  }
}
