internal import Configuration
internal import Crypto
internal import HTTPClient
package import JSONText
internal import Primitives

/// A refusal of a node's API.
package struct APIRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// The HTTP status.
  package let status: Int
  /// The last part of the problem's type, such as `already-answered`; empty when there is none.
  package let kind: String
  /// What the node said.
  package let detail: String

  /// Describes a refusal.
  package init(status: Int, kind: String, detail: String) {
    self.status = status
    self.kind = kind
    self.detail = detail
  }

  /// One line.
  package var description: String { "the node answered \(status): \(detail)" }
}

/// A client of the agents' API that tries one node after the other until one can be reached.
///
/// One instance serves one thread at a time.
package final class APIClient {
  private let endpoints: [String]
  private let token: String?
  private let connection: HTTPConnection
  private var preferred = 0

  /// Makes a client for nodes at `endpoints`, such as `http://127.0.0.1:8001`.
  package init(endpoints: [String], token: String?) {
    precondition(!endpoints.isEmpty, "a client without endpoints")
    self.endpoints = endpoints.map { endpoint in
      var text = endpoint
      while text.hasSuffix("/") { text.removeLast() }
      return text.contains("://") ? text : "http://\(text)"
    }
    self.token = token
    connection = HTTPConnection()
  }

  /// Gets a JSON document.
  package func get(_ path: String) throws -> JSONValue {
    try parse(send("GET", path, body: [], headers: []))
  }

  /// Posts a JSON body, with a key that lets the node tell a repetition from a second request.
  package func post(
    _ path: String, _ body: [UInt8], key: String = APIClient.freshKey()
  ) throws -> JSONValue {
    let headers = [
      HTTPClientField("Content-Type", "application/json"),
      HTTPClientField("Idempotency-Key", key),
    ]
    return try parse(send("POST", path, body: body, headers: headers))
  }

  /// A name for a write that no other write has.
  package static func freshKey() -> String {
    Entropy.identifier(APIClient.self).description
  }

  private func send(
    _ method: String, _ path: String, body: [UInt8], headers: [HTTPClientField]
  ) throws -> HTTPClientResponse {
    var headers = headers
    if let token { headers.append(HTTPClientField("Authorization", "Bearer \(token)")) }
    var failure: (any Error)?
    for offset in endpoints.indices {
      let index = (preferred + offset) % endpoints.count
      do {
        let response = try connection.send(
          method: method, url: endpoints[index] + path, headers: headers, body: body)
        preferred = index
        return response
      } catch {
        guard error.reason == .cannotConnect || error.reason == .connectionLost else { throw error }
        failure = failure ?? error
      }
    }
    guard let failure else { preconditionFailure("no endpoint was tried") }
    throw failure
  }

  private func parse(_ response: HTTPClientResponse) throws -> JSONValue {
    guard (200..<300).contains(response.status) else { throw APIClient.refusal(response) }
    var limits = JSONLimits()
    limits.bytesMax = 64 << 20
    limits.membersMax = 4 << 20
    return try JSONValue.parse(response.body, limits: limits)
  }

  static func refusal(_ response: HTTPClientResponse) -> APIRefusal {
    // A refusal that is no problem document, such as a proxy's, is shown as it came.
    let problem = try? JSONValue.parse(response.body)
    let kind = problem?["type"]?.string?.split(separator: "/").last.map(String.init) ?? ""
    var detail =
      problem?["detail"]?.string ?? String(decoding: response.body.prefix(200), as: UTF8.self)
    for error in problem?["errors"]?.array?.dropFirst() ?? [] {
      detail += "; \(error["field"]?.string ?? ""): \(error["detail"]?.string ?? "")"
    }
    return APIRefusal(status: response.status, kind: kind, detail: detail)
  }
}

/// Where the API is and who asks, as the command line says.
enum APIOptions {
  static let api = Option.value(
    "api", "URL", "a node's API, or several with commas (default: $SWARMORACLE_API, ./swarm)")
  static let tokenFile = Option.value(
    "token-file", "FILE", "the file of the token (default: $SWARMORACLE_TOKEN)")

  /// The nodes to ask: those of the option, of the environment, or of the cluster in `./swarm`.
  static func endpoints(_ arguments: ArgumentList) throws -> [String] {
    if let text = arguments.value("api") ?? Environment.value("SWARMORACLE_API") {
      let list = text.split(separator: ",").map(String.init)
      guard !list.isEmpty else { throw UsageError("--api names no node") }
      return list
    }
    guard LocalCluster.exists(in: ClusterVerbs.defaultDirectory) else {
      throw UsageError(
        "no node is named: give --api URL, set SWARMORACLE_API, or run beside ./swarm")
    }
    return try ClusterFile(in: ClusterVerbs.defaultDirectory).nodes.map(\.api)
  }

  /// The token of the option or the environment; `nil` when there is none.
  static func token(_ arguments: ArgumentList) throws -> String? {
    if let path = arguments.value("token-file") { return try SecretFile.read(path) }
    return Environment.value("SWARMORACLE_TOKEN")
  }

  /// A client that has a token.
  static func authorized(_ arguments: ArgumentList) throws -> APIClient {
    guard let token = try token(arguments) else {
      throw UsageError("no token: give --token-file FILE or set SWARMORACLE_TOKEN")
    }
    return APIClient(endpoints: try endpoints(arguments), token: token)
  }
}
