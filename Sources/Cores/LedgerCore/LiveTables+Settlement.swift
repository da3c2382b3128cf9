package import Records

/// Settlement: what the facts together mean for answers and scores (I2 to I5).
///
/// Each answer remembers what it contributes, so a change of any fact takes the old contribution
/// away and adds the new one, and sums never have to be rebuilt.
extension LiveTables {
  /// Reviews what depends on capabilities of an agent that changed.
  mutating func reviewDependents(of agent: UInt32, _ changed: Capabilities) {
    if changed.contains(.resolve) {
      var next = agents[Int(agent)].firstResolution
      while next != noIndex {
        let question = resolutions[Int(next)].question
        if electResolution(of: question) { reviewAnswers(to: question) }
        next = resolutions[Int(next)].nextOfResolver
      }
    }
    if changed.contains(.ask) {
      var next = agents[Int(agent)].firstAsked
      while next != noIndex {
        reviewAnswers(to: asked[Int(next)].question)
        next = asked[Int(next)].next
      }
    }
    if changed.contains(.answer) {
      var next = agents[Int(agent)].firstAnswer
      while next != noIndex {
        review(answer: next)
        next = answers[Int(next)].nextOfAgent
      }
    }
  }

  /// Finds the effective resolution of a question (I2); says whether it is another than before.
  @discardableResult
  mutating func electResolution(of question: UInt32) -> Bool {
    var best = noIndex
    if let posted = questions[Int(question)].posted {
      var next = questions[Int(question)].firstResolution
      while next != noIndex {
        let isCandidate =
          agents[Int(resolutions[Int(next)].resolver)].may(.resolve)
          && posted.offers(resolutions[Int(next)].key)
        if isCandidate
          && (best == noIndex
            || precedes(resolutions[Int(next)].stamp, resolutions[Int(best)].stamp))
        {
          best = next
        }
        next = resolutions[Int(next)].nextOfQuestion
      }
    }
    defer { questions[Int(question)].effective = best }
    return questions[Int(question)].effective != best
  }

  /// Reviews every answer to a question.
  mutating func reviewAnswers(to question: UInt32) {
    var next = questions[Int(question)].firstAnswer
    while next != noIndex {
      review(answer: next)
      next = answers[Int(next)].nextOfQuestion
    }
  }

  /// Replaces an answer's contribution by what the facts now say.
  mutating func review(answer index: UInt32) {
    let old = answers[Int(index)].standing
    let new = standing(of: answers[Int(index)])
    if old == new { return }
    answers[Int(index)].standing = new
    let agent = answers[Int(index)].agent
    let question = answers[Int(index)].question
    LiveTables.move(&questions[Int(question)].answersCounted, .counted, from: old, to: new)
    LiveTables.move(&agents[Int(agent)].answersCounted, .counted, from: old, to: new)
    LiveTables.move(&agents[Int(agent)].resolvedAnswers, .resolved, from: old, to: new)
    LiveTables.move(&agents[Int(agent)].correct, .correct, from: old, to: new)
    // The row holds the sums over resolved questions only, so that an answer writes one row.
    if old.subtracting(.counted) != new.subtracting(.counted) { markScore(of: agent) }
  }

  private static func move(
    _ sum: inout UInt32, _ bit: AnswerStanding, from old: AnswerStanding, to new: AnswerStanding
  ) {
    switch (old.contains(bit), new.contains(bit)) {
    case (false, true): sum += 1
    case (true, false): sum -= 1
    case (true, true), (false, false): break
    }
  }

  /// What an answer contributes (I3, I4).
  private func standing(of answer: AnswerEntry) -> AnswerStanding {
    guard let posted = questions[Int(answer.question)].posted,
      agents[Int(posted.asker)].may(.ask),
      agents[Int(answer.agent)].may(.answer),
      answer.stamp.time >> 16 <= posted.deadlineMilliseconds,
      posted.offers(answer.key)
    else { return [] }
    let effective = questions[Int(answer.question)].effective
    guard effective != noIndex else { return .counted }
    let stamp = resolutions[Int(effective)].stamp
    guard precedes(answer.stamp, stamp) else { return [] }
    guard resolutions[Int(effective)].resolver != answer.agent else { return .counted }
    return answer.key == resolutions[Int(effective)].key
      ? [.counted, .resolved, .correct] : [.counted, .resolved]
  }

  mutating func markScore(of agent: UInt32) {
    if agents[Int(agent)].isScoreDirty { return }
    agents[Int(agent)].isScoreDirty = true
    dirtyScores.append(agent)
  }

  /// Writes the score rows that changed (I5).
  package mutating func writeScores(into rows: inout [Row]) {
    if dirtyScores.isEmpty { return }
    for index in dirtyScores {
      agents[Int(index)].isScoreDirty = false
      // A placeholder has no counted answers: no row until it is registered.
      guard agents[Int(index)].registration != nil else { continue }
      let row = LiveTables.scoreRow(of: agents[Int(index)])
      let digest = row.digest
      let old = agents[Int(index)].scoreDigest
      if old == digest { continue }
      replaceDigest(old, with: digest)
      agents[Int(index)].scoreDigest = digest
      rows.append(row)
    }
    dirtyScores.removeAll(keepingCapacity: true)
  }
}
