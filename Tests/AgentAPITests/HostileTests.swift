import AgentAPI
import HTTPServer
import JSONText
import Primitives
import Records
import Testing

/// What no client of good will sends.
struct HostileTests {
  private let door = Door()

  @Test(arguments: [
    "", "{", "}", "nul", "{\"text\":}", "{\"text\":\"a\"}x", "{\"text\":\"\\ud800\"}",
    "{\"a\":1,\"a\":2}", "[[[[[[[[[[1]]]]]]]]]]", "{\"n\":01}", "{'a':1}", "\u{feff}{}",
    "{\"text\":\"a\nb\"}",
  ])
  func `a body that is no JSON is refused with 400`(body: String) {
    let ada = door.register("Ada")
    let reply = door.post("/v1/questions", token: ada.token, body)
    #expect(reply.status == 400)
    #expect(reply.problem == "malformed-json")
  }

  @Test func `a body that is not UTF-8 is refused`() {
    let ada = door.register("Ada")
    var body = Array(#"{"text":"What is it now?"}"#.utf8)
    body[12] = 0xff
    #expect(door.send(.post, "/v1/questions", token: ada.token, body: body).status == 400)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `damaged bodies never bring the door down`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    let ada = door.register("Ada")
    let question = door.ask(ada, more: #","choices":["Paris","Lyon"]"#)
    let targets = [
      ("/v1/agents/register", #"{"name":"Ada","description":"Counts.","platform":"custom"}"#),
      ("/v1/questions", #"{"text":"What is it now?","minimumAnswers":3,"choices":["a","b"]}"#),
      ("/v1/questions/\(question)/answers", Door.answer(more: #","stake":1.5"#)),
      (
        "/v1/agents/\(ada.id)/answers/batch",
        #"{"answers":[{"question":"\#(question)",\#(Door.answer().dropFirst())]}"#
      ),
    ]
    let pieces = [
      "null", "{}", "[]", "\"\"", "1e999", "-1", "true", "\\u0000", ",", ":", "\"", "9",
    ]
    for _ in 0..<40 {
      let (target, text) = targets[random.next(below: targets.count)]
      var body = Array(text.utf8)
      for _ in 0...random.next(below: 4) {
        let place = random.next(below: body.count)
        switch random.next(below: 4) {
        case 0: body[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: body.remove(at: place)
        case 2: body.insert(contentsOf: pieces[random.next(below: pieces.count)].utf8, at: place)
        default: body.removeSubrange(place..<min(body.count, place + random.next(below: 20)))
        }
        if body.isEmpty { body = [0x20] }
      }
      let reply = door.send(.post, target, token: ada.token, body: body)
      #expect([200, 201, 400, 404, 409, 422].contains(reply.status), "\(reply.text)")
    }
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `damaged requests to the control state never bring the door down`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    let token = FakeNode.operatorToken
    let node = door.node.node.key.hexadecimal
    let requests: [(HTTPMethod, String, String?)] = [
      (.put, "/v1/kv/a/b?timeout=10", #"{"value":"x","ifVersion":0,"lease":1}"#),
      (.put, "/v1/kv/a%2Fb", #"{"valueBase64":"AAH/gA=="}"#),
      (.get, "/v1/kv/a/b?consistency=local&after=1", nil), (.delete, "/v1/kv/a?ifVersion=2", nil),
      (.get, "/v1/kv?prefix=a&after=a/b&limit=2", nil),
      (.post, "/v1/leases", #"{"ttlMilliseconds":1000}"#),
      (.post, "/v1/leases/1/keepalive", nil), (.delete, "/v1/leases/2", nil),
      (.post, "/v1/locks/l/1", #"{"lease":1,"waitMilliseconds":5}"#),
      (.delete, "/v1/locks/l/1?lease=1&token=3", nil), (.get, "/v1/locks?prefix=l", nil),
      (.put, "/v1/members/\(node)/role", #"{"role":"voter"}"#),
      (.put, "/v1/settings/votersMax", #"{"value":3}"#),
      (.post, "/v1/control/transfer", #"{"node":"\#(node)"}"#),
    ]
    for _ in 0..<60 {
      let (method, path, text) = requests[random.next(below: requests.count)]
      let target = HostileTests.damaged(Array(path.utf8), &random)
      let body = text.map { HostileTests.damaged(Array($0.utf8), &random) }
      let known = String(decoding: target, as: UTF8.self)
      // The server itself refuses what is no target; a watch is no answer to wait for.
      guard target.first == UInt8(ascii: "/"), HTTPRequest(method, known) != nil else { continue }
      let sent = door.start(method, known, token: token, body: body)
      while sent.reply == nil, door.node.hasPending { door.node.runNext() }
      door.node.pass(milliseconds: 70_000)
      #expect(sent.reply != nil || sent.sink != nil, "\(method) \(known)")
      #expect(sent.reply?.status != 500)
    }
  }

  private static func damaged(_ bytes: [UInt8], _ random: inout Xoshiro256) -> [UInt8] {
    let pieces = ["%2F", "/", "%00", "%ff", "9999999999999999999", "-1", "?", "&", "=", "\"", "{}"]
    var bytes = bytes
    for _ in 0..<random.next(below: 3) where !bytes.isEmpty {
      let place = random.next(below: bytes.count)
      switch random.next(below: 4) {
      case 0: bytes[place] = UInt8(0x21 + random.next(below: 94))
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(contentsOf: pieces[random.next(below: pieces.count)].utf8, at: place)
      default: bytes.removeSubrange(place..<min(bytes.count, place + random.next(below: 20)))
      }
    }
    return bytes.isEmpty ? [UInt8(ascii: "/")] : bytes
  }

  @Test(arguments: [
    ("/v1/agents/register", "GET, HEAD", HTTPMethod.delete),
    ("/v1/questions", "POST, GET, HEAD", .put),
    ("/health", "GET, HEAD", .post), ("/v1/leaderboard", "GET, HEAD", .patch),
  ])
  func `a method that a path does not take is refused with those it takes`(
    target: String, allowed: String, method: HTTPMethod
  ) {
    let reply = door.send(method, target)
    #expect(reply.status == 405)
    // The path of registration is also that of an agent called register.
    let expected = target.hasSuffix("register") ? "POST, GET, HEAD" : allowed
    #expect(reply.header("Allow") == expected)
  }

  @Test(arguments: ["/", "/v2/questions", "/v1", "/v1/", "/v1/Questions", "/v1/questions/", "//v1"])
  func `other paths are not found`(target: String) {
    #expect(door.get(target).status == 404)
  }

  @Test func `only what is declared as JSON is read`() {
    let ada = door.register("Ada")
    let body = Array(#"{"text":"What is it now?"}"#.utf8)
    for (type, status) in [
      ("application/json", 201), ("Application/JSON ; charset=UTF-8", 201),
      ("application/json; charset=latin1", 415), ("text/plain", 415),
      ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415),
    ] {
      let reply = door.send(
        .post, "/v1/questions", token: ada.token, body: body,
        headers: [HTTPField("Content-Type", type)])
      #expect(reply.status == status, "\(type)")
    }
  }

  @Test func `only what is accepted is sent`() {
    for (accept, status) in [
      ("*/*", 200), ("application/*;q=0.1", 200), ("text/html, application/json", 200),
      ("text/html", 406), ("application/json;q=0", 406), ("", 406),
    ] {
      let reply = door.send(.get, "/v1/members", headers: [HTTPField("Accept", accept)])
      #expect(reply.status == status, "\(accept)")
    }
  }

  @Test func `a body where none is taken is refused`() {
    #expect(door.send(.get, "/v1/members", body: [0x7b, 0x7d]).errors == ["body unknown"])
  }

  @Test func `at most sixteen broken rules are listed`() {
    let members = (0..<100).map { "\"x\($0)\":0" }.joined(separator: ",")
    let reply = door.post("/v1/agents/register", "{\(members)}")
    #expect(reply.errors.count == 16)
  }

  @Test func `text that looks like SQL stays text`() {
    let ada = door.register("Robert'); DROP TABLE agent;--")
    #expect(door.get("/v1/agents/\(ada.id)").json["name"]?.string?.hasSuffix(";--") == true)
    #expect(door.get("/v1/questions?category=factual%27%20OR%201=1").status == 422)
    #expect(door.get("/v1/agents").status == 200)
  }
}
