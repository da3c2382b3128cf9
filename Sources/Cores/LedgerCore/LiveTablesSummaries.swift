package import AnswerCore
internal import Primitives
package import Records

/// An agent as the live tables know it.
package struct AgentSummary: Hashable, Sendable {
  /// The agent.
  package let agent: AgentID
  /// What it is called.
  package let name: String
  /// What it may do.
  package let capabilities: Capabilities
  /// The operation that registered it.
  package let stamp: OperationStamp

  /// Describes an agent.
  package init(agent: AgentID, name: String, capabilities: Capabilities, stamp: OperationStamp) {
    self.agent = agent
    self.name = name
    self.capabilities = capabilities
    self.stamp = stamp
  }
}

/// What an agent's answers came to.
package struct Score: Hashable, Sendable {
  /// How many of its answers count.
  package let answersCounted: UInt32
  /// How many of those are to resolved questions that it did not resolve itself.
  package let resolvedAnswers: UInt32
  /// How many of those are right.
  package let correct: UInt32

  /// Counts an agent's answers.
  package init(answersCounted: UInt32, resolvedAnswers: UInt32, correct: UInt32) {
    self.answersCounted = answersCounted
    self.resolvedAnswers = resolvedAnswers
    self.correct = correct
  }
}

/// A question as the live tables know it.
package struct QuestionSummary: Hashable, Sendable {
  /// The question.
  package let question: QuestionID
  /// Who asks.
  package let asker: AgentID
  /// Whether the asker is known and may ask; answers count only then.
  package let askerMayAsk: Bool
  /// The kind of reasoning asked for.
  package let category: QuestionCategory
  /// Until when answers count, in milliseconds since 1970.
  package let deadlineMilliseconds: UInt64
  /// How many answers an outcome needs.
  package let minimumAnswers: UInt32
  /// The allowed answers; empty for free text.
  package let choices: [String]
  /// How many answers there are, counted or not.
  package let answers: UInt32
  /// How many answers count.
  package let answersCounted: UInt32
  /// The effective resolution, if any.
  package let resolution: ResolutionSummary?
  /// The operation that posted it.
  package let stamp: OperationStamp

  /// Describes a question.
  package init(
    question: QuestionID, asker: AgentID, askerMayAsk: Bool, category: QuestionCategory,
    deadlineMilliseconds: UInt64, minimumAnswers: UInt32, choices: [String], answers: UInt32,
    answersCounted: UInt32, resolution: ResolutionSummary?, stamp: OperationStamp
  ) {
    self.question = question
    self.asker = asker
    self.askerMayAsk = askerMayAsk
    self.category = category
    self.deadlineMilliseconds = deadlineMilliseconds
    self.minimumAnswers = minimumAnswers
    self.choices = choices
    self.answers = answers
    self.answersCounted = answersCounted
    self.resolution = resolution
    self.stamp = stamp
  }
}

/// The resolution that closes a question.
package struct ResolutionSummary: Hashable, Sendable {
  /// Who declared it.
  package let resolver: AgentID
  /// The true answer as it was written.
  package let value: String
  /// The true answer's canonical key.
  package let key: AnswerKey
  /// The operation that declared it.
  package let stamp: OperationStamp

  /// Describes a resolution.
  package init(resolver: AgentID, value: String, key: AnswerKey, stamp: OperationStamp) {
    self.resolver = resolver
    self.value = value
    self.key = key
    self.stamp = stamp
  }
}

/// An answer as the live tables know it; its text is in storage.
package struct AnswerSummary: Hashable, Sendable {
  /// What it says, in canonical form.
  package let key: AnswerKey
  /// How sure the agent is, in millionths.
  package let confidenceMillionths: UInt32
  /// Whether it counts.
  package let isCounted: Bool
  /// Whether it is right; `nil` when it does not count toward accuracy.
  package let isCorrect: Bool?
  /// The operation that posted it.
  package let stamp: OperationStamp

  /// Describes an answer.
  package init(
    key: AnswerKey, confidenceMillionths: UInt32, isCounted: Bool, isCorrect: Bool?,
    stamp: OperationStamp
  ) {
    self.key = key
    self.confidenceMillionths = confidenceMillionths
    self.isCounted = isCounted
    self.isCorrect = isCorrect
    self.stamp = stamp
  }
}

/// The tentative outcome of one question with the agents behind it.
package struct QuestionOutcome: Hashable, Sendable {
  /// What the counted answers amount to.
  package let outcome: TentativeOutcome
  /// The agents whose answers count, in the order of the answers' stamps; the representatives of
  /// the outcome's groups are indices into it.
  package let agents: [AgentID]

  /// Puts an outcome and its agents together.
  package init(outcome: TentativeOutcome, agents: [AgentID]) {
    self.outcome = outcome
    self.agents = agents
  }

  /// The agent with the earliest answer of a group.
  package func representative(of group: AnswerGroup) -> AgentID {
    agents[group.representative]
  }
}

/// A node as the live tables know it.
package struct Member: Hashable, Sendable {
  /// The node.
  package let node: NodeID
  /// The part it plays, fixed by its first announcement.
  package let role: MemberRole
  /// Where it takes QUIC connections, by its last announcement.
  package let transportAddress: String
  /// Where it serves agents, by its last announcement.
  package let apiAddress: String
  /// The operation that announced it first.
  package let firstStamp: OperationStamp
  /// The operation that announced it last.
  package let lastStamp: OperationStamp

  /// Describes a member.
  package init(
    node: NodeID, role: MemberRole, transportAddress: String, apiAddress: String,
    firstStamp: OperationStamp, lastStamp: OperationStamp
  ) {
    self.node = node
    self.role = role
    self.transportAddress = transportAddress
    self.apiAddress = apiAddress
    self.firstStamp = firstStamp
    self.lastStamp = lastStamp
  }
}

/// How much the live tables hold, and how much they were given.
package struct LiveCounts: Hashable, Sendable {
  /// Registered agents.
  package let agents: Int
  /// Posted questions.
  package let questions: Int
  /// Answers, counted or not.
  package let answers: Int
  /// Resolutions, effective or not.
  package let resolutions: Int
  /// Announced nodes.
  package let members: Int
  /// Defined collections.
  package let collections: Int
  /// Records that were ever changed.
  package let records: Int
  /// Operations applied since the tables were made: not part of the state.
  package let operations: Int
  /// Those of them that broke a rule and changed nothing: not part of the state.
  package let ignored: Int

  /// Counts what tables hold.
  package init(
    agents: Int, questions: Int, answers: Int, resolutions: Int, members: Int,
    collections: Int, records: Int, operations: Int, ignored: Int
  ) {
    self.agents = agents
    self.questions = questions
    self.answers = answers
    self.resolutions = resolutions
    self.members = members
    self.collections = collections
    self.records = records
    self.operations = operations
    self.ignored = ignored
  }
}
