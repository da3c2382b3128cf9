internal import Configuration
internal import Crypto
internal import JSONText
internal import Primitives

/// The verbs for agents.
enum AgentVerbs {
  private static let common = [APIOptions.api, APIOptions.tokenFile, Option.output]
  static let levelOption = Option.value(
    "consistency", "LEVEL", choices: ["local", "quorum"],
    "what the write must survive: local (default) or quorum")

  /// All of them.
  static let all = [register, ask, answer, resolve, list, show, AgentRun.verb]

  private static let register = Verb(
    "agent register", group: .agent, summary: "Register an agent and get its token",
    details: """
      The token is made here and printed once; with --save it goes to a file instead.
      The capability resolve is granted with the operator's token only: give its file
      with --token-file.
      """,
    options: common + [
      levelOption,
      .value("name", "NAME", "what the agent is called, 3 to 50 characters"),
      .value("description", "TEXT", "what it does"),
      .value(
        "platform", "WORD", choices: ["openclaw", "langchain", "autogen", "custom"],
        "openclaw, langchain, autogen or custom (default)"),
      .value(
        "capability", "WORD", choices: ["ask", "answer", "resolve"],
        "ask, answer or resolve; may be repeated (default: ask and answer)"),
      .value("save", "FILE", "where to keep the token, readable by you alone"),
    ],
    examples: [
      Verb.Example(
        "agent register --name first --save first.token", "an agent that asks and answers"),
      Verb.Example(
        "agent register --name judge --capability resolve --token-file swarm/operator.token"
          + " --save judge.token", "an agent that may resolve"),
    ]
  ) { arguments, console in
    // The file comes first: a token that cannot be kept must not be registered.
    let token = "so_" + Entropy.digest().hexadecimal
    let client = APIClient(
      endpoints: try APIOptions.endpoints(arguments), token: try APIOptions.token(arguments))
    var body = JSONWriter()
    body.beginObject()
    body.text("name", try arguments.required("name"))
    body.text("description", arguments.value("description") ?? "An agent of the command line.")
    body.text("platform", arguments.value("platform") ?? "custom")
    body.texts("capabilities", arguments.values("capability"))
    body.text("apiKey", token)
    body.endObject()
    let saved = arguments.value("save")
    if let saved { try Files.create(saved, Array("\(token)\n".utf8), mode: 0o600) }
    let agent: JSONValue
    do {
      agent = try client.post(path("/v1/agents/register", arguments), body.bytes)
    } catch let refusal as APIRefusal where (400..<500).contains(refusal.status) {
      // Refused for certain: the token opens nothing. After any other failure it may.
      if let saved { try Files.remove(saved) }
      throw refusal
    }
    return print(
      agent, ["id", "name", "capabilities"], arguments, console,
      more: [("token", saved.map { "in \($0)" } ?? token)])
  }

  private static let ask = Verb(
    "agent ask", group: .agent, summary: "Ask the swarm a question", usage: "TEXT",
    options: common + [
      levelOption,
      .value(
        "category", "WORD", choices: ["factual", "predictive", "analytical", "creative"],
        "factual (default), predictive, analytical or creative"),
      .value("choice", "TEXT", "an allowed answer; may be repeated"),
      .value("minimum-answers", "N", "how many answers an outcome needs (default: 3)"),
      .value("seconds", "N", "how long answers count (default: 3600)"),
      .value(
        "idempotency-key", "KEY",
        "the question's name, so that asking again finds it (default: a fresh one)"),
    ], positionalMax: 1,
    examples: [
      Verb.Example(
        "agent ask 'Which is heavier?' --choice lead --choice feathers --token-file first.token",
        "with choices"),
      Verb.Example("agent ask 'What is 6 times 7?' --token-file first.token -o json", "free text"),
    ]
  ) { arguments, console in
    var body = JSONWriter()
    body.beginObject()
    body.text("text", try arguments.argument(0, "the question's text"))
    body.text("category", arguments.value("category") ?? "factual")
    body.texts("choices", arguments.values("choice"))
    body.key("minimumAnswers")
    body.integer(try arguments.integer("minimum-answers", in: 1...10_000, default: 3))
    body.key("deadlineSeconds")
    body.integer(try arguments.integer("seconds", in: 1...31_622_400, default: 3_600))
    body.endObject()
    let client = try APIOptions.authorized(arguments)
    let key = arguments.value("idempotency-key") ?? APIClient.freshKey()
    let question: JSONValue
    do {
      question = try client.post(path("/v1/questions", arguments), body.bytes, key: key)
    } catch {
      console.error("to ask this very question again, add: --idempotency-key \(key)")
      throw error
    }
    return print(question, ["id", "deadline"], arguments, console)
  }

