import Configuration
import Crypto
import Foundation
import HTTPClient
import JSONText
import Primitives
import Records
import Testing

/// A cluster in a directory of its own, of which a test starts the nodes it needs.
final class TestSwarm {
  /// A voter of the cluster.
  struct Place {
    let directory: String
    let key: SigningKey
    let transport: NetworkAddress
    let api: NetworkAddress
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let root: String
  let places: [Place]
  let genesis: Genesis
  let token: OperatorToken
  private let ports = Ports()
  private let connection = HTTPConnection()

  init(voters: Int, limits: (inout NodeLimits) -> Void = { _ in }) throws {
    var template = Array("/tmp/swarmoracle-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(description: "no directory") }
    let root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.root = root
    let ports = ports
    places = try (1...voters).map { number in
      let directory = "\(root)/voter-\(number)"
      try Files.makeDirectory(directory, mode: 0o700)
      let key = try NodeKey.create(at: "\(directory)/\(NodeKey.fileName)")
      return Place(
        directory: directory, key: key.signingKey, transport: try ports.take(),
        api: try ports.take())
    }
    genesis = try Genesis(
      name: "test", createdMilliseconds: 1_767_225_600_000,
      voters: places.map {
        Voter(node: NodeID(key: $0.key.publicKey), transport: $0.transport, api: $0.api)
      })
    token = OperatorToken.make()
    for place in places {
      var settings = NodeSettings(name: "node", transport: place.transport, api: place.api)
      limits(&settings.limits)
      try NodeConfiguration.write(
        settings, genesis: genesis, operatorToken: token, in: place.directory)
    }
  }

  deinit {
    ports.release()
    // What is left behind is in /tmp.
    try? FileManager.default.removeItem(atPath: root)
  }

  var swarm: SwarmID { SwarmID(named: "main", in: genesis.cluster) }

  func freeAddress() throws -> NetworkAddress { try ports.take() }

  /// Starts a voter and waits until it serves.
  func start(_ number: Int) throws -> NodeChild {
    try start(places[number - 1].directory)
  }

  /// Starts the node of a directory and waits until it serves.
  func start(_ directory: String) throws -> NodeChild {
    ports.release()
    let child = try NodeChild(["node", "start", "--dir", directory])
    guard child.line(containing: "the node is up") != nil else {
      child.send(SIGKILL)
      throw Failure(description: "the node did not come up:\n\(child.log)")
    }
    return child
  }

  /// Sends a request to a voter.
  func send(
    _ method: String, _ path: String, to number: Int = 1, token: String? = nil,
    key: String? = nil, _ body: String = ""
  ) throws -> HTTPClientResponse {
    try send(method, path, at: "http://\(places[number - 1].api)", token: token, key: key, body)
  }

  func send(
    _ method: String, _ path: String, at api: String, token: String? = nil, key: String? = nil,
    _ body: String = "", over connection: HTTPConnection? = nil
  ) throws -> HTTPClientResponse {
    var headers: [HTTPClientField] = []
    if !body.isEmpty { headers.append(HTTPClientField("Content-Type", "application/json")) }
    if let token { headers.append(HTTPClientField("Authorization", "Bearer \(token)")) }
    if let key { headers.append(HTTPClientField("Idempotency-Key", key)) }
    return try (connection ?? self.connection).send(
      method: method, url: api + path, headers: headers, body: Array(body.utf8))
  }

  func get(_ path: String, from number: Int = 1) throws -> JSONValue {
    let response = try send("GET", path, to: number)
    guard response.status == 200 else {
      throw Failure(
        description: "\(path): \(response.status) \(String(decoding: response.body, as: UTF8.self))"
      )
    }
    return try JSONValue.parse(response.body)
  }

  /// The value of a metric without labels.
  func metric(_ name: String, of number: Int = 1) throws -> Int {
    try metric(name, at: api(number))
  }

  /// The value of a metric without labels, of a node at an address.
  func metric(_ name: String, at api: String) throws -> Int {
    let response = try send("GET", "/metrics", at: api)
    for line in String(decoding: response.body, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == name, let value = Int(words[1]) { return value }
    }
    throw Failure(description: "no metric \(name)")
  }

  /// Asks again and again until the condition holds.
  func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
  ) throws {
    let deadline = Date(timeIntervalSinceNow: NodeChild.patience)
    while true {
      if try condition() { return }
      try #require(Date() < deadline, what, sourceLocation: sourceLocation)
    }
  }

  /// Waits until voters have the same lanes and rows, all of it durable, and returns the digest.
  @discardableResult
  func waitUntilEqual(_ apis: [String]) throws -> String {
    var digest = ""
    try eventually("the nodes become equal") {
      let views = try apis.map { api in
        let status = try JSONValue.parse(try send("GET", "/v1/status", at: api).body)
        return [
          status["lanesRoot"], status["rowsDigest"], status["frontier"],
          status["frontier"] == status["syncedFrontier"] ? .null : .bool(false),
        ]
      }
      digest = views[0][1]?.string ?? ""
      return views.allSatisfy { $0 == views[0] && $0[3] == .null }
    }
    return digest
  }

  func api(_ number: Int) -> String { "http://\(places[number - 1].api)" }

  /// Registers an agent; its secret.
  func register(_ name: String, level: String = "local", at number: Int = 1) throws -> String {
    let response = try send(
      "POST", "/v1/agents/register?consistency=\(level)", to: number,
      #"{"name":"\#(name)","description":"an agent of a test","platform":"custom"}"#)
    let body = try JSONValue.parse(response.body)
    return try #require(
      body["apiKey"]?.string, "\(String(decoding: response.body, as: UTF8.self))")
  }

  /// Asks a question; its id.
  func ask(_ text: String, token: String, level: String = "local", at number: Int = 1) throws
    -> String
  {
    let response = try send(
      "POST", "/v1/questions?consistency=\(level)", to: number, token: token,
      #"{"text":"\#(text)"}"#)
    let body = try JSONValue.parse(response.body)
    return try #require(body["id"]?.string, "\(String(decoding: response.body, as: UTF8.self))")
  }

  /// The body of an answer.
  static func answer(_ value: String) -> String {
    #"{"value":"\#(value)","content":"the answer is \#(value), and nothing else","#
      + #""reasoning":"because it is so in this test","confidence":0.5}"#
  }
}

/// Free ports of the loopback interface, held until the nodes need them.
final class Ports {
  private var descriptors: [Int32] = []

  func take() throws -> NetworkAddress {
    // Both kinds are tried, since an address serves for either.
    while true {
      let tcp = try open(SOCK_STREAM, port: 0)
      guard let udp = try? open(SOCK_DGRAM, port: tcp.port) else { continue }
      descriptors += [tcp.descriptor, udp.descriptor]
      return try #require(NetworkAddress("127.0.0.1:\(tcp.port)"))
    }
  }

  func release() {
    for descriptor in descriptors { close(descriptor) }
    descriptors = []
  }

  private func open(_ type: __socket_type, port: UInt16) throws -> (descriptor: Int32, port: UInt16)
  {
    let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        bind(descriptor, general, length) == 0 ? getsockname(descriptor, general, &length) : -1
      }
    }
    guard status == 0 else {
      close(descriptor)
      throw TestSwarm.Failure(description: "no port")
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }
}
