import AgentAPI
import HTTPServer
import JSONText
import Primitives
import Records
import Testing

/// Write levels, deadlines, overload and requests that meet.
struct WriteTests {
  private let door = Door()
  private let body = #"{"text":"What is it now?"}"#

  @Test func `the level comes from the query or the header and is echoed`() {
    let ada = door.register("Ada")
    let header = [HTTPField("X-Consistency", "quorum")]
    let reply = door.post("/v1/questions", token: ada.token, body, headers: header)
    #expect(reply.json["consistency"]?["requested"]?.string == "quorum")
    #expect(door.node.lastLevel == .quorum)
    #expect(door.node.lastDeadlineMilliseconds == 5_000)
    door.post("/v1/questions?consistency=local&timeout=250", token: ada.token, body)
    #expect(door.node.lastLevel == .local)
    #expect(door.node.lastDeadlineMilliseconds == 250)
    let both = door.post(
      "/v1/questions?consistency=local", token: ada.token, body, headers: header)
    #expect(both.errors == ["X-Consistency conflict"])
  }

  @Test(arguments: [
    ("?consistency=ordered", "query.consistency not-offered"),
    ("?consistency=eventual", "query.consistency choice"),
    ("?timeout=0", "query.timeout range"), ("?timeout=30001", "query.timeout range"),
    ("?timeout=1s", "query.timeout type"),
  ])
  func `a level or timeout that is not offered is refused`(query: String, error: String) {
    let ada = door.register("Ada")
    let reply = door.post("/v1/questions\(query)", token: ada.token, body)
    #expect(reply.status == 422)
    #expect(reply.errors == [error])
  }

  @Test(arguments: ["finally", "ordered", "none"])
  func `the header is held to the same levels`(level: String) {
    let ada = door.register("Ada")
    let reply = door.post(
      "/v1/questions", token: ada.token, body, headers: [HTTPField("X-Consistency", level)])
    #expect(reply.status == 422)
  }

  @Test func `a write whose deadline passes is unknown and not failed`() {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    door.node.fate = .undecided(.local)
    let reply = door.post(path + "?consistency=quorum", token: ada.token, Door.answer())
    #expect(reply.status == 504)
    #expect(reply.problem == "outcome-unknown")
    #expect(reply.json["requested"]?.string == "quorum")
    #expect(reply.json["reached"]?.string == "local")
    #expect(reply.json["operations"]?.array?.count == 1)
    #expect(reply.json["detail"]?.string?.contains("may yet complete") == true)
    #expect(reply.text.contains("fail") == false)
    door.node.waitFate = .undecided(.local)
    let retry = door.post(path + "?consistency=quorum", token: ada.token, Door.answer())
    #expect(retry.status == 504)
    #expect(retry.json["operations"] == reply.json["operations"])
    door.node.waitFate = .commit
    let last = door.post(path + "?consistency=quorum", token: ada.token, Door.answer())
    #expect(last.status == 200)
    #expect(last.json["operations"] == reply.json["operations"])
    door.node.fate = .undecided(nil)
    let none = door.post("/v1/questions", token: ada.token, body)
    #expect(none.json["reached"] == .null)
  }

  @Test func `overload and failure say that nothing was written`() {
    let ada = door.register("Ada")
    door.node.fate = .overload(3)
    let busy = door.post("/v1/questions", token: ada.token, body)
    #expect(busy.status == 503)
    #expect(busy.problem == "overloaded")
    #expect(busy.header("Retry-After") == "3")
    door.node.fate = .fail("the disk is full")
    let failed = door.post("/v1/questions", token: ada.token, body)
    #expect(failed.status == 500)
    #expect(failed.json["detail"]?.string?.contains("the disk is full") == true)
  }

  @Test func `reads that find no reader or a broken disk are refused`() {
    let ada = door.register("Ada")
    let question = door.ask(ada)
    door.post("/v1/questions/\(question)/answers", token: ada.token, Door.answer())
    let targets = [
      "/v1/questions", "/v1/questions/\(question)", "/v1/questions/\(question)/answers",
      "/v1/questions/\(question)/consensus", "/v1/agents", "/v1/agents/\(ada.id)",
      "/v1/leaderboard",
    ]
    for target in targets {
      door.node.readFault = .busy(retryAfterSeconds: 0)
      let busy = door.get(target)
      #expect(busy.status == 503)
      #expect(busy.header("Retry-After") == "1")
      door.node.readFault = .failed("the page is damaged")
      #expect(door.get(target).status == 500)
    }
  }

  @Test func `a request that the server has no room for is not started`() {
    let ada = door.register("Ada")
    let before = door.node.submitted.count
    door.hasRoom = false
    let sent = door.start(.post, "/v1/questions", token: ada.token, body: Array(body.utf8))
    #expect(sent.reply == nil)
    #expect(!door.node.hasPending)
    #expect(door.node.submitted.count == before)
  }

  @Test func `two requests for one answer write once`() {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    door.node.fate = .overload(1)
    let first = door.start(.post, path, token: ada.token, body: Array(Door.answer().utf8))
    let second = door.start(.post, path, token: ada.token, body: Array(Door.answer().utf8))
    let third = door.start(
      .post, path, token: ada.token, body: Array(Door.answer(value: "Lyon").utf8))
    let question = path.split(separator: "/")[2]
    let items = #"{"answers":[{"question":"\#(question)",\#(Door.answer().dropFirst())]}"#
    let batch = door.start(
      .post, "/v1/agents/\(ada.id)/answers/batch", token: ada.token, body: Array(items.utf8))
    door.node.fate = .commit
    while door.node.hasPending { door.node.runNext() }
    // The first was refused, so the second wrote, and the others found what it had written.
    #expect(first.reply?.status == 503)
    #expect(second.reply?.status == 201)
    #expect(third.reply?.status == 409)
    #expect(batch.reply?.json["replayed"]?.integer == 1)
    #expect(door.node.submitted.count == 4)
  }

  @Test func `a request that waits for another has only its own time`() {
    let ada = door.register("Ada")
    let path = "/v1/questions/\(door.ask(ada))/answers"
    door.node.fate = .overload(1)
    door.start(.post, path, token: ada.token, body: Array(Door.answer().utf8))
    let second = door.start(
      .post, path + "?timeout=1000", token: ada.token, body: Array(Door.answer().utf8))
    door.node.now = door.node.now + .milliseconds(400)
    door.node.fate = .commit
    while door.node.hasPending { door.node.runNext() }
    #expect(second.reply?.status == 201)
    #expect(door.node.lastDeadlineMilliseconds == 600)
  }
}
