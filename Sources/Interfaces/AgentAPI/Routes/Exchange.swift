internal import HTTPServer
internal import LedgerCore
internal import Primitives
internal import Records

/// A request that has passed the checks that all routes share, and the way to answer it.
struct Exchange {
  /// The place of the route in the table.
  let route: Int
  let request: HTTPRequest
  /// The path between its slashes, without the swarm's prefix.
  let segments: [String]
  /// The agent whose token came with the request, on routes for agents.
  let caller: AgentSummary?
  /// Whether the operator's token came with the request.
  let isOperator: Bool
  let query: FieldValues
  let body: FieldValues
  /// On routes that write.
  let write: WriteOptions?
  /// When the request came in.
  let start: Instant
  /// Reserves a place for an answer that comes later; `false` means that the client has been told
  /// to come back.
  let park: () -> Bool
  let respond: (HTTPResponse) -> Void

  /// The agent that asks; only on routes for agents.
  var agent: AgentSummary {
    guard let caller else { preconditionFailure("route \(route) is not for agents") }
    return caller
  }

  /// How to write; only on routes that do.
  var options: WriteOptions {
    guard let write else { preconditionFailure("route \(route) does not write") }
    return write
  }

  /// How much of the client's patience is left at `now`.
  func remainingMilliseconds(at now: Instant) -> Int {
    let elapsed = now.since(start).nanoseconds / 1_000_000
    return max(0, options.timeoutMilliseconds - Int(min(elapsed, 1 << 32)))
  }

  /// The question that the path names at `index`.
  func questionID(_ index: Int) throws(APIProblem) -> QuestionID {
    guard let question = QuestionID(text: segments[index]) else {
      throw APIProblem(
        .notFound, "\(shown(index)) is no question; questions are named by UUIDs")
    }
    return question
  }

  /// The agent that the path names at `index`.
  func agentID(_ index: Int) throws(APIProblem) -> AgentID {
    guard let agent = AgentID(text: segments[index]) else {
      throw APIProblem(.notFound, "\(shown(index)) is no agent; agents are named by UUIDs")
    }
    return agent
  }

  /// The operation that the path names at `index`.
  func operationID(_ index: Int) throws(APIProblem) -> OperationID {
    guard let operation = OperationID(text: segments[index]) else {
      throw APIProblem(
        .notFound,
        "\(shown(index)) is no operation; operations are named lane-number-index, with the lane as"
          + " 64 hexadecimal digits")
    }
    return operation
  }

  private func shown(_ index: Int) -> String {
    "\"\(segments[index].prefix(80))\""
  }
}
