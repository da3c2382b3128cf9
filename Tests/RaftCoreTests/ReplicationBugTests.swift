import Primitives
import RaftCore
import Records
import Testing

/// Bugs of replication and recovery that other implementations had, one test or more each.
@Suite struct `Bugs of replication that others had` {
  @Test func `B9: the term is durable with or before its entries`() throws {
    var rig = try Rig.follower()
    let effects = rig.append([Name.entry(1, term: 4)], after: 0, term: 0, inTerm: 4)
    #expect(effects.write?.hardState?.term == 4)
    #expect(effects.write?.entries.map(\.term) == [4])
    #expect(effects.bodies(to: 1).isEmpty)
    #expect(rig.sync().bodies(to: 1) == [.appendAccepted(index: 1, entryTerm: 4)])
  }

  @Test func `B9: a sync of entries that were replaced and came back counts for nothing`() throws {
    var rig = try Rig.follower()
    let first = [Name.entry(1, term: 1, "a"), Name.entry(2, term: 1, "b")]
    rig.append(first, after: 0, term: 0)
    let before = rig.disk.pendingCount
    rig.append([Name.entry(1, term: 2, "c")], after: 0, term: 0, from: 2, inTerm: 2)
    rig.append(first, after: 0, term: 0, inTerm: 3)
    #expect(rig.disk.pendingCount == before + 2)
    // The first write is durable: what stands there now is the same, and not yet safe.
    let early = rig.sync(through: 2)
    #expect(rig.raft.persistedIndex == 0)
    #expect(early.bodies(to: 1).isEmpty)
    rig.sync(through: 3)
    #expect(rig.raft.persistedIndex == 0)
    #expect(rig.sync().bodies(to: 1) == [.appendAccepted(index: 2, entryTerm: 1)])
  }

  @Test func `B9: an acceptance of an entry of another term counts for nothing`() throws {
    var rig = try Rig.leader()
    rig.sync()
    rig.receive(.appendAccepted(index: 1, entryTerm: 0), from: 1)
    #expect(rig.raft.commit == 0)
    rig.receive(.appendAccepted(index: 1, entryTerm: 1), from: 1)
    #expect(rig.raft.commit == 1)
  }

  @Test func `B9: a vote leaves when it is durable, and not before`() throws {
    var rig = try Rig()
    let asked = rig.receive(
      .vote(lastIndex: 0, lastTerm: 0, isTransfer: false), from: 1, term: 3)
    #expect(asked.bodies(to: 1).isEmpty)
    #expect(asked.write?.hardState == RaftHardState(term: 3, vote: Name.id(1)))
    #expect(rig.sync().bodies(to: 1) == [.voteResponse(isGranted: true)])
    // Asked again by another, it has voted.
    let other = rig.receive(.vote(lastIndex: 9, lastTerm: 2, isTransfer: true), from: 2, term: 3)
    #expect(other.bodies(to: 2) == [.voteResponse(isGranted: false)])
  }

