extension Tool {
  /// The program as shipped: every verb, in the order of the help within each group.
  package static func standard(runNode: @escaping NodeProgram) -> Tool {
    Tool(
      verbs: [DemoVerb.verb(.thisProgram())] + ClusterVerbs.all(.thisProgram())
        + NodeVerbs.all(runNode) + AgentVerbs.all + [SpellingVerb.spell]
        + [SimulateVerb.verb, SimulateFinalityVerb.verb] + DrillVerbs.all(.thisProgram())
        + [VerifyVerb.verb, VerifyProofVerb.verb, RecoverVerb.verb] + LedgerVerbs.all
        + [BenchVerb.ingest(.thisProgram()), FinalityBenchVerb.verb(.thisProgram())]
        + [BootstrapBench.verb]
        + ControlBenchVerbs.all(.thisProgram()) + [versionVerb])
  }

  private static let versionVerb = Verb(
    "version", group: .program, summary: "Print the version",
    examples: [Verb.Example("version", "one line")]
  ) { _, console in
    console.line("\(Tool.name) \(Tool.version)")
    return ExitStatus.success
  }
}
