internal import FinalitySimulator
internal import Synchronization

/// `simulate-finality`: validators that agree on blocks, in virtual time, some of them liars.
enum SimulateFinalityVerb {
  static let verb = Verb(
    "simulate-finality", group: .check,
    summary: "Run validators that agree on blocks, liars among them",
    usage: "[WHAT]",
    details: """
      WHAT is `matrix` (the default: every kind of liar), `mutants` (every bug that can
      be planted must be found), `twins`, `crash-points` or one of the scenarios that a
      wrong name lists. `twins` tries every schedule of partitions for four validators
      one of which runs twice (half an hour of one processor for four rounds, a minute
      or two for three); with more validators it draws schedules by seed. `crash-points`
      crashes fixed runs at every point at which a journal is written. The engine is the
      one that nodes run; network, disks, clocks and lanes are simulated. Exit status
      1 when a rule is broken, progress stops, or a planted bug survives.
      """,
    options: [
      .value("seeds", "A..B", "run every seed from A to B (default: 1..20)"),
      .value("validators", "N", "how many validators there are (default: 4)"),
      .value("rounds", "N", "views that `twins` scripts before the network heals (default: 4)"),
      .value("threads", "N", "run N at the same time (default: 2)"),
    ], positionalMax: 1,
    examples: [
      Verb.Example("simulate-finality --seeds 1..100", "every kind of liar"),
      Verb.Example("simulate-finality mutants --validators 7", "every planted bug"),
      Verb.Example("simulate-finality twins --rounds 3", "every schedule of three views"),
      Verb.Example("simulate-finality twins --validators 7 --seeds 1..500", "drawn schedules"),
    ]
  ) { arguments, console in
    let name = arguments.positional.first ?? "matrix"
    let validators = try arguments.integer("validators", in: 4...16, default: 4)
    let seeds = try SimulateVerb.seeds(arguments)
    let rounds = try arguments.integer("rounds", in: 1...8, default: 4)
    let threads = try arguments.integer("threads", in: 1...64, default: 2)
    guard
      let result = FinalityRuns.run(
        name, validators: validators, seeds: seeds, rounds: rounds,
        spread: { spread($0, threads: threads, $1) })
    else {
      throw UsageError(
        "'\(name)' is none of "
          + (FinalityRuns.campaigns + FinalityRuns.scenarios)
          .joined(separator: ", ") + ", or needs more validators than \(validators)")
    }
    console.write(result.text + "\n")
    return result.isPassed ? ExitStatus.success : ExitStatus.failure
  }

  /// Runs a body for every number below a count on so many threads.
  private static func spread(
    _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Void
  ) {
    let next = Atomic(0)
    let work: @Sendable () -> Void = {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
      }
    }
    let workers = (0..<min(threads, count)).map { _ in WorkerThread(work) }
    for worker in workers { worker.join() }
  }
}
