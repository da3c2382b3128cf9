import AgentAPI
import HTTPServer
import JSONText
import Primitives
import Records
import Testing

/// Answers, batches and tentative outcomes.
struct AnswerRouteTests {
  private let door = Door()

  @Test func `an answer is stored as it was given`() {
    let ada = door.register("Ada")
    let question = door.ask(ada)
    let path = "/v1/questions/\(question)/answers"
    let reply = door.post(
      path, token: ada.token,
      Door.answer(confidence: "0.8333333333333334", more: #","stake":12.5,"agent":"\#(ada.id)""#))
    #expect(reply.status == 201)
    #expect(reply.json["agent"]?.string == ada.id)
    let list = door.get(path)
    let answer = list.json["answers"]?.array?.first
    #expect(answer?["value"]?.string == "Paris")
    #expect(answer?["content"]?.string == "The answer is Paris.")
    #expect(answer?["confidence"]?.fixedPoint(scale: 6) == 833_333)
    #expect(answer?["stake"]?.fixedPoint(scale: 6) == 12_500_000)
    #expect(answer?["counted"]?.bool == true)
    #expect(answer?["correct"] == .null)
    #expect(answer?["operation"] == reply.json["operations"]?.array?.first)
  }

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("1", 1_000_000), ("1.000000", 1_000_000), ("1e0", 1_000_000),
      ("10e-1", 1_000_000), ("0.0000019", 1), ("5E-7", 0), ("1e-400", 0), ("0e999999999", 0),
      ("0.999999999999999999999999999999", 999_999), ("1.0000000000000000001", nil),
      ("1000001e-6", nil), ("-0.1", nil), ("-1e-30", nil), ("1e400", nil), ("2", nil),
      ("18446744073709551616", nil), ("1e999999999999999999999", nil),
    ] as [(String, Int64?)])
  func `confidence is read exactly and without floating point`(text: String, millionths: Int64?) {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    let reply = door.post(path, token: ada.token, Door.answer(confidence: text))
    guard let millionths else {
      #expect(reply.errors == ["confidence range"])
      return
    }
    #expect(reply.status == 201)
    let answer = door.get(path).json["answers"]?.array?.first
    #expect(answer?["confidence"]?.fixedPoint(scale: 6) == millionths)
  }

