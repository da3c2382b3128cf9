internal import ControlCore
internal import HTTPServer
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records

/// How a request uses the control state: until when, under what name, how fresh.
struct ControlOptions {
  private static let timeout = FieldRule(
    "timeout", .integer(1...30_000), fallback: "5000",
    "Milliseconds until the request ends, at the latest.")

  /// The parameters that every command takes.
  static let writeRules: [FieldRule] = [timeout]

  /// The parameters that every query takes.
  static let readRules: [FieldRule] = [
    FieldRule(
      "consistency", .word(["linearizable", "local"]), fallback: "linearizable",
      "Whether the answer must be as new as everything answered before, or is what this node has."),
    timeout,
  ]

  /// When the request ends.
  let deadline: Instant
  /// The client's name for a command, the same in every retry of it.
  let name: Identifier<ControlIdempotency>?
  /// Whether a query is answered from what this node has.
  let isLocal: Bool

  /// Reads the query, which has passed the rules, and the headers.
  init(
    _ use: ControlUse, _ query: FieldValues, _ headers: HTTPHeaders, _ credentials: Credentials,
    _ start: Instant
  ) throws(APIProblem) {
    guard use != .none else {
      deadline = start
      name = nil
      isLocal = false
      return
    }
    deadline = start + .milliseconds(UInt64(query.integer("timeout") ?? 5_000))
    isLocal = use == .read && query.text("consistency") == "local"
    guard use == .write, let key = try WriteOptions.idempotencyKey(headers) else {
      name = nil
      return
    }
    name =
      if let agent = credentials.agent {
        AgentAPI.identifier(for: key, scope: agent.agent.bytes, kind: 3)
      } else {
        AgentAPI.identifier(for: key, scope: [], kind: 4)
      }
  }

  /// What a query must wait for.
  var level: ControlReadLevel { isLocal ? .local : .linearizable }

  /// How the answer to a query is called.
  var consistency: String { isLocal ? "local" : "linearizable" }
}
