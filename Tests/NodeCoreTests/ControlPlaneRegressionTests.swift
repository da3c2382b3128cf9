import ControlCore
import CoreKit
import MembershipCore
import NodeCore
import Primitives
import RaftCore
import Records
import Testing
import Wire

@Suite struct `What an attack on the control plane found` {
  @Test func `a command that was lost is sent again although others were sent before it`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let entrance = (leader + 1) % 3
    cluster.advance(milliseconds: 200)
    cluster.isLost = { _, _, message in
      if case .forward = message { true } else { false }
    }
    cluster.submit(1, try Cluster.put("a", "1"), at: entrance, patience: 30_000)
    cluster.advance(milliseconds: 500)
    cluster.submit(2, try Cluster.put("b", "1"), at: entrance, patience: 30_000)
    cluster.isLost = { _, _, _ in false }
    cluster.advance(milliseconds: 1_100)
    for request in [UInt64(1), 2] {
      guard case .result = cluster.replies[request] else {
        Issue.record("\(request) is answered with \(String(describing: cluster.replies[request]))")
        continue
      }
    }
  }

  @Test func `a command that is stuck stops others before the state has to refuse them`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let entrance = (leader + 1) % 3
    cluster.advance(milliseconds: 200)
    cluster.isLost = { _, _, message in
      if case .forward = message { true } else { false }
    }
    cluster.submit(1, try Cluster.put("a", "1"), at: entrance)
    cluster.isLost = { _, _, _ in false }
    for request in 2...9 {
      cluster.submit(UInt64(request), try Cluster.put("b", "1"), at: entrance)
    }
    #expect(cluster.replies[9] == .overloaded)
  }

  @Test func `leaders that are both to go hand over to one that stays`() throws {
    var cluster = try Cluster(5)
    _ = try cluster.elect()
    // Those whom a leader would take for the best successor.
    let order = cluster.ids.indices.sorted {
      RaftMember(node: cluster.ids[$0], life: 0).id < RaftMember(node: cluster.ids[$1], life: 0).id
    }
    cluster.handle(
      .control(.transferLeadership(cluster.ids[order[0]])), at: try cluster.elect())
    cluster.pump()
    cluster.advance(milliseconds: 1_000)
    let leader = try cluster.elect()
    cluster.handle(
      .control(
        .submit(
          ControlRequestID(1), .setMember(cluster.ids[order[0]], role: .learner), name: nil,
          deadline: cluster.now + .seconds(5))), at: leader)
    cluster.handle(
      .control(
        .submit(
          ControlRequestID(2), .setMember(cluster.ids[order[1]], role: .learner), name: nil,
          deadline: cluster.now + .seconds(5))), at: leader)
    cluster.pump()
    let term = cluster.machines[leader].control.raft.term
    cluster.advance(milliseconds: 6_000)
    let after = try cluster.elect()
    let raft = cluster.machines[after].control.raft
    #expect(raft.configuration.voters.count == 3 && !raft.configuration.isJoint)
    #expect(raft.term <= term + 2)
  }

  @Test func `a voter that joined can be removed while founders vote, the last of all cannot`()
    throws
  {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let joined = NodeID(key: Digest(words: 5, 5, 5, 5))
    cluster.submit(1, .setMember(joined, role: .voter), at: leader)
    cluster.submit(2, .removeMember(joined), at: leader)
    for (request, node) in cluster.ids.enumerated() {
      cluster.submit(UInt64(10 + request), .setMember(node, role: .learner), at: leader)
    }
    func outcome(_ request: UInt64) -> ControlOutcome? {
      if case .result(let result) = cluster.replies[request] { result.outcome } else { nil }
    }
    #expect(outcome(2) == .memberChanged)
    #expect(outcome(10) == .memberChanged)
    #expect(outcome(11) == .memberChanged)
    #expect(outcome(12) == .refused(.lastVoter))
  }

  @Test func `a command in the name of another node's session is no result of it`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let victim = (leader + 1) % 3
    let liar = (leader + 2) % 3
    // The session shows in the log: the liar reads it there.
    var seen: ControlCommand?
    cluster.isLost = { from, _, message in
      guard case .forward(let forward) = message, from == victim,
        let command = try? ControlCommand(decoding: forward.command)
      else { return false }
      Witness.shared.command = command
      return false
    }
    cluster.submit(1, try Cluster.put("a", "1"), at: victim)
    seen = Witness.shared.command
    cluster.isLost = { _, _, _ in false }
    let command = try #require(seen)
    let forged = ControlCommand(
      session: command.session, sequence: command.sequence + 1, acknowledgedBelow: 0,
      operation: .grantLease(ttlMilliseconds: 60_000))
    cluster.handle(
      .control(
        .received(
          .forward(ForwardedCommand(command: forged.encoded, remainingMilliseconds: 1_000)),
          from: cluster.peer(leader, liar), isDatagram: false)), at: leader)
    cluster.pump()
    cluster.submit(2, try Cluster.put("a", "2"), at: victim)
    cluster.advance(milliseconds: 3_000)
    #expect(cluster.replies[2] == .unknown)
  }

  @Test func `a removed node is disconnected, and one that is restored is heard again`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    cluster.advance(milliseconds: 2_000)
    let gone = (leader + 1) % 3
    func state() -> MemberState? {
      cluster.machines[leader].control.membership.members
        .first { $0.node == cluster.ids[gone] }?.state
    }
    #expect(state() == .alive)
    cluster.submit(1, .removeMember(cluster.ids[gone]), at: leader)
    cluster.advance(milliseconds: 2_000)
    #expect(state() == .removed)
    #expect(cluster.disconnects.contains { $0.node == leader && $0.reason.contains("removed") })
    cluster.submit(2, .restoreMember(cluster.ids[gone], role: .voter), at: leader)
    cluster.advance(milliseconds: 5_000)
    #expect(state() == .alive)
    #expect(cluster.machines[leader].control.raft.configuration.voters.count == 3)
  }

  @Test func `a leader whose disk stands still hands over`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    cluster.stalled = [leader]
    cluster.submit(1, try Cluster.put("a", "1"), at: (leader + 1) % 3, patience: 5_000)
    cluster.advance(milliseconds: 4_000)
    #expect(!cluster.machines[leader].control.raft.isLeader)
    let others = [0, 1, 2].filter { $0 != leader }
    #expect(others.contains { cluster.machines[$0].control.raft.isTermEstablished })
    #expect(cluster.machines[leader].control.counters.diskHandovers > 0)
  }

  @Test func `a refusal counts only from who was sent the command`() throws {
    var cluster = try Cluster(3)
    let leader = try cluster.elect()
    let entrance = (leader + 1) % 3
    let other = (leader + 2) % 3
    for node in 0..<3 { cluster.stalled.insert(node) }
    cluster.submit(1, try Cluster.put("a", "1"), at: entrance)
    let lie = ForwardRefusal(sequence: 1, reason: .overloaded)
    cluster.handle(
      .control(
        .received(
          .forwardRefused(lie), from: cluster.peer(entrance, other), isDatagram: false)),
      at: entrance)
    cluster.pump()
    #expect(cluster.replies[1] == nil)
  }
}

/// What a test of this file has seen on its way between two nodes.
private final class Witness {
  // Safe: one test reads and writes it, on one thread; nobody else knows of it.
  nonisolated(unsafe) static let shared = Witness()
  var command: ControlCommand?
}
