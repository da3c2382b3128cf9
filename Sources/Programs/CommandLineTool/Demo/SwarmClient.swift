internal import Configuration
internal import HTTPClient
package import JSONText

/// A client that does not give up on the first trouble: it goes to the next node when one is gone
/// or has too much to do, and asks again where the answer was "not yet" or "unknown".
///
/// Every request it repeats is one that may be repeated: a read, an answer (which a node knows by
/// its question and agent), a true answer, or a request with an idempotency key. One instance
/// serves one thread at a time.
package final class SwarmClient {
  /// An answer of the API and the node that gave it.
  package struct Reply: Sendable {
    /// The document.
    package let json: JSONValue
    /// The node's place among the endpoints.
    package let endpoint: Int
  }

  /// Milliseconds after which trouble is final.
  static let patienceMilliseconds = 20_000
  /// Milliseconds for one request; more than a node takes before it says that it does not know.
  private static let requestMilliseconds = 8_000

  /// The node to ask first, by its place among the endpoints.
  var preferred: Int
  /// How often another node had to be asked.
  package private(set) var failovers = 0
  private let endpoints: [String]
  private let authorization: HTTPClientField?
  private let isCancelled: @Sendable () -> Bool
  private let connection = HTTPConnection(responseBytesMax: 64 << 20)

  /// Makes a client that prefers one of the endpoints.
  package init(
    endpoints: [String], preferred: Int = 0, token: String? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    precondition(endpoints.indices.contains(preferred), "no endpoint has the number \(preferred)")
    self.endpoints = endpoints
    self.preferred = preferred
    self.isCancelled = isCancelled
    authorization = token.map { HTTPClientField("Authorization", "Bearer \($0)") }
  }

  /// Gets a document.
  package func get(_ path: String) throws -> Reply {
    try send("GET", path, body: [], headers: [])
  }

  /// Posts a document; `key` names the request where the API needs a name to know a repetition.
  package func post(_ path: String, _ body: [UInt8], key: String? = nil) throws -> Reply {
    var headers = [HTTPClientField("Content-Type", "application/json")]
    if let key { headers.append(HTTPClientField("Idempotency-Key", key)) }
    return try send("POST", path, body: body, headers: headers)
  }

  private func send(
    _ method: String, _ path: String, body: [UInt8], headers: [HTTPClientField]
  ) throws -> Reply {
    let headers = headers + (authorization.map { [$0] } ?? [])
    var patience = Patience(milliseconds: SwarmClient.patienceMilliseconds)
    while true {
      guard !isCancelled() else { throw DemoInterruption() }
      let trouble: any Error
      do {
        let response = try connection.send(
          method: method, url: endpoints[preferred] + path, headers: headers, body: body,
          timeoutMilliseconds: SwarmClient.requestMilliseconds)
        if (200..<300).contains(response.status) {
          return Reply(json: try SwarmClient.parse(response.body), endpoint: preferred)
        }
        let refusal = APIClient.refusal(response)
        guard SwarmClient.mayPass(refusal.status) else { throw refusal }
        if refusal.status == 500 || refusal.status == 503 { moveOn() }
        trouble = refusal
      } catch let failure as HTTPClientError {
        moveOn()
        trouble = failure
      }
      guard patience.pause() else { throw trouble }
    }
  }

  private func moveOn() {
    guard endpoints.count > 1 else { return }
    preferred = (preferred + 1) % endpoints.count
    failovers += 1
  }

  /// Whether the same request may fare better: an agent or a question registered elsewhere may not
  /// have arrived yet, a node may be starting or busy, a write may not have reached its level.
  private static func mayPass(_ status: Int) -> Bool {
    [401, 404, 500, 503, 504].contains(status)
  }

  private static func parse(_ body: [UInt8]) throws -> JSONValue {
    var limits = JSONLimits()
    limits.bytesMax = 64 << 20
    limits.membersMax = 4 << 20
    return try JSONValue.parse(body, limits: limits)
  }
}

/// The user wants no more.
package struct DemoInterruption: Error, CustomStringConvertible {
  /// One word.
  package let description = "interrupted"
}

/// The API said something that the demonstration does not understand.
struct UnexpectedReply: Error, CustomStringConvertible {
  /// What was missing.
  let description: String

  /// Describes what was missing in the answer to a request.
  init(_ request: String, lacks member: String) {
    description = "the answer to \(request) lacks \(member)"
  }
}
