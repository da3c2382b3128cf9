internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Many answers of one agent in one request.
///
/// Each item is judged by itself; those that are new go out as one group, and what was given before
/// is compared with what is stored. The whole waits for one write level.
extension AgentAPI {
  /// How many answers a batch takes.
  static let batchCount = 1...1_000

  static let batchItemRule = ObjectRule(
    "BatchAnswer",
    [FieldRule("question", .identifier, isRequired: true, "The question.")] + answerFields)

  static let batchRoute = Route(
    .post, [.literal("v1"), .literal("agents"), .agent, .literal("answers"), .literal("batch")],
    "submitAnswers",
    "Answers many questions; each item has its own result, all have one write level.",
    access: .agent,
    body: ObjectRule(
      "AnswerBatch",
      [
        FieldRule(
          "answers", .objects(batchItemRule, count: batchCount), isRequired: true, "The answers.")
      ]), isWrite: true, successes: [(200, .json(Shapes.batch))], problems: [.forbidden]
  ) { api, exchange throws(APIProblem) in try api.postBatch(exchange) }

  private func postBatch(_ exchange: Exchange) throws(APIProblem) {
    guard try exchange.agentID(2) == exchange.agent.agent else {
      throw APIProblem(
        .forbidden, "the bearer is the agent \(exchange.agent.agent) and answers for itself only")
    }
    try require(.answer, of: exchange.agent)
    let batch = sort(exchange.body.objects("answers") ?? [], of: exchange.agent.agent)
    guard !batch.new.isEmpty else { return settleEarlier(batch, [], exchange) }
    submit(
      batch.new.map { .answer($0) }, writing: batch.new.map { .answer($0.question, $0.agent) },
      for: exchange
    ) { [unowned self] receipt in
      precondition(
        receipt.operations.count == batch.new.count,
        "\(receipt.operations.count) operations for \(batch.new.count) answers")
      settleEarlier(batch, receipt.operations, exchange)
    }
  }

  /// Judges every item without waiting for anything.
  private func sort(_ items: [JSONValue], of agent: AgentID) -> AnswerBatch {
    var batch = AnswerBatch()
    batch.items.reserveCapacity(items.count)
    for (index, item) in items.enumerated() {
      do throws(APIProblem) {
        let body = try AgentAPI.batchItemRule.read(item, at: "answers[\(index)]").get()
        guard let question: QuestionID = body.identifier("question") else {
          preconditionFailure("item \(index) has passed its rules without a question")
        }
        let posting = AgentAPI.posting(body, to: question, by: agent)
        batch.items.append(try sort(posting, into: &batch))
      } catch {
        batch.items.append(.refused(error))
      }
    }
    return batch
  }

  private func sort(
    _ posting: AnswerPosting, into batch: inout AnswerBatch
  ) throws(APIProblem) -> AnswerBatch.Item {
    if let first = batch.places[posting.question] {
      guard batch.new[first] == posting else {
        throw APIProblem(
          .alreadyAnswered, "the batch has two different answers to \(posting.question)")
      }
      return .new(first, isRepeated: true)
    }
    guard let question = backend.question(posting.question) else {
      throw AgentAPI.unknownQuestion(posting.question)
    }
    if let earlier = try earlier(than: posting) {
      batch.earlier.append((posting, earlier.stamp))
      return .earlier(batch.earlier.count - 1)
    }
    try checkNew(posting, question)
    batch.places[posting.question] = batch.new.count
    batch.new.append(posting)
    return .new(batch.new.count - 1, isRepeated: false)
  }

  /// Waits for what was given before, compares it with what is stored, and answers.
  private func settleEarlier(
    _ batch: AnswerBatch, _ operations: [OperationID], _ exchange: Exchange
  ) {
    guard !batch.earlier.isEmpty else {
      return finish(exchange, response(batch, operations, [], exchange))
    }
    wait(for: batch.earlier.map { OperationID($0.stamp) }, for: exchange) {
      [unowned self] _ in
      let rows = batch.earlier.map {
        (query: RowQuery.answer($0.posting.question, $0.posting.agent), stamp: $0.stamp)
      }
      readRows(rows, for: exchange) { [unowned self] rows throws(APIProblem) in
        var matches: [Bool] = []
        for (row, earlier) in zip(rows, batch.earlier) {
          matches.append(try AnswerRow(row).matches(earlier.posting))
        }
        finish(exchange, response(batch, operations, matches, exchange))
      }
    }
  }

  private func response(
    _ batch: AnswerBatch, _ operations: [OperationID], _ matches: [Bool], _ exchange: Exchange
  ) -> HTTPResponse {
    var counts = (accepted: 0, replayed: 0, refused: 0)
    let level = exchange.options.level
    return json { writer in
      writer.beginObject()
      writer.key("results")
      writer.beginArray()
      for (index, item) in batch.items.enumerated() {
        writer.beginObject()
        writer.key("index")
        writer.integer(index)
        switch item {
        case .new(let place, let isRepeated):
          counts.accepted += isRepeated ? 0 : 1
          counts.replayed += isRepeated ? 1 : 0
          writer.writeResult(isRepeated ? "replayed" : "accepted", operations[place])
        case .earlier(let place):
          let earlier = batch.earlier[place]
          if matches[place] {
            counts.replayed += 1
            writer.writeResult("replayed", OperationID(earlier.stamp))
          } else {
            counts.refused += 1
            writer.writeResult(AgentAPI.answeredDifferently(earlier.posting))
          }
        case .refused(let problem):
          counts.refused += 1
          writer.writeResult(problem)
        }
        writer.endObject()
      }
      writer.endArray()
      writer.key("accepted")
      writer.integer(counts.accepted)
      writer.key("replayed")
      writer.integer(counts.replayed)
      writer.key("refused")
      writer.integer(counts.refused)
      writer.key("consistency")
      writer.beginObject()
      writer.key("requested")
      writer.string(level.rawValue)
      writer.key("reached")
      writer.string(level.rawValue)
      writer.endObject()
      writer.endObject()
    }
  }
}

/// The items of a batch, judged.
private struct AnswerBatch {
  enum Item {
    /// The place among the new answers, and whether an earlier item of the batch said the same.
    case new(Int, isRepeated: Bool)
    /// The place among the answers that were given before.
    case earlier(Int)
    case refused(APIProblem)
  }

  var items: [Item] = []
  var new: [AnswerPosting] = []
  var earlier: [(posting: AnswerPosting, stamp: OperationStamp)] = []
  /// The places of the new answers by question.
  var places: [QuestionID: Int] = [:]
}

extension JSONWriter {
  /// Writes the members of an item that was taken.
  fileprivate mutating func writeResult(_ status: String, _ operation: OperationID) {
    key("status")
    string(status)
    key("operation")
    string(operation.description)
  }

  /// Writes the members of an item that was refused.
  fileprivate mutating func writeResult(_ problem: APIProblem) {
    key("status")
    string("refused")
    key("problem")
    problem.write(to: &self)
  }
}
