/// What the threads of the demonstration know in common.
struct DemoBoard: Sendable {
  /// What came of a question at one agent.
  enum Reply: Sendable {
    /// The answer is final.
    case answered(value: String, endpoint: Int)
    /// The agent's program had none.
    case abstained(String)
  }

  /// The replies by question and agent; `nil` while there is none.
  var replies: [[Reply?]]
  /// How many questions are settled.
  var settled = 0
  /// How many answers were acknowledged as final.
  var acknowledged = 0
  /// How often an agent had to turn to another node.
  var failovers = 0
  /// What made the demonstration fail, if anything did.
  var failure: String?
  /// Whether the user wants no more.
  var isCancelled = false

  /// Makes an empty board.
  init(questions: Int, agents: Int) {
    replies = Array(repeating: Array(repeating: nil, count: agents), count: questions)
  }

  /// Whether threads should end.
  var isOver: Bool { isCancelled || failure != nil }

  /// Whether every agent has replied to a question.
  func isComplete(_ question: Int) -> Bool { replies[question].allSatisfy { $0 != nil } }

  /// How many answers to a question were acknowledged.
  func answers(to question: Int) -> Int {
    replies[question].count { reply in
      switch reply {
      case .answered: true
      case .abstained, nil: false
      }
    }
  }

  /// Notes the first failure.
  mutating func fail(_ reason: String) { failure = failure ?? reason }
}
