import AgentAPI
import HTTPServer
import JSONText
import Records
import Testing

/// Registration, agents and the leaderboard.
struct AgentRouteTests {
  private static let body =
    #"{"name":"Ada","description":"Counts.","platform":"langchain","specialties":["factual"]}"#
  private static let key = "k-0123456789abcdef0123456789abcdef"

  @Test func `registration gives the key once and the agent can use it`() throws {
    let door = Door()
    let reply = door.post("/v1/agents/register", AgentRouteTests.body)
    #expect(reply.status == 201)
    let token = try #require(reply.json["apiKey"]?.string)
    #expect(token.hasPrefix("so_") && token.utf8.count == 67)
    #expect(reply.json["capabilities"] == .array([.string("ask"), .string("answer")]))
    #expect(reply.json["consistency"]?["reached"]?.string == "local")
    #expect(reply.header("Cache-Control") == "no-store")
    let id = try #require(reply.json["id"]?.string)
    #expect(reply.header("Location") == "/v1/agents/\(id)")
    let agent = door.get("/v1/agents/\(id)")
    #expect(agent.status == 200)
    #expect(agent.json["name"]?.string == "Ada")
    #expect(agent.json["description"]?.string == "Counts.")
    #expect(!agent.text.contains(token))
    let asked = door.post("/v1/questions", token: token, #"{"text":"How many are there?"}"#)
    #expect(asked.status == 201)
  }

  @Test func `the swarm main has two names`() throws {
    let door = Door()
    let agent = door.register("Ada")
    let long = door.get("/v1/swarms/main/agents/\(agent.id)")
    #expect(long.status == 200)
    #expect(long.text == door.get("/v1/agents/\(agent.id)").text)
    #expect(door.get("/v1/swarms/other/agents/\(agent.id)").status == 404)
    #expect(door.get("/v1/swarms/main").status == 404)
  }

  @Test func `the capability resolve takes the operator's token`() {
    let door = Door()
    let body =
      #"{"name":"Judge","description":"","platform":"custom","capabilities":["resolve"]}"#
    #expect(door.post("/v1/agents/register", body).status == 403)
    let guess = door.post("/v1/agents/register", token: "operator-token-of-the-testz", body)
    #expect(guess.status == 403)
    #expect(guess.json["detail"]?.string?.contains("resolve") == true)
    let granted = door.post("/v1/agents/register", token: FakeNode.operatorToken, body)
    #expect(granted.status == 201)
    #expect(granted.json["capabilities"] == .array([.string("resolve")]))
    door.node.operatorTokenDigest = nil
    #expect(
      door.post("/v1/agents/register", token: FakeNode.operatorToken, body).status == 403)
  }

  @Test func `an agent with a token of its own is not shown it`() {
    let door = Door()
    let body = String(AgentRouteTests.body.dropLast()) + #","apiKey":"\#(AgentRouteTests.key)"}"#
    let reply = door.post("/v1/agents/register", body)
    #expect(reply.status == 201)
    #expect(reply.json["apiKey"] == nil)
    let again = door.post("/v1/agents/register", body)
    #expect(again.status == 409)
    #expect(again.problem == "token-in-use")
  }

  @Test func `a retried registration finds the first one`() {
    let door = Door()
    let headers = [HTTPField("Idempotency-Key", "first-try")]
    let body = String(AgentRouteTests.body.dropLast()) + #","apiKey":"\#(AgentRouteTests.key)"}"#
    let first = door.post("/v1/agents/register", body, headers: headers)
    #expect(first.status == 201)
    #expect(first.json["replayed"]?.bool == false)
    let second = door.post("/v1/agents/register?consistency=quorum", body, headers: headers)
    #expect(second.status == 200)
    #expect(second.json["replayed"]?.bool == true)
    #expect(second.json["id"] == first.json["id"])
    #expect(second.json["operations"] == first.json["operations"])
    #expect(second.json["consistency"]?["reached"]?.string == "quorum")
    #expect(door.node.waits.last?.level == .quorum)
    #expect(door.node.submitted.count == 1)
    let changed = body.replacing("Ada", with: "Eve")
    let third = door.post("/v1/agents/register", changed, headers: headers)
    #expect(third.status == 422)
    #expect(third.problem == "idempotency-mismatch")
    #expect(door.node.submitted.count == 1)
  }

  @Test func `a retried registration without a token of its own is refused`() {
    let reply = Door().post(
      "/v1/agents/register", AgentRouteTests.body, headers: [HTTPField("Idempotency-Key", "k")])
    #expect(reply.status == 422)
    #expect(reply.errors == ["apiKey required"])
  }

