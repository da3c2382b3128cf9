import ControlCore
import CoreKit
import MembershipCore
import NodeCore
import Primitives
import RaftCore
import Records
import Testing
import Wire

@Suite struct `The control plane` {
  @Test(arguments: 0..<3)
  func `a command is applied through any node, and read from any other`(entrance: Int) throws {
    var cluster = try Cluster(3)
    _ = try cluster.elect()
    cluster.submit(1, try Cluster.put("a", "1"), at: entrance)
    guard case .result(let result) = cluster.replies[1] else {
      Issue.record("answered with \(String(describing: cluster.replies[1]))")
      return
    }
    #expect(result.revision == 1)
    let key = try #require(ControlName("a"))
    for (place, node) in [0, 1, 2].enumerated() {
      cluster.read(UInt64(10 + place), .get(key: key), .linearizable, at: node)
      cluster.advance(milliseconds: 100)
      #expect(cluster.value(UInt64(10 + place)) == "1")
    }
  }

  @Test func `without a leader a command is unavailable, which is certain`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let lonely = (leader + 1) % 3
    cluster.isolated = [lonely]
    cluster.handle(
      .disconnected(cluster.peer(lonely, leader)), at: lonely)
    cluster.advance(milliseconds: 1_000)
    cluster.submit(1, try Cluster.put("a", "1"), at: lonely, patience: 300)
    #expect(cluster.replies[1] == nil)
    cluster.advance(milliseconds: 400)
    #expect(cluster.replies[1] == .unavailable(leader: nil))
  }

  @Test func `a command that may be in a log is unknown, never failed`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let others = [0, 1, 2].filter { $0 != leader }
    for other in others { cluster.stalled.insert(other) }
    cluster.submit(1, try Cluster.put("a", "1"), at: leader, patience: 100)
    cluster.submit(2, try Cluster.put("b", "1"), at: others[0], patience: 100)
    cluster.advance(milliseconds: 150)
    #expect(cluster.replies[1] == .unknown)
    #expect(cluster.replies[2] == .unknown)
  }

  @Test func `a command whose leader is lost goes to the next, and counts once`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let entrance = (leader + 1) % 3
    // The leader takes the forwarded command and tells nobody.
    cluster.isLost = { from, _, message in
      if from == leader, case .raft = message { true } else { false }
    }
    cluster.submit(1, try Cluster.put("a", "1"), at: entrance, patience: 5_000)
    #expect(cluster.replies[1] == nil)
    cluster.isLost = { _, _, _ in false }
    cluster.isolated = [leader]
    cluster.handle(.control(.refused(cluster.peer(entrance, leader))), at: entrance)
    cluster.advance(milliseconds: 2_000)
    guard case .result(let result) = cluster.replies[1] else {
      Issue.record("answered with \(String(describing: cluster.replies[1]))")
      return
    }
    cluster.isolated = []
    cluster.advance(milliseconds: 2_000)
    #expect(cluster.machines.allSatisfy { $0.control.state.revision == result.revision })
  }

  @Test func `what a leader refuses for want of room is overloaded, and was not written`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    for node in 0..<3 { cluster.stalled.insert(node) }
    for request in 1...9 {
      cluster.submit(UInt64(request), try Cluster.put("k", "v"), at: leader)
    }
    #expect(cluster.replies[9] == .overloaded)
    #expect(cluster.replies.count == 1)
  }

  @Test func `a local read says how stale it may be`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    cluster.submit(1, try Cluster.put("a", "1"), at: leader)
    cluster.advance(milliseconds: 200)
    let lonely = (leader + 1) % 3
    let key = try #require(ControlName("a"))
    cluster.read(2, .get(key: key), .local, at: lonely)
    cluster.isolated = [lonely]
    cluster.advance(milliseconds: 1_000)
    cluster.read(3, .get(key: key), .local, at: lonely)
    func staleness(_ request: UInt64) -> UInt64? {
      guard case .answer(_, let freshness) = cluster.replies[request] else { return nil }
      return freshness.staleMilliseconds
    }
    #expect(try #require(staleness(2)) <= 100)
    #expect(try #require(staleness(3)) >= 900)
    cluster.read(4, .get(key: key), .linearizable, at: lonely, patience: 200)
    cluster.advance(milliseconds: 300)
    guard case .unavailable = cluster.replies[4] else {
      Issue.record("a node that is cut off answered \(String(describing: cluster.replies[4]))")
      return
    }
  }

  @Test func `a read after a revision waits for it`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let follower = (leader + 1) % 3
    let key = try #require(ControlName("a"))
    cluster.read(1, .get(key: key), .after(revision: 1), at: follower)
    #expect(cluster.replies[1] == nil)
    cluster.submit(2, try Cluster.put("a", "1"), at: leader)
    cluster.advance(milliseconds: 100)
    #expect(cluster.value(1) == "1")
  }

  @Test func `a lease ends when the leader's time says so, and one that is renewed does not`()
    throws
  {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    cluster.submit(1, .grantLease(ttlMilliseconds: 1_000), at: leader)
    guard case .result(let result) = cluster.replies[1],
      case .leaseGranted(let lease, _) = result.outcome
    else {
      Issue.record("no lease was granted")
      return
    }
    cluster.advance(milliseconds: 800)
    cluster.submit(2, .renewLease(lease), at: (leader + 1) % 3)
    cluster.advance(milliseconds: 800)
    #expect(cluster.machines[leader].control.state.leases.count == 1)
    cluster.advance(milliseconds: 400)
    #expect(cluster.machines[leader].control.state.leases.isEmpty)
  }

  @Test func `a node in another life learns, and takes the vote of its former one`() throws {
    var cluster = try Cluster(3, lives: [0, 0, 99])
    _ = try cluster.elect()
    cluster.advance(milliseconds: 3_000)
    let configuration = cluster.machines[0].control.raft.configuration
    #expect(configuration.voters.count == 3 && !configuration.isJoint)
    #expect(configuration.isVoter(RaftMember(node: cluster.ids[2], life: 99).id))
    #expect(configuration.member(RaftMember(node: cluster.ids[2], life: 0).id) == nil)
  }

  @Test func `a removed node is no member any more, and a smaller limit takes votes back`() throws {
    var cluster = try Cluster(5)
    let leader = try cluster.elect()
    let gone = (leader + 1) % 5
    cluster.submit(1, .removeMember(cluster.ids[gone]), at: leader)
    cluster.advance(milliseconds: 3_000)
    let configuration = cluster.machines[leader].control.raft.configuration
    #expect(configuration.voters.count == 4)
    #expect(configuration.members(of: cluster.ids[gone]).isEmpty)
    #expect(cluster.machines[leader].control.isRemoved(cluster.ids[gone]))
    cluster.submit(2, .setSetting(.votersMax, value: 3), at: leader)
    cluster.advance(milliseconds: 3_000)
    #expect(cluster.machines[leader].control.raft.configuration.voters.count == 3)
  }
}

