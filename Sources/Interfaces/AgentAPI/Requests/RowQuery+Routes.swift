internal import LedgerCore
internal import Primitives
internal import Records

/// The reads of this interface. All of them seek by a primary key or an index.
extension RowQuery {
  static func agent(_ agent: AgentID) -> RowQuery {
    RowQuery("SELECT \(AgentRow.columns) FROM agent WHERE agent = ?", [.bytes(agent.bytes)])
  }

  static func agents(after identifier: Identifier<AnyKind>?, limit: Int) -> RowQuery {
    RowQuery(
      "SELECT \(AgentRow.columns) FROM agent WHERE agent > ? ORDER BY agent LIMIT ?",
      [.bytes(identifier?.bytes ?? []), .integer(Int64(limit))])
  }

  static func leaderboard(after cursor: PageCursor?, limit: Int) -> RowQuery {
    let columns = "s.agent, a.name, s.resolved_answers, s.correct, s.accuracy_bound"
    let order =
      "ORDER BY s.accuracy_bound DESC, s.resolved_answers DESC, s.agent DESC LIMIT ?"
    let tables = "FROM score s JOIN agent a ON a.agent = s.agent"
    guard let cursor else {
      return RowQuery("SELECT \(columns) \(tables) \(order)", [.integer(Int64(limit))])
    }
    return RowQuery(
      "SELECT \(columns) \(tables)"
        + " WHERE (s.accuracy_bound, s.resolved_answers, s.agent) < (?, ?, ?) \(order)",
      [
        .integer(cursor.key >> 32), .integer(cursor.key & 0xffff_ffff),
        .bytes(cursor.identifier.bytes), .integer(Int64(limit)),
      ])
  }

  static func question(_ question: QuestionID) -> RowQuery {
    RowQuery(
      "SELECT \(QuestionRow.columns) FROM question WHERE question = ?", [.bytes(question.bytes)])
  }

  /// Questions, newest first; the status is narrowed only, because it is not in the table.
  static func questions(
    _ filter: QuestionFilter, asOfMilliseconds: UInt64, after cursor: PageCursor?, limit: Int
  ) -> RowQuery {
    var conditions: [String] = []
    var parameters: [ColumnValue] = []
    if let cursor {
      conditions.append("(time, question) < (?, ?)")
      parameters += [.integer(cursor.key), .bytes(cursor.identifier.bytes)]
    }
    if let since = filter.sinceMilliseconds {
      conditions.append("time >= ?")
      parameters.append(.integer(Int64(since << 16)))
    }
    if let category = filter.category {
      conditions.append("category = ?")
      parameters.append(.integer(Int64(category.rawValue)))
    }
    if let asker = filter.asker {
      conditions.append("asker = ?")
      parameters.append(.bytes(asker.bytes))
    }
    switch filter.status {
    case .open?:
      conditions.append("deadline >= ?")
      parameters.append(.integer(Int64(asOfMilliseconds)))
    case .consensus?, .expired?:
      conditions.append("deadline < ?")
      parameters.append(.integer(Int64(asOfMilliseconds)))
    case .verified?:
      conditions.append(
        "EXISTS (SELECT 1 FROM resolution WHERE resolution.question = question.question)")
    case nil: break
    }
    parameters.append(.integer(Int64(limit)))
    let filters =
      conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    return RowQuery(
      "SELECT \(QuestionRow.columns) FROM question\(filters)"
        + " ORDER BY time DESC, question DESC LIMIT ?", parameters)
  }

  static func answer(_ question: QuestionID, _ agent: AgentID) -> RowQuery {
    RowQuery(
      "SELECT \(AnswerRow.columns) FROM answer WHERE question = ? AND agent = ?",
      [.bytes(question.bytes), .bytes(agent.bytes)])
  }

  static func answers(
    _ question: QuestionID, after identifier: Identifier<AnyKind>?, limit: Int
  ) -> RowQuery {
    RowQuery(
      "SELECT \(AnswerRow.columns) FROM answer WHERE question = ? AND agent > ?"
        + " ORDER BY agent LIMIT ?",
      [
        .bytes(question.bytes), .bytes(identifier?.bytes ?? []), .integer(Int64(limit)),
      ])
  }
}

/// Where a question stands.
enum QuestionStatus: String, CaseIterable {
  /// It takes answers.
  case open = "OPEN"
  /// Its deadline has passed with enough answers.
  case consensus = "CONSENSUS"
  /// Its deadline has passed without.
  case expired = "EXPIRED"
  /// The true answer is declared.
  case verified = "VERIFIED"

  /// The status of a question at a time.
  init(_ question: QuestionSummary, atMilliseconds now: UInt64) {
    if question.resolution != nil {
      self = .verified
    } else if now <= question.deadlineMilliseconds {
      self = .open
    } else {
      self = question.answersCounted >= question.minimumAnswers ? .consensus : .expired
    }
  }
}

/// Which questions a list shows.
struct QuestionFilter {
  var category: QuestionCategory?
  var status: QuestionStatus?
  var asker: AgentID?
  var sinceMilliseconds: UInt64?

  static let rules: [FieldRule] = [
    FieldRule("category", .word(CategoryNames.all), "Only questions of this category."),
    FieldRule(
      "status", .word(QuestionStatus.allCases.map(\.rawValue)),
      "Only questions with this status when the first page was asked for."),
    FieldRule("asker", .identifier, "Only questions of this agent."),
    FieldRule("since", .timestamp, "Only questions posted at this time or later."),
  ]

  init(_ query: FieldValues) {
    category = query.text("category").flatMap(CategoryNames.category(named:))
    status = query.text("status").flatMap(QuestionStatus.init(rawValue:))
    asker = query.identifier("asker")
    sinceMilliseconds = query.milliseconds("since")
  }

  /// The filters as text, to bind cursors to them.
  var parts: [String] {
    [
      category.map { "\($0.rawValue)" } ?? "", status?.rawValue ?? "",
      asker?.description ?? "", sinceMilliseconds.map { "\($0)" } ?? "",
    ]
  }
}
