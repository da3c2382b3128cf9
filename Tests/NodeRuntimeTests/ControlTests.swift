import Configuration
import Crypto
import Foundation
import HTTPClient
import JSONText
import Primitives
import Records
import Testing

extension TestSwarm {
  /// Writes a key, again and again under one name until a node says that it is written.
  func put(_ key: String, _ value: String, at numbers: [Int]) throws {
    var next = 0
    try eventually("the put of \(key) is acknowledged") {
      defer { next += 1 }
      let response = try send(
        "PUT", "/v1/kv/\(key)?timeout=1000", to: numbers[next % numbers.count],
        token: token.text, key: "put-\(key)-\(value)", #"{"value":"\#(value)"}"#)
      // Nobody leads for a moment, or nobody knows: that is all that may happen.
      try #require([200, 503, 504].contains(response.status), "\(response.status)")
      return response.status == 200
    }
  }

  /// The value of a key as a linearizable read at a node gives it; `nil` when there is none.
  func value(of key: String, at number: Int) throws -> String? {
    var body = JSONValue.null
    try eventually("a read of \(key) is answered") {
      let response = try send("GET", "/v1/kv/\(key)", to: number, token: token.text)
      body = try JSONValue.parse(response.body)
      return response.status == 200 || response.status == 404
    }
    return body["value"]?.string
  }

  /// Waits until nodes reach a quorum and a leader.
  func waitUntilLed(_ numbers: [Int]) throws {
    for number in numbers {
      try eventually("node \(number) knows a leader") {
        try send("GET", "/ready?quorum=1", to: number).status == 200
      }
    }
  }

  /// The number of the voter that leads, as another one sees it.
  func leader(asSeenBy number: Int) throws -> Int {
    var leader: Int?
    try eventually("a leader is known") {
      let name = try get("/v1/control", from: number)["leader"]?.string
      leader = places.firstIndex { $0.key.publicKey.hexadecimal == name }.map { $0 + 1 }
      return leader != nil
    }
    return try #require(leader)
  }

  /// What a node says of a member.
  func member(_ name: String, asSeenBy number: Int) throws -> JSONValue? {
    try get("/v1/members", from: number)["members"]?.array?
      .first { $0["node"]?.string == name }
  }
}

@Suite(.timeLimit(.minutes(5)))
struct ControlTests {
  @Test func `no acknowledged put is lost when the leader is killed`() throws {
    let swarm = try TestSwarm(voters: 3)
    var nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    try swarm.waitUntilLed([1, 2, 3])
    // What is written at one node is read at another, at once.
    for number in 0..<12 {
      let place = number % 3 + 1
      try swarm.put("k/\(number)", "before", at: [place])
      #expect(try swarm.value(of: "k/\(number)", at: place % 3 + 1) == "before")
    }
    let leader = try swarm.leader(asSeenBy: 1)
    let others = [1, 2, 3].filter { $0 != leader }
    nodes[leader - 1].crash()
    for number in 6..<18 { try swarm.put("k/\(number)", "after", at: others) }
    nodes[leader - 1] = try swarm.start(leader)
    try swarm.waitUntilLed([leader])
    for number in 0..<18 {
      let expected = number < 6 ? "before" : "after"
      #expect(try swarm.value(of: "k/\(number)", at: leader) == expected)
    }
    // All nodes come to the same state.
    try swarm.eventually("the nodes have applied the same") {
      let revisions = try (1...3).map { try swarm.get("/v1/control", from: $0)["revision"] }
      return revisions.allSatisfy { $0 == revisions[0] }
    }
    for number in 1...3 {
      let list = try swarm.send(
        "GET", "/v1/kv?prefix=k/&consistency=local", to: number, token: swarm.token.text)
      #expect(try JSONValue.parse(list.body)["entries"]?.array?.count == 18)
    }
    #expect(try swarm.metric("swarmoracle_leader_known", of: leader) == 1)
  }

