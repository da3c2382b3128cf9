internal import HTTPServer
internal import Records

/// How sure a client wants to be of a write, and how long it waits for that.
struct WriteOptions {
  /// The parameters that every write takes.
  static let rules: [FieldRule] = [
    FieldRule(
      "consistency", .word(WriteLevel.allCases.map(\.rawValue)), fallback: "local",
      "What the write must survive before it is confirmed; the header X-Consistency says the same."
    ),
    FieldRule(
      "timeout", .integer(1...30_000), fallback: "5000",
      "Milliseconds to wait for that; a write that is not confirmed by then gives 504."),
  ]

  /// Characters of an idempotency key.
  static let keyLength = 1...200

  /// The level asked for.
  var level: WriteLevel
  /// How long to wait for it.
  var timeoutMilliseconds: Int
  /// The client's name for this request, the same in every retry of it.
  var idempotencyKey: String?

  /// Reads the query, which has passed `rules`, and the headers.
  init(query: FieldValues, headers: HTTPHeaders) throws(APIProblem) {
    let names = [query.text("consistency"), try WriteOptions.header("X-Consistency", headers)]
      .compactMap { $0 }
    guard names.count < 2 || names[0] == names[1] else {
      throw APIProblem(
        field: "X-Consistency", rule: "conflict",
        "says \(names[1]) and the query says \(names[0]); give one of them")
    }
    level = try WriteOptions.level(names.first ?? "local", field: "X-Consistency")
    timeoutMilliseconds = Int(query.integer("timeout") ?? 5_000)
    idempotencyKey = try WriteOptions.idempotencyKey(headers)
  }

  /// Reads the client's name for the request, if it gave one.
  static func idempotencyKey(_ headers: HTTPHeaders) throws(APIProblem) -> String? {
    guard let key = try header("Idempotency-Key", headers) else { return nil }
    guard keyLength.contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw APIProblem(
        field: "Idempotency-Key", rule: "format", "must be 1 to 200 visible ASCII characters")
    }
    return key
  }

  /// Refuses the levels that have a name but are not offered, before the rules call them unknown.
  static func refuseUnoffered(_ query: [HTTPQueryItem]) throws(APIProblem) {
    for item in query where item.name == "consistency" {
      guard item.value == "ordered" else { continue }
      _ = try level(item.value, field: "query.consistency")
    }
  }

  private static func level(_ name: String, field: String) throws(APIProblem) -> WriteLevel {
    if let level = WriteLevel(rawValue: name) { return level }
    if name == "ordered" {
      throw APIProblem(
        field: field, rule: "not-offered",
        "ordered is not offered here; use local, quorum or final")
    }
    throw APIProblem(field: field, rule: "choice", "must be one of: local, quorum, final")
  }

  private static func header(_ name: String, _ headers: HTTPHeaders) throws(APIProblem) -> String? {
    guard !headers.isRepeated(name) else {
      throw APIProblem(field: name, rule: "repeated", "is given twice")
    }
    return headers[name]
  }
}
