/// One request under way and what has become of its answer.
final class HTTPExchange {
  /// How far the exchange is; a request passes these in order, leaving out some.
  enum Stage {
    /// The request line has been read; headers or body are still coming.
    case receiving
    /// The handler is being called.
    case dispatching
    /// The connection is suspended until the answer is given.
    case parked
    /// An answer is queued, or the server refused the request.
    case answered
    /// The request is over: the answer was sent or the client has left.
    case over
  }

  let id: UInt64
  let slot: Int
  let target: [UInt8]
  /// Valid until the stage is `over`.
  let connection: OpaquePointer
  /// Gone once the server has stopped and been let go; responders may outlive it.
  private(set) weak var server: HTTPServer?
  var stage = Stage.receiving
  /// Whether the headers have been checked.
  var hasHead = false
  /// Whether the exchange is counted as parked.
  var hasPlace = false
  /// Whether the handler has used its one answer.
  var isAnswered = false
  var refusal: Refusal?
  var head: ParsedHead?
  var body: [UInt8] = []
  /// Body bytes received, also those that a refused request sends for nothing.
  var bodyBytes = 0
  var stream: HTTPStream?

  init(id: UInt64, slot: Int, target: [UInt8], connection: OpaquePointer, server: HTTPServer) {
    self.id = id
    self.slot = slot
    self.target = target
    self.connection = connection
    self.server = server
  }
}

/// What outlives libmicrohttpd's buffers from a request's line and headers.
struct ParsedHead {
  let method: HTTPMethod
  let isHead: Bool
  let target: RequestTarget
  let headers: HTTPHeaders
}

/// The right and duty to answer one request once, at once or later, on the server's thread.
///
/// A handler that returns without an answer parks the request: its connection is suspended and
/// counted against `HTTPServerConfiguration.parkedMax`. Call `park()` before starting costly work;
/// when it returns `false`, the client has been told to come back and there is nothing to do.
package struct HTTPResponder {
  private let exchange: HTTPExchange

  init(_ exchange: HTTPExchange) {
    self.exchange = exchange
  }

  /// The request's `HTTPRequest.id`.
  package var id: UInt64 { exchange.id }

  /// Whether an answer can no longer reach the client, as far as the server knows.
  package var isOver: Bool { exchange.stage == .over }

  /// Reserves a place for a later answer, or answers 503 with `Retry-After: 1` and returns `false`.
  package func park() -> Bool {
    exchange.server?.park(exchange) ?? false
  }

  /// Answers; a second answer to one request is a programmer error.
  ///
  /// An answer to a client that has left, or that was refused by `park()`, is dropped and counted.
  package func respond(_ response: HTTPResponse) {
    precondition(!exchange.isAnswered, "request \(exchange.id) is answered twice")
    exchange.isAnswered = true
    exchange.server?.answer(exchange, with: response)
  }

  /// Answers with a body that is written piece by piece; counts as the one answer.
  package func stream(
    status: Int = 200, contentType: String, headers: [HTTPField] = []
  ) -> HTTPStream {
    precondition(!exchange.isAnswered, "request \(exchange.id) is answered twice")
    exchange.isAnswered = true
    guard let server = exchange.server else { return HTTPStream.ended() }
    return server.openStream(
      exchange, status: status, headers: [HTTPField("Content-Type", contentType)] + headers)
  }
}
