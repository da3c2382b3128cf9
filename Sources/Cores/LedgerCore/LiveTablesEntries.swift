internal import AnswerCore
internal import Primitives
internal import Records

/// The index that means none.
let noIndex = UInt32.max

/// A stamp with its lane as a dense index: 24 bytes instead of 56.
struct CompactStamp {
  let time: UInt64
  let number: UInt64
  let lane: UInt32
  let index: UInt32
}

/// An agent, or a placeholder for one that operations name before it is registered.
struct AgentEntry {
  let agent: AgentID
  var registration: Registered?
  var answersCounted: UInt32 = 0
  var resolvedAnswers: UInt32 = 0
  var correct: UInt32 = 0
  /// The digest of the score's row; `nil` when it was never written.
  var scoreDigest: Digest?
  var isScoreDirty = false
  /// The heads of the lists of what the agent did.
  var firstAnswer = noIndex
  var firstResolution = noIndex
  var firstAsked = noIndex
  /// The next agent with the same token.
  var nextWithToken = noIndex

  struct Registered {
    let name: String
    let capabilities: Capabilities
    let tokenDigest: Digest
    let stamp: CompactStamp
    let rowDigest: Digest
  }

  func may(_ capability: Capabilities) -> Bool {
    registration?.capabilities.contains(capability) ?? false
  }
}

/// A question, or a placeholder for one that operations name before it is posted.
struct QuestionEntry {
  let question: QuestionID
  var posted: Posted?
  var answers: UInt32 = 0
  var answersCounted: UInt32 = 0
  var firstAnswer = noIndex
  var firstResolution = noIndex
  /// The resolution that closes the question.
  var effective = noIndex

  struct Posted {
    let asker: UInt32
    let category: QuestionCategory
    let deadlineMilliseconds: UInt64
    let minimumAnswers: UInt32
    let choices: [String]
    let choiceKeys: [AnswerKey]
    let stamp: CompactStamp
    let rowDigest: Digest

    func offers(_ key: AnswerKey) -> Bool {
      choiceKeys.isEmpty || choiceKeys.contains(key)
    }
  }
}

/// What an answer contributes to its agent's score.
struct AnswerStanding: OptionSet {
  let rawValue: UInt8

  static let counted = AnswerStanding(rawValue: 1)
  static let resolved = AnswerStanding(rawValue: 2)
  static let correct = AnswerStanding(rawValue: 4)
}

/// An answer without its text.
struct AnswerEntry {
  let question: UInt32
  let agent: UInt32
  var key: AnswerKey
  var stamp: CompactStamp
  var rowDigest: Digest
  var confidenceMillionths: UInt32
  var nextOfQuestion: UInt32
  var nextOfAgent: UInt32
  var standing: AnswerStanding = []
}

/// A resolution by one resolver.
struct ResolutionEntry {
  let question: UInt32
  let resolver: UInt32
  var key: AnswerKey
  var value: String
  var stamp: CompactStamp
  var rowDigest: Digest
  let nextOfQuestion: UInt32
  let nextOfResolver: UInt32
}

/// One step of the list of questions that an agent once was the asker of.
struct AskedLink {
  let question: UInt32
  let next: UInt32
}

/// A node with its first role and its last addresses.
struct MemberEntry {
  var role: MemberRole
  var firstStamp: CompactStamp
  var transportAddress: String
  var apiAddress: String
  var lastStamp: CompactStamp
  var rowDigest: Digest
}
