internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// Routes about keys and their values.
extension AgentAPI {
  static let valueRule = ObjectRule(
    "KeyValue",
    [
      FieldRule(
        "value", .bytes(0...ControlLimits.valueBytesMax), "The value as text; or valueBase64."),
      FieldRule(
        "valueBase64", .base64(0...ControlLimits.valueBytesMax), "The value as bytes; or value."),
      FieldRule(
        "ifVersion", .integer(0...Int64.max),
        "Write only when the key has this version; 0: only when there is no such key."),
      FieldRule("lease", .integer(1...Int64.max), "The lease with which the key goes."),
    ])

  /// The parameters of every list of named things.
  static let listRules: [FieldRule] = [
    FieldRule(
      "prefix", .bytes(0...ControlLimits.nameBytes.upperBound), "What the names start with."),
    FieldRule(
      "after", .bytes(ControlLimits.nameBytes),
      "Where to go on: the last name of the page before."),
    FieldRule("limit", .integer(1...1_000), fallback: "100", "How many at most."),
  ]

  static let keyRoutes: [Route] = [
    Route(
      .put, [.literal("v1"), .literal("kv"), .rest("key")], "putKey",
      "Writes a key, if asked only at a version.", access: .agentOrOperator, body: valueRule,
      control: .write, successes: [(200, .json(Shapes.keyPut))],
      problems: [.versionConflict, .limitReached]
    ) { api, exchange throws(APIProblem) in try api.putKey(exchange) },
    Route(
      .get, [.literal("v1"), .literal("kv"), .rest("key")], "getKey", "Gives a key.",
      access: .agentOrOperator,
      query: [
        FieldRule(
          "after", .integer(0...Int64.max),
          "With consistency=local: wait until this node has this revision.")
      ], control: .read, successes: [(200, .json(Shapes.key))]
    ) { api, exchange throws(APIProblem) in try api.getKey(exchange) },
    Route(
      .delete, [.literal("v1"), .literal("kv"), .rest("key")], "deleteKey",
      "Deletes a key, if asked only at a version.", access: .agentOrOperator,
      query: [FieldRule("ifVersion", .integer(1...Int64.max), "Delete only this version.")],
      control: .write, successes: [(200, .json(Shapes.keyDeleted))], problems: [.versionConflict]
    ) { api, exchange throws(APIProblem) in try api.deleteKey(exchange) },
    Route(
      .get, [.literal("v1"), .literal("kv")], "listKeys", "Lists keys in the order of their bytes.",
      access: .agentOrOperator, query: listRules, control: .read,
      successes: [(200, .json(Shapes.keys))]
    ) { api, exchange throws(APIProblem) in try api.listKeys(exchange) },
  ]

  private func putKey(_ exchange: Exchange) throws(APIProblem) {
    let key = try exchange.name(2)
    let body = exchange.body
    let value: [UInt8]
    switch (body.text("value"), body.bytes("valueBase64")) {
    case (let text?, nil): value = Array(text.utf8)
    case (nil, let bytes?): value = bytes
    case (nil, nil):
      throw APIProblem(field: "value", rule: "required", "give value or valueBase64")
    case (_?, _?):
      throw APIProblem(
        field: "valueBase64", rule: "conflict", "give value or valueBase64, not both")
    }
    let condition: ControlCondition =
      switch body.integer("ifVersion") {
      case nil: .none
      case 0?: .mustBeAbsent
      case let version?: .version(UInt64(version))
      }
    let lease = body.integer("lease").flatMap { LeaseID(UInt64($0)) }
    order(.put(key: key, value: value, condition: condition, lease: lease), for: exchange) {
      writer, result in
      guard case .put(let created, let former) = result.outcome else {
        preconditionFailure("a put came to \(result.outcome)")
      }
      writer.key("key")
      writer.string(key.text)
      writer.key("version")
      writer.unsigned(result.revision)
      writer.key("created")
      writer.unsigned(created)
      writer.key("formerVersion")
      writer.unsigned(former)
    }
  }

  private func deleteKey(_ exchange: Exchange) throws(APIProblem) {
    let key = try exchange.name(2)
    let version = exchange.query.integer("ifVersion").map { UInt64($0) }
    order(.delete(key: key, version: version), for: exchange) { writer, result in
      var former: UInt64 = 0
      if case .deleted(let version) = result.outcome { former = version }
      writer.key("key")
      writer.string(key.text)
      writer.key("deleted")
      writer.bool(former != 0)
      writer.key("formerVersion")
      writer.unsigned(former)
    }
  }

  private func getKey(_ exchange: Exchange) throws(APIProblem) {
    let key = try exchange.name(2)
    var level = exchange.control.level
    if let revision = exchange.query.integer("after") {
      guard exchange.control.isLocal else {
        throw APIProblem(
          field: "query.after", rule: "conflict",
          "goes with consistency=local; a linearizable answer has every revision that was answered")
      }
      level = .after(revision: UInt64(revision))
    }
    query(.get(key: key), level, for: exchange) {
      [unowned self] answer, freshness throws(APIProblem) in
      guard case .entry(let entry) = answer.content else {
        preconditionFailure("a key was asked for")
      }
      guard let entry else {
        throw absent("there is no such key", exchange, answer, freshness)
      }
      finish(exchange, answer, freshness) { $0.writeMembers(of: entry) }
    }
  }

  private func listKeys(_ exchange: Exchange) throws(APIProblem) {
    let list = try NameList(exchange)
    query(
      .list(prefix: list.prefix, after: list.after, limit: list.limit), exchange.control.level,
      for: exchange
    ) { [unowned self] answer, freshness throws(APIProblem) in
      guard case .entries(let entries, let more) = answer.content else {
        preconditionFailure("keys were asked for")
      }
      finish(exchange, answer, freshness) { writer in
        writer.list("entries", entries, more: more) { $0.writeMembers(of: $1) }
      }
    }
  }
}

/// The part of a list of named things that a request asks for.
struct NameList {
  let prefix: [UInt8]
  let after: ControlName?
  let limit: Int

  init(_ exchange: Exchange) throws(APIProblem) {
    prefix = Array((exchange.query.text("prefix") ?? "").utf8)
    after = try exchange.name(inQuery: "after")
    limit = Int(exchange.query.integer("limit") ?? 100)
  }
}

extension JSONWriter {
  /// Writes a list's elements as objects, and whether there are more.
  mutating func list<Element>(
    _ name: String, _ elements: [Element], more: Bool,
    _ writeMembers: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    beginArray()
    for element in elements {
      beginObject()
      writeMembers(&self, element)
      endObject()
    }
    endArray()
    key("more")
    bool(more)
  }

  mutating func writeMembers(of entry: ControlEntry) {
    key("key")
    string(entry.key.text)
    writeValue(entry.value)
    key("version")
    unsigned(entry.version)
    key("created")
    unsigned(entry.created)
    if let lease = entry.lease {
      key("lease")
      unsigned(lease.value)
    }
  }
}
