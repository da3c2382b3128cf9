import AgentAPI
import HTTPServer
import JSONText
import Testing

/// Questions: asking, lists, status, resolution.
struct QuestionRouteTests {
  @Test func `a question is shown as it was asked`() throws {
    let door = Door()
    let ada = door.register("Ada")
    let posted = door.post(
      "/v1/questions", token: ada.token,
      #"{"text":"Which is it?\nSay so.","category":"analytical","minimumAnswers":2,"#
        + #""deadlineSeconds":1.5,"choices":["Left","Right"]}"#)
    #expect(posted.status == 201)
    #expect(posted.json["deadline"]?.string == "2030-03-17T17:46:41.500Z")
    let id = try #require(posted.json["id"]?.string)
    #expect(posted.header("Location") == "/v1/questions/\(id)")
    let shown = door.get("/v1/questions/\(id)")
    #expect(shown.status == 200)
    #expect(shown.json["text"]?.string == "Which is it?\nSay so.")
    #expect(shown.json["asker"]?.string == ada.id)
    #expect(shown.json["category"]?.string == "analytical")
    #expect(shown.json["choices"] == .array([.string("Left"), .string("Right")]))
    #expect(shown.json["status"]?.string == "OPEN")
    #expect(shown.json["createdAt"]?.string == "2030-03-17T17:46:40.000Z")
    #expect(shown.json["resolution"] == .null)
  }

  @Test(arguments: [
    ("2030-06-01T00:00:00Z", "2030-06-01T00:00:00.000Z"),
    ("2030-06-01t02:30:00.12345+02:30", "2030-06-01T00:00:00.123Z"),
    ("2030-05-31T22:30:60-01:30", "2030-06-01T00:01:00.000Z"),
    ("2031-02-28T23:59:59.9Z", "2031-02-28T23:59:59.900Z"),
  ])
  func `deadlines are read in every form of the standard`(text: String, shown: String) {
    let door = Door()
    let ada = door.register("Ada")
    let reply = door.post(
      "/v1/questions", token: ada.token, #"{"text":"What is it now?","deadline":"\#(text)"}"#)
    #expect(reply.status == 201)
    #expect(reply.json["deadline"]?.string == shown)
  }

  @Test func `leap days follow the Gregorian rule`() {
    let door = Door()
    let ada = door.register("Ada")
    for (now, day, status) in [
      (1_960_000_000_000, "2032-02-29", 201), (1_960_000_000_000, "2033-02-29", 422),
      (4_107_000_000_000, "2100-02-29", 422), (4_107_000_000_000, "2100-03-01", 201),
    ] as [(UInt64, String, Int)] {
      door.node.wallMilliseconds = now
      let reply = door.post(
        "/v1/questions", token: ada.token,
        #"{"text":"What is it now?","deadline":"\#(day)T00:00:00Z"}"#)
      #expect(reply.status == status, "\(day)")
      if status == 201 { #expect(reply.json["deadline"]?.string == "\(day)T00:00:00.000Z") }
    }
  }

  @Test(arguments: [
    (#"{}"#, ["text required"]), (#"{"text":"too short"}"#, ["text length"]),
    (#"{"text":"          "}"#, ["text blank"]),
    (#"{"text":"What is it now?","category":"magic"}"#, ["category choice"]),
    (#"{"text":"What is it now?","minimumAnswers":0}"#, ["minimumAnswers range"]),
    (#"{"text":"What is it now?","minimumAnswers":10001}"#, ["minimumAnswers range"]),
    (#"{"text":"What is it now?","minimumAnswers":2.5}"#, ["minimumAnswers type"]),
    (#"{"text":"What is it now?","minimumAnswers":1e400}"#, ["minimumAnswers type"]),
    (#"{"text":"What is it now?","minimumAnswers":"3"}"#, ["minimumAnswers type"]),
    (#"{"text":"What is it now?","choices":["one"]}"#, ["choices count"]),
    (#"{"text":"What is it now?","choices":["one",""]}"#, ["choices length"]),
    (#"{"text":"What is it now?","choices":["one",1]}"#, ["choices type"]),
    (#"{"text":"What is it now?","choices":["One","one."]}"#, ["choices invalid"]),
    (#"{"text":"What is it now?","deadlineSeconds":0}"#, ["deadlineSeconds range"]),
    (#"{"text":"What is it now?","deadlineSeconds":-5}"#, ["deadlineSeconds range"]),
    (#"{"text":"What is it now?","deadlineSeconds":99999999}"#, ["deadlineSeconds range"]),
    (
      #"{"text":"What is it now?","deadlineSeconds":9,"deadline":"2030-06-01T00:00:00Z"}"#,
      ["deadlineSeconds conflict"]
    ),
    (#"{"text":"What is it now?","deadline":"2030-03-17T17:46:40Z"}"#, ["deadline range"]),
    (#"{"text":"What is it now?","deadline":"2031-03-18T17:46:40Z"}"#, []),
    (#"{"text":"What is it now?","deadline":"2031-03-19T17:46:41Z"}"#, ["deadline range"]),
    (#"{"text":"What is it now?","deadline":"2030-06-31T00:00:00Z"}"#, ["deadline format"]),
    (#"{"text":"What is it now?","deadline":"2030-06-01 00:00:00Z"}"#, ["deadline format"]),
    (#"{"text":"What is it now?","deadline":"2030-06-01T00:00:00"}"#, ["deadline format"]),
    (#"{"text":"What is it now?","deadline":"2030-06-01T00:00:00.Z"}"#, ["deadline format"]),
    (#"{"text":"What is it now?","deadline":"2030-06-01T24:00:00Z"}"#, ["deadline format"]),
    (#"{"text":"What is it now?","deadline":"1969-06-01T00:00:00Z"}"#, ["deadline format"]),
    (#"{"text":"What is it now?","deadline":1900000000}"#, ["deadline type"]),
  ])
  func `a question that breaks a rule is refused by field`(body: String, errors: [String]) {
    let door = Door()
    let ada = door.register("Ada")
    let reply = door.post("/v1/questions", token: ada.token, body)
    #expect(reply.status == (errors.isEmpty ? 201 : 422))
    #expect(reply.errors == errors)
  }

  @Test func `asking takes a token and the capability ask`() {
    let door = Door()
    let body = #"{"text":"What is it now?"}"#
    let nobody = door.post("/v1/questions", body)
    #expect(nobody.status == 401)
    #expect(nobody.header("WWW-Authenticate") == "Bearer realm=\"swarmoracle\"")
    let stranger = door.post("/v1/questions", token: "so_unknown", body)
    #expect(stranger.status == 401)
    #expect(stranger.header("WWW-Authenticate")?.contains("invalid_token") == true)
    let mute = door.register("Mute", capabilities: #"["answer"]"#)
    let refused = door.post("/v1/questions", token: mute.token, body)
    #expect(refused.status == 403)
    #expect(refused.json["detail"]?.string?.contains("ask") == true)
  }

  @Test(arguments: [
    "Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "bearer", "Token x", "Bearer \u{7f}",
    "Bearer " + String(repeating: "x", count: 201),
  ])
  func `a malformed token is refused as such`(value: String) {
    let reply = Door().send(
      .post, "/v1/questions", body: Array(#"{"text":"What is it now?"}"#.utf8),
      headers: [HTTPField("Authorization", value)])
    #expect(reply.status == 401)
    #expect(reply.header("WWW-Authenticate")?.contains("invalid_request") == true)
  }

  @Test func `a retried question finds the first one, also when its deadline was relative`() {
    let door = Door()
    let ada = door.register("Ada")
    let eve = door.register("Eve")
    let headers = [HTTPField("Idempotency-Key", "q-1")]
    let body = #"{"text":"What is it now?","deadlineSeconds":60,"choices":["A","B"]}"#
    let first = door.post("/v1/questions", token: ada.token, body, headers: headers)
    door.node.wallMilliseconds += 100_000
    let second = door.post("/v1/questions", token: ada.token, body, headers: headers)
    #expect(second.status == 200)
    #expect(second.json["id"] == first.json["id"])
    #expect(second.json["deadline"] == first.json["deadline"])
    let other = body.replacing("\"B\"", with: "\"C\"")
    #expect(
      door.post("/v1/questions", token: ada.token, other, headers: headers).problem
        == "idempotency-mismatch")
    let hers = door.post("/v1/questions", token: eve.token, body, headers: headers)
    #expect(hers.status == 201)
    #expect(hers.json["id"] != first.json["id"])
  }

  @Test(arguments: ["", "a b", "ü", String(repeating: "k", count: 201)])
  func `an idempotency key of another form is refused`(key: String) {
    let door = Door()
    let ada = door.register("Ada")
    let reply = door.post(
      "/v1/questions", token: ada.token, #"{"text":"What is it now?"}"#,
      headers: [HTTPField("Idempotency-Key", key)])
    #expect(reply.errors == ["Idempotency-Key format"])
  }

  @Test func `the status follows the deadline, the answers and the true answer`() {
    let door = Door()
    let judge = door.register("Judge", capabilities: #"["ask","answer","resolve"]"#)
    let few = door.ask(judge, "Does anybody know it?", more: #","minimumAnswers":2"#)
    let enough = door.ask(judge, "Does somebody know it?", more: #","minimumAnswers":1"#)
    for question in [few, enough] {
      door.post("/v1/questions/\(question)/answers", token: judge.token, Door.answer())
    }
    func status(_ question: String) -> String? {
      door.get("/v1/questions/\(question)").json["status"]?.string
    }
    door.node.wallMilliseconds += 3_600_000
    #expect(status(few) == "OPEN")
    door.node.wallMilliseconds += 1
    #expect(status(few) == "EXPIRED")
    #expect(status(enough) == "CONSENSUS")
    for (filter, question) in [("EXPIRED", few), ("CONSENSUS", enough)] {
      let list = door.get("/v1/questions?status=\(filter)").json["questions"]?.array ?? []
      #expect(list.compactMap { $0["id"]?.string } == [question])
    }
    door.post("/v1/questions/\(few)/resolve", token: judge.token, #"{"value":"Paris"}"#)
    #expect(status(few) == "VERIFIED")
    let list = door.get("/v1/questions?status=VERIFIED").json["questions"]?.array ?? []
    #expect(list.compactMap { $0["id"]?.string } == [few])
    #expect(door.get("/v1/questions?status=OPEN").json["questions"] == .array([]))
  }

  @Test func `questions are listed newest first and filtered`() {
    let door = Door()
    let ada = door.register("Ada")
    let eve = door.register("Eve")
    let old = door.ask(ada, "What was it long ago?", more: #","category":"creative""#)
    door.node.wallMilliseconds += 1_000
    let new = door.ask(eve)
    func ids(_ query: String) -> [String] {
      let reply = door.get("/v1/questions\(query)")
      #expect(reply.status == 200, "\(query)")
      return (reply.json["questions"]?.array ?? []).compactMap { $0["id"]?.string }
    }
    #expect(ids("") == [new, old])
    #expect(ids("?category=creative") == [old])
    #expect(ids("?asker=\(eve.id.uppercased())") == [new])
    #expect(ids("?since=2030-03-17T17:46:41Z") == [new])
    #expect(ids("?since=2030-03-17T17:46:41.001Z") == [])
    #expect(ids("?status=OPEN&limit=1") == [new])
  }

  @Test(arguments: ["", "&status=OPEN", "&category=factual", "&status=EXPIRED"])
  func `pages show each question once while others are posted`(filter: String) {
    let door = Door()
    let ada = door.register("Ada")
    var expected: Set<String> = []
    for index in 0..<30 {
      expected.insert(door.ask(ada, "What is number \(index) here?"))
      if index % 7 == 0 { door.node.wallMilliseconds += 1 }
    }
    if filter.contains("EXPIRED") { door.node.wallMilliseconds += 7_200_000 }
    var seen: [String] = []
    var cursor = ""
    repeat {
      let page = door.get("/v1/questions?limit=7\(filter)\(cursor)")
      seen += (page.json["questions"]?.array ?? []).compactMap { $0["id"]?.string }
      _ = door.ask(ada, "What is the late one, \(seen.count)?")
      door.node.wallMilliseconds += 1
      cursor = page.json["next"]?.string.map { "&cursor=\($0)" } ?? ""
    } while !cursor.isEmpty
    #expect(seen.count == 30)
    #expect(Set(seen) == expected)
  }

  @Test func `a damaged or foreign cursor is refused`() throws {
    let door = Door()
    let ada = door.register("Ada")
    for index in 0..<3 { _ = door.ask(ada, "What is number \(index) here?") }
    let next = try #require(door.get("/v1/questions?limit=1").json["next"]?.string)
    #expect(door.get("/v1/questions?limit=2&cursor=\(next)").status == 200)
    for index in 0..<100 {
      var bytes = Array(next.utf8)
      bytes[index] = bytes[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
      let damaged = String(decoding: bytes, as: UTF8.self)
      let reply = door.get("/v1/questions?limit=1&cursor=\(damaged)")
      #expect(reply.errors == ["query.cursor format"], "digit \(index)")
    }
    #expect(door.get("/v1/questions?category=factual&cursor=\(next)").status == 422)
    #expect(door.get("/v1/agents?cursor=\(next)").status == 422)
    #expect(door.get("/v1/questions?cursor=abc").errors == ["query.cursor format"])
    #expect(door.get("/v1/questions?cursor=").errors == ["query.cursor format"])
  }

  @Test(arguments: [
    ("limit=0", "query.limit range"), ("limit=101", "query.limit range"),
    ("limit=ten", "query.limit type"), ("limit=+5", "query.limit type"),
    ("limit=99999999999999999999999", "query.limit type"),
    ("limit=5&limit=6", "query.limit repeated"), ("lmit=5", "query.lmit unknown"),
    ("status=open", "query.status choice"), ("asker=7", "query.asker format"),
    ("since=yesterday", "query.since format"),
  ])
  func `a query that breaks a rule is refused`(query: String, error: String) {
    let reply = Door().get("/v1/questions?\(query)")
    #expect(reply.status == 422)
    #expect(reply.errors == [error])
  }

  @Test func `the first true answer stands and a repetition is a replay`() {
    let door = Door()
    let judge = door.register("Judge", capabilities: #"["ask","resolve"]"#)
    let other = door.register("Other", capabilities: #"["resolve"]"#)
    let ada = door.register("Ada")
    let question = door.ask(judge, more: #","choices":["Paris","Lyon"]"#)
    let path = "/v1/questions/\(question)/resolve"
    #expect(door.post(path, token: ada.token, #"{"value":"Paris"}"#).status == 403)
    #expect(
      door.post(path, token: judge.token, #"{"value":"Rome"}"#).errors == ["value choice"])
    #expect(door.post(path, token: judge.token, #"{"value":""}"#).errors == ["value length"])
    #expect(door.post(path, token: judge.token, #"{"value":"paris."}"#).status == 201)
    let again = door.post(path, token: other.token, #"{"value":"PARIS"}"#)
    #expect(again.status == 200)
    #expect(again.json["replayed"]?.bool == true)
    #expect(again.json["value"]?.string == "paris.")
    let different = door.post(path, token: other.token, #"{"value":"Lyon"}"#)
    #expect(different.status == 409)
    #expect(different.problem == "already-resolved")
    let missing = "/v1/questions/00000000-0000-0000-0000-000000000001/resolve"
    #expect(door.post(missing, token: judge.token, #"{"value":"x"}"#).status == 404)
  }
}
