internal import Configuration
internal import JSONText

/// `drill finality`: validators die while clients wait for `final`.
enum FinalityDrillVerb {
  static func verb(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "drill finality", group: .check,
      summary: "Kill validators and check that what was final stays so",
      details: """
        Starts a cluster of its own. Clients ask questions with consistency=final while
        one node after the other is killed (SIGKILL) and started again: writes must go on
        becoming final. Then as many are killed as finality cannot do without: nothing
        sent after that may become final until one is back, and then it must. In the end
        every node must have executed the same blocks to the same root, and hold every
        write that was confirmed. Exit status 1 when a promise was broken. Stops and
        removes what it made.
        """,
      options: [
        .value("nodes", "N", "how many validators, from 4 (default: 4)"),
        .value("clients", "N", "how many clients at once (default: 8)"),
        .value("down", "MS", "how long nodes stay down, in milliseconds (default: 3000)"),
        .value("gap", "MS", "longest gap allowed with one node down (default: 10000)"),
      ] + DrillRun.options,
      examples: [
        Verb.Example("drill finality", "four nodes, about half a minute"),
        Verb.Example("drill finality --nodes 7 --json verdict.json", "three down stop it"),
      ]
    ) { arguments, console in
      let plan = FinalityDrillPlan(
        nodes: try arguments.integer("nodes", in: 4...ClusterFile.nodesMax, default: 4),
        clients: try arguments.integer("clients", in: 1...100, default: 8),
        downMilliseconds: try arguments.integer("down", in: 1...3_600_000, default: 3_000),
        gapMillisecondsMax: try arguments.integer("gap", in: 1...3_600_000, default: 10_000))
      return try DrillRun.conclude(arguments, console) { directory in
        try FinalityDrill(plan, directory, launcher, console).run()
      }
    }
  }
}
