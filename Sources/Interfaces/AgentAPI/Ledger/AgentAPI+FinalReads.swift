internal import ExecutionCore
internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Reads of agents, questions and outcomes from the final state, for `consistency=final`.
extension AgentAPI {
  /// The parameter of reads that may be of the final state.
  static let readConsistency = FieldRule(
    "consistency", .word(["local", "final"]), fallback: "local",
    "final reads what is executed below a finalized cut, and says at which height.")

  /// Answers of a question that are looked at for its winner's text.
  private static let answersMax = 10_000

  static func wantsFinal(_ exchange: Exchange) -> Bool {
    exchange.query.text("consistency") == "final"
  }

  func getFinalAgent(_ exchange: Exchange) throws(APIProblem) {
    let agent = try exchange.agentID(2)
    let key = [ColumnValue.bytes(agent.bytes)]
    try readFinal(
      [
        .row(table: LiveTables.agentSchema.number, key: key),
        .row(table: Ledger.accountSchema.number, key: key),
      ],
      for: exchange
    ) { [unowned self] found throws(APIProblem) in
      guard let row = found.rows[0].first else { throw AgentAPI.notThere("agent \(agent)", found) }
      let shown = try AgentRow(
        row.columns(of: LiveTables.agentSchema, named: AgentRow.columns))
      let account = try found.rows[1].first.map { row throws(APIProblem) in
        try AccountRow(row.values)
      }
      finish(exchange, json { $0.write(shown, account, found) })
    }
  }

  func getFinalQuestion(_ exchange: Exchange) throws(APIProblem) {
    let question = try exchange.questionID(2)
    try readFinal(AgentAPI.queries(of: question), for: exchange) {
      [unowned self] found throws(APIProblem) in
      guard let row = found.rows[0].first, let state = found.rows[1].first else {
        throw AgentAPI.notThere("question \(question)", found)
      }
      let shown = try QuestionRow(
        row.columns(of: LiveTables.questionSchema, named: QuestionRow.columns))
      let standing = try QuestionStateRow(state.values)
      finish(exchange, json { $0.write(shown, standing, found) })
    }
  }

  func getFinalOutcome(_ exchange: Exchange) throws(APIProblem) {
    let question = try exchange.questionID(2)
    let prefix = [ColumnValue.bytes(question.bytes)]
    let queries =
      AgentAPI.queries(of: question) + [
        .rows(table: LiveTables.resolutionSchema.number, prefix: prefix, limit: 1),
        .rows(
          table: Ledger.stakeSchema.number, prefix: prefix, limit: AgentAPI.answersMax),
      ]
    try readFinal(queries, for: exchange) { [unowned self] found throws(APIProblem) in
      guard let row = found.rows[1].first else {
        throw AgentAPI.notThere("question \(question)", found)
      }
      let state = try QuestionStateRow(row.values)
      let resolution = try found.rows[2].first.map { row throws(APIProblem) in
        try ResolutionRow(
          row.columns(of: LiveTables.resolutionSchema, named: ResolutionRow.columns))
      }
      var first: StakeRow?
      for row in found.rows[3] {
        let stake = try StakeRow(row.values)
        if stake.answerKey == state.winner, stake.place < first?.place ?? .max { first = stake }
      }
      guard let first else {
        return finish(exchange, json { $0.write(question, state, nil, resolution, found) })
      }
      try readFinal(
        [.row(table: LiveTables.answerSchema.number, key: prefix + [.bytes(first.agent.bytes)])],
        for: exchange, isParked: true
      ) { [unowned self] answers throws(APIProblem) in
        let answer = try answers.rows[0].first.map { row throws(APIProblem) in
          try AnswerRow(row.columns(of: LiveTables.answerSchema, named: AnswerRow.columns))
        }
        let text = answer.map { $0.value.isEmpty ? $0.content : $0.value }
        finish(exchange, json { $0.write(question, state, text, resolution, found) })
      }
    }
  }

  private static func queries(of question: QuestionID) -> [FinalRowQuery] {
    let key = [ColumnValue.bytes(question.bytes)]
    return [
      .row(table: LiveTables.questionSchema.number, key: key),
      .row(table: Ledger.questionStateSchema.number, key: key),
    ]
  }

  private static func notThere(_ what: String, _ found: FinalRows) -> APIProblem {
    APIProblem(
      .notFound,
      "the final state of height \(found.height) has no \(what); it may know it without"
        + " consistency=final")
  }

  private func readFinal(
    _ queries: [FinalRowQuery], for exchange: Exchange, isParked: Bool = false,
    found: @escaping (FinalRows) throws(APIProblem) -> Void
  ) throws(APIProblem) {
    let ledger = try finalLedger()
    guard isParked || exchange.park() else { return }
    ledger.finalRows(queries) { [unowned self] result in
      do throws(APIProblem) {
        switch result {
        case .success(let rows):
          precondition(
            rows.rows.count == queries.count,
            "\(rows.rows.count) answers to \(queries.count) queries")
          try found(rows)
        case .failure(let fault): throw AgentAPI.problem(for: fault)
        }
      } catch {
        finish(exchange, error)
      }
    }
  }
}

extension Row {
  /// The columns that a list of names separated by commas names, in its order.
  func columns(of schema: TableSchema, named names: String) -> [ColumnValue] {
    names.split(separator: ",").compactMap { name in
      let name = name.drop { $0 == " " }
      return schema.columns.firstIndex { $0.name == name }.map { values[$0] }
    }
  }
}

/// An account as stored; evidence in 65,536ths.
struct AccountRow {
  let available: Int64
  let locked: Int64
  let right: Int64
  let wrong: Int64
  let operations: Int64

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    _ = try reader.bytes()
    available = try reader.integer()
    locked = try reader.integer()
    right = try reader.integer()
    wrong = try reader.integer()
    operations = try reader.integer()
  }
}

/// Where a question stands, as stored.
struct QuestionStateRow {
  let phase: QuestionPhase
  let round: Int64
  let endsMilliseconds: UInt64
  let winner: [UInt8]?
  let marginMillionths: Int64
  let isSettled: Bool

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    _ = try reader.bytes()
    guard let phase = QuestionPhase(rawValue: UInt8(clamping: try reader.integer())) else {
      throw APIProblem(.storageFailed, "a final question has an unknown phase")
    }
    self.phase = phase
    round = try reader.integer()
    endsMilliseconds = UInt64(clamping: try reader.integer())
    _ = try reader.integer()
    winner = try reader.optionalBytes()
    marginMillionths = try reader.integer()
    isSettled = try reader.integer() != 0
  }
}

/// What an accepted answer stakes, as stored.
struct StakeRow {
  let agent: AgentID
  let place: Int64
  let answerKey: [UInt8]

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    _ = try reader.bytes()
    agent = try reader.identifier()
    place = try reader.integer()
    answerKey = try reader.bytes()
  }
}

/// A declaration of the true answer, as stored.
struct ResolutionRow {
  let resolver: AgentID
  let value: String
  let milliseconds: UInt64

  static let columns = "resolver, value, time"

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    resolver = try reader.identifier()
    value = try reader.text()
    milliseconds = HybridTime(raw: UInt64(bitPattern: try reader.integer())).milliseconds
  }
}
