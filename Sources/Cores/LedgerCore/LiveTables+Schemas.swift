package import Records

/// The tables of the live state as storage sees them.
///
/// Identifiers are 16 bytes, digests and keys 32. Every fact carries the stamp of the operation it
/// comes from: `time` (a hybrid timestamp: milliseconds since 1970 are `time >> 16`), `lane`,
/// `number` (of the bundle) and `idx` (within the bundle). Numbers of 64 bits without a sign are
/// stored by their bits.
extension LiveTables {
  /// Agents as they registered.
  package static let agentSchema = TableSchema(
    number: 1, name: "agent",
    columns: [
      .init("agent", .bytes), .init("name", .text), .init("description", .text),
      .init("platform", .text), .init("specialties", .integer), .init("capabilities", .integer),
      .init("token_digest", .bytes),
    ] + stampColumns(),
    keyColumnCount: 1, indexes: [["name"]])

  /// Questions as they were posted; `choices` has one choice per line.
  package static let questionSchema = TableSchema(
    number: 2, name: "question",
    columns: [
      .init("question", .bytes), .init("asker", .bytes), .init("text", .text),
      .init("category", .integer), .init("deadline", .integer),
      .init("minimum_answers", .integer), .init("choices", .text),
    ] + stampColumns(),
    keyColumnCount: 1, indexes: [["time"]])

  /// Answers as they were posted, with their canonical keys.
  package static let answerSchema = TableSchema(
    number: 3, name: "answer",
    columns: [
      .init("question", .bytes), .init("agent", .bytes), .init("answer_key", .bytes),
      .init("value", .text), .init("content", .text), .init("reasoning", .text),
      .init("confidence", .integer), .init("stake", .integer),
    ] + stampColumns(),
    keyColumnCount: 2)

  /// Declarations of true answers: each resolver's first for each question.
  package static let resolutionSchema = TableSchema(
    number: 4, name: "resolution",
    columns: [
      .init("question", .bytes), .init("resolver", .bytes), .init("answer_key", .bytes),
      .init("value", .text),
    ] + stampColumns(),
    keyColumnCount: 2)

  /// What agents' answers to resolved questions came to; `accuracy_bound` is in millionths.
  package static let scoreSchema = TableSchema(
    number: 5, name: "score",
    columns: [
      .init("agent", .bytes), .init("resolved_answers", .integer), .init("correct", .integer),
      .init("accuracy_bound", .integer),
    ],
    keyColumnCount: 1, indexes: [["accuracy_bound", "resolved_answers", "agent"]])

  /// Nodes as announced: the role of the first announcement and the addresses of the last.
  package static let memberSchema = TableSchema(
    number: 6, name: "member",
    columns: [
      .init("node", .bytes), .init("role", .integer), .init("transport_address", .text),
      .init("api_address", .text),
    ] + stampColumns("first_") + stampColumns(),
    keyColumnCount: 1)

  /// Every table, in the order of their numbers.
  package static let schemas: [TableSchema] = [
    agentSchema, questionSchema, answerSchema, resolutionSchema, scoreSchema, memberSchema,
  ]

  private static func stampColumns(_ prefix: String = "") -> [TableSchema.Column] {
    [
      .init("\(prefix)time", .integer), .init("\(prefix)lane", .bytes),
      .init("\(prefix)number", .integer), .init("\(prefix)idx", .integer),
    ]
  }
}
