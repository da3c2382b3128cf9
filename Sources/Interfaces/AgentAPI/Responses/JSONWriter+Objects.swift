internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Agents, questions and answers as JSON.
extension JSONWriter {
  /// Writes a page of a list with the cursor of the next one, if there is one.
  mutating func page(_ name: String, next: String?, _ elements: (inout JSONWriter) -> Void) {
    beginObject()
    key(name)
    beginArray()
    elements(&self)
    endArray()
    if let next {
      key("next")
      string(next)
    }
    endObject()
  }

  private mutating func list(_ texts: [String]) {
    beginArray()
    for text in texts { string(text) }
    endArray()
  }

  /// Writes the members of an agent that are known when it registers, without the braces.
  mutating func writeMembers(of registration: AgentRegistration) {
    key("id")
    string(registration.agent.description)
    key("name")
    string(registration.name)
    key("description")
    string(registration.description)
    key("platform")
    string(registration.platform)
    key("specialties")
    list(registration.specialties.map(CategoryNames.name(of:)))
    key("capabilities")
    list(CapabilityNames.names(of: registration.capabilities))
  }

  /// Writes the members of an agent as it registered, without the braces.
  mutating func writeMembers(of row: AgentRow) {
    key("id")
    string(row.agent.description)
    key("name")
    string(row.name)
    key("description")
    string(row.description)
    key("platform")
    string(row.platform)
    key("specialties")
    list(row.specialties.map(CategoryNames.name(of:)))
    key("capabilities")
    list(CapabilityNames.names(of: row.capabilities))
    key("createdAt")
    timestamp(row.createdMilliseconds)
  }

  mutating func write(_ row: AgentRow, _ score: Score?) {
    beginObject()
    writeMembers(of: row)
    key("score")
    beginObject()
    key("answersCounted")
    unsigned(UInt64(score?.answersCounted ?? 0))
    key("resolvedAnswers")
    unsigned(UInt64(score?.resolvedAnswers ?? 0))
    key("correct")
    unsigned(UInt64(score?.correct ?? 0))
    endObject()
    endObject()
  }

  mutating func write(_ row: RankRow) {
    beginObject()
    key("id")
    string(row.agent.description)
    key("name")
    string(row.name)
    key("resolvedAnswers")
    integer(row.resolvedAnswers)
    key("correct")
    integer(row.correct)
    key("accuracyBound")
    fixedPoint(row.boundMillionths, scale: 6)
    endObject()
  }

  /// Writes the members of a question as it was posted, without the braces.
  mutating func writeMembers(of row: QuestionRow) {
    key("id")
    string(row.question.description)
    key("asker")
    string(row.asker.description)
    key("text")
    string(row.text)
    key("category")
    string(CategoryNames.name(of: row.category))
    key("choices")
    list(row.choices)
    key("createdAt")
    timestamp(row.time.milliseconds)
    key("deadline")
    timestamp(row.deadlineMilliseconds)
    key("minimumAnswers")
    unsigned(UInt64(row.minimumAnswers))
  }

  mutating func write(_ row: QuestionRow, _ live: QuestionSummary, nowMilliseconds: UInt64) {
    beginObject()
    writeMembers(of: row)
    key("status")
    string(QuestionStatus(live, atMilliseconds: nowMilliseconds).rawValue)
    key("answers")
    unsigned(UInt64(live.answers))
    key("answersCounted")
    unsigned(UInt64(live.answersCounted))
    key("resolution")
    write(live.resolution)
    endObject()
  }

  /// Writes the true answer of a question, or `null`.
  mutating func write(_ resolution: ResolutionSummary?) {
    guard let resolution else { return null() }
    beginObject()
    key("value")
    string(resolution.value)
    key("resolver")
    string(resolution.resolver.description)
    key("at")
    timestamp(resolution.stamp.time.milliseconds)
    endObject()
  }

  mutating func write(_ row: AnswerRow, _ live: AnswerSummary) {
    beginObject()
    key("question")
    string(row.question.description)
    key("agent")
    string(row.agent.description)
    key("value")
    string(row.value)
    key("content")
    string(row.content)
    key("reasoning")
    string(row.reasoning)
    key("confidence")
    fixedPoint(row.confidenceMillionths, scale: 6)
    key("stake")
    fixedPoint(row.stakeMillionths, scale: 6)
    key("counted")
    bool(live.isCounted)
    key("correct")
    if let isCorrect = live.isCorrect { bool(isCorrect) } else { null() }
    key("createdAt")
    timestamp(row.createdMilliseconds)
    key("operation")
    string(OperationID(live.stamp).description)
    endObject()
  }
}
