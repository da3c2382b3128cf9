import AgentAPI
import ControlCore
import HTTPServer
import JSONText
import NodeCore
import Primitives
import Records
import Testing

/// Routes about keys: what they write and give, every refusal, and how sure an answer is.
struct KeyRouteTests {
  private let door = Door()
  private let token: String

  init() {
    token = door.register("Ada").token
  }

  private func put(
    _ target: String, _ body: String, headers: [HTTPField] = []
  ) -> Reply {
    door.send(
      .put, target, token: token, body: Array(body.utf8), headers: headers)
  }

  private func get(_ target: String) -> Reply { door.get(target, token: token) }

  // MARK: Writing and reading

  @Test func `a key is written at versions, read and deleted`() {
    let first = put("/v1/kv/jobs/7", #"{"value":"worker-1","ifVersion":0}"#)
    #expect(first.status == 200)
    #expect(first.json["key"]?.string == "jobs/7")
    #expect(first.json["formerVersion"]?.integer == 0)
    #expect(first.json["consistency"]?.string == "ordered")
    let version = first.json["version"]?.integer ?? 0
    #expect(version == first.json["revision"]?.integer)
    let second = put("/v1/kv/jobs/7", #"{"value":"worker-2","ifVersion":\#(version)}"#)
    #expect(second.json["formerVersion"]?.integer == version)
    #expect(second.json["created"]?.integer == version)
    let read = get("/v1/kv/jobs/7")
    #expect(read.status == 200)
    #expect(read.json["value"]?.string == "worker-2")
    #expect(read.json["version"]?.integer == second.json["version"]?.integer)
    #expect(read.json["consistency"]?.string == "linearizable")
    #expect(read.json["staleMilliseconds"]?.integer == 0)
    #expect(read.json["leader"]?.string == door.node.node.key.hexadecimal)
    let deleted = door.send(.delete, "/v1/kv/jobs/7", token: token)
    #expect(deleted.json["deleted"]?.bool == true)
    #expect(deleted.json["formerVersion"]?.integer == read.json["version"]?.integer)
    let again = door.send(.delete, "/v1/kv/jobs/7", token: token)
    #expect(again.status == 200)
    #expect(again.json["deleted"]?.bool == false)
    let gone = get("/v1/kv/jobs/7")
    #expect(gone.status == 404)
    #expect(gone.problem == "not-found")
    #expect(gone.json["revision"]?.integer == deleted.json["revision"]?.integer)
    #expect(gone.json["consistency"]?.string == "linearizable")
    #expect(gone.json["staleMilliseconds"]?.integer == 0)
    #expect(gone.json["leader"]?.string != nil)
  }

  @Test func `another version is a conflict that names the present one`() {
    let missing = put("/v1/kv/a", #"{"value":"x","ifVersion":9}"#)
    #expect(missing.status == 409)
    #expect(missing.problem == "version-conflict")
    #expect(missing.json["version"]?.integer == 0)
    let version = put("/v1/kv/a", #"{"value":"x"}"#).json["version"]?.integer ?? 0
    let taken = put("/v1/kv/a", #"{"value":"y","ifVersion":0}"#)
    #expect(taken.json["version"]?.integer == version)
    #expect(taken.json["consistency"]?.string == "ordered")
    let deleted = door.send(.delete, "/v1/kv/a?ifVersion=\(version + 1)", token: token)
    #expect(deleted.status == 409)
    #expect(deleted.json["version"]?.integer == version)
    #expect(get("/v1/kv/a").json["value"]?.string == "x")
  }

  @Test(arguments: [
    ("/v1/kv/a/b/c", "a/b/c"), ("/v1/kv/a%2Fb%2fc", "a/b/c"), ("/v1/kv/a%252Fb", "a%2Fb"),
    ("/v1/kv//a//", "/a//"), ("/v1/kv/a+b%20c", "a+b c"), ("/v1/kv/%C3%BC", "ü"),
    ("/v1/swarms/main/kv/swarms/main/x", "swarms/main/x"), ("/v1/kv/..%2F..", "../.."),
    ("/v1/kv/a%3Fb%23c", "a?b#c"),
  ])
  func `the key is all that is left of the path`(target: String, key: String) throws {
    #expect(put(target, #"{"value":"v"}"#).json["key"]?.string == key)
    #expect(get(target).json["key"]?.string == key)
    let name = try #require(ControlName(key))
    #expect(door.node.control.state.answer(.get(key: name)).content != .entry(nil))
  }

  @Test(arguments: ["/v1/kv/", "/v1/kv/a%0Ab", "/v1/kv/a%7F", "/v1/kv/%C2%85"])
  func `a name that no key can have is refused`(target: String) {
    for reply in [
      put(target, #"{"value":"v"}"#), get(target), door.send(.delete, target, token: token),
    ] {
      #expect(reply.status == 422)
      #expect(reply.errors == ["path name"])
    }
  }

  @Test func `the length of a name is counted in bytes after decoding`() {
    let longest = String(repeating: "a", count: 512)
    #expect(put("/v1/kv/" + longest, #"{"value":"v"}"#).status == 200)
    #expect(put("/v1/kv/a" + longest, #"{"value":"v"}"#).status == 422)
    #expect(
      put("/v1/kv/" + String(repeating: "%C3%BC", count: 256), #"{"value":"v"}"#).status == 200)
    #expect(
      put("/v1/kv/" + String(repeating: "%C3%BC", count: 257), #"{"value":"v"}"#).status == 422)
  }

  @Test func `paths that end before the key are other paths`() {
    #expect(put("/v1/kv", #"{"value":"v"}"#).header("Allow") == "GET, HEAD")
    #expect(door.post("/v1/kv/a", token: token, "{}").header("Allow") == "PUT, GET, HEAD, DELETE")
    #expect(get("/v1/kv%2Fa").status == 404)
    #expect(get("/v1/KV/a").status == 404)
    #expect(get("/kv/a").status == 404)
  }

  @Test func `values are text or bytes, and come back as what they are`() {
    let texts = [
      "\"\"", #""plain""#, #""\u0000\u0001\n\t\"\\""#, #""🗝 ключ""#, #""{\"json\":true}""#,
    ]
    for text in texts {
      #expect(put("/v1/kv/t", #"{"value":\#(text)}"#).status == 200)
      #expect(get("/v1/kv/t").json["value"] == (try? JSONValue.parse(Array(text.utf8))))
    }
    for text in ["/w==", "//8=", "gICA", "AAH/gA=="] {
      #expect(put("/v1/kv/b", #"{"valueBase64":"\#(text)"}"#).status == 200)
      #expect(get("/v1/kv/b").json["valueBase64"]?.string == text)
      #expect(get("/v1/kv/b").json["value"] == nil)
    }
    #expect(put("/v1/kv/b", #"{"valueBase64":"aGk="}"#).status == 200)
    #expect(get("/v1/kv/b").json["value"]?.string == "hi")
  }

  @Test(arguments: ["A", "AA", "AA=", "A===", "====", "AB==", "AAB=", "AA==AA==", "AA-_", "AA A"])
  func `base 64 has one form`(text: String) {
    let reply = put("/v1/kv/b", #"{"valueBase64":"\#(text)"}"#)
    #expect(reply.status == 422)
    #expect(reply.errors == ["valueBase64 format"])
  }

  @Test func `values have a largest size`() {
    let most = String(repeating: "x", count: 65_536)
    #expect(put("/v1/kv/v", #"{"value":"\#(most)"}"#).status == 200)
    #expect(put("/v1/kv/v", #"{"value":"\#(most)x"}"#).errors == ["value length"])
    let bytes = String(repeating: "AAAA", count: 21_846)
    #expect(put("/v1/kv/v", #"{"valueBase64":"\#(bytes)"}"#).errors == ["valueBase64 length"])
  }

  @Test(arguments: [
    ("{}", "value required"), (#"{"value":"a","valueBase64":"YQ=="}"#, "valueBase64 conflict"),
    (#"{"value":1}"#, "value type"), (#"{"value":null}"#, "value type"),
    (#"{"value":"a","ifVersion":-1}"#, "ifVersion range"),
    (#"{"value":"a","ifVersion":9223372036854775808}"#, "ifVersion type"),
    (#"{"value":"a","ifVersion":"1"}"#, "ifVersion type"),
    (#"{"value":"a","lease":0}"#, "lease range"), (#"{"value":"a","ttl":1}"#, "ttl unknown"),
    ("[]", "body type"),
  ])
  func `a body that breaks a rule is refused`(body: String, error: String) {
    let reply = put("/v1/kv/a", body)
    #expect(reply.status == 422)
    #expect(reply.errors == [error])
    #expect(door.node.control.index == 0)
  }

  @Test func `a body that is no JSON, or not called so, is refused`() {
    #expect(put("/v1/kv/a", "value").status == 400)
    #expect(put("/v1/kv/a", "").status == 400)
    #expect(put("/v1/kv/a", #"{"value":"a","value":"b"}"#).status == 400)
    let type = [HTTPField("Content-Type", "text/plain")]
    #expect(put("/v1/kv/a", #"{"value":"a"}"#, headers: type).status == 415)
  }

  @Test func `a key with a lease needs that lease`() {
    let reply = put("/v1/kv/a", #"{"value":"x","lease":77}"#)
    #expect(reply.status == 404)
    #expect(reply.problem == "not-found")
    let lease = door.post("/v1/leases", token: token, #"{"ttlMilliseconds":1000}"#)
      .json["lease"]?.integer
    #expect(put("/v1/kv/a", #"{"value":"x","lease":\#(lease ?? 0)}"#).status == 200)
    #expect(get("/v1/kv/a").json["lease"]?.integer == lease)
  }

  // MARK: Lists

  @Test func `keys are listed by prefix and page`() {
    for key in ["a/1", "a/2", "a/3", "b/1"] { _ = put("/v1/kv/\(key)", #"{"value":"\#(key)"}"#) }
    let all = get("/v1/kv?prefix=a/")
    #expect(all.json["entries"]?.array?.compactMap { $0["key"]?.string } == ["a/1", "a/2", "a/3"])
    #expect(all.json["more"]?.bool == false)
    #expect(all.json["revision"]?.integer == 4)
    let page = get("/v1/kv?prefix=a/&limit=2")
    #expect(page.json["entries"]?.array?.count == 2)
    #expect(page.json["more"]?.bool == true)
    let rest = get("/v1/kv?prefix=a/&after=a/2&consistency=local")
    #expect(rest.json["entries"]?.array?.compactMap { $0["value"]?.string } == ["a/3"])
    #expect(rest.json["consistency"]?.string == "local")
    #expect(get("/v1/kv").json["entries"]?.array?.count == 4)
    #expect(get("/v1/kv?prefix=c").json["entries"]?.array?.isEmpty == true)
    for bad in [
      "limit=0", "limit=1001", "after=", "consistency=quorum", "prefix=a&prefix=b", "x=1",
    ] {
      #expect(get("/v1/kv?\(bad)").status == 422, "\(bad)")
    }
  }

  // MARK: How sure an answer is

  @Test func `a local answer says how stale it may be`() {
    _ = put("/v1/kv/a", #"{"value":"x"}"#)
    let reply = get("/v1/kv/a?consistency=local")
    #expect(reply.json["consistency"]?.string == "local")
    #expect(reply.json["staleMilliseconds"]?.integer == 12)
    door.node.control.staleMilliseconds = nil
    door.node.control.leader = nil
    let lost = get("/v1/kv/none?consistency=local")
    #expect(lost.status == 404)
    #expect(lost.json["staleMilliseconds"]?.isNull == true)
    #expect(lost.json["leader"]?.isNull == true)
    #expect(get("/v1/kv/a?consistency=local&after=1").status == 200)
    #expect(
      door.node.control.levels == [.local, .local, .after(revision: 1)])
    #expect(get("/v1/kv/a?after=1").errors == ["query.after conflict"])
    door.node.control.fate = .reply(.unavailable(leader: nil))
    let late = get("/v1/kv/a?consistency=local&after=99")
    #expect(late.status == 503)
    #expect(late.json["detail"]?.string?.contains("revision 99") == true)
  }

  @Test func `the timeout becomes the deadline`() {
    _ = put("/v1/kv/a?timeout=250", #"{"value":"x"}"#)
    _ = get("/v1/kv/a")
    #expect(
      door.node.control.deadlines == [
        door.node.now + .milliseconds(250), door.node.now + .milliseconds(5_000),
      ])
    #expect(get("/v1/kv/a?timeout=0").status == 422)
    #expect(get("/v1/kv/a?timeout=30001").status == 422)
  }

  @Test func `unknown is not unavailable, and neither is failed`() {
    door.node.control.fate = .lose
    let unknown = put("/v1/kv/a", #"{"value":"x"}"#)
    #expect(unknown.status == 504)
    #expect(unknown.problem == "outcome-unknown")
    #expect(unknown.json["consistency"]?.string == "unknown")
    door.node.control.fate = .apply
    #expect(get("/v1/kv/a").json["value"]?.string == "x")
    let leader = NodeID(key: Digest(words: 7, 7, 7, 7))
    for reply in [ControlReply.unavailable(leader: leader), .unavailable(leader: nil)] {
      door.node.control.fate = .reply(reply)
      for answer in [put("/v1/kv/a", #"{"value":"y"}"#), get("/v1/kv/a"), get("/v1/kv")] {
        #expect(answer.status == 503)
        #expect(answer.problem == "no-leader")
        #expect(answer.header("Retry-After") == "1")
        #expect(answer.json["consistency"]?.string == "none")
        #expect(answer.json["leader"] != nil)
      }
    }
    door.node.control.fate = .reply(.overloaded)
    let overloaded = put("/v1/kv/a", #"{"value":"y"}"#)
    #expect(overloaded.status == 503)
    #expect(overloaded.problem == "overloaded")
    #expect(overloaded.header("Retry-After") == "1")
  }

  @Test(arguments: [
    (ControlRefusal.storeFull, 507, "limit-reached"), (.tooManyLeases, 507, "limit-reached"),
    (.leaseFull, 507, "limit-reached"), (.tooManyUnacknowledged, 507, "limit-reached"),
    (.idempotencyReused, 422, "idempotency-mismatch"), (.stale, 504, "outcome-unknown"),
    (.sessionExpired, 504, "outcome-unknown"), (.leaseUnknown, 404, "not-found"),
  ])
  func `what the state refuses has a name`(refusal: ControlRefusal, status: Int, name: String) {
    door.node.control.fate = .reply(
      .result(ControlResult(revision: 5, outcome: .refused(refusal))))
    let reply = put("/v1/kv/a", #"{"value":"x"}"#)
    #expect(reply.status == status)
    #expect(reply.problem == name)
    #expect(reply.json["consistency"]?.string == (status == 504 ? "unknown" : "ordered"))
  }

  @Test func `a command with a name is carried out once`() {
    let key = [HTTPField("Idempotency-Key", "claim-7")]
    let first = put("/v1/kv/a", #"{"value":"x"}"#, headers: key)
    _ = put("/v1/kv/a", #"{"value":"y"}"#)
    let second = put("/v1/kv/a", #"{"value":"x"}"#, headers: key)
    #expect(second.json["version"]?.integer == first.json["version"]?.integer)
    #expect(get("/v1/kv/a").json["value"]?.string == "y")
    let other = put("/v1/kv/b", #"{"value":"x"}"#, headers: key)
    #expect(other.status == 422)
    #expect(other.problem == "idempotency-mismatch")
    // The operator's names and other agents' are others.
    #expect(
      door.send(
        .put, "/v1/kv/c", token: FakeNode.operatorToken, body: Array(#"{"value":"x"}"#.utf8),
        headers: key
      ).status == 200)
    #expect(Set(door.node.control.names.compactMap(\.self)).count == 2)
    for bad in ["", "a b", String(repeating: "k", count: 201)] {
      let reply = put("/v1/kv/a", #"{"value":"x"}"#, headers: [HTTPField("Idempotency-Key", bad)])
      #expect(reply.errors == ["Idempotency-Key format"])
    }
  }

  // MARK: Who may

  @Test func `agents and the operator may, others may not`() {
    #expect(door.get("/v1/kv").status == 401)
    #expect(door.get("/v1/kv", token: "guess").status == 401)
    #expect(door.get("/v1/kv", token: FakeNode.operatorToken).status == 200)
    door.node.operatorTokenDigest = nil
    #expect(door.get("/v1/kv", token: FakeNode.operatorToken).status == 401)
    #expect(get("/v1/kv").status == 200)
  }

  @Test func `a server without room for another wait is not asked`() {
    door.hasRoom = false
    let sent = door.start(.get, "/v1/kv/a", token: token)
    #expect(sent.reply == nil)
    #expect(door.node.control.levels.isEmpty)
  }
}
