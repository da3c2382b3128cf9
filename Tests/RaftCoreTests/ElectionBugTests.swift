import Primitives
import RaftCore
import Records
import Testing

/// Bugs of elections that other implementations had, one test or more each.
@Suite struct `Bugs of elections that others had` {
  @Test func `B1: no change before an entry of the own term is committed`() throws {
    var rig = try Rig.leader()
    let change = RaftEvent.changeConfiguration(Name.change(voters: [0, 1, 2, 3]), ticket: 1)
    #expect(rig.step(change).outcomes == [.busy])
    rig.sync()
    #expect(rig.step(change).outcomes == [.busy])
    rig.receive(.appendAccepted(index: 1, entryTerm: 1), from: 1)
    #expect(rig.step(change).outcomes == [.placed(term: 1, index: 2)])
    // And one at a time.
    let another = RaftEvent.changeConfiguration(Name.change(voters: [0, 1]), ticket: 2)
    #expect(rig.step(another).outcomes == [.busy])
  }

  @Test func `B2: a configuration is in force once appended and gone once truncated`() throws {
    var rig = try Rig.follower()
    let joint = Name.configuration(voters: [0, 3, 4], outgoing: [0, 1, 2])
    rig.append([Name.entry(1, term: 1), Name.entry(2, term: 1, joint)], after: 0, term: 0)
    rig.sync()
    #expect(rig.raft.configuration == joint && rig.raft.commit == 0)
    // Its campaign asks both halves, and needs both.
    let asked = Set(rig.campaign().sends.map(\.to))
    #expect(asked == Set([1, 2, 3, 4].map { Name.id($0) }))
    rig.receive(.preVoteResponse(isGranted: true), from: 1, term: 2)
    rig.receive(.preVoteResponse(isGranted: true), from: 2, term: 2)
    #expect(rig.raft.role == .preCandidate)
    rig.receive(.preVoteResponse(isGranted: true), from: 3, term: 2)
    #expect(rig.raft.role == .candidate)
    // A leader without that entry takes it back.
    rig.append([Name.entry(2, term: 3)], after: 1, term: 1, from: 2, inTerm: 3)
    #expect(rig.raft.configuration == Name.configuration(voters: [0, 1, 2]))
  }

  @Test func `B3: who lags is refused with the later term, and takes it over`() throws {
    var rig = try Rig.follower()
    rig.pass(1_000)
    rig.receive(.vote(lastIndex: 0, lastTerm: 0, isTransfer: false), from: 2, term: 9)
    let effects = rig.receive(.preVote(lastIndex: 5, lastTerm: 5), from: 1, term: 6)
    #expect(effects.bodies(to: 1) == [.preVoteResponse(isGranted: false)])
    #expect(effects.sends.first?.term == 9)

    var lagging = try Rig.follower()
    lagging.campaign()
    #expect(lagging.raft.role == .preCandidate)
    lagging.receive(.preVoteResponse(isGranted: false), from: 2, term: 9)
    #expect(lagging.raft.term == 9 && lagging.raft.role == .follower)
    #expect(lagging.raft.nextDeadline != nil)
  }

  @Test(arguments: 0..<8) func `B3: late term with short log and early term with long log elect`(
    seed: UInt64
  ) {
    var late = ControlRecovery(life: 0)
    late.hardState = RaftHardState(term: 10)
    late.entries = [Name.entry(1, term: 1)]
    var early = ControlRecovery(life: 0)
    early.hardState = RaftHardState(term: 5)
    early.entries = [Name.entry(1, term: 1), Name.entry(2, term: 5)]
    let world = World(seed: seed, count: 3, disks: [late, early])
    world.crash(2)
    #expect(world.run(atMost: 2_000) { world.leader == 1 && world.isEven([0, 1], beyond: 2) })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `B4: a question for a vote changes nothing and its answer is no vote`() throws {
    var rig = try Rig.follower()
    rig.pass(140)
    let before = (rig.raft.term, rig.raft.leader, rig.raft.nextDeadline)
    let effects = rig.receive(.preVote(lastIndex: 9, lastTerm: 9), from: 2, term: 2)
    #expect(effects.bodies(to: 2) == [.preVoteResponse(isGranted: true)])
    #expect(effects.write == nil)
    #expect(before == (rig.raft.term, rig.raft.leader, rig.raft.nextDeadline))

    var candidate = try Rig.follower()
    candidate.campaign()
    candidate.receive(.preVoteResponse(isGranted: true), from: 1, term: 2)
    #expect(candidate.raft.role == .candidate)
    candidate.sync()
    // The second yes to the question comes late, and is not a vote.
    candidate.receive(.preVoteResponse(isGranted: true), from: 2, term: 2)
    candidate.receive(.preVoteResponse(isGranted: true), from: 2, term: 3)
    #expect(candidate.raft.role == .candidate)
  }