  @Test(arguments: [
    (#"{"description":"","platform":"custom"}"#, ["name required"]),
    (#"{"name":"ab","description":"","platform":"custom"}"#, ["name length"]),
    (#"{"name":"   ","description":"","platform":"custom"}"#, ["name blank"]),
    (#"{"name":"a\nb","description":"","platform":"custom"}"#, ["name characters"]),
    (#"{"name":"a\u0000b","description":"","platform":"custom"}"#, ["name characters"]),
    (#"{"name":"a\u0085b","description":"","platform":"custom"}"#, ["name characters"]),
    (#"{"name":7,"description":null,"platform":"custom"}"#, ["name type", "description type"]),
    (#"{"name":"Ada","description":"","platform":"Custom"}"#, ["platform choice"]),
    (#"{"name":"Ada","platform":"custom","description":"","nmae":1}"#, ["nmae unknown"]),
    (
      #"{"name":"Ada","platform":"custom","description":"","specialties":["magic"]}"#,
      ["specialties choice"]
    ),
    (
      #"{"name":"Ada","platform":"custom","description":"","specialties":["factual","factual"]}"#,
      ["specialties repeated"]
    ),
    (
      #"{"name":"Ada","platform":"custom","description":"","specialties":"factual"}"#,
      ["specialties type"]
    ),
    (
      #"{"name":"Ada","platform":"custom","description":"","apiKey":"short"}"#, ["apiKey format"]
    ),
    ("[]", ["body type"]), ("7", ["body type"]),
  ])
  func `a registration that breaks a rule is refused by field`(body: String, errors: [String]) {
    let door = Door()
    let reply = door.post("/v1/agents/register", body)
    #expect(reply.status == 422)
    #expect(reply.errors == errors)
    #expect(reply.json["detail"]?.string?.isEmpty == false)
    #expect(door.node.submitted.isEmpty)
  }

  @Test func `limits count characters and include their ends`() {
    let door = Door()
    for (name, status) in [
      (String(repeating: "ä", count: 50), 201), (String(repeating: "ä", count: 51), 422),
      ("äöü", 201),
    ] {
      let body = #"{"name":"\#(name)","description":"","platform":"custom"}"#
      #expect(door.post("/v1/agents/register", body).status == status)
    }
  }

  @Test func `agents are listed once each, page by page, also when others register meanwhile`() {
    let door = Door()
    var expected: Set<String> = []
    for index in 0..<25 { expected.insert(door.register("Agent \(index)").id) }
    var seen: [String] = []
    var target = "/v1/agents?limit=10"
    while true {
      let page = door.get(target)
      #expect(page.status == 200)
      seen += (page.json["agents"]?.array ?? []).compactMap { $0["id"]?.string }
      guard let next = page.json["next"]?.string else { break }
      _ = door.register("Late \(seen.count)")
      target = "/v1/agents?limit=10&cursor=\(next)"
    }
    #expect(seen == seen.sorted())
    #expect(Set(seen).count == seen.count)
    #expect(expected.isSubset(of: Set(seen)))
  }

  @Test(
    arguments: [
      "/v1/agents/00000000-0000-0000-0000-000000000001", "/v1/agents/7", "/v1/agents/..",
      "/v1/agents/%2e%2e", "/v1/agents/a%2Fb", "/v1/agents/", "/v1//agents", "/v1/agents/%00x",
    ].filter { !$0.contains("%00") })
  func `an agent that is not there is not found`(target: String) {
    #expect(Door().get(target).status == 404)
  }

  @Test func `the leaderboard ranks by what a record shows at least`() throws {
    let door = Door()
    let judge = door.register("Judge", capabilities: #"["ask","resolve"]"#)
    let steady = door.register("Steady")
    let lucky = door.register("Lucky")
    let wrong = door.register("Wrong")
    for round in 0..<4 {
      let question = door.ask(judge, "Which number comes next, \(round)?")
      let path = "/v1/questions/\(question)/answers"
      #expect(door.post(path, token: steady.token, Door.answer(value: "one")).status == 201)
      #expect(door.post(path, token: wrong.token, Door.answer(value: "two")).status == 201)
      if round == 0 {
        #expect(door.post(path, token: lucky.token, Door.answer(value: "one")).status == 201)
      }
      let resolved = door.post(
        "/v1/questions/\(question)/resolve", token: judge.token, #"{"value":"One"}"#)
      #expect(resolved.status == 201)
    }
    let first = door.get("/v1/leaderboard?limit=2")
    let ranked = try #require(first.json["agents"]?.array)
    #expect(ranked.compactMap { $0["name"]?.string } == ["Steady", "Lucky"])
    #expect(ranked[0]["resolvedAnswers"]?.integer == 4)
    #expect(ranked[0]["correct"]?.integer == 4)
    let next = try #require(first.json["next"]?.string)
    let second = door.get("/v1/leaderboard?limit=2&cursor=\(next)")
    #expect(
      second.json["agents"]?.array?.compactMap { $0["name"]?.string } == ["Judge", "Wrong"])
    #expect(second.json["next"] == nil)
    let score = door.get("/v1/agents/\(wrong.id)").json["score"]
    #expect(score?["answersCounted"]?.integer == 4)
    #expect(score?["correct"]?.integer == 0)
  }
}
