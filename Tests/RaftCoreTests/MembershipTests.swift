import Primitives
import RaftCore
import Records
import Testing

@Suite struct `Changes of members` {
  @Test(arguments: 0..<6) func `replace all voters and retire the old ones`(seed: UInt64) throws {
    let world = World(seed: seed, count: 6, voters: 3)
    #expect(world.run(atMost: 1_500) { world.leader != nil && world.isEven([0, 1, 2]) })
    let old = try #require(world.leader)
    world.change(old, Name.change(voters: [3, 4, 5]))
    #expect(world.run(atMost: 2_000) { (world.leader ?? 0) >= 3 })
    let leader = try #require(world.leader)
    world.propose(leader, "after")
    #expect(world.run(atMost: 1_000) { world.isEven([3, 4, 5], beyond: 4) })
    #expect(
      world.machines[leader].raft?.configuration == Name.configuration(voters: [3, 4, 5]))
    // Those who left were told, ask for nothing, and the office is not disturbed.
    let term = world.machines[leader].raft?.term
    for number in 0..<3 {
      #expect(world.machines[number].raft?.configuration.isVoter(Name.id(number)) == false)
    }
    world.run(milliseconds: 2_000)
    #expect(world.leader == leader && world.machines[leader].raft?.term == term)
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `bring a learner up before it votes`() throws {
    let world = World(seed: 3, count: 4, voters: 3) { settings in
      settings.snapshotAfterEntries = 10
      settings.keepEntries = 2
    }
    #expect(world.run(atMost: 1_500) { world.leader != nil && world.isEven([0, 1, 2]) })
    let leader = try #require(world.leader)
    for number in 0..<40 {
      world.propose(leader, "\(number)")
      world.run(milliseconds: 5)
    }
    world.change(leader, Name.change(voters: [0, 1, 2], learners: [3]))
    #expect(world.run(atMost: 1_000) { world.isEven([0, 1, 2, 3], beyond: 40) })
    #expect(world.machines[3].raft?.role == .follower)
    let peer = world.machines[leader].raft?.peers.first { $0.id == Name.id(3) }
    #expect(peer?.state == .replicate)
    // It reads by itself, with the leader's help.
    let read = world.read(3)
    world.run(milliseconds: 60)
    #expect(world.answers[read].map { if case .readable = $0 { true } else { false } } == true)
    world.change(leader, Name.change(voters: [0, 1, 2, 3]))
    #expect(
      world.run(atMost: 1_000) {
        world.machines[3].raft?.committedConfiguration == Name.configuration(voters: [0, 1, 2, 3])
      })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `go through a joint configuration that both halves must carry`() throws {
    var rig = try Rig.establishedLeader()
    rig.step(.changeConfiguration(Name.change(voters: [0, 3, 4]), ticket: 1))
    #expect(
      rig.raft.configuration == Name.configuration(voters: [0, 3, 4], outgoing: [0, 1, 2]))
    rig.sync()
    rig.receive(.appendAccepted(index: 2, entryTerm: 1), from: 1)
    rig.receive(.appendAccepted(index: 2, entryTerm: 1), from: 2)
    #expect(rig.raft.commit == 1)
    rig.receive(.appendAccepted(index: 2, entryTerm: 1), from: 3)
    #expect(rig.raft.commit == 2)
    // The way out follows by itself.
    #expect(rig.raft.configuration == Name.configuration(voters: [0, 3, 4]))
    #expect(rig.raft.lastIndex == 3)
    rig.receive(.appendAccepted(index: 3, entryTerm: 1), from: 3)
    let told = rig.sync()
    #expect(rig.raft.commit == 3)
    // The last that the leaving ones hear is that they have left.
    #expect(told.appends(to: 1).map(\.commit) == [3])
    #expect(rig.raft.peers.map(\.id) == [Name.id(3), Name.id(4)].sorted())
  }

  @Test func `of learners alone need no joint configuration`() throws {
    var rig = try Rig.establishedLeader()
    rig.step(.changeConfiguration(Name.change(voters: [0, 1, 2], learners: [5]), ticket: 1))
    #expect(rig.raft.configuration == Name.configuration(voters: [0, 1, 2], learners: [5]))
    let same = RaftEvent.changeConfiguration(
      Name.change(voters: [0, 1, 2], learners: [5]), ticket: 2)
    rig.sync()
    rig.receive(.appendAccepted(index: 2, entryTerm: 1), from: 1)
    #expect(rig.step(same).outcomes == [.busy])
  }

  @Test func `are finished by the next leader`() throws {
    var recovery = ControlRecovery(life: 0)
    let joint = Name.configuration(voters: [0, 1], outgoing: [0, 1, 2])
    recovery.hardState = RaftHardState(term: 1)
    recovery.entries = [Name.entry(1, term: 1), Name.entry(2, term: 1, joint)]
    var rig = try Rig(recovery: recovery)
    rig.elect(by: [1])
    rig.sync()
    #expect(rig.raft.configuration == joint)
    rig.receive(.appendAccepted(index: 3, entryTerm: 2), from: 1)
    #expect(rig.raft.configuration == Name.configuration(voters: [0, 1]))
  }
}
