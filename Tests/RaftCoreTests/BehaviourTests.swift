import Primitives
import RaftCore
import Records
import Testing

@Suite struct `A member of the control log` {
  @Test func `leads only by its own entries and with its disk counted like any other`() throws {
    var recovery = ControlRecovery(life: 0)
    recovery.hardState = RaftHardState(term: 1)
    recovery.entries = [Name.entry(1, term: 1)]
    var rig = try Rig(recovery: recovery)
    rig.elect(by: [1])
    #expect(rig.raft.term == 2 && rig.raft.lastIndex == 2)
    // The old entry is everywhere and yet not committed by counting.
    rig.receive(.appendAccepted(index: 1, entryTerm: 1), from: 1)
    rig.receive(.appendAccepted(index: 1, entryTerm: 1), from: 2)
    #expect(rig.raft.commit == 0)
    // Two others have the new one before this disk does.
    rig.receive(.appendAccepted(index: 2, entryTerm: 2), from: 1)
    rig.receive(.appendAccepted(index: 2, entryTerm: 2), from: 2)
    #expect(rig.raft.commit == 2 && rig.raft.persistedIndex == 1)

    var slow = try Rig.leader()
    slow.step(.propose([1], ticket: 1))
    slow.receive(.appendAccepted(index: 2, entryTerm: 1), from: 1)
    #expect(slow.raft.commit == 0)
    slow.sync()
    #expect(slow.raft.commit == 2)
  }

  @Test func `sends a turn's proposals as one append per follower`() throws {
    var rig = try Rig.establishedLeader()
    var effects = RaftEffects()
    let moment = Name.moment(instant: rig.now)
    for number in 0..<100 {
      rig.raft.handle(.propose([UInt8(number)], ticket: 1), at: moment, into: &effects)
    }
    rig.raft.handle(.turnEnded, at: moment, into: &effects)
    #expect(effects.appends(to: 1).map(\.entries.count) == [100])
    #expect(effects.appends(to: 2).map(\.entries.count) == [100])
    #expect(effects.write?.entries.count == 100)
  }

  @Test func `keeps windows of messages and of bytes`() throws {
    var rig = try Rig.establishedLeader { settings in
      settings.entriesBytesPerMessageMax = 100
      settings.inflightMessagesMax = 4
    }
    var sent = 0
    for number in 0..<10 {
      sent += rig.step(.propose([UInt8(number)], ticket: 1)).appends(to: 1)
        .count { !$0.entries.isEmpty }
    }
    #expect(sent == 4)
    // A sign of life shows the lag: an append without entries finds out what was lost.
    let probe = rig.receive(.heartbeatResponse(round: 1, isBehind: false), from: 1).appends(to: 1)
    #expect(probe.map(\.entries.count) == [0] && probe.map(\.previousIndex) == [5])
    let more = rig.receive(.appendAccepted(index: 5, entryTerm: 1), from: 1).appends(to: 1)
    #expect(more.first?.previousIndex == 5 && more.reduce(0) { $0 + $1.entries.count } == 6)
  }

  @Test func `goes back to where logs agree in one step per term`() throws {
    var recovery = ControlRecovery(life: 0)
    recovery.hardState = RaftHardState(term: 5)
    recovery.entries = (1...40).map { Name.entry($0, term: $0 <= 10 ? 1 : 5) }
    var rig = try Rig(recovery: recovery)
    rig.elect(by: [1])
    let answer = rig.receive(
      .appendRejected(previousIndex: 40, hintIndex: 30, hintTerm: 3), from: 2)
    #expect(answer.appends(to: 2).map(\.previousIndex) == [10])
  }

  @Test func `takes proposals only within its bound of what is uncommitted`() throws {
    var rig = try Rig.establishedLeader { $0.uncommittedBytesMax = 200 }
    let payload = [UInt8](repeating: 1, count: 76)
    #expect(rig.step(.propose(payload, ticket: 1)).outcomes == [.placed(term: 1, index: 2)])
    #expect(rig.step(.propose(payload, ticket: 2)).outcomes == [.placed(term: 1, index: 3)])
    #expect(rig.step(.propose([1], ticket: 3)).outcomes == [.dropped])
    rig.sync()
    rig.receive(.appendAccepted(index: 3, entryTerm: 1), from: 1)
    #expect(rig.step(.propose([1], ticket: 4)).outcomes == [.placed(term: 1, index: 4)])
    #expect(try Rig.follower().with(.propose([1], ticket: 1)) == [.refused(leader: Name.id(1))])
  }

  @Test func `refuses proposals while it hands over and keeps the office if that fails`() throws {
    var rig = try Rig.establishedLeader()
    let effects = rig.step(.transferLeadership(Name.id(2)))
    #expect(effects.bodies(to: 2).contains(.timeoutNow))
    #expect(rig.step(.propose([1], ticket: 1)).outcomes == [.busy])
    var notices: [RaftNotice] = []
    for _ in 0..<20 {
      rig.receive(.heartbeatResponse(round: 1, isBehind: false), from: 1)
      notices += rig.pass(10).notices
    }
    #expect(notices.contains(.transferAborted(to: Name.id(2))))
    #expect(rig.step(.propose([1], ticket: 2)).outcomes == [.placed(term: 1, index: 2)])
  }