  @Test func `B5: a follower does not refuse the one it believes to lead`() throws {
    var rig = try Rig.follower()
    rig.pass(10)
    let own = rig.receive(.preVote(lastIndex: 0, lastTerm: 0), from: 1, term: 2)
    #expect(own.bodies(to: 1) == [.preVoteResponse(isGranted: true)])
    let other = rig.receive(.preVote(lastIndex: 0, lastTerm: 0), from: 2, term: 2)
    #expect(other.bodies(to: 2) == [.preVoteResponse(isGranted: false)])
  }

  @Test func `B6: a leader without a quorum stops all that a leader sends`() throws {
    var rig = try Rig.establishedLeader(voters: [0, 1, 2, 3, 4])
    rig.step(.read(ticket: 1))
    var quorumLost = false
    for _ in 0..<60 {
      // One follower answers everything, as a bridge would.
      var effects = rig.pass(5)
      for body in effects.bodies(to: 1) {
        if case .heartbeat(let heartbeat) = body {
          effects = rig.receive(
            .heartbeatResponse(round: heartbeat.round, isBehind: false), from: 1)
        }
      }
      if rig.raft.role != .leader { quorumLost = true }
      if quorumLost {
        rig.receive(.readIndex(context: 5), from: 1)
        rig.receive(.probe, from: 1)
        #expect(!effects.hasLeaderTraffic)
      }
    }
    #expect(quorumLost)
  }

  @Test(arguments: 0..<6)
  func `B7: a leader that removed itself and crashed is not missed for ever`(
    seed: UInt64
  ) {
    let joint = Name.configuration(voters: [1], outgoing: [0])
    let final = Name.configuration(voters: [1])
    var removed = ControlRecovery(life: 0)
    removed.hardState = RaftHardState(term: 1, vote: Name.id(0), commit: 2)
    removed.entries = [
      Name.entry(1, term: 1), Name.entry(2, term: 1, joint), Name.entry(3, term: 1, final),
    ]
    var other = ControlRecovery(life: 0)
    other.hardState = RaftHardState(term: 1, commit: 1)
    other.entries = Array(removed.entries.prefix(2))
    let world = World(seed: seed, count: 2, voters: 1, disks: [removed, other])
    #expect(world.run(atMost: 3_000) { world.leader == 1 && world.isEven([1], beyond: 3) })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `B8: a transfer asks for votes at once, and loyal followers give them`() throws {
    var target = try Rig.follower()
    target.pass(5)
    let effects = target.receive(.timeoutNow, from: 1)
    #expect(target.raft.role == .candidate && target.raft.term == 2)
    #expect(
      effects.bodies(to: 2) == [.vote(lastIndex: 0, lastTerm: 0, isTransfer: true)])

    var loyal = try Rig.follower()
    loyal.pass(5)
    loyal.receive(.vote(lastIndex: 0, lastTerm: 0, isTransfer: false), from: 2, term: 2)
    #expect(loyal.raft.term == 1)
    loyal.receive(.vote(lastIndex: 0, lastTerm: 0, isTransfer: true), from: 2, term: 2)
    #expect(loyal.sync().bodies(to: 2) == [.voteResponse(isGranted: true)])
  }

  @Test(arguments: 0..<6) func `B8: an office is handed over while heartbeats go on`(
    seed: UInt64
  ) throws {
    let world = World(seed: seed, count: 3)
    #expect(world.run(atMost: 1_000) { world.leader != nil && world.isEven([0, 1, 2]) })
    let old = try #require(world.leader)
    world.tell(old, .transferLeadership(nil))
    #expect(world.run(atMost: 100) { world.leader != nil && world.leader != old })
    world.run(milliseconds: 30)
    #expect(world.notices.contains { $0.machine == old && $0.notice.isTransferred })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }
}

extension RaftNotice {
  fileprivate var isTransferred: Bool {
    if case .transferred = self { return true }
    return false
  }
}
