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

  /// Collections with their policies: the definition with the smallest stamp.
  package static let collectionSchema = TableSchema(
    number: 7, name: "collection",
    columns: [.init("name", .text), .init("policy", .integer), .init("agent", .bytes)]
      + stampColumns(),
    keyColumnCount: 1)

  /// Records as their changes leave them; `conflict` is the time of the last of several writes that
  /// stand, or 0, and `total` is empty without a counter. `clock` has the form of `RecordClock`.
  package static let recordSchema = TableSchema(
    number: 8, name: "record",
    columns: [
      .init("collection", .text), .init("key", .text), .init("record", .bytes),
      .init("conflict", .integer), .init("total", .text), .init("elements", .integer),
      .init("clock", .bytes),
    ],
    keyColumnCount: 2, indexes: [["conflict", "record"], ["record"]])

  /// Every write of a record, also those superseded since; `kind` is 1 for a put and 2 for a
  /// deletion, `seen` names what it supersedes, and `resolves` is its time if that is several.
  package static let recordWriteSchema = TableSchema(
    number: 9, name: "record_write",
    columns: [.init("record", .bytes)] + stampColumns() + [
      .init("agent", .bytes), .init("kind", .integer), .init("value", .text),
      .init("priority", .integer), .init("seen", .bytes), .init("resolves", .integer),
    ],
    keyColumnCount: 5, indexes: [["resolves", "lane"]])

  /// Elements of sets, also those taken out since.
  package static let setElementSchema = TableSchema(
    number: 10, name: "set_element",
    columns: [
      .init("record", .bytes), .init("element", .text), .init("present", .integer),
      .init("clock", .bytes),
    ],
    keyColumnCount: 2)

  /// The first change that answers each request of a client; `delta` is what it adds to a counter.
  package static let recordRequestSchema = TableSchema(
    number: 11, name: "record_request",
    columns: [
      .init("record", .bytes), .init("request", .bytes), .init("fingerprint", .bytes),
      .init("delta", .integer),
    ] + stampColumns(),
    keyColumnCount: 2)

  /// Every table, in the order of their numbers.
  package static let schemas: [TableSchema] = [
    agentSchema, questionSchema, answerSchema, resolutionSchema, scoreSchema, memberSchema,
    collectionSchema, recordSchema, recordWriteSchema, setElementSchema, recordRequestSchema,
  ]

  private static func stampColumns(_ prefix: String = "") -> [TableSchema.Column] {
    [
      .init("\(prefix)time", .integer), .init("\(prefix)lane", .bytes),
      .init("\(prefix)number", .integer), .init("\(prefix)idx", .integer),
    ]
  }
}
