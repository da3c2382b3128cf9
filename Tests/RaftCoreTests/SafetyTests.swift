import Primitives
import RaftCore
import Records
import Testing

@Suite struct `A cluster in any weather` {
  @Test(arguments: 0..<22) func `elects, commits and comes even`(block: Int) {
    for seed in (block * 10)..<(block * 10 + 10) {
      let world = World(seed: UInt64(seed), count: seed % 3 == 0 ? 5 : 3) { settings in
        settings.snapshotAfterEntries = seed % 2 == 0 ? 12 : 100_000
        settings.keepEntries = 3
      }
      var chaos = Chaos(world, seed: UInt64(seed))
      chaos.run(rounds: 24)
      #expect(world.judge.problems.isEmpty, "seed \(seed): \(world.judge.problems)")
    }
  }
}
