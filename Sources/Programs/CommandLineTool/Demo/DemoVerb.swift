internal import Configuration
internal import Glibc

/// `demo`: a cluster, agents, a fault and a report, with one command.
enum DemoVerb {
  /// The exit status when programs are missing that can be installed.
  static let missingStatus: Int32 = 2

  static func verb(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "demo", group: .start, summary: "Watch four nodes and nine agents agree while a node dies",
      details: """
        Starts four nodes in a temporary directory. Spelling checkers that disagree
        (aspell, hunspell, ispell, nuspell, in several modes) are agents at different
        nodes; misspellings from codespell's dictionary are the questions. Midway one
        node is killed with SIGKILL and started again. In the end everything that was
        acknowledged is read back from every node. All processes are stopped, also
        after Ctrl-C.
        Exit status 0 when every check holds, 1 when one fails, 2 when programs are
        missing, which it then names.
        """,
      options: [
        .value("questions", "N", "ask N questions, up to 2000 (default: 100)"),
        .value("seed", "S", "choose the questions by S (default: 1)"),
        .value("json", "FILE", "write the results to FILE as well"),
        .flag("keep", "leave the cluster's directory; cluster up --dir starts it again"),
        .flag("allow-missing", "make do with three or more of the nine checkers"),
        .value("dictionary", "FILE", "take misspellings from FILE, lines of wrong->right"),
      ],
      examples: [
        Verb.Example("demo", "under a minute on two cores"),
        Verb.Example("demo --questions 300 --seed 7 --json demo.json", "more questions, as data"),
      ]
    ) { try DemoCommand(settings($0), launcher, $1).run() }
  }

  private static func settings(_ arguments: ArgumentList) throws -> DemoSettings {
    var settings = DemoSettings()
    settings.questionCount = try arguments.integer("questions", in: 1...2_000, default: 100)
    settings.seed = UInt64(try arguments.integer("seed", in: 0...Int.max, default: 1))
    settings.jsonPath = try arguments.value("json").map { try Files.absolute($0) }
    settings.keepsDirectory = arguments.has("keep")
    settings.allowsMissing = arguments.has("allow-missing")
    settings.dictionaryPath = arguments.value("dictionary") ?? MisspellingDictionary.path
    return settings
  }
}

/// One call of `demo`.
struct DemoCommand {
  let settings: DemoSettings
  let launcher: NodeLauncher
  let console: Console

  init(_ settings: DemoSettings, _ launcher: NodeLauncher, _ console: Console) {
    self.settings = settings
    self.launcher = launcher
    self.console = console
  }

  func run() throws -> Int32 {
    let programs = DemoRequirements.present()
    if let status = refusal(programs) { return status }
    let truths = try MisspellingDictionary(reading: settings.dictionaryPath)
      .choose(settings.questionCount, seed: settings.seed)
    guard truths.count == settings.questionCount else {
      throw UsageError(
        "\(settings.dictionaryPath) has \(truths.count) usable misspellings, fewer than "
          + "\(settings.questionCount)")
    }
    var signals = SignalWait()
    signals.begin()
    let directory = try TemporaryDirectory.make("swarmoracle-demo")
    var leavesDirectory = true
    defer { if !leavesDirectory { removeDirectory(directory) } }
    let nodes = try DemoNodes(directory: directory, launcher: launcher)
    let (result, signal) = watch(work(programs, truths, nodes), nodes, signals)
    let survivors = nodes.stop()
    let status = try conclude(result, signal: signal, survivors: survivors)
    leavesDirectory = settings.keepsDirectory || status == ExitStatus.failure
    if leavesDirectory { console.line("the nodes' data and logs are left in \(directory)") }
    return status
  }

