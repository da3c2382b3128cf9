internal import Configuration
internal import Glibc
internal import Histories
internal import Simulator

extension DrillVerbs {
  static func scenario(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "drill", group: .check, summary: "Carry out a scenario's faults on real processes",
      usage: "SCENARIO",
      details: """
        SCENARIO is a file, or the name of one in Simulations/Scenarios. Starts a
        cluster of its own, lets clients write at the levels local, quorum and ordered
        through all nodes while the scenario's faults happen to the processes and the
        packets between them, heals everything, and judges: acknowledged writes lost,
        the longest gaps, the time to heal, whether the control state was linearizable.
        Exit status 1 when a promise was broken, 64 when processes cannot be made to do
        what the scenario asks. Stops and removes what it made.
        """,
      options: [
        .value("seed", "S", "chooses what clients do (default: 1)"),
        .value("json", "FILE", "write the verdict as JSON too"),
        .value("history", "FILE", "write what the clients of the control state did, as JSON lines"),
        .value("picture", "FILE", "write a timeline: FILE.html, and FILE.svg beside it"),
        .value("dir", letter: "d", "DIR", "a directory that does not exist yet (default: in /tmp)"),
      ], positionalMax: 1,
      examples: [
        Verb.Example("drill leader-crash-20", "kill -9 of the leader, twenty times"),
        Verb.Example(
          "drill split-2-3 --picture split.html --json split.json", "thirty seconds of two worlds"),
      ]
    ) { arguments, console in
      let (path, scenario) = try SimulateVerb.scenario(named: try arguments.argument(0, "SCENARIO"))
      let refusals = ScenarioPlan.refusals(of: scenario)
      guard refusals.isEmpty else {
        throw UsageError(
          "\(path): processes cannot be made to do this: \(refusals.joined(separator: ", ")); "
            + "simulate can")
      }
      let seed = UInt64(try arguments.integer("seed", in: 0...Int.max, default: 1))
      let place = try DrillDirectory(arguments.value("dir"))
      defer { place.remove() }
      let drill = ScenarioDrill(
        scenario, command: "\(Tool.name) drill \(path) --seed \(seed)", seed: seed, in: place.path,
        launcher, console)
      let result = try drill.run()
      console.line(result.verdict.text)
      try write(result, arguments)
      return result.verdict.outcome == .pass ? ExitStatus.success : ExitStatus.failure
    }
  }

  private static func write(_ result: ScenarioDrill.Result, _ arguments: ArgumentList) throws {
    if let path = arguments.value("json") {
      try Files.replace(try Files.absolute(path), with: result.verdict.json + [0x0A])
    }
    if let path = arguments.value("history") {
      var writer = HistoryWriter()
      try Files.replace(try Files.absolute(path), with: writer.text(of: result.history))
    }
    if let path = arguments.value("picture") {
      let (html, svg) = pictureFiles(try Files.absolute(path))
      try Files.replace(html, with: Array(result.timeline.html.utf8))
      try Files.replace(svg, with: Array(result.timeline.svg.utf8))
    }
  }

  /// The page and the picture that belong to one name, whose ending may be there or not.
  package static func pictureFiles(_ path: String) -> (html: String, svg: String) {
    var base = path
    for ending in [".html", ".svg"] where path.hasSuffix(ending) {
      base = String(path.dropLast(ending.count))
    }
    return ("\(base).html", "\(base).svg")
  }
}
