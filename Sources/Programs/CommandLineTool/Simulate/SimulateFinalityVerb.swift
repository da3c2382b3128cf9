internal import FinalitySimulator

/// `simulate-finality`: validators that agree on blocks, in virtual time, some of them liars.
enum SimulateFinalityVerb {
  static let verb = Verb(
    "simulate-finality", group: .check,
    summary: "Run validators that agree on blocks, liars among them",
    usage: "[WHAT]",
    details: """
      WHAT is `matrix` (the default: every kind of liar), `mutants` (every bug that can
      be planted must be found) or one of the scenarios that a wrong name lists. The
      engine is the product's own; network, disks, clocks and lanes are simulated.
      Nodes do not run this engine yet: this is where it is tried. Exit status 1 when
      a rule is broken, progress stops, or a planted bug survives.
      """,
    options: [
      .value("seeds", "A..B", "run every seed from A to B (default: 1..20)"),
      .value("validators", "N", "how many validators there are (default: 4)"),
    ], positionalMax: 1,
    examples: [
      Verb.Example("simulate-finality --seeds 1..100", "every kind of liar"),
      Verb.Example("simulate-finality mutants --validators 7", "every planted bug"),
    ]
  ) { arguments, console in
    let name = arguments.positional.first ?? "matrix"
    let validators = try arguments.integer("validators", in: 4...16, default: 4)
    let seeds = try SimulateVerb.seeds(arguments)
    guard let result = FinalityRuns.run(name, validators: validators, seeds: seeds) else {
      throw UsageError(
        "'\(name)' is none of "
          + (FinalityRuns.campaigns + FinalityRuns.scenarios)
          .joined(separator: ", ") + ", or needs more validators than \(validators)")
    }
    console.write(result.text + "\n")
    return result.isPassed ? ExitStatus.success : ExitStatus.failure
  }
}
