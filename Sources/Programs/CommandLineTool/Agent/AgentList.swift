internal import Configuration
internal import JSONText

/// `agent list`: pages of questions or agents, put together.
enum AgentList {
  /// A list: its path, and which members make its columns.
  private struct Kind {
    let name: String
    let path: String
    let member: String
    let columns: [(title: String, path: String)]
  }

  private static let kinds = [
    Kind(
      name: "questions", path: "/v1/questions", member: "questions",
      columns: [
        ("ID", "id"), ("STATUS", "status"), ("ANSWERS", "answers"),
        ("CATEGORY", "category"), ("TEXT", "text"),
      ]),
    Kind(
      name: "agents", path: "/v1/agents", member: "agents",
      columns: [
        ("ID", "id"), ("NAME", "name"), ("PLATFORM", "platform"),
        ("CAPABILITIES", "capabilities"),
      ]),
    Kind(
      name: "leaderboard", path: "/v1/leaderboard", member: "agents",
      columns: [
        ("ID", "id"), ("NAME", "name"), ("ACCURACY AT LEAST", "accuracyBound"),
        ("RESOLVED", "resolvedAnswers"),
        ("CORRECT", "correct"),
      ]),
  ]

  static func run(_ arguments: ArgumentList, _ console: Console) throws -> Int32 {
    let name = arguments.positional.first ?? "questions"
    guard let kind = kinds.first(where: { $0.name == name }) else {
      let known = kinds.map(\.name)
      throw UsageError("no list '\(name)'" + Suggestion.text(for: name, among: known))
    }
    let status = arguments.value("status")
    guard status == nil || name == "questions" else {
      throw UsageError("--status is for questions")
    }
    let limit = try arguments.integer("limit", in: 1...100_000, default: 20)
    let client = APIClient(endpoints: try APIOptions.endpoints(arguments), token: nil)
    let entries = try entries(kind, status: status, limit: limit, client)
    if arguments.wantsJSON {
      let json = JSONValue.object([JSONMember(key: kind.member, value: .array(entries))])
      console.write(String(decoding: JSONLayout.bytes(json), as: UTF8.self))
      return ExitStatus.success
    }
    var table = Table(kind.columns.map { ($0.title, .left) })
    for entry in entries {
      table.append(
        kind.columns.map { column in
          Table.Cell(find(column.path, in: entry).map(cell) ?? "-")
        })
    }
    console.write(table.text(console))
    return ExitStatus.success
  }

  private static func entries(
    _ kind: Kind, status: String?, limit: Int, _ client: APIClient
  ) throws -> [JSONValue] {
    var entries: [JSONValue] = []
    var cursor: String?
    repeat {
      var path = "\(kind.path)?limit=\(min(100, limit - entries.count))"
      if let status { path += "&status=\(status)" }
      if let cursor { path += "&cursor=\(cursor)" }
      let page = try client.get(path)
      entries += page[kind.member]?.array ?? []
      cursor = page["next"]?.string
    } while cursor != nil && entries.count < limit
    return entries
  }

  /// The value at a path of keys such as `consistency.reached`.
  static func find(_ path: String, in value: JSONValue) -> JSONValue? {
    path.split(separator: ".").reduce(Optional(value)) { value, key in value?[String(key)] }
  }

  /// A value as one line of a table.
  static func cell(_ value: JSONValue) -> String {
    switch value {
    case .string(let text):
      let line = text.replacing("\n", with: " ")
      return line.count > 60 ? "\(line.prefix(59))…" : line
    case .array(let elements): return elements.map(cell).joined(separator: ", ")
    case .null: return "-"
    case .bool, .integer, .decimal, .object:
      var writer = JSONWriter()
      writer.value(value)
      return String(decoding: writer.bytes, as: UTF8.self)
    }
  }
}
