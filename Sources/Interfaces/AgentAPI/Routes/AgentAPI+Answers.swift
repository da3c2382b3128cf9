internal import AnswerCore
internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Routes about answers.
extension AgentAPI {
  static let answerFields: [FieldRule] = [
    FieldRule(
      "value", .line(LedgerLimits.value), fallback: "\"\"",
      "The short form that is compared with other answers; without it the content is. One of the"
        + " choices when the question has any."),
    FieldRule("content", .text(LedgerLimits.content), isRequired: true, "The answer."),
    FieldRule("reasoning", .text(LedgerLimits.reasoning), isRequired: true, "Why."),
    FieldRule(
      "confidence", .decimal(LedgerLimits.confidenceMillionths), isRequired: true,
      "How sure the agent is; decimals beyond six are dropped."),
    FieldRule(
      "stake", .decimal(LedgerLimits.stakeMillionths), fallback: "0",
      "What the agent puts at stake; decimals beyond six are dropped."),
  ]

  static let answerRule = ObjectRule(
    "AnswerSubmission",
    answerFields + [
      FieldRule("agent", .identifier, "Who answers: the bearer, which it is without this too.")
    ])

  static let answerRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("questions"), .question, .literal("answers")], "listAnswers",
      "Lists the answers to a question in the order of agents' ids.", query: pageRules,
      successes: [(200, .json(Shapes.answers))], problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.listAnswers(exchange) },
    Route(
      .post, [.literal("v1"), .literal("questions"), .question, .literal("answers")],
      "submitAnswer", "Answers a question, once per agent.", access: .agent, body: answerRule,
      isWrite: true, successes: [(201, .json(Shapes.answered)), (200, .json(Shapes.answered))],
      problems: [.notFound, .forbidden, .alreadyAnswered, .questionClosed]
    ) { api, exchange throws(APIProblem) in try api.postAnswer(exchange) },
    batchRoute,
  ]

  private func postAnswer(_ exchange: Exchange) throws(APIProblem) {
    let known = try knownQuestion(exchange)
    try require(.answer, of: exchange.agent)
    if let named: AgentID = exchange.body.identifier("agent"), named != exchange.agent.agent {
      throw APIProblem(
        .forbidden, "the bearer is the agent \(exchange.agent.agent) and answers for itself only")
    }
    let posting = AgentAPI.posting(exchange.body, to: known.question, by: exchange.agent.agent)
    if let earlier = try earlier(than: posting) {
      return replay(posting, earlier, exchange)
    }
    try checkNew(posting, known)
    submit(
      [.answer(posting)], writing: [.answer(posting.question, posting.agent)], for: exchange
    ) { [unowned self] receipt in
      finish(exchange, answered(posting, receipt))
    }
  }

  /// Makes the answer of members that have passed the rules.
  static func posting(
    _ body: FieldValues, to question: QuestionID, by agent: AgentID
  ) -> AnswerPosting {
    AnswerPosting(
      question: question, agent: agent, value: body.text("value") ?? "",
      content: body.text("content") ?? "", reasoning: body.text("reasoning") ?? "",
      confidenceMillionths: UInt32(body.millionths("confidence") ?? 0),
      stakeMillionths: body.millionths("stake") ?? 0)
  }

  /// The answer that the agent has given already; refuses at once when it clearly differs.
  func earlier(than posting: AnswerPosting) throws(APIProblem) -> AnswerSummary? {
    guard let earlier = backend.answer(posting.question, posting.agent) else { return nil }
    let key = CanonicalAnswer.key(value: posting.value, content: posting.content)
    guard earlier.key == key, earlier.confidenceMillionths == posting.confidenceMillionths else {
      throw AgentAPI.answeredDifferently(posting)
    }
    return earlier
  }

  static func answeredDifferently(_ posting: AnswerPosting) -> APIProblem {
    APIProblem(
      .alreadyAnswered,
      "the agent \(posting.agent) has given another answer to the question \(posting.question);"
        + " answers are final, read it at /v1/questions/\(posting.question)/answers")
  }

  /// Refuses an answer that would not count.
  func checkNew(_ posting: AnswerPosting, _ question: QuestionSummary) throws(APIProblem) {
    if let resolution = question.resolution {
      throw APIProblem(
        .questionClosed,
        "the true answer was declared at"
          + " \(CalendarTime.text(milliseconds: resolution.stamp.time.milliseconds))")
    }
    let now = backend.wallMilliseconds
    guard now <= question.deadlineMilliseconds else {
      let deadline = CalendarTime.text(milliseconds: question.deadlineMilliseconds)
      throw APIProblem(
        .questionClosed,
        "the deadline was \(deadline), and it is \(CalendarTime.text(milliseconds: now)) at this"
          + " node")
    }
    guard question.askerMayAsk else {
      throw APIProblem(
        .questionClosed, "the asker may not ask, so no answer to this question counts")
    }
    if !question.choices.isEmpty {
      guard !posting.value.isEmpty else {
        throw APIProblem(
          field: "value", rule: "required",
          "is required, because the question offers choices: give one of them")
      }
      try AgentAPI.checkChoice(
        CanonicalAnswer.key(of: posting.value), of: question, field: "value")
    }
    try AgentAPI.check(.answer(posting))
  }

  private func replay(
    _ posting: AnswerPosting, _ earlier: AnswerSummary, _ exchange: Exchange
  ) {
    wait(for: [OperationID(earlier.stamp)], for: exchange) { [unowned self] receipt in
      readRow(
        .answer(posting.question, posting.agent), writtenBy: earlier.stamp, for: exchange
      ) { [unowned self] row throws(APIProblem) in
        guard try AnswerRow(row).matches(posting) else {
          throw AgentAPI.answeredDifferently(posting)
        }
        finish(exchange, answered(posting, receipt))
      }
    }
  }

  private func answered(_ posting: AnswerPosting, _ receipt: WriteReceipt) -> HTTPResponse {
    json(receipt.isReplayed ? 200 : 201) { writer in
      writer.beginObject()
      writer.key("question")
      writer.string(posting.question.description)
      writer.key("agent")
      writer.string(posting.agent.description)
      receipt.write(to: &writer)
      writer.endObject()
    }
  }

  private func listAnswers(_ exchange: Exchange) throws(APIProblem) {
    let known = try knownQuestion(exchange)
    let page = try Page(
      exchange, list: .answers, filters: [known.question.description],
      now: backend.wallMilliseconds)
    let query = RowQuery.answers(
      known.question, after: page.cursor?.identifier, limit: page.limit + 1)
    read([query], for: exchange) { [unowned self] sets throws(APIProblem) in
      let rows = try sets[0].prefix(page.limit).map { row throws(APIProblem) in
        try AnswerRow(row)
      }
      let next = sets[0].count > page.limit ? rows.last.map { page.next(0, $0.agent) } : nil
      finish(
        exchange,
        json { writer in
          writer.page("answers", next: next) { writer in
            for row in rows {
              guard let live = backend.answer(row.question, row.agent) else { continue }
              writer.write(row, live)
            }
          }
        })
    }
  }
}
