internal import AnswerCore
package import Merkle
internal import Primitives
package import Records

/// What the ledger mints and allows, in millionths of a unit and milliseconds.
package enum ExecutionLimits {
  /// What a registered agent is given.
  package static let grantMillionths: Int64 = 1_000_000_000
  /// What a validator puts up.
  package static let bondMillionths: Int64 = 10_000_000_000
  /// The longest window of a debate.
  package static let windowMilliseconds: UInt64 = 86_400_000
  /// Windows after the first.
  package static let debateRounds: UInt8 = 3
  /// Validators below which none leaves.
  package static let validatorsMin = 4
}

/// What an agent has, and what its answers were worth.
package struct Account: Hashable, Sendable {
  /// The agent.
  package let agent: AgentID
  /// Millionths that it may stake.
  package internal(set) var available: Int64 = 0
  /// Millionths at stake.
  package internal(set) var locked: Int64 = 0
  /// Decayed evidence of right answers, in 65,536ths, without the prior 3.
  package internal(set) var right: Int64 = 0
  /// Decayed evidence of wrong answers, in 65,536ths, without the prior 2.
  package internal(set) var wrong: Int64 = 0
  /// The agent's accepted operations.
  package internal(set) var stream = MountainRange()
  /// Whether its row is to be written at the end of the block.
  var isTouched = false

  /// Adds evidence after an older one decayed by 1023/1024.
  mutating func learn(isRight: Bool, strength: Int64) {
    right = right * 1_023 / 1_024 + (isRight ? strength : 0)
    wrong = wrong * 1_023 / 1_024 + (isRight ? 0 : strength)
  }
}

/// An answer that was executed.
struct AcceptedAnswer: Hashable, Sendable {
  let agent: AgentID
  let key: AnswerKey
  let stake: Int64
}

/// A question as the blocks see it.
package struct QuestionState: Hashable, Sendable {
  /// The question.
  package let question: QuestionID
  /// Where it stands.
  package internal(set) var phase: QuestionPhase = .open
  /// Debates begun.
  package internal(set) var round: UInt8 = 0
  /// The block time after which the current window is over.
  package internal(set) var ends: UInt64
  /// The length of a debate's window.
  package let window: UInt64
  /// The winning or the declared answer.
  package internal(set) var winner: AnswerKeyBytes?
  /// The winner's lead, in millionths of the weight.
  package internal(set) var marginMillionths: UInt32 = 0
  /// The accepted answers in the order of execution.
  var answers: [AcceptedAnswer] = []
  /// Whether the stakes went back.
  var isSettled = false
}

/// The bytes of a canonical answer's key.
package typealias AnswerKeyBytes = [UInt8]

/// When a question is due.
struct Due: Hashable, Comparable, Sendable {
  let time: UInt64
  let question: QuestionID

  static func < (left: Due, right: Due) -> Bool {
    left.time != right.time ? left.time < right.time : left.question < right.question
  }
}

/// What a validator is to the chain.
package enum ValidatorStatus: UInt8, CaseIterable, Sendable {
  /// It votes.
  case active = 1
  /// It lied and leaves as soon as it can.
  case jailed = 2
  /// It votes no more.
  case left = 3
  /// It becomes one when an epoch ends.
  case joining = 4
  /// It leaves when an epoch ends.
  case leaving = 5
}

struct ValidatorEntry: Hashable, Sendable {
  var status: ValidatorStatus
  var bond: Int64
}
