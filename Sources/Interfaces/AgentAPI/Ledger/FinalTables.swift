internal import ExecutionCore
internal import Primitives
internal import Records

/// The tables of the final state as paths name them.
enum FinalTables {
  /// The names, in the order of the tables' numbers.
  static let names = Ledger.schemas.map(\.name)

  /// The table with a name.
  static func schema(named name: String) throws(APIProblem) -> TableSchema {
    guard let schema = Ledger.schemas.first(where: { $0.name == name }) else {
      throw APIProblem(
        .notFound,
        "\"\(name.prefix(80))\" is no table of the final state; tables are "
          + names.joined(separator: ", "))
    }
    return schema
  }

  /// Reads key columns, one from each part of a path.
  static func key(
    _ parts: [String], of schema: TableSchema
  ) throws(APIProblem) -> [ColumnValue] {
    let columns = schema.columns.prefix(schema.keyColumnCount)
    guard parts.count == columns.count else {
      let names = columns.map(\.name).joined(separator: "/")
      throw APIProblem(
        field: "path.key", rule: "count",
        "has \(parts.count) parts; a key of \(schema.name) is written \(names)")
    }
    var key: [ColumnValue] = []
    for (part, column) in zip(parts, columns) {
      guard let value = value(part, column.type) else {
        throw APIProblem(
          field: "path.key", rule: "format",
          "\"\(part.prefix(80))\" is no \(column.name) of \(schema.name): write "
            + form(of: column.type))
      }
      key.append(value)
    }
    return key
  }

  private static func value(_ text: String, _ type: ColumnType) -> ColumnValue? {
    switch type {
    case .integer:
      guard let number = Int64(text), "\(number)" == text else { return nil }
      return .integer(number)
    case .text: return .text(text)
    case .bytes:
      if let identifier = Identifier<AnyKind>(text: text) { return .bytes(identifier.bytes) }
      return Hexadecimal.bytes(text).map { .bytes($0) }
    }
  }

  private static func form(of type: ColumnType) -> String {
    switch type {
    case .integer: "a whole number in decimal digits"
    case .text: "text, percent-encoded"
    case .bytes: "an even number of hexadecimal digits, or a UUID"
    }
  }

  /// An identifier of whatever kind.
  private enum AnyKind: Sendable {}

  /// What a result code says, as the beginning of a sentence.
  static func refusal(_ code: UInt32) -> String {
    switch UInt8(exactly: code).flatMap(ResultCode.init) {
    case .accepted: "the operation was accepted"
    case .invalid: "the operation broke a rule of its own"
    case .exists: "what the operation creates existed"
    case .unknownAgent: "the operation's agent was not registered"
    case .notAllowed: "the operation's agent might not do this"
    case .unknownQuestion: "the operation's question was not posted"
    case .closed: "the question took no more"
    case .notAChoice: "the question did not offer the answer"
    case .insufficientStake: "the agent had less than it puts at stake"
    case nil: "the operation was refused with code \(code)"
    }
  }

  /// A question's phase in words.
  static func name(of phase: QuestionPhase) -> String {
    switch phase {
    case .open: "OPEN"
    case .debating: "DEBATING"
    case .consensus: "CONSENSUS"
    case .closed: "CLOSED"
    case .verified: "VERIFIED"
    }
  }
}
