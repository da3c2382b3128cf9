import Primitives
import RaftCore
import Records
import Testing
import Wire

/// Members that lie. Nothing they say may stop this process or break what it promised by itself.
@Suite struct `Lies of other members` {
  private static let edges: [UInt64] = [
    0, 1, 2, 3, 7, 1 << 32, 1 << 62, (1 << 62) - 1, .max, .max - 1,
  ]

  private static func number(_ random: inout Xoshiro256) -> UInt64 {
    random.chance(Ratio(3, in: 5))
      ? random.next(below: 8) : edges[random.next(below: edges.count)]
  }

  private static func entries(_ random: inout Xoshiro256, after index: UInt64) -> [RaftEntry] {
    (0..<random.next(below: 4)).map { place in
      let follows = random.chance(Ratio(5, in: 6)) && index < 1 << 62
      let kind = RaftEntry.Kind(rawValue: UInt8(random.next(below: 3))) ?? .empty
      let target = Name.configuration(voters: [0, 1, random.next(below: 4)].uniqued)
      let bytes = random.chance(Ratio(1, in: 2)) ? target.encoded : [1, 2]
      return RaftEntry(
        term: number(&random), index: follows ? index + 1 + UInt64(place) : 9, kind: kind,
        payload: kind == .empty ? [] : bytes)
    }
  }

  private static func body(_ random: inout Xoshiro256) -> RaftMessage.Body {
    let (first, second) = (number(&random), number(&random))
    switch random.next(below: 16) {
    case 0: return .preVote(lastIndex: first, lastTerm: second)
    case 1: return .preVoteResponse(isGranted: random.chance(Ratio(1, in: 2)))
    case 2: return .vote(lastIndex: first, lastTerm: second, isTransfer: first % 2 == 0)
    case 3: return .voteResponse(isGranted: random.chance(Ratio(1, in: 2)))
    case 4, 5, 6:
      return .append(
        .init(
          previousIndex: first, previousTerm: second, commit: number(&random),
          entries: entries(&random, after: first)))
    case 7: return .appendAccepted(index: first, entryTerm: second)
    case 8:
      return .appendRejected(
        previousIndex: first, hintIndex: second, hintTerm: number(&random))
    case 9:
      return .heartbeat(
        .init(
          commit: first, lag: number(&random), round: second,
          intervalMilliseconds: UInt16(clamping: first),
          ranks: [Name.id(2)]))
    case 10: return .heartbeatResponse(round: first, isBehind: second % 2 == 0)
    case 11: return random.chance(Ratio(1, in: 2)) ? .probe : .timeoutNow
    case 12: return .readIndex(context: first)
    case 13: return .readIndexResponse(context: first, index: second)
    case 14:
      let head = RaftSnapshotHead(
        index: max(1, first), term: second, configuration: Name.configuration(voters: [0, 1]),
        byteCount: 3, chunkDigests: [snapshot.head.chunkDigests[0]])
      return .snapshotOffer(head)
    default:
      return random.chance(Ratio(1, in: 2))
        ? .snapshotPull(index: first, entryTerm: second, chunk: UInt32(clamping: second))
        : .snapshotChunk(
          index: first, entryTerm: second, chunk: 0,
          bytes: random.chance(.init(1, in: 2))
            ? [1, 2, 3] : [])
    }
  }

  private static let snapshot = RaftSnapshot(
    index: 3, term: 1, configuration: Name.configuration(voters: [0, 1]), bytes: [1, 2, 3])

  @Test(arguments: 0..<60) func `stop nobody and break nothing`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed, purpose: "lies")
    var rig = seed % 2 == 0 ? try Rig.follower() : try Rig.establishedLeader()
    var committed: [UInt64: RaftEntry] = [:]
    var last: UInt64 = 0
    func note(_ effects: RaftEffects) {
      if let restored = effects.restored { last = restored.head.index }
      for entry in effects.committed {
        #expect(last == 0 || entry.index == last + 1)
        #expect(committed.updateValue(entry, forKey: entry.index) ?? entry == entry)
        last = entry.index
      }
    }
    for turn in 0..<250 {
      let term =
        random.chance(Ratio(3, in: 4)) ? rig.raft.term : Self.number(&random)
      note(rig.receive(Self.body(&random), from: 1 + random.next(below: 3), term: term))
      switch random.next(below: 8) {
      case 0: note(rig.sync())
      case 1: note(rig.pass(random.next(below: 120)))
      case 2: note(rig.step(.propose([1], ticket: UInt64(turn))))
      case 3: note(rig.step(.read(ticket: UInt64(turn))))
      case 4: note(rig.step(.suspectLeader(Name.node(1))))
      default: break
      }
    }
  }

  @Test func `a term that leaps is no reason to follow`() throws {
    var rig = try Rig.establishedLeader()
    let effects = rig.receive(
      .heartbeatResponse(round: 0, isBehind: false), from: 1, term: 2 + RaftLimits.termLeapMax)
    #expect(rig.raft.isLeader && rig.raft.term == 1)
    #expect(effects.notices == [.breach(.termLeap, from: Name.id(1))])
  }

  @Test func `a second leader of a term is refused`() throws {
    var rig = try Rig.follower()
    let effects = rig.append([Name.entry(1, term: 1)], after: 0, term: 0, from: 2)
    #expect(effects.notices == [.breach(.secondLeader, from: Name.id(2))])
    #expect(rig.raft.leader == Name.id(1) && rig.raft.lastIndex == 0)
    // Also after the first one was forgotten.
    rig.step(.suspectLeader(Name.node(1)))
    rig.append([Name.entry(1, term: 1)], after: 0, term: 0, from: 2)
    #expect(rig.raft.lastIndex == 0)

    var leader = try Rig.establishedLeader()
    leader.append([Name.entry(1, term: 1)], after: 0, term: 0, from: 2)
    #expect(leader.raft.isLeader)
  }

  @Test func `a commit beyond what is known to agree is not believed`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 1)], after: 0, term: 0, commit: 1 << 62)
    #expect(rig.raft.commit == 1)
    rig.append([Name.entry(2, term: 1)], after: 1, term: 1)
    rig.beat(from: 2, term: 2, commit: 2)
    #expect(rig.raft.commit == 1)
  }

  @Test func `what is committed is not replaced`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 1), Name.entry(2, term: 1)], after: 0, term: 0, commit: 2)
    rig.sync()
    rig.append([Name.entry(1, term: 2, "y")], after: 0, term: 0, from: 2, inTerm: 2)
    #expect(rig.raft.entryTerm(at: 1) == 1 && rig.raft.lastIndex == 2)
  }

  @Test func `terms that fall behind what is committed are refused`() throws {
    var rig = try Rig.follower()
    rig.append([Name.entry(1, term: 5)], after: 0, term: 0, commit: 1, from: 2, inTerm: 5)
    rig.sync()
    #expect(rig.raft.commit == 1)
    let effects = rig.append(
      [Name.entry(1, term: 1), Name.entry(2, term: 1)], after: 0, term: 0, from: 1, inTerm: 6)
    #expect(effects.notices.contains(.breach(.entries, from: Name.id(1))))
    #expect(rig.raft.lastIndex == 1)
  }

  @Test func `an acceptance of what was never sent is refused`() throws {
    var rig = try Rig.establishedLeader()
    let effects = rig.receive(.appendAccepted(index: 1 << 62, entryTerm: 1), from: 1)
    #expect(effects.notices == [.breach(.acknowledgement, from: Name.id(1))])
    #expect(rig.raft.commit == 1)
  }
}

extension Array where Element: Hashable {
  fileprivate var uniqued: [Element] {
    reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