  @Test func `a lock is handed on from node to node`() throws {
    let swarm = try TestSwarm(voters: 3)
    let nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    try swarm.waitUntilLed([1, 2, 3])
    let leases = try (1...2).map { number in
      let response = try swarm.send(
        "POST", "/v1/leases", to: number, token: swarm.token.text, #"{"ttlMilliseconds":60000}"#)
      return try #require(try JSONValue.parse(response.body)["lease"]?.integer)
    }
    let first = try swarm.send(
      "POST", "/v1/locks/l", to: 1, token: swarm.token.text, #"{"lease":\#(leases[0])}"#)
    let token = try #require(try JSONValue.parse(first.body)["token"]?.integer)
    let api = swarm.api(2)
    let secret = swarm.token.text
    let waiting = InBackground {
      try swarm.send(
        "POST", "/v1/locks/l", at: api, token: secret,
        #"{"lease":\#(leases[1]),"waitMilliseconds":30000}"#, over: HTTPConnection())
    }
    try swarm.eventually("the second lease stands in line") {
      let lock = try swarm.send("GET", "/v1/locks/l", to: 3, token: secret)
      return try JSONValue.parse(lock.body)["waiters"]?.array?.count == 1
    }
    let released = try swarm.send(
      "DELETE", "/v1/locks/l?lease=\(leases[0])&token=\(token)", to: 3, token: secret)
    #expect(released.status == 200)
    let granted = try waiting.result()
    #expect(granted.status == 200)
    #expect((try JSONValue.parse(granted.body)["token"]?.integer ?? 0) > token)
  }

  @Test func `a watch goes on at another node and lacks nothing`() throws {
    let swarm = try TestSwarm(voters: 3)
    let nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    try swarm.waitUntilLed([1, 2, 3])
    try swarm.put("w/0", "v", at: [1])
    let first = Watch(swarm, at: 1, until: 3, ["after": "0"])
    for number in 1..<3 { try swarm.put("w/\(number)", "v", at: [number]) }
    let seen = try first.result()
    #expect(seen.keys == (0..<3).map { "w/\($0)" })
    for number in 3..<6 { try swarm.put("w/\(number)", "v", at: [number % 3 + 1]) }
    let second = Watch(swarm, at: 2, until: 3, [:], lastEvent: seen.lastEvent)
    #expect(try second.result().keys == (3..<6).map { "w/\($0)" })
    // A node that stops lets its watches go.
    let third = Watch(swarm, at: 3, until: 1, [:])
    try swarm.eventually("the watch is open") {
      try swarm.metric("swarmoracle_watches", of: 3) == 1
    }
    nodes[2].send(SIGTERM)
    #expect(try third.result().keys == [])
    #expect(nodes[2].waitForEnd() == 0)
  }

  @Test func `a node that joins with a voter's ticket comes to vote`() throws {
    let swarm = try TestSwarm(voters: 1)
    let founder = try swarm.start(1)
    defer { founder.crash() }
    try swarm.put("k", "v", at: [1])
    let token = try swarm.register("reader")
    let place = try swarm.join("second", try swarm.ticket(role: "voter"))
    let joined = try swarm.start(place.directory)
    defer { joined.crash() }
    let name = try NodeKey(contentsOf: "\(place.directory)/\(NodeKey.fileName)")
      .node.key.hexadecimal
    try swarm.eventually("the newcomer votes") {
      try swarm.member(name, asSeenBy: 1)?["votes"]?.bool == true
    }
    #expect(try swarm.member(name, asSeenBy: 1)?["role"]?.string == "voter")
    #expect(try swarm.get("/v1/status")["voters"]?.integer == 2)
    try swarm.waitUntilEqual([swarm.api(1), place.api])
    let read = try swarm.send("GET", "/v1/kv/k", at: place.api, token: token)
    #expect(try JSONValue.parse(read.body)["value"]?.string == "v")
  }

  @Test func `a voter that lost its disk votes again in another life`() throws {
    let swarm = try TestSwarm(voters: 3)
    var nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    try swarm.waitUntilLed([1, 2, 3])
    try swarm.put("k", "v", at: [1])
    let leader = try swarm.leader(asSeenBy: 1)
    let lost = leader % 3 + 1
    let name = swarm.places[lost - 1].key.publicKey.hexadecimal
    #expect(try swarm.member(name, asSeenBy: leader)?["life"]?.string == "0")
    nodes[lost - 1].crash()
    try FileManager.default.removeItem(atPath: "\(swarm.places[lost - 1].directory)/data")
    nodes[lost - 1] = try swarm.start(lost)
    try swarm.eventually("the node votes in its new life") {
      let member = try swarm.member(name, asSeenBy: leader)
      return member?["votes"]?.bool == true && member?["life"]?.string != "0"
    }
    #expect(try swarm.value(of: "k", at: lost) == "v")
    #expect(try swarm.get("/v1/status", from: lost)["voters"]?.integer == 3)
  }
}

/// A watch that is read until it has shown so many keys, or ends.
private struct Watch {
  struct Seen: Sendable {
    var keys: [String] = []
    var lastEvent: String?
  }

  private let work: InBackground<Seen>

  init(
    _ swarm: TestSwarm, at number: Int, until count: Int, _ query: [String: String],
    lastEvent: String? = nil
  ) {
    let query = query.map { "&\($0.key)=\($0.value)" }.joined()
    let url = swarm.api(number) + "/v1/watch?prefix=w/" + query
    var headers = [HTTPClientField("Authorization", "Bearer \(swarm.token.text)")]
    if let lastEvent { headers.append(HTTPClientField("Last-Event-ID", lastEvent)) }
    let fields = headers
    work = InBackground {
      var seen = Seen()
      var rest: [UInt8] = []
      _ = try HTTPConnection().stream(url: url, headers: fields, timeoutMilliseconds: 40_000) {
        chunk in
        rest += chunk
        while let end = rest.firstIndex(of: 0x0A) {
          Watch.take(String(decoding: rest[..<end], as: UTF8.self), into: &seen)
          rest.removeFirst(end + 1)
        }
        return seen.keys.count < count
      }
      return seen
    }
  }

  private static func take(_ line: String, into seen: inout Seen) {
    if line.hasPrefix("id: ") { seen.lastEvent = String(line.dropFirst(4)) }
    guard line.hasPrefix("data: "),
      let data = try? JSONValue.parse(Array(line.utf8.dropFirst(6))),
      let key = data["key"]?.string
    else { return }
    seen.keys.append(key)
  }

  func result() throws -> Seen { try work.result() }
}
