internal import AnswerCore
internal import Crypto
internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Routes about questions: asking, lookup, lists, the tentative outcome and the true answer.
extension AgentAPI {
  static let questionRule = ObjectRule(
    "QuestionPosting",
    [
      FieldRule("text", .text(LedgerLimits.questionText), isRequired: true, "The question."),
      FieldRule(
        "category", .word(CategoryNames.all), fallback: "factual", "The kind of reasoning asked."),
      FieldRule(
        "deadline", .timestamp,
        "Until when answers count: in the future, within a year. Not with deadlineSeconds."),
      FieldRule(
        "deadlineSeconds", .decimal(1_000...AgentAPI.deadlineSecondsMax * 1_000_000),
        fallback: "3600", "The same, counted from now; thousandths count."),
      FieldRule(
        "minimumAnswers",
        .integer(1...Int64(LedgerLimits.minimumAnswers.upperBound)),
        fallback: "3", "How many answers an outcome needs."),
      FieldRule(
        "choices", .lines(each: LedgerLimits.choice, count: LedgerLimits.choiceCount),
        "The allowed answers, no two alike in canonical form; left out for free text."),
    ])

  /// Seconds from now that a deadline may be away: a year of 366 days.
  static let deadlineSecondsMax: UInt64 = 31_622_400