  @Test(arguments: [
    ("{}", ["content required", "reasoning required", "confidence required"]),
    (Door.answer().replacing("0.9", with: "\"0.9\""), ["confidence type"]),
    (Door.answer().replacing("The answer is Paris.", with: "Too short"), ["content length"]),
    (
      Door.answer().replacing("The answer is", with: String(repeating: "x", count: 1_000)),
      ["content length"]
    ),
    (
      Door.answer().replacing("Every atlas of Europe says so.", with: "Nineteen letters ok"),
      ["reasoning length"]
    ),
    (Door.answer(value: String(repeating: "v", count: 201)), ["value length"]),
    (Door.answer(value: #"a\nb"#), ["value characters"]),
    (Door.answer(more: #","stake":-1"#), ["stake range"]),
    (Door.answer(more: #","stake":1000000.000001"#), ["stake range"]),
    (Door.answer(more: #","agent":"me""#), ["agent format"]),
    (Door.answer(more: #","weight":1"#), ["weight unknown"]),
  ])
  func `an answer that breaks a rule is refused by field`(body: String, errors: [String]) {
    let ada = door.register("Ada")
    let reply = door.post("/v1/questions/\(door.ask(ada))/answers", token: ada.token, body)
    #expect(reply.status == 422)
    #expect(reply.errors == errors)
  }

  @Test func `an agent answers for itself only and needs the capability answer`() {
    let ada = door.register("Ada")
    let eve = door.register("Eve")
    let mute = door.register("Mute", capabilities: #"["ask"]"#)
    let path = "/v1/questions/\(door.ask(ada))/answers"
    let forged = door.post(path, token: eve.token, Door.answer(more: #","agent":"\#(ada.id)""#))
    #expect(forged.status == 403)
    let refused = door.post(path, token: mute.token, Door.answer())
    #expect(refused.status == 403)
    #expect(refused.json["detail"]?.string?.contains("answer") == true)
    let batch = door.post(
      "/v1/agents/\(ada.id)/answers/batch", token: eve.token, #"{"answers":[{}]}"#)
    #expect(batch.status == 403)
  }

  @Test func `an answer is given once, repeated freely and never changed`() {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    let first = door.post(path, token: ada.token, Door.answer())
    #expect(first.status == 201)
    door.node.wallMilliseconds += 100_000_000
    let again = door.post(path + "?consistency=quorum", token: ada.token, Door.answer())
    #expect(again.status == 200)
    #expect(again.json["replayed"]?.bool == true)
    #expect(again.json["operations"] == first.json["operations"])
    #expect(again.json["consistency"]?["reached"]?.string == "quorum")
    for other in [
      Door.answer(value: "Lyon"), Door.answer(confidence: "0.91"),
      Door.answer(more: #","stake":1"#),
      Door.answer().replacing("atlas", with: "book"),
    ] {
      let reply = door.post(path, token: ada.token, other)
      #expect(reply.status == 409)
      #expect(reply.problem == "already-answered")
    }
    #expect(door.node.submitted.count == 3)
  }

  @Test func `a replay reads its row even when it is not on disk yet`() {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    door.node.keepsRowsBack = true
    #expect(door.post(path, token: ada.token, Door.answer()).status == 201)
    #expect(door.post(path, token: ada.token, Door.answer()).status == 200)
    let question = door.ask(ada, "What else is there to ask?")
    let shown = door.get("/v1/questions/\(question)")
    #expect(shown.status == 200)
    #expect(door.node.waits.last?.level == .local)
  }

  @Test func `a closed question takes no answer`() {
    let judge = door.register("Judge", capabilities: #"["ask","answer","resolve"]"#)
    let late = door.ask(judge, more: #","deadlineSeconds":1"#)
    let known = door.ask(judge, "What is known already?")
    door.post("/v1/questions/\(known)/resolve", token: judge.token, #"{"value":"this"}"#)
    door.node.wallMilliseconds += 1_001
    for question in [late, known] {
      let reply = door.post(
        "/v1/questions/\(question)/answers", token: judge.token, Door.answer())
      #expect(reply.status == 409)
      #expect(reply.problem == "question-closed")
    }
    let missing = "/v1/questions/00000000-0000-0000-0000-000000000001/answers"
    #expect(door.post(missing, token: judge.token, Door.answer()).status == 404)
  }

  @Test func `a question with choices takes one of them as value`() {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada, more: #","choices":["Paris","Lyon"]"#))/answers"
    #expect(
      door.post(path, token: ada.token, Door.answer(value: "")).errors == ["value required"])
    #expect(
      door.post(path, token: ada.token, Door.answer(value: "Rome")).errors == ["value choice"])
    #expect(door.post(path, token: ada.token, Door.answer(value: "PARIS")).status == 201)
  }

  @Test func `answers are listed page by page`() throws {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    for index in 0..<5 {
      door.post(path, token: door.register("Agent \(index)").token, Door.answer())
    }
    let first = door.get(path + "?limit=3")
    let next = try #require(first.json["next"]?.string)
    let second = door.get(path + "?limit=3&cursor=\(next)")
    let agents = [first, second].flatMap {
      ($0.json["answers"]?.array ?? []).compactMap { $0["agent"]?.string }
    }
    #expect(agents.count == 5)
    #expect(agents == Set(agents).sorted())
    let other = door.ask(ada, "What is another question?")
    #expect(door.get("/v1/questions/\(other)/answers?cursor=\(next)").status == 422)
  }

  // MARK: Batches

  private func item(_ question: String, _ answer: String = Door.answer()) -> String {
    #"{"question":"\#(question)","# + answer.dropFirst()
  }

  @Test func `each item of a batch has its own result`() throws {
    let ada = door.register("Ada")
    let open = door.ask(ada, "What is open to answer?")
    let given = door.ask(ada, "What is given already?")
    let other = door.ask(ada, "What is given otherwise?")
    let late = door.ask(ada, "What is over by now?", more: #","deadlineSeconds":1"#)
    for question in [given, other] {
      door.post("/v1/questions/\(question)/answers", token: ada.token, Door.answer())
    }
    door.node.wallMilliseconds += 2_000
    let items = [
      item(open), item(given), item(other, Door.answer().replacing("atlas", with: "book")),
      item(late), item("00000000-0000-0000-0000-000000000001"), #"{"question":"x"}"#, "7",
      item(open), item(open, Door.answer(value: "Lyon")),
    ]
    let reply = door.post(
      "/v1/agents/\(ada.id)/answers/batch?consistency=quorum", token: ada.token,
      #"{"answers":[\#(items.joined(separator: ","))]}"#)
    #expect(reply.status == 200)
    let results = try #require(reply.json["results"]?.array)
    let statuses = results.compactMap { $0["status"]?.string }
    #expect(
      statuses == [
        "accepted", "replayed", "refused", "refused", "refused", "refused", "refused", "replayed",
        "refused",
      ])
    let problems = results.map { $0["problem"]?["type"]?.string?.dropFirst(10) ?? "" }
    #expect(
      problems == [
        "", "", "already-answered", "question-closed", "not-found", "invalid", "invalid", "",
        "already-answered",
      ])
    #expect(
      results[5]["problem"]?["errors"]?.array?.first?["field"]?.string == "answers[5].question")
    #expect(reply.json["accepted"]?.integer == 1)
    #expect(reply.json["replayed"]?.integer == 2)
    #expect(reply.json["refused"]?.integer == 6)
    #expect(reply.json["consistency"]?["reached"]?.string == "quorum")
    #expect(door.node.submitted.last?.count == 1)
    #expect(door.node.lastLevel == .quorum)
  }

  @Test func `a batch goes out as one group and a repeated batch writes nothing`() {
    let ada = door.register("Ada")
    let items = (0..<100).map { item(door.ask(ada, "What is number \($0) here?")) }
    let body = #"{"answers":[\#(items.joined(separator: ","))]}"#
    let path = "/v1/agents/\(ada.id)/answers/batch"
    let before = door.node.submitted.count
    #expect(door.post(path, token: ada.token, body).json["accepted"]?.integer == 100)
    #expect(door.node.submitted.count == before + 1)
    #expect(door.post(path, token: ada.token, body).json["replayed"]?.integer == 100)
    #expect(door.node.submitted.count == before + 1)
  }

  @Test func `a batch has one to a thousand items`() {
    let ada = door.register("Ada")
    let path = "/v1/agents/\(ada.id)/answers/batch"
    for (count, status) in [(0, 422), (1, 200), (1_000, 200), (1_001, 422)] {
      let items = Array(repeating: "{}", count: count).joined(separator: ",")
      let reply = door.post(path, token: ada.token, #"{"answers":[\#(items)]}"#)
      #expect(reply.status == status, "\(count) items")
    }
  }

  // MARK: Outcomes

  @Test func `an outcome is tentative and names the state it was computed from`() throws {
    let ada = door.register("Ada")
    let question = door.ask(ada, more: #","minimumAnswers":3"#)
    let path = "/v1/questions/\(question)"
    let empty = door.get(path + "/consensus")
    #expect(empty.json["state"]?.string == "insufficient")
    #expect(empty.json["winner"] == .null)
    for (name, value) in [("One", "Paris"), ("Two", "paris."), ("Three", "Lyon")] {
      door.post(path + "/answers", token: door.register(name).token, Door.answer(value: value))
    }
    let reply = door.get(path + "/consensus")
    #expect(reply.status == 200)
    #expect(reply.json["tentative"]?.bool == true)
    #expect(reply.json["state"]?.string == "decided")
    #expect(reply.json["winner"]?.string == "Paris")
    #expect(reply.json["plurality"]?.string == "Paris")
    #expect(reply.json["margin"]?.fixedPoint(scale: 6) == 333_333)
    #expect(reply.json["asOf"]?["lanesRoot"]?.string == door.node.lanesRoot.hexadecimal)
    let groups = try #require(reply.json["groups"]?.array)
    #expect(groups.map { $0["answers"]?.integer } == [2, 1])
    #expect(groups[0]["share"]?.fixedPoint(scale: 6) == 666_666)
  }

  @Test func `an outcome shows the largest groups and counts the others`() {
    let ada = door.register("Ada")
    let question = door.ask(ada)
    for index in 0..<25 {
      door.post(
        "/v1/questions/\(question)/answers", token: door.register("Agent \(index)").token,
        Door.answer(value: "word \(index)"))
    }
    let reply = door.get("/v1/questions/\(question)/consensus")
    #expect(reply.json["groups"]?.array?.count == 20)
    #expect(reply.json["groupsOmitted"]?.integer == 5)
    #expect(reply.json["winner"]?.string == "word 0")
  }
}
