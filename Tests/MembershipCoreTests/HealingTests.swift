import MembershipCore
import Primitives
import Records
import Testing

@Suite struct `Coming to one view again` {
  private static func isSplit(_ world: World, at half: Int) -> Bool {
    world.nodes.indices.allSatisfy { left in
      world.nodes.indices.allSatisfy { right in
        left == right
          || (world.state(of: left, at: right) == .down) == ((left < half) != (right < half))
      }
    }
  }

  @Test(arguments: [(5, 2), (10, 5), (20, 10)]) func `ten minutes apart, one view in ten seconds`(
    size: Int, half: Int
  ) throws {
    for seed in Seeds.few.prefix(Seeds.areSlow ? (size > 5 ? 1 : 2) : 10) {
      for connectionsBreak in [true, false] {
        var world = World(size, seed: seed)
        world.isChecking = seed == 1 && size < 20
        world.boot()
        for place in 0..<half { world.nodes[place].side = 1 }
        let cut = world.now
        try #require(
          world.run(until: cut + .seconds(30)) { Self.isSplit($0, at: half) } != nil)
        #expect(world.nodes[0].core.viewHash == world.nodes[half - 1].core.viewHash)
        #expect(world.nodes[0].core.viewHash != world.nodes[half].core.viewHash)
        world.run(for: .seconds(15))
        let pairs = (0..<half).flatMap { left in (half..<size).map { (left, $0) } }
        if connectionsBreak { for (left, right) in pairs { world.disconnect(left, right) } }
        let isLong = !Seeds.areSlow || (size == 5 && seed == 1)
        world.run(for: .seconds(isLong ? 600 : 20))
        #expect(Self.isSplit(world, at: half))
        for place in 0..<half { world.nodes[place].side = 0 }
        let heal = world.now
        if connectionsBreak { for (left, right) in pairs { world.connect(left, right) } }
        let found = try #require(world.run(until: heal + .seconds(60)) { $0.isOneView })
        #expect(found.since(heal) < .seconds(10))
        #expect(Set(world.nodes.map(\.core.viewHash)).count == 1)
        #expect(world.problems == [])
      }
    }
  }

  @Test(arguments: Seeds.few) func `a whole cluster that restarts is one view in two seconds`(
    seed: UInt64
  ) throws {
    var world = World(10, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let before = world.nodes.map(\.core.own.incarnation)
    for place in world.nodes.indices { world.kill(place) }
    world.run(for: .seconds(5))
    for place in world.nodes.indices { world.restart(place) }
    let start = world.now
    let found = try #require(world.run(until: start + .seconds(10)) { $0.isOneView })
    #expect(found.since(start) < .seconds(2))
    world.run(for: .seconds(10))
    #expect(world.isOneView)
    for (place, node) in world.nodes.enumerated() {
      #expect(node.core.own.incarnation > before[place])
    }
    #expect(world.problems == [])
  }

  @Test(arguments: Seeds.few) func `a node that restarts is alive to all at once`(seed: UInt64) {
    var world = World(10, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    world.kill(6)
    world.run(for: .seconds(5))
    #expect(world.allBelieve(.down, of: 6))
    world.restart(6)
    world.run(for: .seconds(1))
    #expect(world.isOneView)
  }

  @Test(arguments: Seeds.few) func `what liars say of others is refuted and lowers nothing`(
    seed: UInt64
  ) {
    var world = World(6, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let victim = world.nodes[2].id
    let liar = world.nodes[5].id
    for round in 0..<6 {
      let known = world.nodes[0].core.member(victim)?.incarnation ?? 0
      let claims: [MembershipUpdate] = [
        MembershipUpdate(node: victim, incarnation: known, claim: .left),
        MembershipUpdate(node: victim, incarnation: known, claim: .down),
        MembershipUpdate(node: victim, incarnation: known + 1_000, claim: .suspect(by: liar)),
        MembershipUpdate(
          node: victim, incarnation: known + 5,
          claim: .alive(Place.attributes(victim, zone: "lie"))),
        MembershipUpdate(node: victim, incarnation: 1, claim: .down),
        MembershipUpdate(
          node: victim, incarnation: MembershipUpdate.incarnationMax, claim: .down),
      ]
      let lie = MembershipMessage(
        incarnation: world.nodes[5].core.own.incarnation, load: 0, body: .news,
        updates: [claims[round]])
      let told = world.now
      world.step(0, .received(lie, from: liar, over: .datagram))
      world.run(for: .seconds(4))
      #expect(world.downs(since: told) == [], "after lie \(round)")
      #expect(world.isOneView, "after lie \(round)")
      for node in world.nodes {
        #expect((node.core.member(victim)?.incarnation ?? 0) >= known)
        #expect(node.core.member(victim)?.attributes.zone == "a")
      }
    }
    #expect(world.nodes[2].core.counters.refutations > 0)
    #expect(world.nodes[0].core.counters.implausible > 0)
    #expect(world.problems == [])
  }

  @Test func `a node whose disk went back in time outvotes what it said before`() {
    var world = World(4, seed: 2)
    world.isChecking = true
    world.boot()
    for _ in 0..<3 {
      world.step(1, .setAttributes(Place.attributes(world.nodes[1].id, zone: "b")))
      world.step(1, .setAttributes(Place.attributes(world.nodes[1].id, zone: "a")))
    }
    world.run(for: .seconds(1))
    let before = world.nodes[1].core.own.incarnation
    world.kill(1)
    world.nodes[1].persisted = 0
    world.restart(1)
    world.run(for: .seconds(3))
    #expect(world.nodes[1].core.own.incarnation > before)
    #expect(world.isOneView)
  }

  @Test func `new attributes and loads reach everybody`() {
    var world = World(8, seed: 4)
    world.isChecking = true
    world.boot()
    world.step(3, .setAttributes(Place.attributes(world.nodes[3].id, zone: "z")))
    world.step(3, .setLoad(77))
    world.run(for: .seconds(1))
    for node in world.nodes {
      #expect(node.core.member(world.nodes[3].id)?.attributes.zone == "z")
    }
    world.run(for: .seconds(4))
    for node in world.nodes { #expect(node.core.member(world.nodes[3].id)?.load == 77) }
  }
}
