internal import Configuration
internal import Glibc
internal import Simulator

/// `simulate`: whole clusters in virtual time, from seeds.
enum SimulateVerb {
  /// Where `--all` and bare names look.
  private static let folder = "Simulations/Scenarios"

  static let verb = Verb(
    "simulate", group: .check, summary: "Run clusters in virtual time and check every rule",
    usage: "[SCENARIO]",
    details: """
      SCENARIO is a file, or the name of one in Simulations/Scenarios. Nodes run the
      product's own core; network, disks, clocks and clients are simulated. The same
      seed is the same run, to the bit. Exit status 1 when a rule is broken, with the
      command that shows the run again.
      """,
    options: [
      .value("seed", "S", "run one seed"),
      .value("seeds", "A..B", "run every seed from A to B (default: 1..20)"),
      .flag("all", "run every scenario in Simulations/Scenarios"),
      .flag("trace", "print the events of the one seed"),
      .value("threads", "N", "run N seeds at the same time (default: 2)"),
      .value(
        "plant", "BUG", choices: Mutant.allCases.map(\.rawValue),
        "plant a bug that the checkers must find"),
      .value("history", "FILE", "write what clients of the one seed did and saw to FILE"),
      .value("picture", "FILE", "draw the one seed's run into FILE, a page for a browser"),
      .output,
    ], positionalMax: 1,
    examples: [
      Verb.Example("simulate partition-heals --seeds 1..200", "two hundred partitions"),
      Verb.Example("simulate chaos --seed 7 --trace", "one run, event by event"),
      Verb.Example(
        "simulate leader-crash --seed 3 --history run.jsonl --picture run.html",
        "a run for other checkers, and to look at"),
      Verb.Example("simulate --all", "every scenario"),
    ]
  ) { arguments, console in
    let paths = try scenarios(arguments)
    let seeds = try seeds(arguments)
    var options = Simulation.Options()
    options.mutant = arguments.value("plant").flatMap { Mutant(rawValue: $0) }
    options.isTraced = arguments.has("trace")
    options.keepsHistory = arguments.value("history") != nil
    options.isDrawn = arguments.value("picture") != nil
    for name in ["trace", "history", "picture"]
    where (arguments.has(name) || arguments.value(name) != nil)
      && (seeds.count > 1 || paths.count > 1)
    {
      throw UsageError("--\(name) needs one scenario and one --seed")
    }
    let threads = try arguments.integer("threads", in: 1...64, default: 2)
    var reports: [SimulationReport] = []
    for path in paths {
      let scenario = try read(path)
      let report = SimulationRuns.run(
        scenario, path: path, seeds: seeds, options: options, threads: threads)
      if let verdict = report.verdicts.first { try keep(verdict, arguments) }
      if !arguments.wantsJSON { report.show(on: console) }
      reports.append(report)
    }
    if arguments.wantsJSON { console.write(SimulationReport.json(reports)) }
    return reports.allSatisfy(\.isPassed) ? ExitStatus.success : ExitStatus.failure
  }

  /// Writes what was asked for of the one run.
  private static func keep(_ verdict: Verdict, _ arguments: ArgumentList) throws {
    if let file = arguments.value("history") { try Files.replace(file, with: verdict.history) }
    if let file = arguments.value("picture"), let picture = verdict.picture {
      try Files.replace(file, with: Array(picture.utf8))
    }
  }

  static func seeds(_ arguments: ArgumentList) throws -> ClosedRange<UInt64> {
    if let text = arguments.value("seed") {
      guard arguments.value("seeds") == nil else {
        throw UsageError("--seed and --seeds exclude each other")
      }
      guard let seed = UInt64(text) else {
        throw UsageError("--seed is '\(text)': expected a whole number")
      }
      return seed...seed
    }
    guard let text = arguments.value("seeds") else {
      let isOne =
        arguments.has("trace") || arguments.value("history") != nil
        || arguments.value("picture") != nil
      return isOne ? 1...1 : 1...20
    }
    guard let dots = text.firstRange(of: ".."), let first = UInt64(text[..<dots.lowerBound]),
      let last = UInt64(text[dots.upperBound...]), first <= last, last - first < 1_000_000
    else {
      throw UsageError("--seeds is '\(text)': expected a range such as 1..200")
    }
    return first...last
  }

  private static func scenarios(_ arguments: ArgumentList) throws -> [String] {
    guard arguments.has("all") else {
      return [path(ofScenario: try arguments.argument(0, "the SCENARIO"))]
    }
    guard arguments.positional.isEmpty else {
      throw UsageError("--all and a SCENARIO exclude each other")
    }
    let names = files(in: folder).filter { $0.hasSuffix(".txt") }
    guard !names.isEmpty else {
      throw ConfigurationError(
        source: folder, reason: "no scenarios are here; run this in the repository's folder")
    }
    return names.map { "\(folder)/\($0)" }
  }

  /// The scenario of a file, or of a name in the usual folder, with the file's path.
  static func scenario(named name: String) throws -> (path: String, scenario: Scenario) {
    let path = path(ofScenario: name)
    return (path, try read(path))
  }

  private static func path(ofScenario name: String) -> String {
    let known = "\(folder)/\(name).txt"
    return !Files.exists(name) && Files.exists(known) ? known : name
  }

  private static func read(_ path: String) throws -> Scenario {
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    let name = path.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
    do {
      return try Scenario(name: String(name), parsing: text)
    } catch {
      throw UsageError("\(path): \(error)")
    }
  }

  private static func files(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names.sorted()
  }
}
