internal import AnswerCore
internal import LedgerCore
internal import Primitives
package import Records

/// Questions: windows by the time of blocks, outcomes, stakes and reputation.
extension Ledger {
  /// A question that was executed.
  package func question(_ question: QuestionID) -> QuestionState? {
    questionIndexes[question].map { questions[$0] }
  }

  mutating func open(_ posting: QuestionPosting) {
    let deadline = posting.deadlineMilliseconds
    let length = deadline > timestamp ? deadline - timestamp : 1
    let state = QuestionState(
      question: posting.question, ends: deadline,
      window: min(length, ExecutionLimits.windowMilliseconds))
    questionIndexes[posting.question] = questions.count
    questions.append(state)
    due[Due(time: state.ends, question: state.question)] = true
    put(Ledger.row(of: state))
  }

  mutating func accept(_ posting: AnswerPosting) {
    guard let index = questionIndexes[posting.question], let account = accountIndexes[posting.agent]
    else { return }
    let stake = Int64(posting.stakeMillionths)
    accounts[account].available -= stake
    accounts[account].locked += stake
    let answer = AcceptedAnswer(
      agent: posting.agent,
      key: CanonicalAnswer.key(value: posting.value, content: posting.content), stake: stake)
    questions[index].answers.append(answer)
    put(Ledger.row(of: answer, questions[index], at: questions[index].answers.count - 1))
  }

  /// Ends every window that is over at the time of the block, in order of its end.
  mutating func closeDueQuestions() {
    let over = due.entries.prefix { $0.key.time < timestamp }.map(\.key)
    for item in over {
      due[item] = nil
      guard let index = questionIndexes[item.question] else { continue }
      close(index)
    }
  }

  private mutating func close(_ index: Int) {
    let outcome = decide(index)
    let total = outcome.groups.reduce(Int64(0)) { $0 + $1.weight.raw }
    let isCarried = outcome.groups.first.map { $0.weight.raw * 3 > total * 2 } ?? false
    questions[index].marginMillionths = outcome.marginMillionths
    if let winner = outcome.winner, isCarried {
      questions[index].phase = .consensus
      questions[index].winner = winner.bytes
      let margin = Int64(outcome.marginMillionths)
      if margin >= 200_000 { learn(index, winner, strength: (margin << 15) / 1_000_000, nil) }
      settle(index)
    } else if questions[index].round < ExecutionLimits.debateRounds {
      questions[index].phase = .debating
      questions[index].round += 1
      questions[index].ends = timestamp + questions[index].window
      due[Due(time: questions[index].ends, question: questions[index].question)] = true
    } else {
      questions[index].phase = .closed
      settle(index)
    }
    put(Ledger.row(of: questions[index]))
  }

  private func decide(_ index: Int) -> TentativeOutcome {
    let weighed = questions[index].answers.map { answer in
      let account = account(answer.agent)
      let right = UInt32((account?.right ?? 0) >> 16)
      let wrong = UInt32((account?.wrong ?? 0) >> 16)
      return WeighedAnswer(key: answer.key, resolved: right + wrong, correct: right)
    }
    let minimum = tables.question(questions[index].question)?.minimumAnswers ?? 1
    return TentativeOutcome.decide(answers: weighed, minimumAnswers: Int(minimum))
  }

  mutating func verify(_ resolution: Resolution) {
    guard let index = questionIndexes[resolution.question] else { return }
    let key = CanonicalAnswer.key(of: resolution.value)
    due[Due(time: questions[index].ends, question: resolution.question)] = nil
    questions[index].phase = .verified
    questions[index].winner = key.bytes
    learn(index, key, strength: 1 << 16, resolution.resolver)
    settle(index)
    put(Ledger.row(of: questions[index]))
  }

  /// Updates the record of everybody who answered but `judge`.
  private mutating func learn(
    _ index: Int, _ key: AnswerKey, strength: Int64, _ judge: AgentID?
  ) {
    for answer in questions[index].answers where answer.agent != judge {
      guard let account = accountIndexes[answer.agent] else { continue }
      accounts[account].learn(isRight: answer.key == key, strength: strength)
      touch(account)
    }
  }

  /// Gives the stakes back, once.
  private mutating func settle(_ index: Int) {
    if questions[index].isSettled { return }
    questions[index].isSettled = true
    for (place, answer) in questions[index].answers.enumerated() {
      guard let account = accountIndexes[answer.agent] else { continue }
      accounts[account].locked -= answer.stake
      accounts[account].available += answer.stake
      touch(account)
      put(Ledger.row(of: answer, questions[index], at: place))
    }
  }
}
