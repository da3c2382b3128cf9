internal import Glibc

/// `agent run`: the verb around `ProgramAgent`.
enum AgentRun {
  static let verb = Verb(
    "agent run", group: .agent, summary: "Let any program answer the open questions",
    usage: "--exec PROGRAM [ARGUMENT…]",
    details: """
      PROGRAM is started once per open question. It reads the question as one JSON
      object from its standard input and writes {"value": …} to its standard output;
      content, reasoning and confidence may be added. A program that ends with
      another status than 0, hangs or writes too much gives no answer. --exec takes
      the rest of the command line, so it comes last.
      """,
    options: [
      APIOptions.api, APIOptions.tokenFile, AgentVerbs.levelOption,
      .flag("once", "answer what is open and end"),
      .value("concurrency", "N", "runs at a time (default: 1)"),
      .value("timeout", "MILLISECONDS", "how long one run may take (default: 30000)"),
      .value("output-limit", "BYTES", "how much one run may write (default: 65536)"),
      .value("poll", "MILLISECONDS", "how often to look for questions (default: 1000)"),
      .value(
        "category", "WORD", choices: ["factual", "predictive", "analytical", "creative"],
        "only questions of this category"),
      .value("exec", "PROGRAM…", "the program and its arguments"),
    ],
    remainder: "exec",
    examples: [
      Verb.Example(
        #"agent run --token-file first.token --once --exec sh -c 'echo "{\"value\": \"42\"}"'"#,
        "the shortest agent there is"),
      Verb.Example(
        "agent run --token-file first.token --concurrency 4 --exec python3 agent.py", "until Ctrl-C"
      ),
    ]
  ) { arguments, console in
    guard let program = arguments.rest.first, !program.isEmpty else {
      throw UsageError("--exec PROGRAM is missing")
    }
    guard let token = try APIOptions.token(arguments) else {
      throw UsageError("no token: give --token-file FILE or set SWARMORACLE_TOKEN")
    }
    var settings = ProgramAgent.Settings(
      endpoints: try APIOptions.endpoints(arguments), token: token, program: arguments.rest)
    settings.concurrency = try arguments.integer("concurrency", in: 1...256, default: 1)
    settings.limits.timeoutMilliseconds = try arguments.integer(
      "timeout", in: 1...3_600_000, default: 30_000)
    settings.limits.outputBytesMax = try arguments.integer(
      "output-limit", in: 1...(16 << 20), default: 65_536)
    settings.pollMilliseconds = try arguments.integer("poll", in: 10...3_600_000, default: 1_000)
    settings.consistency = arguments.value("consistency") ?? "local"
    settings.category = arguments.value("category")
    var failures = 0
    var agent = ProgramAgent(settings) { event in
      console.error(describe(event))
      if case .failed = event { failures += 1 }
    }
    guard arguments.has("once") else {
      try agent.run { false }
      return ExitStatus.success
    }
    let accepted = try agent.runOnce()
    console.error("\(accepted) answers were accepted, \(failures) runs gave none")
    return failures == 0 ? ExitStatus.success : ExitStatus.failure
  }

  private static func describe(_ event: ProgramAgent.Event) -> String {
    switch event {
    case .answered(let question, let value): "\(question): answered \(value)"
    case .refused(let question, let reason): "\(question): refused: \(reason)"
    case .failed(let question, let fault): "\(question): the program \(fault)"
    case .unreachable(let reason): "no questions: \(reason)"
    }
  }
}
