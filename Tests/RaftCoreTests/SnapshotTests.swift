import Primitives
import RaftCore
import Records
import Testing

@Suite struct `Snapshots for members that lag` {
  /// A cluster of three whose member 2 missed what the others have compacted.
  private static func lagging(seed: UInt64, padding: Int) throws -> World {
    let world = World(seed: seed, count: 3) { settings in
      settings.snapshotAfterEntries = 20
      settings.keepEntries = 2
    }
    world.snapshotPadding = padding
    #expect(world.run(atMost: 1_000) { world.isEven([0, 1, 2]) })
    world.crash(2)
    #expect(world.run(atMost: 1_000) { world.leader.map { $0 < 2 } ?? false })
    let leader = try #require(world.leader)
    for number in 0..<60 {
      world.propose(leader, "\(number)")
      if number % 10 == 9 { world.run(milliseconds: 20) }
    }
    #expect(world.run(atMost: 500) { world.isEven([0, 1], beyond: 50) })
    return world
  }

  @Test(arguments: [0, 1_000, 700_000]) func `B17: who lags behind the log fetches the state`(
    padding: Int
  ) throws {
    let world = try Self.lagging(seed: 3, padding: padding)
    world.start(2)
    #expect(world.run(atMost: 2_000) { world.isEven([0, 1, 2], beyond: 50) })
    #expect(world.notices.contains { $0.machine == 2 && $0.notice.isInstalled })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `a chunk that came is not fetched again when the office moves`() throws {
    let world = try Self.lagging(seed: 5, padding: 3_000_000)
    var pulled: [UInt32] = []
    world.tamper = { message in
      if case .snapshotPull(_, _, let chunk) = message.body {
        // The pulls behind the fifth chunk are lost until the office has moved.
        if chunk > 4, world.notices.last?.notice != nil, pulled.count < 8 { return nil }
        pulled.append(chunk)
      }
      return message
    }
    world.start(2)
    _ = world.run(atMost: 1_000) { world.machines[2].raft?.snapshotFetched?.chunks ?? 0 >= 4 }
    let before = world.machines[2].raft?.snapshotFetched?.chunks ?? 0
    #expect(before >= 4)
    let old = try #require(world.leader)
    world.tamper = { message in
      if case .snapshotPull(_, _, let chunk) = message.body { pulled.append(chunk) }
      return message
    }
    let again = pulled.count
    world.tell(old, .transferLeadership(Name.id(1 - old)))
    #expect(world.run(atMost: 4_000) { world.isEven([0, 1, 2], beyond: 50) })
    #expect(world.leader == 1 - old)
    #expect(!pulled[again...].contains { $0 < UInt32(before) })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `B16: a member that is to fetch is sent entries again when it has enough`() throws {
    var rig = try Self.compactedLeader()
    let peer = try #require(rig.raft.peers.first { $0.id == Name.id(2) })
    #expect(peer.state == .snapshot)
    // It had got there by itself.
    rig.receive(.appendAccepted(index: 20, entryTerm: 1), from: 2)
    #expect(rig.raft.peers.first { $0.id == Name.id(2) }?.state == .replicate)
  }

  @Test func `B16: a member that was to fetch and fell silent is probed again`() throws {
    var rig = try Self.compactedLeader()
    for _ in 0..<240 {
      rig.pass(10)
      rig.receive(.heartbeatResponse(round: 1, isBehind: false), from: 1)
    }
    #expect(rig.raft.isLeader)
    #expect(rig.raft.peers.first { $0.id == Name.id(2) }?.state == .probe)
    let answer = rig.receive(.heartbeatResponse(round: 1, isBehind: false), from: 2)
    #expect(answer.bodies(to: 2).contains { if case .snapshotOffer = $0 { true } else { false } })
  }

  @Test func `a snapshot that the log agrees with only moves the commit`() throws {
    var rig = try Rig.follower()
    rig.append((1...5).map { Name.entry($0, term: 1) }, after: 0, term: 0)
    rig.sync()
    let snapshot = RaftSnapshot(
      index: 4, term: 1, configuration: Name.configuration(voters: [0, 1, 2]), bytes: [1])
    let effects = rig.receive(.snapshotOffer(snapshot.head), from: 1)
    #expect(effects.restored == nil && effects.committed.map(\.index) == [1, 2, 3, 4])
    #expect(effects.bodies(to: 1) == [.appendAccepted(index: 5, entryTerm: 1)])
    #expect(rig.raft.lastIndex == 5)
  }

