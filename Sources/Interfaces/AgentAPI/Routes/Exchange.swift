package import HTTPServer
internal import ControlCore
internal import LedgerCore
internal import Primitives
internal import Records

/// The ways to answer one request: exactly one is used, once.
package struct AnswerWays {
  /// Reserves a place for an answer that comes later; `false` means that the client has been told
  /// to come back, and nothing else may be said.
  package let park: () -> Bool
  /// Answers.
  package let respond: (HTTPResponse) -> Void
  /// Answers with header fields and a body that is written piece by piece.
  package let stream: ([HTTPField]) -> any EventSink

  /// Joins the ways.
  package init(
    park: @escaping () -> Bool, respond: @escaping (HTTPResponse) -> Void,
    stream: @escaping ([HTTPField]) -> any EventSink
  ) {
    self.park = park
    self.respond = respond
    self.stream = stream
  }
}

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
  /// On routes of the control state.
  let control: ControlOptions
  /// When the request came in.
  let start: Instant
  let answers: AnswerWays
  /// Whether it is handled once more, because what it wrote had been written through another node.
  var isOnceMore = false

  /// Reserves a place for an answer that comes later; `false` means that the client has been told
  /// to come back.
  func park() -> Bool { answers.park() }

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

  /// The lease that the path names at `index`.
  func leaseID(_ index: Int) throws(APIProblem) -> LeaseID {
    let text = segments[index]
    guard text.utf8.first != UInt8(ascii: "+"), let lease = UInt64(text).flatMap(LeaseID.init)
    else {
      throw APIProblem(.notFound, "\(shown(index)) is no lease; leases are named by numbers")
    }
    return lease
  }

  /// The node that the path names at `index`.
  func nodeID(_ index: Int) throws(APIProblem) -> NodeID {
    guard let key = Digest(hexadecimal: segments[index]) else {
      throw APIProblem(
        .notFound, "\(shown(index)) is no node; nodes are named by 64 hexadecimal digits")
    }
    return NodeID(key: key)
  }

  /// The name of a key or a lock that the path ends with, from `index` on.
  ///
  /// Segments are decoded one by one, so that a slash of the name may stand as itself or encoded.
  func name(_ index: Int) throws(APIProblem) -> ControlName {
    let name =
      segments.count == index + 1
      ? ControlName(segments[index])
      : ControlName(segments[index...].joined(separator: "/"))
    guard let name else { throw Exchange.badName("path") }
    return name
  }

  /// The name that a query parameter holds, if it is given.
  func name(inQuery parameter: String) throws(APIProblem) -> ControlName? {
    guard let text = query.text(parameter) else { return nil }
    guard let name = ControlName(text) else { throw Exchange.badName("query." + parameter) }
    return name
  }

  private static func badName(_ field: String) -> APIProblem {
    APIProblem(
      field: field, rule: "name",
      "names must have \(ControlLimits.nameBytes.lowerBound) to"
        + " \(ControlLimits.nameBytes.upperBound) bytes of UTF-8 without control characters")
  }

  private func shown(_ index: Int) -> String {
    "\"\(segments[index].prefix(80))\""
  }
}
