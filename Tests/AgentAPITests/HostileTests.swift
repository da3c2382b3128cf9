import AgentAPI
import HTTPServer
import JSONText
import Primitives
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
