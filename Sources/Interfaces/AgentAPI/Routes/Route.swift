internal import HTTPServer

/// One part of a route's path.
enum PathPart: Equatable, Sendable {
  case literal(String)
  case question
  case agent
  case operation
  case collection
  case recordKey

  /// The part in an OpenAPI path template.
  var template: String {
    switch self {
    case .literal(let text): text
    case .question: "{questionId}"
    case .agent: "{agentId}"
    case .operation: "{operationId}"
    case .collection: "{collection}"
    case .recordKey: "{key}"
    }
  }
}

/// Who may use a route.
enum Access: Sendable {
  /// Anybody.
  case open
  /// Anybody, and the operator may do more.
  case openOrOperator
  /// A registered agent.
  case agent
  /// The operator.
  case operator_
}

/// What a response carries.
enum Content: Sendable {
  case json(Shape)
  case text(String)
  /// A document that is no instance of a shape.
  case document(String)

  /// The media type.
  var mediaType: String {
    switch self {
    case .json: "application/json"
    case .text(let type), .document(let type): type
    }
  }
}

/// One way in: what it takes, who may use it, what it gives and what serves it.
struct Route: Sendable {
  typealias Handler = @Sendable (AgentAPI, Exchange) throws(APIProblem) -> Void

  let method: HTTPMethod
  let path: [PathPart]
  /// The operation's name in the description and the `route` label of metrics.
  let name: String
  let summary: String
  let access: Access
  let query: ObjectRule
  let body: ObjectRule?
  let isWrite: Bool
  /// The statuses of success and what comes with each.
  let successes: [(status: Int, content: Content)]
  /// The refusals beyond those that follow from access, body and query.
  let problems: [ProblemKind]
  let handler: Handler

  init(
    _ method: HTTPMethod, _ path: [PathPart], _ name: String, _ summary: String,
    access: Access = .open, query: [FieldRule] = [], body: ObjectRule? = nil,
    isWrite: Bool = false, successes: [(status: Int, content: Content)],
    problems: [ProblemKind] = [], handler: @escaping Handler
  ) {
    self.method = method
    self.path = path
    self.name = name
    self.summary = summary
    self.access = access
    self.query = ObjectRule(name, query + (isWrite ? WriteOptions.rules : []))
    self.body = body
    self.isWrite = isWrite
    self.successes = successes
    self.problems = problems
    self.handler = handler
  }

  /// The path as an OpenAPI template.
  var template: String { "/" + path.map(\.template).joined(separator: "/") }

  /// Whether the path matches; parameters are not looked at.
  func matches(_ segments: ArraySlice<String>) -> Bool {
    guard segments.count == path.count else { return false }
    for (part, segment) in zip(path, segments) {
      if case .literal(let text) = part, text != segment { return false }
    }
    return true
  }
}
