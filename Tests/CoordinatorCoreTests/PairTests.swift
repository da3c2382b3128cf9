import CoordinatorCore
import CoreKit
import Primitives
import Records
import Testing

@Suite struct `Pairs` {
  @Test(arguments: 1...41) func `every pair meets once in the fewest rounds`(count: Int) {
    let rounds = PairSchedule.roundCount(count)
    #expect(rounds == max(1, count - 1 + count % 2))
    var met: Set<[Int]> = []
    for round in 0..<rounds {
      var busy: Set<Int> = []
      for place in 0..<count {
        guard let other = PairSchedule.partner(of: place, in: UInt64(round), of: count) else {
          continue
        }
        #expect(other != place)
        #expect(PairSchedule.partner(of: other, in: UInt64(round), of: count) == place)
        busy.insert(place)
        if place < other { #expect(met.insert([place, other]).inserted, "pair met twice") }
      }
      #expect(busy.count == count - count % 2)
    }
    #expect(met.count == count * (count - 1) / 2)
  }

  @Test func `rounds go round for ever`() {
    #expect(PairSchedule.partner(of: 0, in: .max, of: 6) != nil)
    #expect(
      PairSchedule.partner(of: 2, in: 3, of: 8) == PairSchedule.partner(of: 2, in: 10, of: 8))
  }

  @Test func `a coordinator tells each member its partner, round by round`() throws {
    let members = someMembers(6, seed: 11)
    var rigs = members.map { Rig($0.node) }
    for place in rigs.indices {
      rigs[place].see(members, at: 0)
      rigs[place].follow(members[2].node, hasQuorum: true, at: 10)
    }
    var met: Set<[Int]> = []
    var now: UInt64 = 10
    for round in 1...5 as ClosedRange<UInt64> {
      if round > 1 {
        now += 1_000
        #expect(rigs[2].core.nextDeadline == instant(now))
        rigs[2].give(.deadline, at: now)
      }
      let told = rigs[2].assignments
      #expect(told.count == 5)
      for place in rigs.indices where place != 2 {
        let assignment = try #require(told[members[place].node])
        #expect(assignment.round == round)
        rigs[place].give(.received(.assignment(assignment), from: members[2].node), at: now + 5)
      }
      for place in rigs.indices {
        guard case .node(let peer) = rigs[place].core.comparePeer else {
          Issue.record("member \(place) compares with nobody")
          continue
        }
        let other = try #require(members.firstIndex { $0.node == peer })
        #expect(rigs[other].core.comparePeer == .node(members[place].node))
        met.insert([min(place, other), max(place, other)])
        #expect(rigs[place].core.brokenInvariant == nil)
      }
    }
    #expect(met.count == 15)
  }

  @Test func `who hears no coordinator any more chooses by itself again`() throws {
    let members = someMembers(2, seed: 12)
    var leader = Rig(members[0].node)
    leader.see(members, at: 0)
    leader.follow(members[0].node, hasQuorum: true, at: 10)
    let assignment = try #require(leader.assignments[members[1].node])
    var rig = Rig(members[1].node)
    rig.see(members, at: 0)
    rig.follow(members[0].node, hasQuorum: true, at: 10)
    rig.give(.received(.assignment(assignment), from: members[0].node), at: 20)
    #expect(rig.effects.comparePeer == .node(members[0].node))
    #expect(rig.core.nextDeadline == instant(3_020))
    rig.give(.deadline, at: 3_020)
    #expect(rig.effects.comparePeer == .anyone)
    #expect(rig.core.nextDeadline == nil)
  }

  @Test func `a partner that is no longer alive is let go`() throws {
    let members = someMembers(4, seed: 13)
    var rig = Rig(members[0].node)
    rig.see(members, at: 0)
    rig.follow(members[0].node, hasQuorum: true, at: 10)
    guard case .node(let partner) = rig.core.comparePeer else {
      Issue.record("the leader has no partner of its own")
      return
    }
    rig.see(members.filter { $0.node != partner }, at: 20)
    #expect(rig.effects.comparePeer == .anyone)
    #expect(rig.core.brokenInvariant == nil)
  }

  @Test func `an assignment counts from the coordinator alone, about others alive`() {
    let members = someMembers(4, seed: 14)
    let stranger = someNodes(1, seed: 99)[0]
    var rig = Rig(members[0].node)
    rig.see(members, at: 0)
    rig.follow(members[1].node, hasQuorum: true, at: 10)
    func assignment(by node: NodeID, _ partner: NodeID?) -> CoordinatorMessage {
      .assignment(
        .init(
          identity: .init(
            viewHash: 0, baseTerm: 0, baseCommitIndex: 0, sequence: 1, node: node),
          priority: .max, round: 3, partner: partner))
    }
    let cases: [(CoordinatorMessage, NodeID)] = [
      (assignment(by: members[2].node, members[3].node), members[2].node),
      (assignment(by: members[1].node, members[3].node), members[2].node),
      (assignment(by: members[1].node, members[0].node), members[1].node),
      (assignment(by: members[1].node, stranger), members[1].node),
      (assignment(by: members[0].node, members[3].node), members[0].node),
    ]
    for (message, sender) in cases {
      rig.give(.received(message, from: sender), at: 20)
      #expect(rig.core.comparePeer == .anyone)
      #expect(rig.effects.comparePeer == nil)
    }
    #expect(rig.core.counters.assignmentsIgnored == 5)
    rig.give(
      .received(assignment(by: members[1].node, members[3].node), from: members[1].node), at: 30)
    #expect(rig.core.comparePeer == .node(members[3].node))
    #expect(rig.core.counters.assignmentsFollowed == 1)
  }

  @Test func `a round at the end of its range wraps and stops nobody`() throws {
    let members = someMembers(3, seed: 15)
    var rig = Rig(members[2].node)
    rig.see(members, at: 0)
    rig.follow(members[1].node, hasQuorum: true, at: 10)
    let last = CoordinatorMessage.Assignment(
      identity: .init(
        viewHash: 0, baseTerm: 0, baseCommitIndex: 0, sequence: 1, node: members[1].node),
      priority: 0, round: .max, partner: members[0].node)
    rig.give(.received(.assignment(last), from: members[1].node), at: 20)
    rig.follow(members[2].node, hasQuorum: true, at: 30)
    #expect(rig.assignments[members[0].node]?.round == 0)
  }
}
