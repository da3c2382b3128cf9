internal import Configuration

extension DrillVerbs {
  static func flipByte(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "drill flip-byte", group: .check,
      summary: "Change a byte in a node's databases and see it found and repaired",
      details: """
        Starts a cluster of its own whose nodes read their databases through every few
        seconds. While clients write through all nodes, one byte of a row in the middle
        of log.db of a node is changed on the disk, then one of state.db. The node must
        find it, repair itself and be equal to the others within 60 s, without losing
        anything confirmed. Exit status 1 when it did not. Stops and removes what it
        made.
        """,
      options: [
        .value("nodes", "N", "how many nodes, from 3 (default: 4)"),
        .value("answers", "N", "how many answers (default: 3000)"),
        .value("seconds", "N", "how long clients write in all (default: 30)"),
        .value("clients", "N", "how many clients at once (default: 8)"),
        .value("scrub", "N", "seconds between two readings of the databases (default: 5)"),
        .value("seed", "S", "chooses the nodes (default: 1)"),
      ] + DrillRun.options,
      examples: [
        Verb.Example("drill flip-byte", "four nodes, a byte of each database"),
        Verb.Example("drill flip-byte --scrub 1 --seed 7", "found sooner, in other nodes"),
      ]
    ) { arguments, console in
      let seconds = try arguments.integer("seconds", in: 4...3_600, default: 30)
      let load = KillPlan(
        nodes: try arguments.integer("nodes", in: 3...ClusterFile.nodesMax, default: 4),
        answers: try arguments.integer("answers", in: 200...1_000_000, default: 3_000),
        kills: seconds * 1_000 / KillPlan.millisecondsPerKill,
        clients: try arguments.integer("clients", in: 1...50, default: 8),
        seed: UInt64(try arguments.integer("seed", in: 0...Int.max, default: 1)))
      let plan = FlipDrill.Plan(
        load: load,
        scrubSeconds: try arguments.integer("scrub", in: 1...3_600, default: 5))
      return try DrillRun.conclude(arguments, console) { directory in
        try FlipDrill(plan, directory, launcher, console).run()
      }
    }
  }
}
