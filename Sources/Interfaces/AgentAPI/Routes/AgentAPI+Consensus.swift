internal import AnswerCore
internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// The tentative outcome of a question.
extension AgentAPI {
  /// Groups of equal answers that are shown; the rest are counted.
  static let groupsMax = 20

  func getConsensus(_ exchange: Exchange) throws(APIProblem) {
    if AgentAPI.wantsFinal(exchange) { return try getFinalOutcome(exchange) }
    let known = try knownQuestion(exchange)
    guard let outcome = backend.outcome(known.question) else {
      throw AgentAPI.unknownQuestion(known.question)
    }
    let report = ConsensusReport(
      question: known, outcome: outcome, lanesRoot: backend.lanesRoot,
      nowMilliseconds: backend.wallMilliseconds)
    let rows = report.representatives.compactMap { agent in
      backend.answer(known.question, agent).map {
        (query: RowQuery.answer(known.question, agent), stamp: $0.stamp)
      }
    }
    readRows(rows, for: exchange) { [unowned self] rows throws(APIProblem) in
      var texts: [String] = []
      for row in rows {
        let row = try AnswerRow(row)
        texts.append(row.value.isEmpty ? row.content : row.value)
      }
      finish(exchange, json { report.write(to: &$0, texts: texts) })
    }
  }

  func getProof(_ exchange: Exchange) throws(APIProblem) {
    let operation = try exchange.operationID(2)
    guard exchange.park() else { return }
    backend.proof(of: operation) { [unowned self] result in
      switch result {
      case .success(let proof?):
        finish(exchange, json { $0.write(proof, of: operation) })
      case .success(nil):
        finish(
          exchange,
          APIProblem(
            .notFound,
            "this node holds no operation \(operation); it may arrive with the next exchange"))
      case .failure(let fault):
        finish(exchange, AgentAPI.problem(for: fault))
      }
    }
  }

  static let proofRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("operations"), .operation, .literal("proof")], "getProof",
      "Gives all that shows offline that an operation is part of the lanes' root.",
      successes: [(200, .json(Shapes.proof))], problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getProof(exchange) }
  ]
}

/// What is known of an outcome before the texts of its answers are read.
struct ConsensusReport {
  let question: QuestionSummary
  let outcome: QuestionOutcome
  let lanesRoot: Digest
  let nowMilliseconds: UInt64

  /// The groups that are shown, best first; the last may stand out of order for the plurality.
  private let groups: [AnswerGroup]

  init(
    question: QuestionSummary, outcome: QuestionOutcome, lanesRoot: Digest, nowMilliseconds: UInt64
  ) {
    self.question = question
    self.outcome = outcome
    self.lanesRoot = lanesRoot
    self.nowMilliseconds = nowMilliseconds
    let all = outcome.outcome.groups
    groups =
      all.prefix(AgentAPI.groupsMax)
      + all.dropFirst(AgentAPI.groupsMax).filter { $0.key == outcome.outcome.plurality }
  }

  /// The agents whose answers stand for the groups that are shown.
  var representatives: [AgentID] { groups.map { outcome.representative(of: $0) } }

  /// Writes the report; `texts` are the answers of the representatives.
  func write(to writer: inout JSONWriter, texts: [String]) {
    let decision = outcome.outcome
    writer.beginObject()
    writer.key("question")
    writer.string(question.question.description)
    writer.key("tentative")
    writer.bool(true)
    writer.key("status")
    writer.string(QuestionStatus(question, atMilliseconds: nowMilliseconds).rawValue)
    writer.key("asOf")
    writer.beginObject()
    writer.key("at")
    writer.timestamp(nowMilliseconds)
    writer.key("lanesRoot")
    writer.string(lanesRoot.hexadecimal)
    writer.endObject()
    writer.key("state")
    switch decision.state {
    case .decided: writer.string("decided")
    case .insufficient: writer.string("insufficient")
    }
    writer.key("answersCounted")
    writer.integer(outcome.agents.count)
    writer.key("minimumAnswers")
    writer.unsigned(UInt64(question.minimumAnswers))
    writer.key("winner")
    write(decision.winner, texts, to: &writer)
    writer.key("plurality")
    write(decision.plurality, texts, to: &writer)
    writer.key("margin")
    writer.fixedPoint(Int64(decision.marginMillionths), scale: 6)
    writer.key("equalVotes")
    writer.bool(decision.usedEqualVotes)
    writer.key("groups")
    writer.beginArray()
    for (group, text) in zip(groups, texts) { write(group, text, to: &writer) }
    writer.endArray()
    writer.key("groupsOmitted")
    writer.integer(decision.groups.count - groups.count)
    writer.key("resolution")
    writer.write(question.resolution)
    writer.endObject()
  }

  private func write(_ key: AnswerKey?, _ texts: [String], to writer: inout JSONWriter) {
    guard let key, let place = groups.firstIndex(where: { $0.key == key }), place < texts.count
    else { return writer.null() }
    writer.string(texts[place])
  }

  private func write(_ group: AnswerGroup, _ text: String, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("value")
    writer.string(text)
    writer.key("answers")
    writer.integer(group.count)
    writer.key("weight")
    // 65,536ths to millionths, rounded down; weights are at most four per answer.
    writer.fixedPoint(group.weight.raw * 1_000_000 / 65_536, scale: 6)
    writer.key("share")
    writer.fixedPoint(Int64(group.shareMillionths), scale: 6)
    writer.key("representative")
    writer.string(outcome.representative(of: group).description)
    writer.endObject()
  }
}
