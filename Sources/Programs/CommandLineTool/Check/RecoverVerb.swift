internal import Configuration

/// `recover`: looks at everything that a stopped node has stored, and repairs it.
enum RecoverVerb {
  static let verb = Verb(
    "recover", group: .check, summary: "Check a stopped node's data, and repair what is damaged",
    usage: "DIR",
    details: """
      DIR is a node's directory; the node must not run. Everything stored is read and
      checked, and what would be done is told. With --apply damaged files are set aside
      under names with the time, never deleted: rows are made anew from the lanes, of
      the lanes everything sound is kept, and the rest comes from peers once the node
      runs. A node whose control log is damaged forgets its votes: it comes back in a
      new life, first as a learner.

      A running node repairs its databases by itself; this is for a node that does not
      start, and for the control log.

      Exit status 0: everything is sound, or was repaired. 1: something is damaged and
      --apply was not given, or could not be repaired, or the node runs.
      """,
    options: [
      .flag("apply", "repair what is damaged"),
      .flag("new-lane", "begin a new lane, for a node that was restored from a copy"),
    ], positionalMax: 1,
    examples: [
      Verb.Example("recover swarm/node-2", "what is sound, and what would be done"),
      Verb.Example("recover swarm/node-2 --apply", "the same, and do it"),
    ]
  ) { arguments, console in
    let directory = try Files.absolute(try arguments.argument(0, "the node's directory DIR"))
    let node = try StoppedNode(directory)
    var isSound = true
    for part in try node.parts(wantsNewLane: arguments.has("new-lane")) {
      console.line(console.colored(part.path, .bold))
      for line in part.facts { console.line("  \(line)") }
      if part.findings.isEmpty {
        console.line(console.colored("  sound", .green))
        continue
      }
      for finding in part.findings { console.line("  \(console.colored(finding, .red))") }
      console.line("  repair: \(part.repair)")
      guard arguments.has("apply") else {
        isSound = false
        continue
      }
      for line in try part.apply() { console.line(console.colored("  \(line)", .green)) }
    }
    if arguments.has("apply") {
      try node.settle()
      console.line("start the node; what is missing comes from its peers")
    } else if !isSound {
      console.line("nothing was changed; repair with: \(Tool.name) recover \(directory) --apply")
    }
    return isSound ? ExitStatus.success : ExitStatus.failure
  }
}
