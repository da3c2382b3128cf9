internal import AnswerCore
package import Primitives
package import Records

/// Reads: summaries of what the tables hold. O(1) unless said otherwise.
extension LiveTables {
  /// The registered agent with a token; of several, the one registered first.
  package func agent(forTokenDigest digest: Digest) -> AgentSummary? {
    tokenIndexes[digest].flatMap { summary(of: agents[Int($0)]) }
  }

  /// A registered agent.
  package func agent(_ agent: AgentID) -> AgentSummary? {
    agentIndexes[agent].flatMap { summary(of: agents[Int($0)]) }
  }

  /// A registered agent's score.
  package func score(_ agent: AgentID) -> Score? {
    guard let index = agentIndexes[agent], agents[Int(index)].registration != nil else {
      return nil
    }
    let entry = agents[Int(index)]
    return Score(
      answersCounted: entry.answersCounted, resolvedAnswers: entry.resolvedAnswers,
      correct: entry.correct)
  }

  /// A posted question.
  package func question(_ question: QuestionID) -> QuestionSummary? {
    guard let index = questionIndexes[question], let posted = questions[Int(index)].posted else {
      return nil
    }
    let entry = questions[Int(index)]
    let asker = agents[Int(posted.asker)]
    return QuestionSummary(
      question: question, asker: asker.agent, askerMayAsk: asker.may(.ask),
      category: posted.category, deadlineMilliseconds: posted.deadlineMilliseconds,
      minimumAnswers: posted.minimumAnswers, choices: posted.choices, answers: entry.answers,
      answersCounted: entry.answersCounted, resolution: resolution(at: entry.effective),
      stamp: expand(posted.stamp))
  }

  /// An agent's answer to a question, counted or not.
  package func answer(_ question: QuestionID, _ agent: AgentID) -> AnswerSummary? {
    guard let question = questionIndexes[question], let agent = agentIndexes[agent],
      let index = answerIndexes[LiveTables.pair(question, agent)]
    else { return nil }
    let entry = answers[Int(index)]
    return AnswerSummary(
      key: entry.key, confidenceMillionths: entry.confidenceMillionths,
      isCounted: entry.standing.contains(.counted),
      isCorrect: entry.standing.contains(.resolved) ? entry.standing.contains(.correct) : nil,
      stamp: expand(entry.stamp))
  }

  /// What the counted answers to a posted question amount to. O(n log n) in its answers.
  ///
  /// Each answer weighs by its agent's score without this question, so that a resolved question
  /// never justifies itself.
  package func outcome(_ question: QuestionID) -> QuestionOutcome? {
    guard let index = questionIndexes[question], let posted = questions[Int(index)].posted else {
      return nil
    }
    var counted: [UInt32] = []
    counted.reserveCapacity(Int(questions[Int(index)].answersCounted))
    var next = questions[Int(index)].firstAnswer
    while next != noIndex {
      if answers[Int(next)].standing.contains(.counted) { counted.append(next) }
      next = answers[Int(next)].nextOfQuestion
    }
    counted.sort { precedes(answers[Int($0)].stamp, answers[Int($1)].stamp) }
    let weighed = counted.map { index in
      let entry = answers[Int(index)]
      let agent = agents[Int(entry.agent)]
      return WeighedAnswer(
        key: entry.key,
        resolved: agent.resolvedAnswers - (entry.standing.contains(.resolved) ? 1 : 0),
        correct: agent.correct - (entry.standing.contains(.correct) ? 1 : 0))
    }
    return QuestionOutcome(
      outcome: TentativeOutcome.decide(
        answers: weighed, minimumAnswers: Int(posted.minimumAnswers)),
      agents: counted.map { agents[Int(answers[Int($0)].agent)].agent })
  }

  /// Every announced node, in ascending order. O(n).
  package var members: [Member] {
    memberEntries.entries.map { node, entry in
      Member(
        node: node, role: entry.role, transportAddress: entry.transportAddress,
        apiAddress: entry.apiAddress, firstStamp: expand(entry.firstStamp),
        lastStamp: expand(entry.lastStamp))
    }
  }

  /// How much the tables hold, and how much they were given.
  package var counts: LiveCounts {
    LiveCounts(
      agents: registeredAgents, questions: postedQuestions, answers: answers.count,
      resolutions: resolutions.count, members: memberEntries.count,
      collections: definedCollections, records: records.count,
      operations: appliedOperations, ignored: ignoredOperations)
  }

  private func summary(of entry: AgentEntry) -> AgentSummary? {
    entry.registration.map {
      AgentSummary(
        agent: entry.agent, name: $0.name, capabilities: $0.capabilities, stamp: expand($0.stamp))
    }
  }

  private func resolution(at index: UInt32) -> ResolutionSummary? {
    guard index != noIndex else { return nil }
    let entry = resolutions[Int(index)]
    return ResolutionSummary(
      resolver: agents[Int(entry.resolver)].agent, value: entry.value, key: entry.key,
      stamp: expand(entry.stamp))
  }
}
