internal import Crypto
internal import JSONText
internal import Primitives
internal import SQLiteStorage

/// Who writes in a drill and to what, fixed before the load begins.
struct DrillCast: Sendable {
  /// An agent and its secret.
  struct Agent: Sendable {
    let id: String
    let token: String
  }

  /// Where the nodes are, in order.
  let endpoints: [String]
  /// One agent per client, and a last one that asks questions with `local`.
  let agents: [Agent]
  /// The questions that are answered.
  let questions: [String]

  /// The agent that gives answer `number`.
  func agent(ofAnswer number: Int) -> Agent { agents[number % (agents.count - 1)] }

  /// The question that answer `number` is given to.
  func question(ofAnswer number: Int) -> String { questions[number / (agents.count - 1)] }

  /// What answer `number` says.
  static func content(ofAnswer number: Int) -> String { "answer \(number) of the drill" }

  /// Registers the agents and asks the questions while everything is well.
  init(_ plan: KillPlan, endpoints: [String]) throws {
    self.endpoints = endpoints
    let client = DrillClient(endpoints: endpoints, first: 0) { false }
    agents = try (0...plan.clients).map { number in
      let token = "so_" + Hexadecimal.text(Entropy.bytes(32))
      var body = JSONWriter()
      body.beginObject()
      body.text("name", "drill \(number)")
      body.text("description", "writes during a drill")
      body.text("platform", "custom")
      body.text("apiKey", token)
      body.endObject()
      let outcome = client.post(
        "/v1/agents/register", body.bytes, level: "quorum", key: "agent-\(number)")
      return Agent(id: try DrillCast.identifier(outcome), token: token)
    }
    let asker = agents[plan.clients]
    questions = try (0..<plan.questions).map { number in
      try DrillCast.identifier(
        client.post(
          "/v1/questions", DrillCast.questionBody(number), level: "quorum", token: asker.token,
          key: "question-\(number)"))
    }
  }

  /// The body that asks question `number`.
  static func questionBody(_ number: Int) -> [UInt8] {
    var body = JSONWriter()
    body.beginObject()
    body.text("text", "What is number \(number) of the drill?")
    body.endObject()
    return body.bytes
  }

  static func identifier(_ outcome: DrillClient.Outcome) throws -> String {
    switch outcome {
    case .confirmed(let body):
      guard let id = body["id"]?.string else { throw DrillError("a confirmation names no id") }
      return id
    case .undecided: throw DrillError("a write was not confirmed although every node was up")
    case .surprise(let text): throw DrillError(text)
    }
  }
}

/// Why a drill could not be carried out; not a verdict on the cluster.
struct DrillError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// The threads that write in a drill.
enum DrillWriters {
  /// How long the asker rests between two questions, in milliseconds.
  private static let questionMilliseconds = 40

  /// Starts a thread per client and one that asks; the ledger says when the clients are done.
  ///
  /// Loads one after the other each give the answers of `numbers`, all of them by default.
  static func start(
    _ plan: KillPlan, _ cast: DrillCast, _ ledger: DrillLedger, _ numbers: Range<Int>? = nil
  ) -> [WorkerThread] {
    let numbers = numbers ?? 0..<plan.answers
    let startMilliseconds =
      MonotonicClock.milliseconds - plan.dueMilliseconds(ofAnswer: numbers.lowerBound)
    ledger.begin(atMilliseconds: MonotonicClock.milliseconds)
    let clients = (0..<plan.clients).map { first in
      WorkerThread {
        let client = DrillClient(endpoints: cast.endpoints, first: first) { ledger.isCancelled }
        let start = numbers.lowerBound + first
        for number in stride(from: start, to: numbers.upperBound, by: plan.clients) {
          let due = startMilliseconds + plan.dueMilliseconds(ofAnswer: number)
          DrillClient.pause(milliseconds: due - MonotonicClock.milliseconds)
          guard !ledger.isCancelled else { break }
          answer(number, client, cast, ledger)
        }
        ledger.update { $0.busyClients -= 1 }
      }
    }
    // Numbers of questions count from that of the answers, so that no two loads ask the same.
    let firstQuestion = cast.questions.count + numbers.lowerBound
    return clients + [WorkerThread { ask(firstQuestion, cast, ledger) }]
  }

  private static func answer(
    _ number: Int, _ client: DrillClient, _ cast: DrillCast, _ ledger: DrillLedger
  ) {
    var body = JSONWriter()
    body.beginObject()
    body.text("value", "choice \(number % 5)")
    body.text("content", DrillCast.content(ofAnswer: number))
    body.text("reasoning", "it follows from the number of the answer")
    body.key("confidence")
    body.fixedPoint(500_000, scale: 6)
    body.endObject()
    let outcome = client.post(
      "/v1/questions/\(cast.question(ofAnswer: number))/answers", body.bytes, level: "quorum",
      token: cast.agent(ofAnswer: number).token)
    ledger.update { state in
      if state.quorum.note(outcome, client) { state.answers[number] = true }
      if case .surprise(let text) = outcome { state.note(text) }
    }
  }

  /// Asks questions with `local`, one after the other, as long as the clients answer.
  private static func ask(_ firstQuestion: Int, _ cast: DrillCast, _ ledger: DrillLedger) {
    let asker = cast.agents[cast.agents.count - 1]
    let client = DrillClient(endpoints: cast.endpoints, first: 0) { ledger.isCancelled }
    var number = firstQuestion
    while ledger.isBusy, !ledger.isCancelled {
      let outcome = client.post(
        "/v1/questions", DrillCast.questionBody(number), level: "local", token: asker.token,
        key: "question-\(number)")
      number += 1
      ledger.update { state in
        if state.local.note(outcome, client), case .confirmed(let body) = outcome,
          let id = body["id"]?.string
        {
          state.localQuestions.append(id)
        }
        if case .surprise(let text) = outcome { state.note(text) }
      }
      DrillClient.pause(milliseconds: questionMilliseconds)
    }
  }
}

extension DrillLedger.Tier {
  /// Counts how a write ended; true when it was confirmed.
  mutating func note(_ outcome: DrillClient.Outcome, _ client: DrillClient) -> Bool {
    let counts = client.takeCounts()
    retried += counts.retried
    unknown += counts.unknown
    switch outcome {
    case .confirmed:
      confirm(atMilliseconds: MonotonicClock.milliseconds)
      return true
    case .undecided: undecided += 1
    case .surprise: break
    }
    return false
  }
}
