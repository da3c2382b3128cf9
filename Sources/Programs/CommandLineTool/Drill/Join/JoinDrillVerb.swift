internal import Configuration

/// `drill snapshot-join`: a fresh node joins by a snapshot, and another one by replay.
enum JoinDrillVerb {
  static func verb(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "drill snapshot-join", group: .check,
      summary: "Have a fresh node join by a snapshot and see that it is equal, and sooner",
      details: """
        Starts a cluster of its own and gives it operations until it has as many as were
        asked for, all of them final. Then a fresh node joins with a ticket and fetches a
        snapshot, and after it another one that replays everything since genesis. Both
        must come to the cluster's rows, lanes and root, and the first sooner. Exit
        status 1 when that is not so. Stops and removes what it made. A million
        operations take some minutes and some 1 GB of memory for each node. Use a release
        build.
        """,
      options: [
        .value("nodes", "N", "how many validators, from 2 (default: 4)"),
        .value("operations", "N", "how many operations (default: 100000)"),
        .value("clients", "N", "how many clients at once (default: 64)"),
      ] + DrillRun.options,
      examples: [
        Verb.Example("drill snapshot-join", "four nodes, 100,000 operations"),
        Verb.Example("drill snapshot-join --operations 1000000", "about ten minutes"),
      ]
    ) { arguments, console in
      let plan = JoinDrillPlan(
        nodes: try arguments.integer("nodes", in: 2...ClusterFile.nodesMax, default: 4),
        operations: try arguments.integer(
          "operations", in: 1_000...100_000_000, default: 100_000),
        clients: try arguments.integer("clients", in: 1...100, default: 64))
      return try DrillRun.conclude(arguments, console) { directory in
        try JoinDrill(plan, directory, launcher, console).run()
      }
    }
  }
}
