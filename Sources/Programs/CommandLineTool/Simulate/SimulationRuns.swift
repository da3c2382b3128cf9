internal import Glibc
internal import SQLiteStorage
internal import Simulator
internal import Synchronization

/// Runs the seeds of one scenario on several threads.
enum SimulationRuns {
  private struct Work {
    var next: UInt64?
    var verdicts: [Verdict] = []
  }

  /// Runs every seed and sums up what came of it, in the order of the seeds.
  static func run(
    _ scenario: Scenario, path: String, seeds: ClosedRange<UInt64>, options: Simulation.Options,
    threads: Int
  ) -> SimulationReport {
    let start = nanoseconds()
    let work = Mutex(Work(next: seeds.lowerBound))
    let body: @Sendable () -> Void = {
      while let seed = take(from: work, last: seeds.upperBound) {
        let verdict = Simulation.run(scenario, seed: seed, options: options)
        work.withLock { $0.verdicts.append(verdict) }
      }
    }
    let workers = (0..<min(threads, seeds.count)).map { _ in WorkerThread(body) }
    for worker in workers { worker.join() }
    let verdicts = work.withLock { $0.verdicts.sorted { $0.seed < $1.seed } }
    return SimulationReport(
      scenario: scenario.name, path: path, mutant: options.mutant, verdicts: verdicts,
      wallNanoseconds: nanoseconds() - start)
  }

  private static func take(from work: borrowing Mutex<Work>, last: UInt64) -> UInt64? {
    work.withLock { work in
      guard let seed = work.next else { return nil }
      work.next = seed < last ? seed + 1 : nil
      return seed
    }
  }

  private static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
