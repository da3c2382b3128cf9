import Primitives
import RaftCore
import Records

/// Troubles a cluster at random, then leaves it in peace and sees that it recovers.
struct Chaos {
  private let world: World
  private var random: Xoshiro256
  private var nextText = 0

  init(_ world: World, seed: UInt64) {
    self.world = world
    random = Xoshiro256(seed: seed, purpose: "chaos")
  }

  mutating func run(rounds: Int, changes: Bool = true) {
    world.weather = random.chance(Ratio(1, in: 2)) ? .rough : .calm
    for _ in 0..<rounds {
      for _ in 0..<random.next(below: 3) { trouble(changes) }
      for _ in 0..<random.next(below: 12) { work() }
      world.run(milliseconds: random.next(in: 2...(random.chance(Ratio(1, in: 4)) ? 300 : 40)))
    }
    world.weather = .calm
    world.heal()
    for machine in world.machines where machine.raft == nil { world.start(machine.number) }
    let floor = world.judge.commit
    let isBack = world.run(atMost: 5_000) {
      guard let leader = world.leader else { return false }
      return world.machines[leader].raft?.isTermEstablished == true
    }
    if !isBack { return world.judge.fail("no leader within 5 s of peace") }
    let isEven = (0..<25).contains { _ in
      if let leader = world.leader { world.propose(leader, "last") }
      return world.run(atMost: 200) { world.isEven(members(), beyond: floor) }
    }
    if !isEven {
      world.judge.fail("not even within 5 s of peace: \(world.machines.map(\.applied))")
    }
  }

  /// Those whom the leader knows.
  private func members() -> [Int] {
    guard let leader = world.leader, let raft = world.machines[leader].raft else { return [] }
    return world.machines.indices.filter { raft.configuration.member(Name.id($0)) != nil }
  }

  private mutating func trouble(_ changes: Bool) {
    let count = world.machines.count
    let all = world.machines.indices.map { $0 }
    // What hits the leader is worth more than what hits another.
    let number = random.chance(Ratio(1, in: 2)) ? world.leader : nil
    let victim = number ?? random.next(below: count)
    let others = all.filter { $0 != victim }
    switch random.next(below: 16) {
    case 0, 1, 2: world.crash(victim)
    case 3, 4, 5: restartAll()
    case 6: world.partition([[victim], others])
    case 7:
      let half = all.filter { _ in random.chance(Ratio(1, in: 2)) }
      world.partition([half, all.filter { !half.contains($0) }])
    case 8:
      let other = random.next(below: count)
      world.cut(from: victim, to: other)
    case 9, 10, 11: world.heal()
    case 12: world.pause(victim, milliseconds: random.next(in: 1...400))
    case 13: world.tell(victim, .transferLeadership(nil))
    case 14:
      for other in all { world.tell(other, .suspectLeader(Name.node(victim))) }
    default: if changes { change() }
    }
  }

  private mutating func restartAll() {
    for machine in world.machines where machine.raft == nil {
      if random.chance(Ratio(3, in: 4)) { world.start(machine.number) }
    }
  }

  /// Asks the leader for other voters, among all machines.
  private mutating func change() {
    guard let leader = world.leader else { return }
    var numbers = world.machines.indices.map { $0 }
    random.shuffle(&numbers)
    let voters = 1 + random.next(below: numbers.count)
    world.change(
      leader, Name.change(voters: Array(numbers[..<voters]), learners: Array(numbers[voters...])))
  }

  private mutating func work() {
    let number = random.next(below: world.machines.count)
    if random.chance(Ratio(1, in: 3)) {
      world.read(number)
      return
    }
    nextText += 1
    world.propose(world.leader ?? number, "command \(nextText)")
  }
}
