import MembershipCore
import Primitives
import Records
import Testing

@Suite struct `Finding out who is gone` {
  @Test func `probe figures`() {
    let seeds: UInt64 = 50
    var times: [UInt64] = []
    for seed in 1...seeds {
      var world = World(20, seed: seed)
      world.isChecking = seed < 3
      world.boot()
      if !world.isOneView { print("seed \(seed) no one view") }
      let start = world.now
      world.kill(7)
      let found = world.run(until: start + .seconds(20)) { $0.allBelieve(.down, of: 7) }
      times.append((found?.since(start).nanoseconds ?? 0) / 1_000_000)
      if !world.problems.isEmpty { print(world.problems.prefix(3)) }
      let bad = world.downs(since: start, except: [7])
      if !bad.isEmpty { print("seed", seed, bad.prefix(5)) }
      if seed == 1 { print(world.nodes[0].core.counters) }
    }
    print("kill ms", times.sorted())
    var lossy = 0
    times = []
    for seed in 1...seeds {
      var world = World(20, seed: seed)
      world.isChecking = seed < 2
      world.boot()
      let start = world.now
      world.weather.loss = Ratio(1, in: 2)
      world.weather.retransmission = 2_000
      world.run(for: .seconds(30))
      let bad = world.downs(since: start)
      if !bad.isEmpty { print("LOSS seed", seed, bad.prefix(5)); lossy += 1 }
      if seed < 3 {
        print(
          "health", world.nodes.map(\.core.health), "datagrams/s/node", world.datagrams / 30 / 20)
        print(world.nodes[0].core.counters)
      }
      let killed = world.now
      world.kill(7)
      let found = world.run(until: killed + .seconds(120)) { $0.allBelieve(.down, of: 7) }
      if found == nil {
        for n in world.nodes where n.isRunning {
          let m = n.core.member(world.nodes[7].id)!
          print(
            seed, m.state, m.incarnation, n.core.health,
            world.now.since(m.since).nanoseconds / 1_000_000)
        }
        print(world.nodes[0].core.counters)
      }
      times.append((found?.since(killed).nanoseconds ?? 0) / 1_000_000)
    }
    print("lossy bad seeds", lossy, "kill under loss ms", times.sorted())
  }
}