  @Test func `B9: a vote waits for itself also when its term is durable already`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 1)], after: 0, term: 0)
    rig.pass(1_000)
    rig.receive(.vote(lastIndex: 0, lastTerm: 0, isTransfer: false), from: 1, term: 5)
    rig.sync()
    #expect(rig.disk.recovery.hardState == RaftHardState(term: 5, vote: nil))
    let asked = rig.receive(.vote(lastIndex: 1, lastTerm: 1, isTransfer: false), from: 2)
    #expect(asked.write?.hardState?.vote == Name.id(2))
    #expect(asked.bodies(to: 2).isEmpty)
    #expect(rig.sync().bodies(to: 2) == [.voteResponse(isGranted: true)])
  }

  @Test func `B9: entries that are durable are accepted only in a term that is`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 1)], after: 0, term: 0)
    rig.sync()
    let early = rig.append([], after: 1, term: 1, from: 2, inTerm: 5)
    #expect(rig.raft.persistedIndex == 1 && early.bodies(to: 2).isEmpty)
    #expect(rig.sync().bodies(to: 2) == [.appendAccepted(index: 1, entryTerm: 1)])
  }

  @Test func `B9: a candidate whose own vote is not durable does not lead`() throws {
    var rig = try Rig()
    rig.campaign()
    for other in [1, 2] {
      rig.receive(.preVoteResponse(isGranted: true), from: other, term: 1)
    }
    for other in [1, 2] { rig.receive(.voteResponse(isGranted: true), from: other) }
    #expect(rig.raft.role == .candidate)
    rig.sync()
    #expect(rig.raft.role == .leader)
  }

  @Test func `B9: a candidate speaks of what its disk holds`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 1)], after: 0, term: 0)
    rig.sync()
    rig.append([Name.entry(2, term: 1)], after: 1, term: 1)
    // The answer to more could come after a crash that took the second entry.
    #expect(rig.campaign().bodies(to: 1) == [.preVote(lastIndex: 1, lastTerm: 1)])
    let asked = rig.receive(.preVoteResponse(isGranted: true), from: 2, term: 2)
    #expect(asked.bodies(to: 2) == [.vote(lastIndex: 1, lastTerm: 1, isTransfer: false)])
  }

  @Test func `B10: what ends before its commit is not recovered`() throws {
    var recovery = ControlRecovery(life: 0)
    recovery.hardState = RaftHardState(term: 2, commit: 2)
    recovery.entries = [Name.entry(1, term: 1)]
    let expected = #expect(throws: RaftRecoveryFault.self) {
      _ = try Rig(recovery: recovery)
    }
    #expect(expected?.reason == .short)
  }

  @Test func `B10: what is called committed on disk was durable before`() throws {
    var rig = try Rig.follower()
    let entries = (1...3).map { Name.entry(UInt64($0), term: 1) }
    let effects = rig.append(entries, after: 0, term: 0, commit: 3)
    #expect(rig.raft.commit == 3)
    #expect(effects.write?.hardState?.commit == 0)
    rig.sync()
    let later = rig.append([Name.entry(4, term: 1)], after: 3, term: 1, commit: 3)
    #expect(later.write?.hardState?.commit == 3)
  }

  @Test func `B11: a node that lost its disk is somebody else, and asks for nothing`() throws {
    #expect(Name.member(0, life: 5).id != Name.id(0))
    var raft = try Raft(
      node: Name.node(0), settings: RaftSettings(seed: 1), recovery: ControlRecovery(life: 5),
      bootstrap: Name.configuration(voters: [0, 1, 2]))
    var effects = RaftEffects()
    for second in 1..<20 {
      raft.handle(.deadline, at: Name.moment(UInt64(second) * 1_000), into: &effects)
      raft.handle(.turnEnded, at: Name.moment(UInt64(second) * 1_000), into: &effects)
    }
    #expect(effects.sends.isEmpty && raft.term == 0 && raft.nextDeadline == nil)
  }

  @Test func `B12: a restart applies what is committed, each entry once`() throws {
    var recovery = ControlRecovery(life: 0)
    recovery.hardState = RaftHardState(term: 2, commit: 8)
    recovery.snapshot = RaftSnapshot(
      index: 5, term: 1, configuration: Name.configuration(voters: [0, 1, 2]), bytes: [1, 2])
    recovery.entries = (3...9).map { Name.entry(UInt64($0), term: $0 > 5 ? 2 : 1) }
    var raft = try Raft(
      node: Name.node(0), settings: RaftSettings(seed: 1), recovery: recovery, bootstrap: nil)
    var effects = RaftEffects()
    raft.handle(.turnEnded, at: Name.moment(1), into: &effects)
    #expect(effects.restored == recovery.snapshot)
    #expect(effects.committed.map(\.index) == [6, 7, 8])
    effects.removeAll()
    raft.handle(.turnEnded, at: Name.moment(2), into: &effects)
    #expect(effects.restored == nil && effects.committed.isEmpty)
    #expect(raft.firstIndex == 4 && raft.lastIndex == 9)
  }

  @Test func `B13: a read waits for a round that began after it`() throws {
    var rig = try Rig.establishedLeader()
    let earlier = try #require(rig.pass(20).round(to: 1))
    let later = try #require(rig.step(.read(ticket: 4)).round(to: 1))
    #expect(later > earlier)
    let early = rig.receive(.heartbeatResponse(round: earlier, isBehind: false), from: 1)
    #expect(early.answers.isEmpty)
    let answered = rig.receive(.heartbeatResponse(round: later, isBehind: false), from: 1)
    #expect(answered.outcomes == [.readable(index: 1)])
  }

  @Test func `B14: no life of a process repeats the name of a read`() throws {
    var contexts: Set<UInt64> = []
    for seed in 0..<20 {
      var rig = try Rig.follower { $0.seed = UInt64(seed) }
      for ticket in 0..<5 {
        for case .readIndex(let context) in rig.step(.read(ticket: UInt64(ticket))).bodies(to: 1) {
          #expect(contexts.insert(context).inserted)
        }
      }
    }
    #expect(contexts.count == 100)
  }

  @Test func `B15: what a member has never shrinks, whatever comes late`() throws {
    var rig = try Rig.establishedLeader()
    for number in 0..<10 { rig.step(.propose([UInt8(number)], ticket: UInt64(number))) }
    rig.sync()
    rig.receive(.appendAccepted(index: 9, entryTerm: 1), from: 1)
    rig.receive(.appendAccepted(index: 4, entryTerm: 1), from: 1)
    rig.receive(.appendRejected(previousIndex: 3, hintIndex: 0, hintTerm: 0), from: 1)
    rig.receive(.appendRejected(previousIndex: 10, hintIndex: 0, hintTerm: 0), from: 1)
    let peer = try #require(rig.raft.peers.first { $0.id == Name.id(1) })
    #expect(peer.match == 9 && peer.next >= 10)
    #expect(rig.raft.commit == 9)
  }
}

extension RaftEffects {
  /// The round that a heartbeat to a member names.
  func round(to other: Int) -> UInt64? {
    for case .heartbeat(let heartbeat) in bodies(to: other) { return heartbeat.round }
    return nil
  }
}
