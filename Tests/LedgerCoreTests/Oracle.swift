import AnswerCore
import LedgerCore
import Primitives
import Records

/// Everything that the live tables say, to be compared.
struct Reading: Equatable {
  var agents: [AgentSummary?] = []
  var tokens: [AgentSummary?] = []
  var scores: [Score?] = []
  var questions: [QuestionSummary?] = []
  var answers: [AnswerSummary?] = []
  var outcomes: [QuestionOutcome?] = []
  var members: [Member] = []

  init() {}

  init(of tables: LiveTables) {
    agents = Workload.agents.map { tables.agent($0) }
    tokens = Workload.tokens.map { tables.agent(forTokenDigest: $0) }
    scores = Workload.agents.map { tables.score($0) }
    questions = Workload.questions.map { tables.question($0) }
    answers = Workload.questions.flatMap { question in
      Workload.agents.map { tables.answer(question, $0) }
    }
    outcomes = Workload.questions.map { tables.outcome($0) }
    members = tables.members
  }
}

/// The rules of the ledger restated over a whole set of operations, without any state.
struct Oracle {
  typealias Fact<Content> = (content: Content, stamp: OperationStamp)

  let registrations: [Fact<AgentRegistration>]
  let postings: [Fact<QuestionPosting>]
  let answers: [Fact<AnswerPosting>]
  let resolutions: [Fact<Resolution>]
  let announcements: [Fact<MemberAnnouncement>]

  init(_ operations: [Placed]) {
    var registrations: [Fact<AgentRegistration>] = []
    var postings: [Fact<QuestionPosting>] = []
    var answers: [Fact<AnswerPosting>] = []
    var resolutions: [Fact<Resolution>] = []
    var announcements: [Fact<MemberAnnouncement>] = []
    for placed in operations.sorted(by: { $0.stamp < $1.stamp }) {
      switch placed.operation {
      case .register(let content): registrations.append((content, placed.stamp))
      case .ask(let content): postings.append((content, placed.stamp))
      case .answer(let content): answers.append((content, placed.stamp))
      case .resolve(let content): resolutions.append((content, placed.stamp))
      case .announce(let content): announcements.append((content, placed.stamp))
      case .define, .change, nil: break
      }
    }
    self.registrations = registrations
    self.postings = postings
    self.answers = answers
    self.resolutions = resolutions
    self.announcements = announcements
  }

  func registration(_ agent: AgentID) -> Fact<AgentRegistration>? {
    registrations.first { $0.content.agent == agent }
  }

  func may(_ agent: AgentID, _ capability: Capabilities) -> Bool {
    registration(agent)?.content.capabilities.contains(capability) ?? false
  }

  func posting(_ question: QuestionID) -> Fact<QuestionPosting>? {
    postings.first { $0.content.question == question }
  }

  func answer(_ question: QuestionID, _ agent: AgentID) -> Fact<AnswerPosting>? {
    answers.first { $0.content.question == question && $0.content.agent == agent }
  }

  /// The class of a value by the table of the workload.
  func meaning(_ value: String) -> String {
    Workload.values.first { $0.0 == value }?.1 ?? value.lowercased()
  }

  func offers(_ posting: QuestionPosting, _ value: String) -> Bool {
    posting.choices.isEmpty || posting.choices.contains { meaning($0) == meaning(value) }
  }

  func effective(_ question: QuestionID) -> Fact<Resolution>? {
    guard let posting = posting(question) else { return nil }
    // A resolver's first word on a question is its only one.
    let words = Workload.agents.compactMap { resolver in
      resolutions.first { $0.content.question == question && $0.content.resolver == resolver }
    }
    return words.sorted { $0.stamp < $1.stamp }.first {
      may($0.content.resolver, .resolve) && offers(posting.content, $0.content.value)
    }
  }

  func counts(_ answer: Fact<AnswerPosting>) -> Bool {
    let question = answer.content.question
    guard let posting = posting(question)?.content else { return false }
    return may(posting.asker, .ask) && may(answer.content.agent, .answer)
      && answer.stamp.time.milliseconds <= posting.deadlineMilliseconds
      && offers(posting, answer.content.value)
      && (effective(question).map { answer.stamp < $0.stamp } ?? true)
  }