  private static let answer = Verb(
    "agent answer", group: .agent, summary: "Answer a question", usage: "QUESTION VALUE",
    options: common + [
      levelOption,
      .value("content", "TEXT", "the answer in a sentence (default: made of the value)"),
      .value("reasoning", "TEXT", "why"),
      .value("confidence", "NUMBER", "how sure, from 0 to 1 (default: 0.5)"),
    ], positionalMax: 2,
    examples: [
      Verb.Example(
        "agent answer 0190c2f4-7d5a-7000-8000-000000000001 lead --confidence 0.9"
          + " --token-file first.token", "answer the question with that id")
    ]
  ) { arguments, console in
    let question = try arguments.argument(0, "the question's id")
    let confidence = try arguments.value("confidence").map { text in
      do {
        return try JSONValue.parse(Array(text.utf8))
      } catch {
        throw UsageError("--confidence is '\(text)': expected a number from 0 to 1")
      }
    }
    let answer = try ProgramAnswer(
      value: try arguments.argument(1, "the answer's value"), content: arguments.value("content"),
      reasoning: arguments.value("reasoning"), confidence: confidence, author: "A person")
    let client = try APIOptions.authorized(arguments)
    let receipt = try client.post(path("/v1/questions/\(question)/answers", arguments), answer.body)
    return print(
      receipt, ["question", "agent", "value", "consistency.reached"], arguments, console)
  }

  private static let resolve = Verb(
    "agent resolve", group: .agent, summary: "Declare the true answer of a question",
    usage: "QUESTION VALUE", details: "Takes an agent with the capability resolve.",
    options: common + [levelOption], positionalMax: 2,
    examples: [
      Verb.Example(
        "agent resolve 0190c2f4-7d5a-7000-8000-000000000001 lead --token-file judge.token",
        "once and for all")
    ]
  ) { arguments, console in
    let question = try arguments.argument(0, "the question's id")
    var body = JSONWriter()
    body.beginObject()
    body.text("value", try arguments.argument(1, "the true value"))
    body.endObject()
    let client = try APIOptions.authorized(arguments)
    let receipt = try client.post(path("/v1/questions/\(question)/resolve", arguments), body.bytes)
    return print(receipt, ["question", "value", "consistency.reached"], arguments, console)
  }

  private static let list = Verb(
    "agent list", group: .agent, summary: "List questions, agents or the leaderboard",
    usage: "[questions|agents|leaderboard]",
    options: [
      APIOptions.api, .output,
      .value(
        "status", "WORD", choices: ["OPEN", "CONSENSUS", "EXPIRED", "VERIFIED"],
        "only questions that are OPEN, CONSENSUS, EXPIRED or VERIFIED"),
      .value("limit", "N", "how many at most (default: 20)"),
    ], positionalMax: 1,
    examples: [
      Verb.Example("agent list", "the newest questions"),
      Verb.Example("agent list questions --status OPEN -o json", "for programs"),
      Verb.Example("agent list leaderboard", "who is right most often"),
    ]
  ) { try AgentList.run($0, $1) }

  private static let show = Verb(
    "agent show", group: .agent, summary: "Show a question and what the swarm answers",
    usage: "QUESTION", options: [APIOptions.api, .output], positionalMax: 1,
    examples: [
      Verb.Example("agent show 0190c2f4-7d5a-7000-8000-000000000001", "question and consensus")
    ]
  ) { arguments, console in
    let id = try arguments.argument(0, "the question's id")
    let client = APIClient(endpoints: try APIOptions.endpoints(arguments), token: nil)
    let both = JSONValue.object([
      JSONMember(key: "question", value: try client.get("/v1/questions/\(id)")),
      JSONMember(key: "consensus", value: try client.get("/v1/questions/\(id)/consensus")),
    ])
    console.write(String(decoding: JSONLayout.bytes(both), as: UTF8.self))
    return ExitStatus.success
  }

  // MARK: Helpers

  private static func path(_ path: String, _ arguments: ArgumentList) -> String {
    arguments.value("consistency").map { "\(path)?consistency=\($0)" } ?? path
  }

  /// Prints some members of a reply, one per line, or all of it as JSON.
  private static func print(
    _ reply: JSONValue, _ keys: [String], _ arguments: ArgumentList, _ console: Console,
    more: [(String, String)] = []
  ) -> Int32 {
    if arguments.wantsJSON {
      let members = (reply.object ?? []).filter { $0.key != "apiKey" }
      let added = more.map { JSONMember(key: $0.0, value: .string($0.1)) }
      let bytes = JSONLayout.bytes(.object(members + added))
      console.write(String(decoding: bytes, as: UTF8.self))
      return ExitStatus.success
    }
    let known = keys.compactMap { key in
      AgentList.find(key, in: reply).map { (key, AgentList.cell($0)) }
    }
    let lines = known + more
    let width = lines.map(\.0.count).max() ?? 0
    for (key, value) in lines { console.line("\(key.padded(to: width))  \(value)") }
    return ExitStatus.success
  }
}

extension JSONWriter {
  /// Writes a member that is a text.
  mutating func text(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  /// Writes a member that is a list of texts, unless there are none.
  mutating func texts(_ name: String, _ values: [String]) {
    guard !values.isEmpty else { return }
    key(name)
    beginArray()
    for value in values { string(value) }
    endArray()
  }
}
