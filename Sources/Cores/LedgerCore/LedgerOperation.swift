package import Primitives
package import Records

/// What an agent may do; stored with the agent and checked at every door.
package struct Capabilities: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// May post questions.
  package static let ask = Capabilities(rawValue: 1)
  /// May answer questions.
  package static let answer = Capabilities(rawValue: 2)
  /// May declare the true answer of a question; granted by an operator only.
  package static let resolve = Capabilities(rawValue: 4)
}

/// What kind of reasoning a question asks for.
package enum QuestionCategory: UInt8, CaseIterable, Sendable {
  /// A fact that can be looked up.
  case factual = 1
  /// Something that will show.
  case predictive = 2
  /// A conclusion from what is given.
  case analytical = 3
  /// Something to make.
  case creative = 4
}

/// A new agent.
package struct AgentRegistration: Hashable, Sendable {
  /// The agent's name among agents.
  package var agent: AgentID
  /// What it is called: 3 to 50 characters.
  package var name: String
  /// What it does: up to 200 characters.
  package var description: String
  /// What it runs on: a word of up to 32 characters such as `langchain` or `custom`.
  package var platform: String
  /// The kinds of questions it says it is good at, strictly ascending.
  package var specialties: [QuestionCategory]
  /// What it may do.
  package var capabilities: Capabilities
  /// The digest of its bearer token, under the tag for tokens.
  package var tokenDigest: Digest

  /// Describes a new agent; the specialties are put in order and repetitions dropped.
  package init(
    agent: AgentID, name: String, description: String, platform: String,
    specialties: [QuestionCategory], capabilities: Capabilities, tokenDigest: Digest
  ) {
    self.agent = agent
    self.name = name
    self.description = description
    self.platform = platform
    self.specialties = QuestionCategory.allCases.filter { specialties.contains($0) }
    self.capabilities = capabilities
    self.tokenDigest = tokenDigest
  }
}

/// A new question.
package struct QuestionPosting: Hashable, Sendable {
  /// The question's name.
  package var question: QuestionID
  /// Who asks.
  package var asker: AgentID
  /// The question: 10 to 2,000 characters.
  package var text: String
  /// The kind of reasoning asked for.
  package var category: QuestionCategory
  /// Until when answers count, in milliseconds since 1970.
  package var deadlineMilliseconds: UInt64
  /// How many answers an outcome needs, 1 to 10,000.
  package var minimumAnswers: UInt32
  /// The allowed answers, 2 to 64 of up to 200 characters; empty for free text.
  package var choices: [String]

  /// Describes a new question.
  package init(
    question: QuestionID, asker: AgentID, text: String, category: QuestionCategory,
    deadlineMilliseconds: UInt64, minimumAnswers: UInt32, choices: [String]
  ) {
    self.question = question
    self.asker = asker
    self.text = text
    self.category = category
    self.deadlineMilliseconds = deadlineMilliseconds
    self.minimumAnswers = minimumAnswers
    self.choices = choices
  }
}

/// An agent's answer to a question.
package struct AnswerPosting: Hashable, Sendable {
  /// The question.
  package var question: QuestionID
  /// Who answers.
  package var agent: AgentID
  /// The short form that is compared with other answers, up to 200 characters; empty means that
  /// the content itself is compared.
  package var value: String
  /// The answer: 10 to 1,000 characters.
  package var content: String
  /// Why: 20 to 2,000 characters.
  package var reasoning: String
  /// How sure the agent is, in millionths, 0 to 1,000,000.
  package var confidenceMillionths: UInt32
  /// What the agent puts at stake, in millionths of a unit, up to a million units.
  package var stakeMillionths: UInt64

  /// Describes an answer.
  package init(
    question: QuestionID, agent: AgentID, value: String, content: String, reasoning: String,
    confidenceMillionths: UInt32, stakeMillionths: UInt64
  ) {
    self.question = question
    self.agent = agent
    self.value = value
    self.content = content
    self.reasoning = reasoning
    self.confidenceMillionths = confidenceMillionths
    self.stakeMillionths = stakeMillionths
  }
}

/// The true answer of a question, declared by an agent that may.
package struct Resolution: Hashable, Sendable {
  /// The question.
  package var question: QuestionID
  /// Who declares it.
  package var resolver: AgentID
  /// The true answer in its short form: 1 to 1,000 characters.
  package var value: String

  /// Describes a resolution.
  package init(question: QuestionID, resolver: AgentID, value: String) {
    self.question = question
    self.resolver = resolver
    self.value = value
  }
}

/// What part a node plays in its cluster.
package enum MemberRole: UInt8, CaseIterable, Sendable {
  /// Its acknowledgements count toward quorums.
  case voter = 1
  /// It holds everything and serves agents; its acknowledgements do not count.
  case learner = 2
}

/// A node that others accept, and where to find it.
package struct MemberAnnouncement: Hashable, Sendable {
  /// The node.
  package var node: NodeID
  /// The part it plays.
  package var role: MemberRole
  /// Where it takes QUIC connections: `address:port`, IPv6 in brackets.
  package var transportAddress: String
  /// Where it serves agents: `http://address:port`.
  package var apiAddress: String

  /// Describes a member.
  package init(node: NodeID, role: MemberRole, transportAddress: String, apiAddress: String) {
    self.node = node
    self.role = role
    self.transportAddress = transportAddress
    self.apiAddress = apiAddress
  }
}

/// One operation of the swarm: what lanes carry.
package enum LedgerOperation: Hashable, Sendable {
  /// An agent is registered.
  case register(AgentRegistration)
  /// A question is posted.
  case ask(QuestionPosting)
  /// A question is answered.
  case answer(AnswerPosting)
  /// A question is resolved.
  case resolve(Resolution)
  /// A node is announced to the cluster.
  case announce(MemberAnnouncement)
  /// A collection of records gets its policy.
  case define(CollectionDefinition)
  /// A record is changed.
  case change(RecordChange)
}

/// Where and when an operation stands: the total order that extends causality.
///
/// Operations of one lane have rising timestamps, and a bundle's timestamps exceed all in its
/// context, so (time, lane) orders every two operations, and causes come first.
package struct OperationStamp: Hashable, Comparable, Sendable {
  /// The timestamp.
  package let time: HybridTime
  /// The lane.
  package let lane: LaneID
  /// The place within the lane.
  package let number: UInt64
  /// The index within the bundle.
  package let index: Int

  /// Names a place and a time.
  package init(time: HybridTime, lane: LaneID, number: UInt64, index: Int) {
    self.time = time
    self.lane = lane
    self.number = number
    self.index = index
  }

  package static func < (left: OperationStamp, right: OperationStamp) -> Bool {
    if left.time != right.time { return left.time < right.time }
    if left.lane != right.lane { return left.lane < right.lane }
    if left.number != right.number { return left.number < right.number }
    return left.index < right.index
  }
}