  /// Whether an answer is right; `nil` when it does not count toward accuracy.
  func isCorrect(_ answer: Fact<AnswerPosting>) -> Bool? {
    guard counts(answer), let resolution = effective(answer.content.question),
      resolution.content.resolver != answer.content.agent
    else { return nil }
    return meaning(resolution.content.value) == meaning(answer.content.value)
  }

  /// The kept answers of an agent to all questions but one.
  func kept(by agent: AgentID, except question: QuestionID? = nil) -> [Fact<AnswerPosting>] {
    Workload.questions.filter { $0 != question }.compactMap { answer($0, agent) }
  }

  func score(_ agent: AgentID, except question: QuestionID? = nil) -> Score {
    let kept = kept(by: agent, except: question)
    return Score(
      answersCounted: UInt32(kept.count { counts($0) }),
      resolvedAnswers: UInt32(kept.count { isCorrect($0) != nil }),
      correct: UInt32(kept.count { isCorrect($0) == true }))
  }
}

// MARK: - The reading that the tables must give

extension Oracle {
  var reading: Reading {
    var reading = Reading()
    reading.agents = Workload.agents.map { registration($0).map(summary) }
    reading.tokens = Workload.tokens.map { token in
      registrations.first {
        $0.content.tokenDigest == token && registration($0.content.agent)?.stamp == $0.stamp
      }.map(summary)
    }
    reading.scores = Workload.agents.map { registration($0) == nil ? nil : score($0) }
    reading.questions = Workload.questions.map(question)
    reading.answers = Workload.questions.flatMap { question in
      Workload.agents.map { agent in
        answer(question, agent).map { fact in
          AnswerSummary(
            key: CanonicalAnswer.key(of: meaning(fact.content.value)),
            confidenceMillionths: fact.content.confidenceMillionths, isCounted: counts(fact),
            isCorrect: isCorrect(fact), stamp: fact.stamp)
        }
      }
    }
    reading.outcomes = Workload.questions.map(outcome)
    reading.members = Workload.nodes.compactMap { node in
      let facts = announcements.filter { $0.content.node == node }
      guard let first = facts.first, let last = facts.last else { return nil }
      return Member(
        node: node, role: first.content.role, transportAddress: last.content.transportAddress,
        apiAddress: last.content.apiAddress, firstStamp: first.stamp, lastStamp: last.stamp)
    }
    return reading
  }

  private func summary(_ fact: Fact<AgentRegistration>) -> AgentSummary {
    AgentSummary(
      agent: fact.content.agent, name: fact.content.name,
      capabilities: fact.content.capabilities, stamp: fact.stamp)
  }

  private func question(_ question: QuestionID) -> QuestionSummary? {
    guard let fact = posting(question) else { return nil }
    let kept = Workload.agents.compactMap { answer(question, $0) }
    return QuestionSummary(
      question: question, asker: fact.content.asker, askerMayAsk: may(fact.content.asker, .ask),
      category: fact.content.category, deadlineMilliseconds: fact.content.deadlineMilliseconds,
      minimumAnswers: fact.content.minimumAnswers, choices: fact.content.choices,
      answers: UInt32(kept.count), answersCounted: UInt32(kept.count { counts($0) }),
      resolution: effective(question).map {
        ResolutionSummary(
          resolver: $0.content.resolver, value: $0.content.value,
          key: CanonicalAnswer.key(of: meaning($0.content.value)), stamp: $0.stamp)
      },
      stamp: fact.stamp)
  }

  private func outcome(_ question: QuestionID) -> QuestionOutcome? {
    guard let fact = posting(question) else { return nil }
    let counted = Workload.agents.compactMap { answer(question, $0) }.filter { counts($0) }
      .sorted { $0.stamp < $1.stamp }
    let weighed = counted.map { answer in
      let score = score(answer.content.agent, except: question)
      return WeighedAnswer(
        key: CanonicalAnswer.key(of: meaning(answer.content.value)),
        resolved: score.resolvedAnswers, correct: score.correct)
    }
    return QuestionOutcome(
      outcome: TentativeOutcome.decide(
        answers: weighed, minimumAnswers: Int(fact.content.minimumAnswers)),
      agents: counted.map(\.content.agent))
  }
}
