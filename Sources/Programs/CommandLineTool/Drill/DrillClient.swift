internal import Glibc
internal import HTTPClient
internal import JSONText

/// One client: repeats each write, node after node, until it is confirmed.
///
/// What it repeats is the same to the last byte. An answer counts once per question and agent, and
/// other writes carry an idempotency key: so repeating is safe even when the first try succeeded.
final class DrillClient {
  /// How a write ended.
  enum Outcome {
    /// The level was reached; the body of the answer.
    case confirmed(JSONValue)
    /// It was given up.
    case undecided
    /// A node answered what it should not have.
    case surprise(String)
  }

  /// How long a write is repeated before it is given up, in milliseconds.
  static let patienceMilliseconds = 60_000
  /// How long a node is given for one try, in milliseconds.
  static let tryMilliseconds = 2_000

  private let endpoints: [String]
  private let tryMilliseconds: Int
  private let connection = HTTPConnection(responseBytesMax: 1 << 20)
  private var next: Int
  private let isCancelled: () -> Bool
  /// What happened since it was last taken.
  private(set) var retried = 0
  private(set) var unknown = 0

  /// Makes a client that starts at the node numbered `first`.
  init(
    endpoints: [String], first: Int, tryMilliseconds: Int = DrillClient.tryMilliseconds,
    isCancelled: @escaping () -> Bool
  ) {
    self.endpoints = endpoints
    self.tryMilliseconds = tryMilliseconds
    next = first % endpoints.count
    self.isCancelled = isCancelled
  }

  /// Takes what was counted.
  func takeCounts() -> (retried: Int, unknown: Int) {
    defer { (retried, unknown) = (0, 0) }
    return (retried, unknown)
  }

  /// Writes until it is confirmed with `level`; `tried` hears of every request before it is sent.
  func post(
    _ path: String, _ body: [UInt8], level: String, token: String? = nil, key: String? = nil,
    tried: (_ atMilliseconds: Int) -> Void = { _ in }
  ) -> Outcome {
    var headers = [HTTPClientField("Content-Type", "application/json")]
    if let token { headers.append(HTTPClientField("Authorization", "Bearer \(token)")) }
    if let key { headers.append(HTTPClientField("Idempotency-Key", key)) }
    let target = "\(path)?consistency=\(level)&timeout=\(tryMilliseconds)"
    let deadline = MonotonicClock.milliseconds + DrillClient.patienceMilliseconds
    var failures = 0
    while !isCancelled(), MonotonicClock.milliseconds < deadline {
      let url = endpoints[next] + target
      // Every write starts at the node behind the last one's, so that all nodes get writes.
      next = (next + 1) % endpoints.count
      tried(MonotonicClock.milliseconds)
      switch attempt(url, headers, body, level) {
      case .some(let outcome): return outcome
      case nil: retried += 1
      }
      failures += 1
      if failures.isMultiple(of: endpoints.count) { DrillClient.pause(milliseconds: 5) }
    }
    return .undecided
  }

  /// One try; `nil` when it is to be repeated.
  private func attempt(
    _ url: String, _ headers: [HTTPClientField], _ body: [UInt8], _ level: String
  ) -> Outcome? {
    let response: HTTPClientResponse
    do {
      response = try connection.send(
        method: "POST", url: url, headers: headers, body: body,
        timeoutMilliseconds: 2 * tryMilliseconds)
    } catch {
      switch error.reason {
      case .cannotConnect: return nil
      case .timedOut, .connectionLost:
        unknown += 1
        return nil
      case .responseTooLarge, .tls, .other: return .surprise("\(error)")
      }
    }
    switch response.status {
    case 200, 201: return confirmed(response, level)
    case 503: return nil
    case 504:
      unknown += 1
      return nil
    // open set: statuses of HTTP
    default:
      let text = String(decoding: response.body.prefix(300), as: UTF8.self)
      return .surprise("\(url) answered \(response.status): \(text)")
    }
  }

  private func confirmed(_ response: HTTPClientResponse, _ level: String) -> Outcome {
    do {
      let body = try JSONValue.parse(response.body)
      let reached = body["consistency"]?["reached"]?.string
      // More than was asked for is as good, and `final` is the most.
      guard reached == level || (reached == "quorum" && level == "local") else {
        return .surprise("confirmed with \(reached ?? "no level") in place of \(level)")
      }
      return .confirmed(body)
    } catch {
      return .surprise("a confirmation is no JSON: \(error)")
    }
  }

  /// Waits.
  static func pause(milliseconds: Int) {
    if milliseconds > 0 { poll(nil, 0, Int32(clamping: milliseconds)) }
  }
}
