import CoordinatorCore
import CoreKit
import Primitives
import Records
import Testing

@Suite struct `Who coordinates` {
  @Test func `a node alone coordinates itself after three periods`() {
    let node = someNodes(1, seed: 1)[0]
    var rig = Rig(node)
    #expect(rig.core.status == .settling)
    #expect(rig.core.nextDeadline == instant(1_500))
    rig.give(.deadline, at: 1_499)
    #expect(rig.core.status == .settling)
    rig.give(.deadline, at: 1_500)
    #expect(rig.core.status == .partitioned(coordinator: node))
    #expect(rig.core.status.isPartitioned)
    #expect(rig.core.tenure?.node == node)
    #expect(rig.effects.sends.isEmpty)
    #expect(rig.core.comparePeer == .anyone)
  }

  @Test func `a leader with a quorum coordinates at once, whoever is greatest`() {
    let members = someMembers(5, seed: 2)
    for place in members.indices {
      var rig = Rig(members[place].node)
      rig.see(members, at: 10)
      rig.follow(members[1].node, hasQuorum: true, at: 20)
      #expect(rig.core.status == .led(by: members[1].node))
      #expect((rig.core.tenure != nil) == (place == 1))
      #expect(rig.core.brokenInvariant == nil)
    }
  }

  @Test(arguments: [false, true]) func `a leader without a quorum, or not alive, leads nobody`(
    isAlive: Bool
  ) {
    let members = someMembers(5, seed: 3)
    let seen = isAlive ? members : Array(members.dropLast())
    var rig = Rig(members[0].node)
    rig.see(seen, at: 10)
    rig.follow(members[4].node, hasQuorum: !isAlive, at: 20)
    #expect(rig.core.status == .settling)
    rig.give(.deadline, at: 2_000)
    #expect(rig.core.status == .partitioned(coordinator: seen[seen.count - 1].node))
  }

  @Test func `priority comes before the node, and who only reads comes last`() {
    let nodes = someNodes(4, seed: 4)
    let members = [
      CoordinatorMember(node: nodes[0], priority: 2),
      CoordinatorMember(node: nodes[1], priority: 2),
      CoordinatorMember(node: nodes[2], priority: 1),
      CoordinatorMember(node: nodes[3], role: .edge, priority: 9),
    ]
    var rig = Rig(nodes[2])
    rig.see(members, at: 0)
    rig.give(.deadline, at: 1_500)
    #expect(rig.core.status.coordinator == nodes[1])
    var edges = Rig(nodes[3])
    edges.give(.deadline, at: 1_500)
    #expect(edges.core.status.coordinator == nodes[3], "among edges an edge must do")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `all who see the same members agree, in any order of events`(seed: UInt64) {
    let members = someMembers(7, seed: seed)
    var random = Xoshiro256(seed: seed, purpose: "order")
    var statuses: Set<CoordinatorStatus> = []
    for member in members {
      var rig = Rig(member.node)
      var shuffled = members
      random.shuffle(&shuffled)
      rig.see(shuffled, at: random.next(below: 100 as UInt64))
      rig.give(.deadline, at: 3_000)
      statuses.insert(rig.core.status)
      #expect((rig.core.tenure != nil) == (rig.core.status.coordinator == member.node))
    }
    #expect(statuses.count == 1)
  }

  @Test func `a change of members makes everybody wait again`() {
    let members = someMembers(3, seed: 5)
    var rig = Rig(members[2].node)
    rig.see(members, at: 0)
    rig.give(.deadline, at: 1_500)
    let first = rig.core.tenure
    #expect(first?.sequence == 1)
    rig.see(Array(members.dropFirst()), at: 2_000)
    #expect(rig.core.status == .settling)
    #expect(rig.core.tenure == nil)
    #expect(rig.core.nextDeadline == instant(3_500))
    rig.give(.deadline, at: 3_500)
    #expect(rig.core.tenure?.sequence == 2)
    #expect(rig.core.tenure?.viewHash != first?.viewHash)
  }

  @Test func `a leader that is lost leaves a gap of three periods`() {
    let members = someMembers(5, seed: 6)
    var rig = Rig(members[4].node)
    rig.see(members, at: 0)
    rig.follow(members[0].node, hasQuorum: true, at: 100)
    rig.follow(nil, hasQuorum: true, at: 60_000)
    #expect(rig.core.status == .settling)
    rig.give(.deadline, at: 61_499)
    #expect(rig.core.status == .settling)
    rig.give(.deadline, at: 61_500)
    #expect(rig.core.status == .partitioned(coordinator: members[4].node))
    #expect(rig.core.tenure?.baseTerm == 7)
    #expect(rig.core.tenure?.baseCommitIndex == 70)
    rig.follow(members[0].node, hasQuorum: true, at: 70_000)
    #expect(rig.core.status == .led(by: members[0].node))
    #expect(rig.core.tenure == nil)
  }

  @Test func `a leader that leaves the members alive is lost too`() {
    let members = someMembers(5, seed: 7)
    var rig = Rig(members[4].node)
    rig.see(members, at: 0)
    rig.follow(members[0].node, hasQuorum: true, at: 100)
    rig.give(.members(Array(members.dropFirst()), stableSince: instant(0)), at: 60_000)
    #expect(rig.core.status == .settling)
    #expect(rig.core.nextDeadline == instant(61_500))
  }

  @Test func `of two partition coordinators the lesser yields when it hears the greater`() throws {
    let members = someMembers(4, seed: 8)
    var low = Rig(members[1].node)
    low.see(Array(members[0...1]), at: 0)
    low.give(.deadline, at: 1_500)
    #expect(low.core.tenure != nil)
    var high = Rig(members[3].node)
    high.see(Array(members[2...3]), at: 0)
    high.give(.deadline, at: 1_500)
    let heard = try #require(high.assignments[members[2].node])
    low.give(.received(.assignment(heard), from: members[3].node), at: 1_600)
    #expect(low.core.status == .settling)
    #expect(low.core.counters.yields == 1)
    let other = try #require(low.core.nextDeadline)
    #expect(other == instant(3_100))

    let lesser = CoordinatorMessage.Assignment(
      identity: CoordinatorIdentity(
        viewHash: 1, baseTerm: .max, baseCommitIndex: .max, sequence: .max, node: members[1].node),
      priority: 0, round: 1, partner: nil)
    high.give(.received(.assignment(lesser), from: members[1].node), at: 1_700)
    #expect(high.core.tenure != nil, "terms and indices decide nothing")
    #expect(high.core.counters.yields == 0)
  }

  @Test func `after healing one coordinator is left`() {
    let members = someMembers(6, seed: 9)
    var rigs = members.map { Rig($0.node) }
    for place in 0..<3 { rigs[place].see(Array(members[0..<3]), at: 0) }
    for place in 3..<6 { rigs[place].see(Array(members[3..<6]), at: 0) }
    for place in 0..<6 { rigs[place].give(.deadline, at: 1_500) }
    #expect(rigs.filter { $0.core.tenure != nil }.count == 2)
    for place in 0..<6 { rigs[place].see(members, at: 5_000 + UInt64(place) * 50) }
    #expect(rigs.allSatisfy { $0.core.tenure == nil })
    for place in 0..<6 { rigs[place].give(.deadline, at: 7_000) }
    #expect(rigs.map { $0.core.tenure != nil } == [false, false, false, false, false, true])
    #expect(rigs.allSatisfy { $0.core.status == .partitioned(coordinator: members[5].node) })
  }
}
