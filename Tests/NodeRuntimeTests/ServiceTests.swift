import Configuration
import Crypto
import Foundation
import HTTPClient
import JSONText
import Merkle
import Primitives
import Records
import Testing
import Wire

@Suite(.timeLimit(.minutes(5)))
struct ServiceTests {
  @Test func `a write repeated at another node is the same write`() throws {
    let swarm = try TestSwarm(voters: 2)
    let nodes = [try swarm.start(1), try swarm.start(2)]
    defer { for node in nodes { node.crash() } }
    let token = try swarm.register("agent", level: "quorum")
    let question = try swarm.ask("Which way?", token: token, level: "quorum")
    let path = "/v1/questions/\(question)/answers?consistency=quorum"
    let body = TestSwarm.answer("left")
    let first = try swarm.send("POST", path, to: 1, token: token, body)
    let second = try swarm.send("POST", path, to: 2, token: token, body)
    #expect(first.status == 201)
    #expect(second.status == 200)
    let replies = try [first, second].map { try JSONValue.parse($0.body) }
    #expect(replies[0]["operations"] == replies[1]["operations"])
    #expect(replies[1]["replayed"]?.bool == true)
    let other = try swarm.send("POST", path, to: 2, token: token, TestSwarm.answer("right"))
    #expect(other.status == 409)
    try swarm.waitUntilEqual([swarm.api(1), swarm.api(2)])
    let answers = try swarm.get("/v1/questions/\(question)/answers", from: 2)["answers"]?.array
    #expect(answers?.count == 1)
  }

  @Test func `a node that holds all it can tells writers to come back`() throws {
    // The second voter never runs, so that a quorum write waits for its deadline.
    let swarm = try TestSwarm(voters: 2) { $0.pendingWrites = 1 }
    let node = try swarm.start(1)
    defer { node.crash() }
    // The node's own announcement is a write like any other.
    try swarm.eventually("nothing waits") {
      try swarm.get("/v1/status")["pendingWrites"]?.integer == 0
    }
    let token = try swarm.register("asker")
    let api = swarm.api(1)
    let waiting = InBackground {
      try swarm.send(
        "POST", "/v1/questions?consistency=quorum&timeout=5000", at: api, token: token,
        #"{"text":"Does this wait for long?"}"#, over: HTTPConnection())
    }
    try swarm.eventually("the write waits") {
      try swarm.get("/v1/status")["pendingWrites"]?.integer == 1
    }
    let refused = try swarm.send(
      "POST", "/v1/questions", token: token, #"{"text":"Is there room for this?"}"#)
    #expect(refused.status == 503)
    #expect(refused.header("Retry-After") == "1")
    #expect(try waiting.result().status == 504)
    let accepted = try swarm.send(
      "POST", "/v1/questions", token: token, #"{"text":"Is there room for this?"}"#)
    #expect(accepted.status == 201)
    #expect(try swarm.get("/v1/status")["pendingWrites"]?.integer == 0)
  }

  @Test func `the proof of an operation leads to the root over all lanes`() throws {
    let swarm = try TestSwarm(voters: 2)
    let nodes = [try swarm.start(1), try swarm.start(2)]
    defer { for node in nodes { node.crash() } }
    let token = try swarm.register("asker", level: "quorum")
    for number in 0..<9 { _ = try swarm.ask("Is \(number) below nine?", token: token) }
    let response = try swarm.send(
      "POST", "/v1/questions?consistency=quorum", token: token, #"{"text":"Is this proven?"}"#)
    let body = try JSONValue.parse(response.body)
    let operation = try #require(body["operations"]?.array?.first?.string)
    for number in 1...2 {
      let proof = try swarm.get("/v1/operations/\(operation)/proof", from: number)
      try check(proof)
      #expect(proof["lanesRoot"] == (try swarm.get("/v1/status", from: number)["lanesRoot"]))
      #expect(String(decoding: try bytes("operation", proof), as: UTF8.self).contains("proven"))
    }
  }

  /// Follows every step of a proof with the library's own trees.
  private func check(_ proof: JSONValue) throws {
    let header = try BundleHeader(decoding: try bytes("header", proof))
    let signature = try #require(Signature(try bytes("signature", proof)))
    let node = try digest("node", proof)
    let headerDigest = Blake2b.hash(header.encoded, .bundleHeader)
    #expect(header.node.key == node)
    #expect(SigningKey.isValid(signature, of: headerDigest, as: .bundle, by: node))
    let operation = MerkleTree(TaggedHasher(.operationNode)).root(
      from: SignedBundle.leaf(of: try bytes("operation", proof)),
      at: try number("index", proof), in: try number("operationCount", proof),
      through: try path("operationPath", proof))
    #expect(operation == header.operationsRoot)
    let laneCount = try number("laneCount", proof)
    let tree = try #require(
      MerkleTree(TaggedHasher(.rangeNode)).root(
        from: headerDigest, at: header.number - 1, in: laneCount,
        through: try path("lanePath", proof)))
    let laneRoot = MountainRange.root(count: laneCount, treeHash: tree)
    #expect(laneRoot == (try digest("laneRoot", proof)))
    let head = try bytes("laneHead", proof)
    #expect(head.prefix(32) == header.lane.digest.bytes[...])
    #expect(head.suffix(32) == laneRoot.bytes[...])
    let lanes = MerkleTree(TaggedHasher(.laneHeadNode)).root(
      from: Blake2b.hash(head, .laneHeadLeaf), at: try number("laneIndex", proof),
      in: try number("lanesCount", proof), through: try path("lanesPath", proof))
    #expect(lanes == (try digest("lanesRoot", proof)))
  }

  private func bytes(_ key: String, _ proof: JSONValue) throws -> [UInt8] {
    try #require(proof[key]?.string.flatMap { Hexadecimal.bytes($0) })
  }

  private func digest(_ key: String, _ proof: JSONValue) throws -> Digest {
    try #require(Digest(hexadecimal: proof[key]?.string ?? ""))
  }

  private func number(_ key: String, _ proof: JSONValue) throws -> UInt64 {
    UInt64(try #require(proof[key]?.integer))
  }

  private func path(_ key: String, _ proof: JSONValue) throws -> [Digest] {
    try #require(proof[key]?.array).map {
      try #require(Digest(hexadecimal: $0.string ?? ""))
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `garbage at the HTTP door leaves the node as it was`(seed: UInt64) throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    defer { node.crash() }
    let root = try swarm.get("/v1/status")["lanesRoot"]
    var random = Xoshiro256(seed: seed)
    let port = swarm.places[0].api.port
    let heads = [
      "", "POST /v1/questions HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n",
      "GET /v1/status HTTP/1.1\r\nHost: a\r\n",
      "POST /v1/agents/register HTTP/1.1\r\nHost: a\r\n"
        + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]
    for round in 0..<40 {
      let garbage = (0..<random.next(below: 5_000)).map { _ in
        UInt8(truncatingIfNeeded: random.next())
      }
      RawPost.send(Array(heads[round % heads.count].utf8) + garbage, port: port)
    }
    #expect(try swarm.get("/v1/status")["lanesRoot"] == root)
    #expect(node.isRunning)
  }
}

/// Bytes over a TCP connection, whatever they are.
enum RawPost {
  /// Sends what the server takes at once and leaves.
  static func send(_ bytes: [UInt8], port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, length)
      }
    }
    guard status == 0 else { return }
    let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    Glibc.send(descriptor, bytes, bytes.count, flags)
  }
}
