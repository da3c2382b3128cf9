internal import Crypto
package import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// The door through which agents and operators reach a node: routes over HTTP and JSON.
///
/// A request passes the same checks in the same order whatever its route, so that a refusal says
/// the first thing that is wrong:
///
/// ```
/// path (404) ─ method (405) ─ Accept (406) ─ token (401, 403) ─ query (422) ─ media type (415)
///   ─ JSON (400) ─ members (422) ─ what is there (404) ─ capability (403) ─ state (409, 422)
///   ─ write or read (500, 503, 504)
/// ```
///
/// Invariants:
/// - **A1** Every request is answered once.
/// - **A2** Of several requests that would write one object, one is under way at a time; the others
///   wait for it and are then handled anew, so that they find what it wrote.
/// - **A3** "Unknown" is never reported as "failed": a write whose deadline passes gives 504 with
///   the names of its operations.
///
/// Confined to the loop thread of the node, which must outlive it.
package final class AgentAPI {
  /// The node behind the door.
  unowned let backend: any AgentBackend
  /// The final ledger; `nil` on a node of a cluster without finality.
  private(set) weak var finality: (any FinalityReading)?
  var metrics = APIMetrics(routes: AgentAPI.routes.count)
  /// Kept between responses for its memory.
  var writer = JSONWriter(capacity: 4_096)
  /// Objects that are being written, with the requests that wait for the same object (A2).
  var underWay: [ObjectKey: [() -> Void]] = [:]

  /// Watches and waits for locks.
  let hub: WatchHub

  /// Makes the door of a node, with its final ledger if it keeps one, which is held weakly.
  package init(backend: any AgentBackend, finality: (any FinalityReading)? = nil) {
    self.backend = backend
    self.finality = finality
    hub = WatchHub(backend: backend)
    backend.controlWatch = hub
  }

  /// Ends what would go on for ever, because the node is about to stop: the streams of watches.
  package func endStreams() {
    hub.close()
  }

  /// Takes a request from the HTTP server.
  package func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
    handle(
      request,
      AnswerWays(
        park: responder.park, respond: responder.respond,
        stream: { responder.stream(contentType: WatchHub.mediaType, headers: $0) }))
  }

  /// Takes a request and answers it in one of the ways given, at once or later, on the same thread.
  package func handle(_ request: HTTPRequest, _ answers: AnswerWays) {
    let start = backend.now
    var route = APIMetrics.noRoute
    do throws(APIProblem) {
      let segments = AgentAPI.withoutSwarm(request.segments)
      route = try AgentAPI.table.find(request.method, segments)
      let exchange = try admit(
        request, segments, to: route, start: start, answers)
      run(exchange)
    } catch {
      count(route, since: start, status: error.kind.status)
      answers.respond(error.response)
    }
  }

  /// Calls the route's handler and turns what it throws into an answer.
  func run(_ exchange: Exchange) {
    do throws(APIProblem) {
      try AgentAPI.routes[exchange.route].handler(self, exchange)
    } catch {
      finish(exchange, error)
    }
  }

  /// Answers a request.
  func finish(_ exchange: Exchange, _ response: HTTPResponse) {
    count(exchange.route, since: exchange.start, status: response.status)
    exchange.answers.respond(response)
  }

  /// Refuses a request.
  func finish(_ exchange: Exchange, _ problem: APIProblem) {
    finish(exchange, problem.response)
  }

  /// Makes a response of a JSON text that `build` writes.
  func json(
    _ status: Int = 200, headers: [HTTPField] = [], _ build: (inout JSONWriter) -> Void
  ) -> HTTPResponse {
    writer.reset()
    build(&writer)
    var response = HTTPResponse.json(writer.bytes, status: status)
    response.headers = headers
    return response
  }

  func count(_ route: Int, since start: Instant, status: Int) {
    let microseconds = backend.now.since(start).nanoseconds / 1_000
    metrics.count(route: route, status: status, microseconds: microseconds)
  }
}

// MARK: - The checks that all routes share

extension AgentAPI {
  /// Reads `/v1/swarms/main/…` as `/v1/…`: the swarm `main` has both names.
  static func withoutSwarm(_ segments: [String]) -> [String] {
    guard segments.count > 3, segments[0] == "v1", segments[1] == "swarms", segments[2] == "main"
    else { return segments }
    return ["v1"] + segments[3...]
  }

  private func admit(
    _ request: HTTPRequest, _ segments: [String], to index: Int, start: Instant,
    _ answers: AnswerWays
  ) throws(APIProblem) -> Exchange {
    let route = AgentAPI.routes[index]
    try MediaTypes.checkAccept(request.headers, offered: route.offered)
    let credentials = try credentials(of: request, for: route.access)
    if route.isWrite { try WriteOptions.refuseUnoffered(request.query) }
    let query = try route.query.read(query: request.query).get()
    let body = try self.body(of: request, route.body)
    let write = route.isWrite ? try WriteOptions(query: query, headers: request.headers) : nil
    if write?.level == .final { _ = try runningFinality() }
    return Exchange(
      route: index, request: request, segments: segments, caller: credentials.agent,
      isOperator: credentials.isOperator, query: query, body: body,
      write: write,
      control: try ControlOptions(route.control, query, request.headers, credentials, start),
      start: start, answers: answers)
  }

  private func body(
    of request: HTTPRequest, _ rule: ObjectRule?
  ) throws(APIProblem) -> FieldValues {
    guard let rule else {
      guard request.body.isEmpty else {
        throw APIProblem(field: "body", rule: "unknown", "is not taken here; leave it out")
      }
      return FieldValues()
    }
    try MediaTypes.checkContentType(request.headers)
    var limits = JSONLimits()
    limits.depth = 8
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue.parse(request.body, limits: limits)
    } catch {
      throw AgentAPI.problem(for: error)
    }
    return try rule.read(value).get()
  }

  private static func problem(for error: JSONError) -> APIProblem {
    switch error.reason {
    case .tooLong:
      APIProblem(.payloadTooLarge, "\(error); split the request")
    case .unexpectedEnd, .unexpectedByte, .trailingBytes, .invalidUTF8, .invalidEscape,
      .loneSurrogate, .controlCharacter, .invalidNumber, .duplicateKey, .tooDeep, .tooManyMembers,
      .stringTooLong, .numberTooLong:
      APIProblem(.malformedJSON, "\(error); send one JSON object as RFC 8259 defines it, in UTF-8")
    }
  }
}
