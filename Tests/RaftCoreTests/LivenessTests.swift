import Primitives
import RaftCore
import Records
import Testing

@Suite struct `A connected majority has a leader` {
  private static func even(_ seed: UInt64, _ count: Int) throws -> (World, Int) {
    let world = World(seed: seed, count: count)
    let all = world.machines.indices.map { $0 }
    #expect(world.run(atMost: 1_500) { world.leader != nil && world.isEven(all) })
    world.run(milliseconds: 200)
    return (world, try #require(world.leader))
  }

  /// Whether a leader that is not `old` commits something within the time.
  private static func recovers(_ world: World, without old: Int, atMost limit: UInt64) -> Bool {
    let floor = world.judge.commit
    let hasLeader = world.run(atMost: limit) {
      guard let leader = world.leader, leader != old else { return false }
      return world.machines[leader].raft?.isTermEstablished == true
    }
    if let leader = world.leader { world.propose(leader, "after") }
    return hasLeader && world.run(atMost: 500) { world.judge.commit > floor + 1 }
  }

  @Test(arguments: 0..<8) func `after the leader is cut off`(seed: UInt64) throws {
    let (world, leader) = try Self.even(seed, 3)
    world.partition([[leader], [0, 1, 2].filter { $0 != leader }])
    #expect(Self.recovers(world, without: leader, atMost: 600))
    world.heal()
    #expect(world.run(atMost: 500) { world.isEven([0, 1, 2]) })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test(arguments: 0..<8) func `B6: when the leader reaches one follower that reaches all`(
    seed: UInt64
  ) throws {
    let (world, leader) = try Self.even(seed, 5)
    let others = (0..<5).filter { $0 != leader }
    let bridge = others[Int(seed) % 4]
    var links = [(leader, bridge)]
    for one in others { for two in others where one < two { links.append((one, two)) } }
    world.connect(only: links)
    #expect(Self.recovers(world, without: leader, atMost: 1_200))
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test(arguments: 0..<8) func `B6: when two members, the leader one, reach only a third`(
    seed: UInt64
  ) throws {
    let (world, leader) = try Self.even(seed, 5)
    let others = (0..<5).filter { $0 != leader }
    let (leaf, hub) = (others[0], others[1])
    let core = Array(others.dropFirst())
    var links = [(leader, hub), (leaf, hub)]
    for one in core { for two in core where one < two { links.append((one, two)) } }
    world.connect(only: links)
    #expect(Self.recovers(world, without: leader, atMost: 1_200))
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test(arguments: 0..<8) func `when nothing from the leader arrives and all to it does`(
    seed: UInt64
  ) throws {
    let (world, leader) = try Self.even(seed, 3)
    for other in 0..<3 where other != leader { world.cut(from: leader, to: other) }
    #expect(Self.recovers(world, without: leader, atMost: 900))
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test(arguments: 0..<8) func `when all from the leader arrives and nothing to it does`(
    seed: UInt64
  ) throws {
    let (world, leader) = try Self.even(seed, 3)
    for other in 0..<3 where other != leader { world.cut(from: other, to: leader) }
    #expect(Self.recovers(world, without: leader, atMost: 900))
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test(arguments: 0..<8) func `within the wait of the first in rank after a crash`(
    seed: UInt64
  ) throws {
    let (world, leader) = try Self.even(seed, 5)
    world.crash(leader)
    // Base, lots, two round trips, two syncs.
    #expect(Self.recovers(world, without: leader, atMost: 180))
  }

  @Test(arguments: 0..<16) func `at once after a hint that it died`(seed: UInt64) throws {
    let (world, leader) = try Self.even(seed, 5)
    world.crash(leader)
    world.run(milliseconds: 2)
    for other in 0..<5 where other != leader {
      world.tell(other, .suspectLeader(Name.node(leader)))
    }
    #expect(Self.recovers(world, without: leader, atMost: 30))
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }

  @Test func `and a false hint about it costs nothing`() throws {
    let (world, leader) = try Self.even(2, 3)
    let term = world.machines[leader].raft?.term
    let follower = (leader + 1) % 3
    world.tell(follower, .suspectLeader(Name.node(leader)))
    world.run(milliseconds: 1_000)
    #expect(world.leader == leader && world.machines[leader].raft?.term == term)
  }

  @Test func `and keeps it while nothing happens`() throws {
    let (world, leader) = try Self.even(1, 5)
    let term = world.machines[leader].raft?.term
    world.weather.loss = Ratio(1, in: 50)
    world.run(milliseconds: 8_000)
    #expect(world.leader == leader && world.machines[leader].raft?.term == term)
  }

  @Test func `and keeps it when a follower was not scheduled for a second`() throws {
    let (world, leader) = try Self.even(4, 3)
    let follower = (leader + 1) % 3
    let term = world.machines[leader].raft?.term
    for _ in 0..<4 {
      world.pause(follower, milliseconds: 1_000)
      world.run(milliseconds: 1_300)
    }
    #expect(world.leader == leader && world.machines[leader].raft?.term == term)
  }

  @Test func `also when it is alone`() throws {
    let world = World(seed: 1, count: 1)
    #expect(world.run(atMost: 50) { world.leader == 0 && world.judge.commit == 1 })
    world.propose(0, "a")
    let read = world.read(0)
    world.run(milliseconds: 20)
    #expect(world.judge.commit == 2)
    #expect(world.answers[read] == .readable(index: 1))
    world.crash(0)
    world.start(0)
    #expect(world.run(atMost: 50) { world.judge.commit == 3 && world.isEven([0]) })
    #expect(world.judge.problems.isEmpty, "\(world.judge.problems)")
  }
}
