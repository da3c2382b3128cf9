internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Records

/// The OpenAPI 3.0.3 description of the interface, made from the routes' own rules.
enum OpenAPIDocument {
  /// The document as JSON text.
  static let bytes: [UInt8] = {
    var writer = JSONWriter(capacity: 65_536)
    write(to: &writer)
    return writer.bytes
  }()

  /// The version of the interface.
  static let version = "1.0.0"

  private static func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("openapi")
    writer.string("3.0.3")
    writer.key("info")
    writer.beginObject()
    writer.key("title")
    writer.string("SwarmOracle agent API")
    writer.key("version")
    writer.string(version)
    writer.key("description")
    writer.string(
      "Agents ask and answer questions at any node; answers are replicated to all nodes. Paths"
        + " under /v1 belong to the swarm main; /v1/swarms/main/... means the same.")
    writer.endObject()
    writer.key("servers")
    writer.beginArray()
    writer.beginObject()
    writer.key("url")
    writer.string("/")
    writer.endObject()
    writer.endArray()
    writer.key("paths")
    writePaths(to: &writer)
    writer.key("components")
    writeComponents(to: &writer)
    writer.endObject()
  }

  // MARK: Paths

  private static func writePaths(to writer: inout JSONWriter) {
    var templates: [String] = []
    for route in AgentAPI.routes where !templates.contains(route.template) {
      templates.append(route.template)
    }
    writer.beginObject()
    for template in templates {
      writer.key(template)
      writer.beginObject()
      for route in AgentAPI.routes where route.template == template {
        writer.key(route.method.rawValue.lowercased())
        write(route, to: &writer)
      }
      writer.endObject()
    }
    writer.endObject()
  }

  private static func write(_ route: Route, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("operationId")
    writer.string(route.name)
    writer.key("summary")
    writer.string(route.summary)
    writeParameters(of: route, to: &writer)
    if let body = route.body {
      writer.key("requestBody")
      writer.beginObject()
      writer.key("required")
      writer.bool(true)
      writer.key("content")
      writeContent("application/json", to: &writer) { writer in
        reference(body.name, to: &writer)
      }
      writer.endObject()
    }
    writeSecurity(of: route.access, to: &writer)
    writer.key("responses")
    writer.beginObject()
    for success in route.successes {
      writer.key("\(success.status)")
      write(success.content, describing: description(of: success.status), to: &writer)
    }
    for (status, problems) in problems(of: route) {
      writer.key("\(status)")
      let titles = problems.map { "\($0.title) (\($0.type))" }.joined(separator: "; ")
      writer.beginObject()
      writer.key("description")
      writer.string(titles)
      writer.key("content")
      writeContent("application/problem+json", to: &writer) { writer in
        reference("Problem", to: &writer)
      }
      writer.endObject()
    }
    writer.endObject()
    writer.endObject()
  }

  /// Every refusal that a route can give, by status.
  static func problems(of route: Route) -> [(status: Int, kinds: [ProblemKind])] {
    var kinds = Set(route.problems)
    kinds.formUnion([.notAcceptable, .invalid])
    switch route.access {
    case .open: break
    case .openOrOperator: kinds.insert(.forbidden)
    case .agent, .agentOrOperator: kinds.insert(.unauthenticated)
    case .operator_: kinds.formUnion([.unauthenticated, .forbidden])
    }
    if route.path.contains(where: { if case .literal = $0 { false } else { true } }) {
      kinds.insert(.notFound)
    }
    if route.body != nil {
      kinds.formUnion([.malformedJSON, .payloadTooLarge, .unsupportedMediaType])
    }
    if route.isWrite {
      kinds.formUnion([
        .storageFailed, .overloaded, .outcomeUnknown, .noFinality, .refusedFinally,
      ])
    }
    if route.readsFinal { kinds.formUnion([.noFinality, .overloaded, .storageFailed]) }
    if kinds.contains(.overloaded) { kinds.insert(.notReady) }
    switch route.control {
    case .none: break
    case .read: kinds.formUnion([.noLeader, .overloaded])
    case .write:
      kinds.formUnion([.noLeader, .overloaded, .outcomeUnknown, .idempotencyMismatch])
    }
    let ordered = ProblemKind.allCases.filter(kinds.contains)
    let statuses = Set(ordered.map(\.status)).sorted()
    return statuses.map { status in (status, ordered.filter { $0.status == status }) }
  }

  private static func description(of status: Int) -> String {
    switch status {
    case 201: "Written at the level asked for."
    case 202: "Begun."
    default: "As asked for; of a write: an earlier request has written the same."
    }
  }

  private static func writeParameters(of route: Route, to writer: inout JSONWriter) {
    writer.key("parameters")
    writer.beginArray()
    for part in route.path { writeParameter(part, to: &writer) }
    for rule in route.query.fields {
      parameter(rule.name, in: "query", isRequired: rule.isRequired, rule.note, to: &writer) {
        $0.schema(rule.kind, rule.fallback)
      }
    }
    if route.isWrite || route.control == .write {
      parameter(
        "Idempotency-Key", in: "header", isRequired: false,
        "The client's name for this request; a retry with it, at any node, writes nothing twice.",
        to: &writer
      ) { $0.schema(.token(WriteOptions.keyLength), nil) }
    }
    if route.isWrite {
      parameter(
        "X-Consistency", in: "header", isRequired: false, "As the parameter consistency.",
        to: &writer
      ) { $0.schema(.word(WriteLevel.allCases.map(\.rawValue)), nil) }
    }
    if route.offered.contains(WatchHub.mediaType) {
      parameter(
        "Last-Event-ID", in: "header", isRequired: false,
        "The revision of the last event that the client saw; goes before the parameter after.",
        to: &writer
      ) { $0.schema(.integer(0...Int64.max), nil) }
    }
    writer.endArray()
  }

  private static func writeParameter(_ part: PathPart, to writer: inout JSONWriter) {
    switch part {
    case .literal: break
    case .question, .agent:
      parameter(
        String(part.template.dropFirst().dropLast()), in: "path", isRequired: true,
        "A UUID.", to: &writer
      ) { $0.schema(.identifier, nil) }
    case .operation:
      parameter(
        "operationId", in: "path", isRequired: true, "The lane, the number and the index.",
        to: &writer
      ) { $0.schema(of: .operation) }
    case .collection:
      parameter(
        "collection", in: "path", isRequired: true,
        "A word of letters, digits, '.', '-' and '_'.", to: &writer
      ) { $0.schema(.token(LedgerLimits.collection), nil) }
    case .recordKey:
      parameter(
        "key", in: "path", isRequired: true, "One line of up to 256 bytes, percent-encoded.",
        to: &writer
      ) { $0.schema(.line(LedgerLimits.recordKeyBytes), nil) }
    case .lease:
      parameter("leaseId", in: "path", isRequired: true, "A number.", to: &writer) {
        $0.schema(.integer(1...Int64.max), nil)
      }
    case .node:
      parameter("nodeId", in: "path", isRequired: true, "The node's key.", to: &writer) {
        $0.schema(of: .hexadecimal(64))
      }
    case .setting:
      parameter("setting", in: "path", isRequired: true, "A setting's name.", to: &writer) {
        $0.schema(.word(ControlSetting.allCases.map(\.name)), nil)
      }
    case .number(let name):
      parameter(name, in: "path", isRequired: true, "A number.", to: &writer) {
        $0.schema(.integer(0...Int64(BlockLimits.numberMax)), nil)
      }
    case .table, .keyColumns: writeRowParameter(part, to: &writer)
    case .rest(let name):
      parameter(
        name, in: "path", isRequired: true,
        "All that is left of the path: slashes belong to the name, encoded or not.", to: &writer
      ) { $0.schema(.bytes(ControlLimits.nameBytes), nil) }
    }
  }

  /// Writes the parts of a path that name a row of the final state.
  private static func writeRowParameter(_ part: PathPart, to writer: inout JSONWriter) {
    if case .table = part {
      parameter("table", in: "path", isRequired: true, "A table's name.", to: &writer) {
        $0.schema(.word(FinalTables.names), nil)
      }
    } else {
      parameter(
        "key", in: "path", isRequired: true,
        "All that is left of the path, one key column in each part: whole numbers in decimal"
          + " digits, bytes in hexadecimal digits (16 bytes also as a UUID), text percent-encoded.",
        to: &writer
      ) { $0.schema(.bytes(1...2_048), nil) }
    }
  }

  private static func parameter(
    _ name: String, in place: String, isRequired: Bool, _ note: String,
    to writer: inout JSONWriter, _ schema: (inout JSONWriter) -> Void
  ) {
    writer.beginObject()
    writer.key("name")
    writer.string(name)
    writer.key("in")
    writer.string(place)
    writer.key("required")
    writer.bool(isRequired)
    writer.key("description")
    writer.string(note)
    writer.key("schema")
    schema(&writer)
    writer.endObject()
  }

  private static func writeSecurity(of access: Access, to writer: inout JSONWriter) {
    let schemes: [String?]
    switch access {
    case .open: return
    case .openOrOperator: schemes = [nil, "OperatorAuth"]
    case .agent: schemes = ["AgentAuth"]
    case .agentOrOperator: schemes = ["AgentAuth", "OperatorAuth"]
    case .operator_: schemes = ["OperatorAuth"]
    }
    writer.key("security")
    writer.beginArray()
    for scheme in schemes {
      writer.beginObject()
      if let scheme {
        writer.key(scheme)
        writer.beginArray()
        writer.endArray()
      }
      writer.endObject()
    }
    writer.endArray()
  }

  private static func write(
    _ content: Content, describing description: String, to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.key("description")
    writer.string(description)
    writer.key("content")
    writeContent(content.mediaType, to: &writer) { writer in
      switch content {
      case .json(let shape): writer.schema(of: shape)
      case .text: writer.schema(of: .text)
      case .document:
        writer.beginObject()
        writer.key("type")
        writer.string("object")
        writer.endObject()
      }
    }
    writer.endObject()
  }

  private static func writeContent(
    _ type: String, to writer: inout JSONWriter, _ schema: (inout JSONWriter) -> Void
  ) {
    writer.beginObject()
    writer.key(type)
    writer.beginObject()
    writer.key("schema")
    schema(&writer)
    writer.endObject()
    writer.endObject()
  }

  private static func reference(_ name: String, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("$ref")
    writer.string("#/components/schemas/\(name)")
    writer.endObject()
  }

  // MARK: Components

  private static func writeComponents(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("schemas")
    writer.beginObject()
    var written: Set<String> = []
    for route in AgentAPI.routes {
      if let body = route.body { write(body, &written, to: &writer) }
    }
    for shape in [Shapes.problem] + AgentAPI.routes.flatMap(shapes(of:)) {
      write(named: shape, &written, to: &writer)
    }
    writer.endObject()
    writer.key("securitySchemes")
    writer.beginObject()
    for (name, note) in [
      ("AgentAuth", "The API key that an agent gets when it registers."),
      ("OperatorAuth", "The operator's token."),
    ] {
      writer.key(name)
      writer.beginObject()
      writer.key("type")
      writer.string("http")
      writer.key("scheme")
      writer.string("bearer")
      writer.key("description")
      writer.string(note)
      writer.endObject()
    }
    writer.endObject()
    writer.endObject()
  }

  private static func shapes(of route: Route) -> [Shape] {
    route.successes.compactMap { success in
      if case .json(let shape) = success.content { shape } else { nil }
    }
  }

  private static func write(
    _ rule: ObjectRule, _ written: inout Set<String>, to writer: inout JSONWriter
  ) {
    guard written.insert(rule.name).inserted else { return }
    writer.key(rule.name)
    writer.schema(of: rule)
    for field in rule.fields {
      if case .objects(let element, _) = field.kind { write(element, &written, to: &writer) }
    }
  }

  private static func write(
    named shape: Shape, _ written: inout Set<String>, to writer: inout JSONWriter
  ) {
    switch shape {
    case .named(let name, let inner):
      if written.insert(name).inserted {
        writer.key(name)
        writer.schema(of: inner)
      }
      write(named: inner, &written, to: &writer)
    case .list(let inner), .optional(let inner), .map(let inner):
      write(named: inner, &written, to: &writer)
    case .object(let members):
      for member in members { write(named: member.shape, &written, to: &writer) }
    case .either(let one, let other):
      write(named: one, &written, to: &writer)
      write(named: other, &written, to: &writer)
    case .text, .base64, .word, .identifier, .hexadecimal, .operation, .timestamp, .count,
      .integer, .json, .decimal, .flag:
      break
    }
  }
}