  static let questionRoutes: [Route] = [
    Route(
      .post, [.literal("v1"), .literal("questions")], "postQuestion", "Asks a question.",
      access: .agent, body: questionRule, isWrite: true,
      successes: [(201, .json(Shapes.asked)), (200, .json(Shapes.asked))],
      problems: [.forbidden, .idempotencyMismatch]
    ) { api, exchange throws(APIProblem) in try api.postQuestion(exchange) },
    Route(
      .get, [.literal("v1"), .literal("questions")], "listQuestions",
      "Lists questions, newest first; a page may hold fewer than limit, go on while next is there.",
      query: pageRules + QuestionFilter.rules, successes: [(200, .json(Shapes.questions))],
      problems: [.overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.listQuestions(exchange) },
    Route(
      .get, [.literal("v1"), .literal("questions"), .question], "getQuestion", "Gives a question.",
      query: [readConsistency], readsFinal: true,
      successes: [(200, .json(.either(Shapes.question, Shapes.finalQuestion)))],
      problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getQuestion(exchange) },
    Route(
      .get, [.literal("v1"), .literal("questions"), .question, .literal("consensus")],
      "getConsensus",
      "Gives what the answers that count amount to at present, tentatively, or the final outcome.",
      query: [readConsistency], readsFinal: true,
      successes: [(200, .json(.either(Shapes.consensus, Shapes.finalOutcome)))],
      problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getConsensus(exchange) },
    Route(
      .post, [.literal("v1"), .literal("questions"), .question, .literal("resolve")],
      "resolveQuestion", "Declares the true answer; takes the capability resolve.",
      access: .agent,
      body: ObjectRule(
        "QuestionResolution",
        [
          FieldRule(
            "value", .text(LedgerLimits.resolution), isRequired: true,
            "The true answer in its short form; one of the choices when there are any.")
        ]), isWrite: true,
      successes: [(201, .json(Shapes.resolved)), (200, .json(Shapes.resolved))],
      problems: [.notFound, .forbidden, .alreadyResolved]
    ) { api, exchange throws(APIProblem) in try api.postResolution(exchange) },
  ]

  // MARK: Asking

  private func postQuestion(_ exchange: Exchange) throws(APIProblem) {
    try require(.ask, of: exchange.agent)
    let body = exchange.body
    let asker = exchange.agent.agent
    let key = exchange.options.idempotencyKey
    let posting = QuestionPosting(
      question: key.map { AgentAPI.identifier(for: $0, scope: asker.bytes, kind: 2) }
        ?? Entropy.identifier(), asker: asker, text: body.text("text") ?? "",
      category: body.text("category").flatMap(CategoryNames.category(named:)) ?? .factual,
      deadlineMilliseconds: try deadline(body),
      minimumAnswers: UInt32(body.integer("minimumAnswers") ?? 3),
      choices: body.texts("choices") ?? [])
    try AgentAPI.check(.ask(posting))
    if let known = backend.question(posting.question) {
      return replay(posting, known: known, exchange)
    }
    // A retry may come after the deadline that the first request named.
    guard posting.deadlineMilliseconds > backend.wallMilliseconds else {
      throw APIProblem(
        field: "deadline", rule: "range",
        "is over: it is \(CalendarTime.text(milliseconds: backend.wallMilliseconds)) at this node")
    }
    submit([.ask(posting)], writing: [.question(posting.question)], for: exchange) {
      [unowned self] receipt in
      finish(exchange, asked(posting.question, posting.deadlineMilliseconds, receipt))
    }
  }

  private func deadline(_ body: FieldValues) throws(APIProblem) -> UInt64 {
    let now = backend.wallMilliseconds
    guard let deadline = body.milliseconds("deadline") else {
      return now + (body.millionths("deadlineSeconds") ?? 3_600_000_000) / 1_000
    }
    guard !body.has("deadlineSeconds") else {
      throw APIProblem(
        field: "deadlineSeconds", rule: "conflict", "is given beside deadline; give one of them")
    }
    guard deadline <= now + AgentAPI.deadlineSecondsMax * 1_000 else {
      throw APIProblem(field: "deadline", rule: "range", "is more than a year away")
    }
    return deadline
  }

  private func replay(_ posting: QuestionPosting, known: QuestionSummary, _ exchange: Exchange) {
    wait(for: [OperationID(known.stamp)], for: exchange) { [unowned self] receipt in
      readRow(.question(known.question), writtenBy: known.stamp, for: exchange) {
        [unowned self] row throws(APIProblem) in
        let row = try QuestionRow(row)
        guard row.matches(posting, comparesDeadline: exchange.body.has("deadline")) else {
          throw APIProblem(
            .idempotencyMismatch,
            "the question \(known.question) was posted with this Idempotency-Key and other"
              + " members; repeat the first request or take a new key")
        }
        finish(exchange, asked(row.question, row.deadlineMilliseconds, receipt))
      }
    }
  }

  private func asked(
    _ question: QuestionID, _ deadline: UInt64, _ receipt: WriteReceipt
  ) -> HTTPResponse {
    let location = HTTPField("Location", "/v1/questions/\(question)")
    return json(receipt.isReplayed ? 200 : 201, headers: [location]) { writer in
      writer.beginObject()
      writer.key("id")
      writer.string(question.description)
      writer.key("deadline")
      writer.timestamp(deadline)
      receipt.write(to: &writer)
      writer.endObject()
    }
  }

  // MARK: Lookup and lists

  /// The question that the path names, if this node knows it.
  func knownQuestion(_ exchange: Exchange) throws(APIProblem) -> QuestionSummary {
    let id = try exchange.questionID(2)
    guard let question = backend.question(id) else { throw AgentAPI.unknownQuestion(id) }
    return question
  }

  static func unknownQuestion(_ id: QuestionID) -> APIProblem {
    APIProblem(
      .notFound,
      "this node knows no question \(id); one asked elsewhere arrives with the next exchange")
  }

  private func getQuestion(_ exchange: Exchange) throws(APIProblem) {
    if AgentAPI.wantsFinal(exchange) { return try getFinalQuestion(exchange) }
    let known = try knownQuestion(exchange)
    readRow(.question(known.question), writtenBy: known.stamp, for: exchange) {
      [unowned self] row throws(APIProblem) in
      let row = try QuestionRow(row)
      let live = backend.question(row.question) ?? known
      let now = backend.wallMilliseconds
      finish(exchange, json { $0.write(row, live, nowMilliseconds: now) })
    }
  }

  private func listQuestions(_ exchange: Exchange) throws(APIProblem) {
    let filter = QuestionFilter(exchange.query)
    let page = try Page(
      exchange, list: .questions, filters: filter.parts, now: backend.wallMilliseconds)
    // The status is found out row by row, so more rows are looked at than shown.
    let scan = filter.status == nil ? page.limit + 1 : max(page.limit + 1, 200)
    let query = RowQuery.questions(
      filter, asOfMilliseconds: page.asOfMilliseconds, after: page.cursor, limit: scan)
    read([query], for: exchange) { [unowned self] sets throws(APIProblem) in
      var shown: [(row: QuestionRow, live: QuestionSummary)] = []
      var last: QuestionRow?
      var isMore = sets[0].count == scan
      for (index, values) in sets[0].enumerated() {
        let row = try QuestionRow(values)
        guard shown.count < page.limit else {
          isMore = true
          break
        }
        last = row
        guard let live = backend.question(row.question) else { continue }
        let status = QuestionStatus(live, atMilliseconds: page.asOfMilliseconds)
        if filter.status == nil || filter.status == status { shown.append((row, live)) }
        if index == sets[0].count - 1 { isMore = sets[0].count == scan }
      }
      let next = isMore ? last.map { page.next(Int64(bitPattern: $0.time.raw), $0.question) } : nil
      let now = backend.wallMilliseconds
      finish(
        exchange,
        json { writer in
          writer.page("questions", next: next) { writer in
            for entry in shown { writer.write(entry.row, entry.live, nowMilliseconds: now) }
          }
        })
    }
  }

  // MARK: The true answer

  private func postResolution(_ exchange: Exchange) throws(APIProblem) {
    let known = try knownQuestion(exchange)
    try require(.resolve, of: exchange.agent)
    let resolution = Resolution(
      question: known.question, resolver: exchange.agent.agent,
      value: exchange.body.text("value") ?? "")
    try AgentAPI.check(.resolve(resolution))
    let key = CanonicalAnswer.key(of: resolution.value)
    try AgentAPI.checkChoice(key, of: known, field: "value")
    if let standing = known.resolution {
      guard standing.key == key else {
        throw APIProblem(
          .alreadyResolved,
          "the true answer was declared to be \"\(standing.value.prefix(200))\" by"
            + " \(standing.resolver), and the first declaration stands")
      }
      wait(for: [OperationID(standing.stamp)], for: exchange) { [unowned self] receipt in
        finish(exchange, resolved(known.question, standing.value, receipt))
      }
      return
    }
    submit([.resolve(resolution)], writing: [.resolution(known.question)], for: exchange) {
      [unowned self] receipt in
      finish(exchange, resolved(known.question, resolution.value, receipt))
    }
  }

  /// Refuses an answer that is none of the choices, when there are any.
  static func checkChoice(
    _ key: AnswerKey, of question: QuestionSummary, field: String
  ) throws(APIProblem) {
    guard !question.choices.isEmpty,
      !question.choices.contains(where: { CanonicalAnswer.key(of: $0) == key })
    else { return }
    let choices = question.choices.prefix(8).map { "\"\($0)\"" }.joined(separator: ", ")
    let more = question.choices.count > 8 ? " and \(question.choices.count - 8) more" : ""
    throw APIProblem(
      field: field, rule: "choice", "must be one of the question's choices: \(choices)\(more)")
  }

  private func resolved(
    _ question: QuestionID, _ value: String, _ receipt: WriteReceipt
  ) -> HTTPResponse {
    json(receipt.isReplayed ? 200 : 201) { writer in
      writer.beginObject()
      writer.key("question")
      writer.string(question.description)
      writer.key("value")
      writer.string(value)
      receipt.write(to: &writer)
      writer.endObject()
    }
  }
}