  @Test func `an offer of less than a log has compacted is answered with what is committed`()
    throws
  {
    var rig = try Rig.follower { settings in
      settings.snapshotAfterEntries = 20
      settings.keepEntries = 0
    }
    rig.append((1...20).map { Name.entry($0, term: 1) }, after: 0, term: 0, commit: 20)
    let wanted = rig.sync()
    #expect(wanted.snapshotWanted?.index == 20)
    rig.step(.snapshotTaken(index: 20, bytes: [1]))
    rig.sync()
    #expect(rig.raft.firstIndex == 21)
    // Another leader knows nothing of this log, and its newest snapshot is an older one.
    rig.beat(from: 2, term: 2, ranks: [0, 1])
    rig.sync()
    let older = RaftSnapshot(
      index: 10, term: 1, configuration: Name.configuration(voters: [0, 1, 2]), bytes: [1])
    let effects = rig.receive(.snapshotOffer(older.head), from: 2)
    #expect(effects.bodies(to: 2) == [.appendAccepted(index: 20, entryTerm: 1)])
  }

  @Test func `a chunk with other bytes is refused and asked for again`() throws {
    var rig = try Rig.follower()
    let snapshot = RaftSnapshot(
      index: 9, term: 1, configuration: Name.configuration(voters: [0, 1, 2]), bytes: [1, 2, 3])
    let offered = rig.receive(.snapshotOffer(snapshot.head), from: 1)
    #expect(offered.bodies(to: 1).contains(.snapshotPull(index: 9, entryTerm: 1, chunk: 0)))
    let forged = rig.receive(
      .snapshotChunk(index: 9, entryTerm: 1, chunk: 0, bytes: [1, 2, 4]), from: 1)
    #expect(forged.notices.contains(.breach(.content, from: Name.id(1))))
    var again = RaftEffects()
    for _ in 0..<10 {
      again.sends += rig.pass(60).sends
      rig.beat(term: 1)
    }
    #expect(again.bodies(to: 1).contains(.snapshotPull(index: 9, entryTerm: 1, chunk: 0)))
    let whole = rig.receive(
      .snapshotChunk(index: 9, entryTerm: 1, chunk: 0, bytes: [1, 2, 3]), from: 1)
    #expect(whole.restored == snapshot)
    // Accepted only once it is durable.
    #expect(!whole.bodies(to: 1).contains(.appendAccepted(index: 9, entryTerm: 1)))
    #expect(rig.sync().bodies(to: 1).contains(.appendAccepted(index: 9, entryTerm: 1)))
    #expect(rig.raft.commit == 9 && rig.raft.lastIndex == 9)
  }

  /// A leader with a snapshot at 20 whose member 2 has nothing.
  private static func compactedLeader() throws -> Rig {
    var rig = try Rig.leader { settings in
      settings.snapshotAfterEntries = 20
      settings.keepEntries = 0
      settings.electionBase = .seconds(100)
    }
    rig.sync()
    rig.receive(.appendAccepted(index: 1, entryTerm: 1), from: 1)
    for number in 2...20 { rig.step(.propose([UInt8(number)], ticket: 1)) }
    rig.sync()
    let wanted = rig.receive(.appendAccepted(index: 20, entryTerm: 1), from: 1)
    #expect(wanted.snapshotWanted?.index == 20)
    rig.step(.snapshotTaken(index: 20, bytes: [7]))
    rig.sync()
    #expect(rig.raft.firstIndex == 21)
    rig.receive(.appendRejected(previousIndex: 0, hintIndex: 0, hintTerm: 0), from: 2)
    rig.step(.connected(Name.id(2)))
    return rig
  }
}

extension RaftNotice {
  fileprivate var isInstalled: Bool {
    if case .snapshotInstalled = self { return true }
    return false
  }
}
