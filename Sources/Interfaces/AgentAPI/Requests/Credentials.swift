internal import Crypto
internal import HTTPServer
internal import LedgerCore
internal import Primitives

/// Who sent a request, as far as its token shows.
struct Credentials {
  var agent: AgentSummary?
  var isOperator = false
}

extension AgentAPI {
  /// Bytes of a bearer token; longer ones are refused unread.
  static let tokenBytesMax = 200

  /// Reads the token of a request and checks that its bearer may use the route at all.
  func credentials(
    of request: HTTPRequest, for access: Access
  ) throws(APIProblem) -> Credentials {
    switch access {
    case .open:
      return Credentials()
    case .openOrOperator:
      guard let token = try? AgentAPI.token(of: request) else {
        // Without a token, or with one of another scheme, the request is anybody's.
        return Credentials()
      }
      return Credentials(isOperator: isOperator(Blake2b.hash(token, .bearerToken)))
    case .agent:
      let token = try AgentAPI.token(of: request)
      guard let agent = backend.agent(forTokenDigest: Blake2b.hash(token, .bearerToken)) else {
        throw AgentAPI.unauthenticated(
          "the token belongs to no agent that this node knows; register with POST"
            + " /v1/agents/register, or try again shortly after registering at another node",
          error: "invalid_token")
      }
      return Credentials(agent: agent)
    case .agentOrOperator:
      let token = try AgentAPI.token(of: request)
      let digest = Blake2b.hash(token, .bearerToken)
      if let agent = backend.agent(forTokenDigest: digest) { return Credentials(agent: agent) }
      guard isOperator(digest) else {
        throw AgentAPI.unauthenticated(
          "the token is neither the operator's nor an agent's that this node knows",
          error: "invalid_token")
      }
      return Credentials(isOperator: true)
    case .operator_:
      let token = try AgentAPI.token(of: request)
      guard backend.operatorTokenDigest != nil else {
        throw APIProblem(
          .forbidden, "this node has no operator token, so nobody may do this over HTTP")
      }
      let digest = Blake2b.hash(token, .bearerToken)
      guard isOperator(digest) else {
        if backend.agent(forTokenDigest: digest) != nil {
          throw APIProblem(
            .forbidden, "the capability operator is needed; an agent's token does not have it")
        }
        throw AgentAPI.unauthenticated(
          "the token is not the operator's", error: "invalid_token")
      }
      return Credentials(isOperator: true)
    }
  }

  private func isOperator(_ given: Digest) -> Bool {
    guard let digest = backend.operatorTokenDigest else { return false }
    return ConstantTime.equal(given.bytes, digest.bytes)
  }

  /// The bearer token of a request (RFC 6750 section 2.1).
  private static func token(of request: HTTPRequest) throws(APIProblem) -> [UInt8] {
    guard let value = request.headers["Authorization"] else {
      throw unauthenticated(
        "send the header Authorization: Bearer with the API key from registration", error: nil)
    }
    let token = Array(value.utf8.dropFirst(7))
    let isBearer = value.utf8.prefix(7).elementsEqual("bearer ".utf8) {
      ($0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0) == $1
    }
    guard isBearer, !request.headers.isRepeated("Authorization"),
      (1...tokenBytesMax).contains(token.count), token.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw unauthenticated(
        "the header Authorization must be given once, as Bearer and a token of up to"
          + " \(tokenBytesMax) visible ASCII characters", error: "invalid_request")
    }
    return token
  }

  private static func unauthenticated(_ detail: String, error: String?) -> APIProblem {
    let challenge =
      error.map { "Bearer realm=\"swarmoracle\", error=\"\($0)\"" }
      ?? "Bearer realm=\"swarmoracle\""
    return APIProblem(
      .unauthenticated, detail, headers: [HTTPField("WWW-Authenticate", challenge)])
  }

  /// Refuses an agent that lacks a capability, naming it.
  func require(_ capability: Capabilities, of agent: AgentSummary) throws(APIProblem) {
    guard !agent.capabilities.contains(capability) else { return }
    let missing = CapabilityNames.names(of: capability).joined(separator: ", ")
    throw APIProblem(
      .forbidden,
      "the agent \(agent.agent) lacks the capability \(missing); capabilities are fixed when an"
        + " agent registers")
  }
}

/// The words for capabilities.
enum CapabilityNames {
  static let all: [(name: String, capability: Capabilities)] = [
    ("ask", .ask), ("answer", .answer), ("resolve", .resolve),
  ]

  /// The words for a set, in a fixed order.
  static func names(of capabilities: Capabilities) -> [String] {
    all.filter { capabilities.contains($0.capability) }.map(\.name)
  }

  /// The set of some words, all of which are known.
  static func capabilities(named names: [String]) -> Capabilities {
    all.filter { names.contains($0.name) }.reduce(into: []) { $0.formUnion($1.capability) }
  }
}

/// The words for categories.
enum CategoryNames {
  static let all = QuestionCategory.allCases.map { name(of: $0) }

  static func name(of category: QuestionCategory) -> String {
    switch category {
    case .factual: "factual"
    case .predictive: "predictive"
    case .analytical: "analytical"
    case .creative: "creative"
    }
  }

  static func category(named name: String) -> QuestionCategory? {
    QuestionCategory.allCases.first { self.name(of: $0) == name }
  }
}
