import CoordinatorCore
import CoreKit
import Primitives
import Records
import Testing

/// How a bundle spreads along duties alone, restated: who gets it, from whom, after how many hops.
private struct Spread {
  var hops: [NodeID: Int] = [:]
  var copies: [NodeID: Int] = [:]
  var sent: [NodeID: Int] = [:]

  /// `isUp` says who can be reached.
  init(_ plan: DisseminationPlan, isUp: (NodeID) -> Bool) {
    var wave: [(from: NodeID, to: NodeID)] = Spread.targets(plan.branches, isUp).map {
      (plan.origin, $0)
    }
    var depth = 1
    while !wave.isEmpty, depth < 10 {
      var next: [(from: NodeID, to: NodeID)] = []
      for (from, to) in wave {
        sent[from, default: 0] += 1
        copies[to, default: 0] += 1
        guard hops[to] == nil else { continue }
        hops[to] = depth
        guard let duty = plan.duty(of: to), from == plan.origin || duty.parents.contains(from)
        else { continue }
        next += Spread.targets(duty.children, isUp).map { (to, $0) }
      }
      wave = next
      depth += 1
    }
  }

  static func targets(_ branches: [RelayBranch], _ isUp: (NodeID) -> Bool) -> [NodeID] {
    branches.flatMap { branch -> [NodeID] in
      if isUp(branch.node) { return [branch.node] }
      if let standIn = branch.standIn, isUp(standIn) { return [standIn] }
      return targets(branch.children, isUp)
    }
  }
}

@Suite struct `Dissemination plans` {
  /// Members by chance in one to four regions of two zones, some of which only read.
  static func members(seed: UInt64) -> [CoordinatorMember] {
    var random = Xoshiro256(seed: seed, purpose: "members")
    let count = 1 + random.next(below: 60)
    let regions = 1 + random.next(below: 4)
    return someNodes(count, seed: seed).map { node in
      CoordinatorMember(
        node: node, region: "region \(random.next(below: regions))",
        zone: "zone \(random.next(below: 2))",
        role: random.chance(Ratio(1, in: 8)) ? .edge : .voter)
    }
  }

