import LedgerCore
import Primitives
import Records

/// Valid operations, to be varied by tests.
enum Samples {
  static let alice = AgentID(high: 0xa11ce, low: 1)
  static let bob = AgentID(high: 0xb0b, low: 2)
  static let judge = AgentID(high: 0x1d9e, low: 3)
  static let question = QuestionID(high: 0x90, low: 1)
  static let deadline: UInt64 = 10_000

  static func registration(
    _ agent: AgentID = alice, name: String = "Alice", description: String = "Answers.",
    platform: String = "langchain", specialties: [QuestionCategory] = [.factual, .creative],
    capabilities: Capabilities = [.ask, .answer], token: UInt64 = 7
  ) -> AgentRegistration {
    AgentRegistration(
      agent: agent, name: name, description: description, platform: platform,
      specialties: specialties, capabilities: capabilities,
      tokenDigest: Digest(words: token, 0, 0, agent.low))
  }

  static func posting(
    _ question: QuestionID = question, asker: AgentID = alice,
    text: String = "What is the capital of France?", deadline: UInt64 = deadline,
    minimumAnswers: UInt32 = 2, choices: [String] = []
  ) -> QuestionPosting {
    QuestionPosting(
      question: question, asker: asker, text: text, category: .analytical,
      deadlineMilliseconds: deadline, minimumAnswers: minimumAnswers, choices: choices)
  }

  static func answer(
    _ agent: AgentID = alice, to question: QuestionID = question, value: String = "Paris",
    content: String = "It is Paris.", reasoning: String = "Every atlas of Europe says so.",
    confidence: UInt32 = 900_000, stake: UInt64 = 1_000_000
  ) -> AnswerPosting {
    AnswerPosting(
      question: question, agent: agent, value: value, content: content, reasoning: reasoning,
      confidenceMillionths: confidence, stakeMillionths: stake)
  }

  static func resolution(
    _ resolver: AgentID = judge, of question: QuestionID = question, value: String = "paris"
  ) -> Resolution {
    Resolution(question: question, resolver: resolver, value: value)
  }

  static func announcement(
    _ node: UInt64 = 1, role: MemberRole = .voter, transport: String = "192.0.2.1:4433",
    api: String = "http://192.0.2.1:8080"
  ) -> MemberAnnouncement {
    MemberAnnouncement(
      node: NodeID(key: Digest(words: 9, 9, 9, node)), role: role, transportAddress: transport,
      apiAddress: api)
  }

  static let all: [LedgerOperation] = [
    .register(registration()), .ask(posting()),
    .ask(posting(choices: ["Paris", "Lyon", "Straßburg"])), .answer(answer()),
    .resolve(resolution()), .announce(announcement()), .define(definition()),
    .change(
      change(.put(value: #"{"n":1}"#, priority: 3, seen: [dot(1, 2), dot(1, 3), dot(2, 1)]))),
    .change(change(.delete(priority: 0, seen: []))),
    .change(change(.add(delta: -5), request: RecordRequestID(high: 0xf, low: 1))),
    .change(change(.insert(element: "grün", seen: []))),
    .change(change(.remove(element: "grün", seen: [dot(1, 11)]))),
  ]

  static func definition(
    _ name: String = "notes", policy: CollectionPolicy = .siblings
  ) -> CollectionDefinition {
    CollectionDefinition(name: name, policy: policy, agent: alice)
  }

  static func change(
    _ action: RecordAction, of key: String = "first", in collection: String = "notes",
    by agent: AgentID = alice, request: RecordRequestID? = nil
  ) -> RecordChange {
    RecordChange(
      name: RecordName(collection: collection, key: key), agent: agent, request: request,
      action: action)
  }

  /// The write at `stamp(milliseconds, lane:)`.
  static func dot(_ lane: UInt64, _ milliseconds: UInt64) -> RecordDot {
    let stamp = stamp(milliseconds, lane: lane)
    return RecordDot(lane: stamp.lane, time: stamp.time)
  }

  static func stamp(_ milliseconds: UInt64, lane: UInt64 = 1) -> OperationStamp {
    OperationStamp(
      time: HybridTime(milliseconds: milliseconds, counter: 0),
      lane: LaneID(digest: Digest(words: lane, 0, 0, 0)), number: milliseconds, index: 0)
  }
}
