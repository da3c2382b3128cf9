internal import HTTPServer

/// One part of a route's path.
enum PathPart: Equatable, Sendable {
  case literal(String)
  case question
  case agent
  case operation
  case collection
  case recordKey
  case lease
  case node
  case setting
  /// A height or an epoch.
  case number(String)
  /// A table of the final state.
  case table
  /// What is left of the path: one key column in each part.
  case keyColumns
  /// What is left of the path, slashes included: the name of a key or a lock.
  case rest(String)

  /// The part in an OpenAPI path template.
  var template: String {
    switch self {
    case .literal(let text): text
    case .question: "{questionId}"
    case .agent: "{agentId}"
    case .operation: "{operationId}"
    case .collection: "{collection}"
    case .recordKey: "{key}"
    case .lease: "{leaseId}"
    case .node: "{nodeId}"
    case .setting: "{setting}"
    case .number(let name): "{\(name)}"
    case .table: "{table}"
    case .keyColumns: "{key}"
    case .rest(let name): "{\(name)}"
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
  /// A registered agent, or the operator.
  case agentOrOperator
  /// The operator.
  case operator_
}

/// How a route uses the control state.
enum ControlUse: Sendable {
  /// It does not.
  case none
  /// It reads, as fresh as the caller asks for.
  case read
  /// It orders a command.
  case write
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
  /// Whether it writes to the node's lane.
  let isWrite: Bool
  let control: ControlUse
  /// Whether it reads the final ledger, or may be asked to by `consistency`.
  let readsFinal: Bool
  /// The statuses of success and what comes with each.
  let successes: [(status: Int, content: Content)]
  /// The refusals beyond those that follow from access, body and query.
  let problems: [ProblemKind]
  /// The media types of success.
  let offered: [String]
  let handler: Handler

  init(
    _ method: HTTPMethod, _ path: [PathPart], _ name: String, _ summary: String,
    access: Access = .open, query: [FieldRule] = [], body: ObjectRule? = nil,
    isWrite: Bool = false, control: ControlUse = .none, readsFinal: Bool = false,
    successes: [(status: Int, content: Content)], problems: [ProblemKind] = [],
    handler: @escaping Handler
  ) {
    self.method = method
    self.path = path
    self.name = name
    self.summary = summary
    self.access = access
    let options =
      switch control {
      case .none: isWrite ? WriteOptions.rules : []
      case .read: ControlOptions.readRules
      case .write: ControlOptions.writeRules
      }
    self.query = ObjectRule(name, query + options)
    self.body = body
    self.isWrite = isWrite
    self.control = control
    self.readsFinal = readsFinal
    self.successes = successes
    self.problems = problems
    offered = successes.map(\.content.mediaType)
    self.handler = handler
  }

  /// The path as an OpenAPI template.
  var template: String { "/" + path.map(\.template).joined(separator: "/") }

  /// Whether the path matches; parameters are not looked at.
  func matches(_ segments: [String]) -> Bool {
    let takesRest =
      switch path.last {
      case .rest, .keyColumns: true
      default: false
      }
    guard takesRest ? segments.count >= path.count : segments.count == path.count else {
      return false
    }
    for (index, part) in path.enumerated() {
      if case .literal(let text) = part, text != segments[index] { return false }
    }
    return true
  }
}
