import AgentAPI
import HTTPServer
import JSONText
import LedgerCore
import Primitives
import Records
import Testing

/// An answer that a test looks at.
struct Reply {
  let response: HTTPResponse

  var status: Int { response.status }
  var json: JSONValue { (try? JSONValue.parse(response.body)) ?? .null }
  var text: String { String(decoding: response.body, as: UTF8.self) }
  /// The last part of a problem's type.
  var problem: String? {
    json["type"]?.string.flatMap { $0.hasPrefix("/problems/") ? String($0.dropFirst(10)) : nil }
  }
  /// The fields of the broken rules with the rules.
  var errors: [String] {
    (json["errors"]?.array ?? []).map {
      "\($0["field"]?.string ?? "?") \($0["rule"]?.string ?? "?")"
    }
  }

  func header(_ name: String) -> String? {
    response.headers.first { $0.name == name }?.value
  }
}

/// The interface over a fake node, and short ways to use it. Every reply is checked against the
/// interface's own description.
final class Door {
  static let contract: Contract = {
    let node = FakeNode()
    let api = AgentAPI(backend: node)
    var body: [UInt8] = []
    guard let request = HTTPRequest(.get, "/openapi.json") else { return Contract(document: .null) }
    api.handle(
      request,
      AnswerWays(park: { true }, respond: { body = $0.body }, stream: { _ in FakeSink() }))
    return withExtendedLifetime(node) {
      Contract(document: (try? JSONValue.parse(body)) ?? .null)
    }
  }()

  let node: FakeNode
  let api: AgentAPI
  /// The final ledger, which the interface knows only when it was asked to.
  let finality: FakeFinality
  /// Whether the server has room for another answer that comes later.
  var hasRoom = true
  /// Whether the readers of new streams read by themselves.
  var sinksRead = true
  /// Whether the clients of new streams are still there.
  var sinksAreOpen = true

  init(finality isKept: Bool = false) {
    node = FakeNode()
    finality = FakeFinality(node)
    api = AgentAPI(backend: node, finality: isKept ? finality : nil)
  }

  /// A request that was sent and may be answered later.
  final class Sent {
    fileprivate(set) var reply: Reply?
    /// The body, when it is a stream.
    fileprivate(set) var sink: FakeSink?
  }

  /// Sends a request without running completions.
  @discardableResult
  func start(
    _ method: HTTPMethod, _ target: String, token: String? = nil, body: [UInt8]? = nil,
    headers: [HTTPField] = [], location: SourceLocation = #_sourceLocation
  ) -> Sent {
    let sent = Sent()
    var fields = headers
    if let token { fields.append(HTTPField("Authorization", "Bearer \(token)")) }
    if body != nil, !headers.contains(where: { $0.name == "Content-Type" }) {
      fields.append(HTTPField("Content-Type", "application/json"))
    }
    guard let request = HTTPRequest(method, target, headers: fields, body: body ?? []) else {
      Issue.record("\(target) is no request target", sourceLocation: location)
      return sent
    }
    let ways = AnswerWays(
      park: { [unowned self] in hasRoom },
      respond: { response in
        #expect(
          sent.reply == nil && sent.sink == nil, "answered twice", sourceLocation: location)
        sent.reply = Reply(response: response)
        let fault = Door.contract.fault(method, target, response)
        #expect(
          fault == nil,
          "\(method.rawValue) \(target): \(String(decoding: response.body, as: UTF8.self))",
          sourceLocation: location)
      },
      stream: { [unowned self] _ in
        #expect(
          sent.reply == nil && sent.sink == nil, "answered twice", sourceLocation: location)
        let sink = FakeSink()
        sink.reads = sinksRead
        sink.isOpen = sinksAreOpen
        sent.sink = sink
        return sink
      })
    api.handle(request, ways)
    return sent
  }

  /// Sends a request and runs completions until it is answered.
  @discardableResult
  func send(
    _ method: HTTPMethod, _ target: String, token: String? = nil, body: [UInt8]? = nil,
    headers: [HTTPField] = [], location: SourceLocation = #_sourceLocation
  ) -> Reply {
    let sent = start(
      method, target, token: token, body: body, headers: headers, location: location)
    while sent.reply == nil, node.hasPending { node.runNext() }
    guard let reply = sent.reply else {
      Issue.record("\(target) was not answered", sourceLocation: location)
      return Reply(response: HTTPResponse(status: 599))
    }
    return reply
  }

  @discardableResult
  func get(
    _ target: String, token: String? = nil, location: SourceLocation = #_sourceLocation
  ) -> Reply {
    send(.get, target, token: token, location: location)
  }

  @discardableResult
  func post(
    _ target: String, token: String? = nil, _ json: String, headers: [HTTPField] = [],
    location: SourceLocation = #_sourceLocation
  ) -> Reply {
    send(
      .post, target, token: token, body: Array(json.utf8), headers: headers, location: location)
  }

  // MARK: A populated swarm

  /// An agent of a test with its token.
  struct Agent {
    let id: String
    let token: String
  }

  func register(_ name: String, capabilities: String = #"["ask","answer"]"#) -> Agent {
    let reply = post(
      "/v1/agents/register", token: FakeNode.operatorToken,
      """
      {"name":"\(name)","description":"A test agent.","platform":"custom",\
      "specialties":["creative","factual"],"capabilities":\(capabilities)}
      """)
    return Agent(
      id: reply.json["id"]?.string ?? "", token: reply.json["apiKey"]?.string ?? "")
  }

  func ask(
    _ agent: Agent, _ text: String = "What is the capital of France?", more: String = ""
  ) -> String {
    let reply = post("/v1/questions", token: agent.token, #"{"text":"\#(text)"\#(more)}"#)
    return reply.json["id"]?.string ?? ""
  }

  static func answer(
    value: String = "Paris", confidence: String = "0.9", more: String = ""
  ) -> String {
    """
    {"value":"\(value)","content":"The answer is \(value).","reasoning":"Every atlas of Europe \
    says so.","confidence":\(confidence)\(more)}
    """
  }
}