  @Test func `hands over to who has most, and only once it has everything`() throws {
    var rig = try Rig.establishedLeader()
    rig.step(.propose([1], ticket: 1))
    rig.sync()
    #expect(rig.step(.transferLeadership(Name.id(1))).bodies(to: 1).isEmpty)
    let told = rig.receive(.appendAccepted(index: 2, entryTerm: 1), from: 1)
    #expect(told.bodies(to: 1).contains(.timeoutNow))

    var best = try Rig.establishedLeader()
    best.step(.propose([1], ticket: 1))
    best.sync()
    best.receive(.appendAccepted(index: 2, entryTerm: 1), from: 2)
    #expect(best.step(.transferLeadership(nil)).bodies(to: 2).contains(.timeoutNow))
  }

  @Test func `fails its reads when it loses the office`() throws {
    var rig = try Rig.establishedLeader()
    rig.step(.read(ticket: 8))
    let lost = rig.receive(.voteResponse(isGranted: false), from: 1, term: 7)
    #expect(lost.outcomes == [.readFailed(leader: nil)])
    #expect(rig.step(.read(ticket: 9)).outcomes == [.readFailed(leader: nil)])
  }

  @Test func `reads at a follower by the leader's index, once applied`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 1), Name.entry(2, term: 1)], after: 0, term: 0, commit: 1)
    let asked = rig.step(.read(ticket: 1)).bodies(to: 1)
    guard case .readIndex(let context)? = asked.first else {
      Issue.record("asked \(asked)")
      return
    }
    let early = rig.receive(.readIndexResponse(context: context, index: 2), from: 1)
    #expect(early.answers.isEmpty)
    let late = rig.append([], after: 2, term: 1, commit: 2)
    #expect(late.outcomes == [.readable(index: 2)])
    // And what the leader does not answer fails.
    rig.step(.read(ticket: 2))
    #expect(rig.step(.disconnected(Name.id(1))).outcomes == [.readFailed(leader: Name.id(1))])
  }

  @Test func `answers reads of others after a round, when its term has begun`() throws {
    var rig = try Rig.leader()
    let early = rig.receive(.readIndex(context: 77), from: 2)
    #expect(early.round(to: 1) == nil)
    rig.sync()
    let begun = rig.receive(.appendAccepted(index: 1, entryTerm: 1), from: 1)
    let round = try #require(begun.round(to: 1))
    let answer = rig.receive(.heartbeatResponse(round: round, isBehind: false), from: 1)
    #expect(answer.bodies(to: 2) == [.readIndexResponse(context: 77, index: 1)])
  }

  @Test func `beats often while there is work and seldom when idle`() throws {
    var rig = try Rig.establishedLeader { $0.electionBase = .seconds(100) }
    func beats(_ milliseconds: UInt64) -> Int {
      rig.pass(milliseconds).sends.count { $0.to == Name.id(1) && $0.isLeaderTraffic }
    }
    #expect((60...70).contains(beats(1_000)))
    #expect((12...15).contains(beats(1_000)))
    rig.step(.propose([1], ticket: 1))
    #expect((19...22).contains(beats(300)))
  }

  @Test func `asks a late leader for a sign of life, who gives it at once`() throws {
    var rig = try Rig.follower()
    #expect(rig.pass(55).bodies(to: 1).isEmpty)
    #expect(rig.pass(45).bodies(to: 1) == [.probe, .probe, .probe])
    var leader = try Rig.establishedLeader()
    #expect(leader.receive(.probe, from: 2).round(to: 2) != nil)
  }

  @Test func `waits by rank and by lots only after a failed round`() throws {
    for (ranks, wait) in [([0, 2], 150...160), ([2, 0], 180...190)] {
      var rig = try Rig.follower()
      rig.beat(ranks: ranks)
      let start = rig.now
      rig.campaign()
      let waited = Int(rig.now.since(start).nanoseconds / 1_000_000)
      #expect((wait as ClosedRange<Int>).contains(waited))
    }
    var rig = try Rig.follower()
    rig.campaign()
    var waits: Set<UInt64> = []
    for _ in 0..<12 {
      let start = rig.now
      let due = try #require(rig.raft.nextDeadline)
      rig.pass(due.since(start).nanoseconds / 1_000_000 + 1)
      waits.insert(due.since(start).nanoseconds / 1_000_000)
    }
    #expect(waits.count > 8 && waits.allSatisfy { (149...311).contains($0) })
  }

  @Test func `believes one hint in a hundred milliseconds`() throws {
    var rig = try Rig.follower()
    #expect(rig.step(.suspectLeader(Name.node(2))).sends.isEmpty)
    let first = rig.step(.suspectLeader(Name.node(1)))
    #expect(first.notices.contains(.leaderForgotten(Name.id(1))))
    #expect(
      first.sends.map(\.body) == Array(repeating: .preVote(lastIndex: 0, lastTerm: 0), count: 2))
    rig.beat()
    #expect(rig.step(.suspectLeader(Name.node(1))).notices.isEmpty)
    rig.pass(60)
    rig.beat()
    rig.pass(45)
    #expect(!rig.step(.suspectLeader(Name.node(1))).notices.isEmpty)
  }

  @Test func `suspects nobody for what it slept through`() throws {
    var rig = try Rig.follower()
    let effects = rig.oversleep(400)
    #expect(rig.raft.role == .follower && rig.raft.leader == Name.id(1))
    #expect(effects.notices.contains { if case .stalled = $0 { true } else { false } })
    // What was queued meanwhile is handled now, and all is well.
    rig.beat()
    #expect(rig.raft.leader == Name.id(1))
    // But a process that always sleeps must suspect in the end.
    for _ in 0..<4 { rig.oversleep(200) }
    #expect(rig.raft.role == .preCandidate)
  }
}

extension Rig {
  fileprivate func with(_ event: RaftEvent) -> [RaftOutcome] {
    var copy = self
    return copy.step(event).outcomes
  }
}
