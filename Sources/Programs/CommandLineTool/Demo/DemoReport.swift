/// How one agent fared.
struct DemoTally: Sendable {
  /// The agent.
  let agent: DemoAgent
  /// Questions that it answered.
  let answered: Int
  /// Those that it answered rightly.
  let right: Int

  /// Counts an agent's replies.
  init(_ agent: DemoAgent, verdicts: [DemoVerdict], replies: [[DemoBoard.Reply?]]) {
    self.agent = agent
    var (answered, right) = (0, 0)
    for (verdict, row) in zip(verdicts, replies) {
      guard case .answered(let value, _)? = row[agent.place] else { continue }
      answered += 1
      right += DemoVerdict.agree(value, verdict.truth.right) ? 1 : 0
    }
    (self.answered, self.right) = (answered, right)
  }
}

/// Something that must hold for the demonstration to succeed.
struct DemoCheck: Sendable {
  /// What must hold.
  let claim: String
  /// What was found instead; empty when it holds.
  let faults: [String]

  /// Whether it holds.
  var holds: Bool { faults.isEmpty }
}

/// Everything that the demonstration found out.
struct DemoReport: Sendable {
  /// What was asked for.
  let settings: DemoSettings
  /// How each agent fared.
  let tallies: [DemoTally]
  /// What the swarm said, question by question.
  let verdicts: [DemoVerdict]
  /// What each node holds in the end.
  let states: [DemoNodeState]
  /// What each node says of the blocks; empty when they did not come to the same.
  let views: [FinalityView]
  /// What was killed and how it came back.
  let outage: DemoOutage
  /// Answers that were acknowledged as final.
  let acknowledged: Int
  /// How often an agent turned to another node.
  let failovers: Int
  /// From the first question to the last truth, in milliseconds.
  let milliseconds: Int
  /// Operations written in that time.
  let operations: Int64
  /// What must hold.
  let checks: [DemoCheck]

  /// Questions that the swarm answered rightly.
  var swarmRight: Int { verdicts.count(where: \.isWinnerRight) }
  /// Questions that equal votes answered rightly.
  var pluralityRight: Int { verdicts.count(where: \.isPluralityRight) }
  /// The most that one agent answered rightly.
  var bestRight: Int { tallies.map(\.right).max() ?? 0 }
  /// Whether everything holds.
  var succeeded: Bool { checks.allSatisfy(\.holds) }
  /// Operations in a second, in tenths.
  var operationTenthsPerSecond: Int64 { operations * 10_000 / Int64(max(1, milliseconds)) }

  /// `part` of the questions in tenths of a percent, rounded.
  func permille(_ part: Int) -> Int {
    verdicts.isEmpty ? 0 : (part * 2_000 + verdicts.count) / (2 * verdicts.count)
  }

  /// The swarm's gain over equal votes as a sentence.
  var gainSentence: String {
    let difference = swarmRight - pluralityRight
    let count = abs(difference) == 1 ? "1 question" : "\(abs(difference)) questions"
    if difference == 0 {
      return "The swarm gains nothing over equal votes in this run."
    }
    return difference > 0
      ? "The swarm gains \(count) over equal votes."
      : "The swarm loses \(count) against equal votes in this run."
  }
}
