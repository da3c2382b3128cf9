import MembershipCore
import Primitives
import Records
import Testing

/// How many seeds a test of a whole cluster tries: unoptimized cores are ten times slower.
enum Seeds {
  #if DEBUG
    static let areSlow = true
    static let few: ClosedRange<UInt64> = 1...3
    static let many: ClosedRange<UInt64> = 1...5
  #else
    static let areSlow = false
    static let few: ClosedRange<UInt64> = 1...50
    static let many: ClosedRange<UInt64> = 1...100
  #endif
}

@Suite struct `Finding out who is gone` {
  @Test(arguments: Seeds.many) func `one of twenty is killed, and all know within 2.5 seconds`(
    seed: UInt64
  ) throws {
    var world = World(20, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    #expect(world.isOneView)
    let start = world.now
    world.kill(7)
    let found = try #require(
      world.run(until: start + .seconds(10)) { $0.allBelieve(.down, of: 7) })
    #expect(found.since(start) < .milliseconds(2_500))
    #expect(world.downs(since: start, except: [7]) == [])
    #expect(world.problems == [])
    #expect(world.largestDatagram <= MembershipMessage.datagramBytesMax)
  }

  @Test(arguments: [3, 5, 10]) func `small clusters find a kill within 2.5 seconds`(
    size: Int
  ) throws {
    for seed in Seeds.few {
      var world = World(size, seed: seed)
      world.isChecking = seed == 1
      world.boot()
      let start = world.now
      world.kill(1)
      let found = try #require(
        world.run(until: start + .seconds(10)) { $0.allBelieve(.down, of: 1) })
      #expect(found.since(start) < .milliseconds(2_500))
      #expect(world.downs(since: start, except: [1]) == [])
      #expect(world.problems == [])
    }
  }

  @Test(arguments: Seeds.few.dropLast(Seeds.areSlow ? 2 : 0))
  func `thirty seconds at half loss bury nobody, and a kill is found`(
    seed: UInt64
  ) throws {
    var world = World(20, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let start = world.now
    world.weather.loss = Ratio(1, in: 2)
    world.weather.retransmission = 2_000
    world.run(for: .seconds(30))
    #expect(world.downs(since: start) == [])
    // The weather did test them: suspicions there were.
    #expect(world.nodes.allSatisfy { $0.core.counters.suspicionsRefuted > 0 })
    let killed = world.now
    world.kill(7)
    let found = try #require(
      world.run(until: killed + .seconds(60)) { $0.allBelieve(.down, of: 7) })
    #expect(found.since(killed) < .seconds(40))
    #expect(world.downs(since: start, except: [7]) == [])
    #expect(world.problems == [])
  }

  @Test(arguments: [3, 5, 10]) func `half loss buries nobody in small clusters either`(
    size: Int
  ) {
    for seed in Seeds.few {
      var world = World(size, seed: seed)
      world.isChecking = seed == 1
      world.boot()
      let start = world.now
      world.weather.loss = Ratio(1, in: 2)
      world.weather.retransmission = 2_000
      world.run(for: .seconds(30))
      #expect(world.downs(since: start) == [])
    }
  }

  @Test(arguments: Seeds.few) func `hints of the host make it faster still`(seed: UInt64) throws {
    var world = World(5, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let start = world.now
    world.kill(2)
    for place in [0, 1, 3, 4] { world.step(place, .crashHint(world.nodes[2].id)) }
    #expect(world.allBelieve(.suspect, of: 2))
    let found = try #require(
      world.run(until: start + .seconds(10)) { $0.allBelieve(.down, of: 2) })
    #expect(found.since(start) < .milliseconds(1_000))
  }

  @Test func `a false hint is refuted`() {
    var world = World(5, seed: 3)
    world.isChecking = true
    world.boot()
    let start = world.now
    world.step(0, .crashHint(world.nodes[2].id))
    #expect(world.state(of: 2, at: 0) == .suspect)
    world.run(for: .seconds(2))
    #expect(world.downs(since: start) == [])
    #expect(world.isOneView)
  }

  @Test(arguments: Seeds.few) func `a connection that is gone is made up for by others`(
    seed: UInt64
  ) {
    var world = World(5, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let start = world.now
    world.disconnect(0, 1)
    world.run(for: .seconds(20))
    #expect(world.downs(since: start) == [])
    #expect(world.isOneView)
    #expect(world.nodes[0].core.counters.probesRescued > 0)
  }

  @Test(arguments: Seeds.few) func `a node that leaves is known to have left within a second`(
    seed: UInt64
  ) throws {
    var world = World(20, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let start = world.now
    world.step(3, .leave)
    world.kill(3)
    let known = try #require(
      world.run(until: start + .seconds(10)) { $0.allBelieve(.left, of: 3) })
    #expect(known.since(start) < .seconds(1))
    world.run(for: .seconds(5))
    #expect(world.allBelieve(.left, of: 3))
    #expect(world.downs(since: start) == [])
    for node in world.nodes where node.isRunning {
      #expect(!node.changes.contains { $0.at >= start && $0.change.new == .suspect })
    }
    world.restart(3)
    world.run(for: .seconds(2))
    #expect(world.isOneView)
    #expect(world.problems == [])
  }

  @Test(arguments: Seeds.few) func `a node that stood still blames nobody when it goes on`(
    seed: UInt64
  ) {
    var world = World(10, seed: seed)
    world.isChecking = seed == 1
    world.boot()
    let start = world.now
    world.pause(4, for: .seconds(20))
    world.run(for: .seconds(20))
    #expect(world.allBelieve(.down, of: 4))
    world.run(for: .seconds(10))
    #expect(world.downs(since: start, except: [4]) == [])
    #expect(world.isOneView)
    #expect(world.nodes[4].core.counters.stalls > 0)
    #expect(world.problems == [])
  }

  @Test func `a round asks everybody once, and idle nodes send two datagrams per period`() {
    var world = World(20, seed: 11)
    world.isChecking = true
    world.boot(for: .seconds(20))
    let sent = world.datagrams
    let wakes = world.nodes.map(\.wakes)
    world.run(for: .seconds(20))
    // 100 periods of 20 nodes.
    let perPeriod = (world.datagrams - sent) * 100 / (100 * 20)
    #expect((190...205).contains(perPeriod))
    for (place, node) in world.nodes.enumerated() {
      #expect(node.wakes - wakes[place] <= 250, "node \(place)")
      #expect(node.core.health == 1)
      #expect(node.core.queuedUpdates == 0)
    }
  }

  @Test func `two runs of one seed are the same, and another seed's is another`() {
    func run(_ seed: UInt64) -> [UInt64] {
      var world = World(8, seed: seed)
      world.isChecking = seed == 1
      world.weather.loss = Ratio(1, in: 3)
      world.boot(for: .seconds(10))
      return [UInt64(world.datagrams)] + world.nodes.map(\.core.counters.suspicions)
        + world.nodes.map { UInt64($0.wakes) }
    }
    #expect(run(1) == run(1))
    #expect(run(1) != run(2))
  }
}
