internal import AnswerCore
internal import Crypto
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

/// The clients: programs that register, ask, answer and resolve through nodes of their choice.
struct Workload {
  /// A write that is to be submitted.
  struct Request {
    let write: WriteID
    let operations: [[UInt8]]
    let level: WriteLevel
    let patience: TimeSpan
    /// Decides the node, among those that run.
    let choice: UInt64
  }

  private static let questionsMax = 48
  private static let words = ["yes", "no", "maybe", "42", "Yes."]

  private let clients: Scenario.Clients
  private var random: Xoshiro256
  private var nextWrite: UInt64 = 1
  private var nextQuestion: UInt64 = 1
  private var registered = 0
  private var questions: [QuestionID] = []

  init(_ scenario: Scenario, seed: UInt64) {
    clients = scenario.clients
    random = Xoshiro256(seed: seed, purpose: "clients")
  }

  /// How long until the next write.
  mutating func pause() -> TimeSpan {
    let mean = 1_000_000_000 / clients.writesPerSecond
    return TimeSpan(nanoseconds: random.next(in: 0...(2 * mean)))
  }

  /// The next write.
  mutating func next() -> Request {
    let write = WriteID(nextWrite)
    nextWrite += 1
    var operations = [makeOperation()]
    if random.chance(Ratio(1, in: 4)) {
      for _ in 0..<random.next(below: 5) { operations.append(makeOperation()) }
    }
    let isQuorum = random.chance(Ratio(clients.quorumMillionths, in: 1_000_000))
    // Drawn only when there is something to draw, so that other scenarios stay as they are.
    let isFinal =
      clients.finalMillionths > 0
      && random.chance(Ratio(clients.finalMillionths, in: 1_000_000))
    // Some clients give up so early that a quorum is often not reached in time.
    let patience: TimeSpan = random.chance(Ratio(1, in: 20)) ? .milliseconds(15) : .seconds(2)
    return Request(
      write: write, operations: operations, level: isFinal ? .final : isQuorum ? .quorum : .local,
      patience: patience, choice: random.next())
  }

  private mutating func makeOperation() -> [UInt8] {
    if registered < clients.count {
      registered += 1
      return register(registered - 1)
    }
    let agent = Workload.agent(random.next(below: clients.count))
    switch random.next(below: 20) {
    case 0..<3 where questions.count < Workload.questionsMax, 0: return ask(agent)
    case 0..<17: return answer(agent)
    default: return resolve(agent)
    }
  }

  private static func agent(_ client: Int) -> AgentID {
    AgentID(high: 0xa9e7, low: UInt64(client + 1))
  }

  private func register(_ client: Int) -> [UInt8] {
    LedgerOperation.register(
      AgentRegistration(
        agent: Workload.agent(client), name: "Client \(client)", description: "",
        platform: "custom", specialties: [], capabilities: .all,
        tokenDigest: Digest(words: 0x70, 0, 0, UInt64(client)))
    ).encoded
  }

  private mutating func ask(_ agent: AgentID) -> [UInt8] {
    let question = QuestionID(high: 0xbeef, low: nextQuestion)
    nextQuestion += 1
    if questions.count == Workload.questionsMax { questions.removeFirst() }
    questions.append(question)
    return LedgerOperation.ask(
      QuestionPosting(
        question: question, asker: agent, text: "What is the answer to \(question.low)?",
        category: .factual, deadlineMilliseconds: 4_000_000_000_000, minimumAnswers: 1,
        choices: [])
    ).encoded
  }

  private mutating func pickQuestion() -> QuestionID {
    questions.isEmpty
      ? QuestionID(high: 0xbeef, low: 1) : questions[random.next(below: questions.count)]
  }

  private mutating func answer(_ agent: AgentID) -> [UInt8] {
    let word = Workload.words[random.next(below: Workload.words.count)]
    return LedgerOperation.answer(
      AnswerPosting(
        question: pickQuestion(), agent: agent, value: word,
        content: "The answer is \(word), as far as I know.",
        reasoning: "It was \(word) when I looked it up, \(random.next(below: 1_000)) times.",
        confidenceMillionths: UInt32(random.next(in: 0...1_000_000)), stakeMillionths: 0)
    ).encoded
  }

  private mutating func resolve(_ agent: AgentID) -> [UInt8] {
    LedgerOperation.resolve(
      Resolution(
        question: pickQuestion(), resolver: agent,
        value: Workload.words[random.next(below: Workload.words.count)])
    ).encoded
  }
}