  /// Says what is missing; `nil` when the work can begin.
  private func refusal(_ present: [SpellingProgram]) -> Int32? {
    let missing = SpellingProgram.panel.filter { !present.contains($0) }
    let lacksDictionary = !Files.exists(settings.dictionaryPath)
    guard !missing.isEmpty || lacksDictionary else { return nil }
    for program in missing { console.error("not usable: \(program.name)") }
    if lacksDictionary {
      console.error("no dictionary of misspellings: \(settings.dictionaryPath)")
    }
    if !lacksDictionary && settings.allowsMissing && present.count >= DemoSettings.programsLeast {
      return nil
    }
    let packages = DemoRequirements.packages(missing, lacksDictionary: lacksDictionary)
    console.error("install what is missing, as root:")
    console.error("  apt-get install -y --no-install-recommends \(packages.joined(separator: " "))")
    if !lacksDictionary && present.count >= DemoSettings.programsLeast {
      console.error("or go on with the \(present.count) that are there: demo --allow-missing")
    }
    return DemoVerb.missingStatus
  }

  private func work(
    _ programs: [SpellingProgram], _ truths: [Misspelling], _ nodes: DemoNodes
  ) -> DemoRun {
    DemoRun(
      settings: settings, programs: programs, truths: truths, nodes: nodes,
      executable: launcher.program,
      board: Monitor(DemoBoard(questions: truths.count, agents: programs.count)),
      progress: DemoProgress(console))
  }

  /// Lets the work run until it ends; the first signal of an end makes it end early.
  private func watch(
    _ work: DemoRun, _ nodes: DemoNodes, _ signals: SignalWait
  ) -> (Result<DemoReport, any Error>, Int32?) {
    let outcome = Monitor<Result<DemoReport, any Error>?>(nil)
    let thread = WorkerThread {
      let result = Result { try work.run() }
      outcome.update { $0 = result }
    }
    var ending: Int32?
    while outcome.value == nil {
      switch signals.wait(milliseconds: 50) {
      case let signal? where signal != SIGCHLD && ending == nil:
        ending = signal
        console.error("\nstopping everything …")
        work.board.update { $0.isCancelled = true }
        _ = nodes.stop()
      default: break
      }
    }
    thread.join()
    guard let result = outcome.value else { preconditionFailure("the work ended without a result") }
    return (result, ending)
  }

  private func conclude(
    _ result: Result<DemoReport, any Error>, signal: Int32?, survivors: [Int]
  ) throws -> Int32 {
    for node in survivors { console.error("node \(node) could not be stopped") }
    if let signal {
      console.error("interrupted; everything is stopped")
      return 128 + signal
    }
    switch result {
    case .failure(let error):
      console.error("the demonstration failed: \(error)")
      return ExitStatus.failure
    case .success(let report):
      console.write(report.text(console))
      if let path = settings.jsonPath {
        try Files.replace(path, with: report.json + [UInt8(ascii: "\n")])
        console.line("the results are in \(path)")
      }
      return report.succeeded && survivors.isEmpty ? ExitStatus.success : ExitStatus.failure
    }
  }

  private func removeDirectory(_ directory: String) {
    do {
      try TemporaryDirectory.remove(directory)
    } catch {
      console.error("\(error)")
    }
  }
}

/// What must be installed for the demonstration.
package enum DemoRequirements {
  /// A misspelling that every checker knows what to make of.
  private static let probe = "accomodate"

  /// The checkers of the panel that answer when they are asked.
  static func present() -> [SpellingProgram] {
    SpellingProgram.panel.filter { program in
      switch Result(catching: { () throws(ProgramFault) in try program.ask(probe) }) {
      case .success(.suggestions): true
      case .success(.accepted), .success(.nothing), .failure: false
      }
    }
  }

  /// The packages to install, each once, in the order of the panel.
  package static func packages(_ missing: [SpellingProgram], lacksDictionary: Bool) -> [String] {
    var packages: [String] = []
    for name in missing.flatMap(\.packages) where !packages.contains(name) { packages.append(name) }
    return packages + (lacksDictionary ? [MisspellingDictionary.packageName] : [])
  }
}