@Suite struct `The control plane's door` {
  @Test func `a greeting of another version or cluster, or a second one, ends the connection`()
    throws
  {
    let cluster = try Cluster(2)
    let own = ClusterID(digest: Digest(words: 1, 2, 3, 4))
    let other = ClusterID(digest: Digest(words: 9, 9, 9, 9))
    for hello in [
      ControlHello(version: 2, cluster: own, life: 0), ControlHello(cluster: other, life: 0),
      ControlHello(cluster: own, life: 0),
    ] {
      var copy = cluster
      copy.handle(
        .control(.received(.hello(hello), from: copy.peer(0, 1), isDatagram: false)), at: 0)
      copy.pump()
      #expect(copy.disconnects.map(\.node) == [0])
    }
  }

  @Test func `a message of the log in another's name is dropped and counted`() throws {
    var cluster = try Cluster(3)
    _ = try cluster.elect()
    let before = cluster.machines[0].control.counters.misdirected
    let raft = cluster.machines[0].control.raft
    let forged = RaftMessage(
      from: RaftMember(node: cluster.ids[2], life: 0).id, to: raft.id, term: raft.term + 5,
      body: .heartbeat(.init(commit: 0, lag: 0, round: 1, intervalMilliseconds: 50, ranks: [])))
    cluster.handle(
      .control(.received(.raft(forged), from: cluster.peer(0, 1), isDatagram: true)), at: 0)
    let stale = RaftMessage(
      from: RaftMember(node: cluster.ids[1], life: 5).id, to: raft.id, term: raft.term + 5,
      body: .probe)
    cluster.handle(
      .control(.received(.raft(stale), from: cluster.peer(0, 1), isDatagram: true)), at: 0)
    #expect(cluster.machines[0].control.counters.misdirected == before + 2)
    #expect(cluster.machines[0].control.raft.term == raft.term)
  }

  @Test func `a forwarded command that is none ends the connection`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let other = (leader + 1) % 3
    let forward = ForwardedCommand(command: [1, 2, 3], remainingMilliseconds: 10)
    cluster.handle(
      .control(
        .received(.forward(forward), from: cluster.peer(leader, other), isDatagram: false)),
      at: leader)
    cluster.pump()
    #expect(cluster.disconnects.map(\.node) == [leader])
  }

  static var samples: [ControlMessage] {
    let node = NodeID(key: Digest(words: 1, 2, 3, 4))
    let cluster = ClusterID(digest: Digest(words: 5, 6, 7, 8))
    let member = RaftMember(node: node, life: 3)
    return [
      .hello(ControlHello(cluster: cluster, life: 17)),
      .raft(
        RaftMessage(
          from: member.id, to: RaftMember(node: node, life: 4).id, term: 9,
          body: .appendAccepted(index: 7, entryTerm: 8))),
      .forward(ForwardedCommand(command: [1, 2, 3, 4], remainingMilliseconds: 900)),
      .forwardRefused(ForwardRefusal(sequence: 12, reason: .overloaded)),
    ]
  }

  @Test(arguments: samples)
  func `a message survives the wire, and none of its beginnings does`(message: ControlMessage)
    throws
  {
    let bytes = message.encoded
    #expect(try ControlMessage(decoding: bytes) == message)
    for length in bytes.indices {
      #expect(throws: (any Error).self) {
        try ControlMessage(decoding: Array(bytes[..<length]))
      }
    }
    #expect(throws: (any Error).self) { try ControlMessage(decoding: bytes + [0]) }
    #expect(throws: (any Error).self) {
      try ControlMessage(decoding: [200] + bytes.dropFirst())
    }
  }
}