  @Test(arguments: DisseminationMode.allCases, 1...40 as ClosedRange<UInt64>)
  func `every member is reached exactly once, within three hops`(
    mode: DisseminationMode, seed: UInt64
  ) {
    let members = Self.members(seed: seed)
    for origin in members.prefix(5) {
      let plan = DisseminationPlan.make(origin: origin.node, members: members, mode: mode)
      let spread = Spread(plan) { _ in true }
      let others = members.map(\.node).filter { $0 != origin.node }
      #expect(Set(spread.hops.keys) == Set(others))
      #expect(spread.copies.values.allSatisfy { $0 == 1 })
      #expect(spread.hops.values.allSatisfy { $0 <= DisseminationPlan.hopsMax })
      if mode == .direct { #expect(spread.hops.values.allSatisfy { $0 == 1 }) }
    }
  }

  @Test(arguments: [DisseminationMode.gateways, .relays], 1...20 as ClosedRange<UInt64>)
  func `all who can be reached are, when some cannot`(mode: DisseminationMode, seed: UInt64) {
    let members = Self.members(seed: seed)
    var random = Xoshiro256(seed: seed, purpose: "down")
    let down = Set(members.map(\.node).filter { _ in random.chance(Ratio(1, in: 4)) })
    for origin in members.prefix(5) where !down.contains(origin.node) {
      let plan = DisseminationPlan.make(origin: origin.node, members: members, mode: mode)
      let spread = Spread(plan) { !down.contains($0) }
      let others = members.map(\.node).filter { $0 != origin.node && !down.contains($0) }
      #expect(Set(spread.hops.keys) == Set(others))
      #expect(spread.copies.values.allSatisfy { $0 == 1 })
    }
  }

  @Test(arguments: [5, 30, 100]) func `an origin pushes to the root of their number`(count: Int) {
    let members = someMembers(count, seed: 21)
    let root = (1...count).last { $0 * $0 <= count - 1 } ?? 1
    for origin in members.prefix(10) {
      let plan = DisseminationPlan.make(origin: origin.node, members: members, mode: .relays)
      #expect(plan.branches.count == root)
      let share = (count - 1 - root) / root
      #expect(plan.branches.allSatisfy { $0.children.count <= share * 5 / 4 + 2 })
    }
  }

  @Test(arguments: [10, 30, 100]) func `the load of relays spreads over origins`(count: Int) {
    let members = someMembers(count, seed: 22)
    var load: [NodeID: Int] = [:]
    for origin in members {
      let plan = DisseminationPlan.make(origin: origin.node, members: members, mode: .relays)
      let spread = Spread(plan) { _ in true }
      for (node, sent) in spread.sent where node != origin.node { load[node, default: 0] += sent }
    }
    let total = load.values.reduce(0, +)
    #expect(load.values.allSatisfy { $0 * count <= total * 4 }, "nobody carries four shares")
    #expect(load.count * 10 >= count * 8, "four in five carry something")
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `a member that leaves moves few others`(seed: UInt64) throws {
    let members = someMembers(60, seed: seed)
    var moved = 0
    var others = 0
    for (place, gone) in members.enumerated() where place.isMultiple(of: 5) {
      let rest = members.filter { $0 != gone }
      let origin = rest[0].node
      let before = Self.parents(.make(origin: origin, members: members, mode: .relays))
      let after = Self.parents(.make(origin: origin, members: rest, mode: .relays))
      for member in rest where member.node != origin {
        others += 1
        // Who lost its relay has to move; nobody else should.
        let parent = try #require(before[member.node])
        if parent != gone.node && after[member.node] != parent { moved += 1 }
      }
    }
    #expect(moved * 10 <= others, "\(moved) of \(others) moved")
  }

  /// Who hands a bundle to each member.
  private static func parents(_ plan: DisseminationPlan) -> [NodeID: NodeID] {
    var parents: [NodeID: NodeID] = [:]
    for branch in plan.branches {
      parents[branch.node] = plan.origin
      for child in branch.children { parents[child.node] = branch.node }
    }
    return parents
  }

  @Test func `a region is entered by one of two gateways in different zones`() throws {
    let nodes = someNodes(9, seed: 23)
    let members = nodes.enumerated().map { place, node in
      CoordinatorMember(
        node: node, region: place < 4 ? "here" : "there", zone: place < 7 ? "a" : "b")
    }
    let plan = DisseminationPlan.make(origin: nodes[0], members: members, mode: .gateways)
    #expect(plan.branches.count == 4)
    let gate = try #require(plan.branches.last)
    let standIn = try #require(gate.standIn)
    #expect(gate.children.count == 3)
    let zones = [gate.node, standIn].map { node in members.first { $0.node == node }?.zone }
    #expect(zones[0] != zones[1])
    #expect(plan.duty(of: gate.node)?.children.count == 4)
    #expect(plan.duty(of: standIn)?.children.map(\.node).contains(gate.node) == true)
    #expect(plan.duty(of: gate.children[0].node) == nil)
  }

  @Test func `who only reads relays nothing while others can`() {
    let members = someNodes(20, seed: 24).enumerated().map { place, node in
      CoordinatorMember(node: node, role: place < 15 ? .edge : .learner)
    }
    let plan = DisseminationPlan.make(
      origin: members[19].node, members: members, mode: .relays)
    for member in members where member.role == .edge {
      #expect(plan.duty(of: member.node) == nil)
    }
    let edges = Array(members.prefix(15))
    let among = DisseminationPlan.make(origin: edges[0].node, members: edges, mode: .relays)
    #expect(among.branches.count == 3)
  }

  @Test func `one example is always the same`() {
    let members = someMembers(8, seed: 25)
    let plan = DisseminationPlan.make(origin: members[3].node, members: members, mode: .relays)
    let places = plan.branches.map { branch in
      [branch.node] + branch.children.map(\.node)
    }.map { nodes in nodes.compactMap { node in members.firstIndex { $0.node == node } } }
    #expect(places == [[2, 1, 7, 4], [6, 5, 0]])
  }
}
