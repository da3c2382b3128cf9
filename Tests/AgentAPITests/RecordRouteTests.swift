import AgentAPI
import HTTPServer
import JSONText
import LedgerCore
import Primitives
import Records
import Testing

/// Collections, records of every policy, and conflicts between nodes.
struct RecordRouteTests {
  private let door = Door()
  private let ada: Door.Agent

  init() {
    ada = door.register("Ada")
  }

  private func define(_ name: String, _ policy: String) -> Reply {
    door.send(
      .put, "/v1/collections/\(name)", token: ada.token,
      body: Array(#"{"policy":"\#(policy)"}"#.utf8))
  }

  private func put(
    _ path: String, _ value: String, more: String = "", headers: [HTTPField] = []
  ) -> Reply {
    door.send(
      .put, "/v1/records/\(path)", token: ada.token,
      body: Array(#"{"value":\#(value)\#(more)}"#.utf8), headers: headers)
  }

  private func change(_ path: String, _ body: String, headers: [HTTPField] = []) -> Reply {
    door.post("/v1/records/\(path)", token: ada.token, body, headers: headers)
  }

  /// A write of another node that saw nothing, `milliseconds` after now.
  private func receive(
    _ collection: String, _ key: String, _ action: RecordAction, lane: UInt64 = 77,
    after milliseconds: Int = 0
  ) {
    let time = UInt64(Int(door.node.wallMilliseconds) + milliseconds)
    door.node.receive(
      .change(
        RecordChange(
          name: RecordName(collection: collection, key: key),
          agent: AgentID(high: 1, low: lane), request: nil, action: action)),
      at: OperationStamp(
        time: HybridTime(milliseconds: time, counter: 60_001),
        lane: LaneID(digest: Digest(words: lane, 1, 1, 1)), number: time, index: 0))
  }

  // MARK: Collections

  @Test func `a collection is defined once and keeps its policy`() {
    let first = define("notes", "siblings")
    #expect(first.status == 201)
    #expect(first.header("Location") == "/v1/collections/notes")
    let again = define("notes", "siblings")
    #expect(again.status == 200)
    #expect(again.json["replayed"]?.bool == true)
    #expect(define("notes", "lww").problem == "collection-exists")
    #expect(define("no%20word", "lww").errors == ["collection invalid"])
    #expect(define("other", "vector").errors == ["policy choice"])
    #expect(door.get("/v1/collections/notes").json["policy"]?.string == "siblings")
    #expect(door.get("/v1/collections/none").problem == "not-found")
    #expect(door.send(.put, "/v1/collections/x", body: Array("{}".utf8)).status == 401)
  }

  @Test func `collections are listed page by page`() {
    for name in ["c", "a", "b"] { _ = define(name, "lww") }
    let first = door.get("/v1/collections?limit=2")
    #expect(first.json["collections"]?.array?.map { $0["name"]?.string } == ["a", "b"])
    #expect(first.json["next"]?.string == "b")
    let second = door.get("/v1/collections?limit=2&after=b")
    #expect(second.json["collections"]?.array?.map { $0["name"]?.string } == ["c"])
    #expect(second.json["next"] == nil)
  }

  // MARK: Values

  @Test(arguments: ["lww", "siblings", "priority"])
  func `a value is written, read, replaced and deleted`(policy: String) {
    _ = define("notes", policy)
    let written = put("notes/a%2Fb", #"{ "n": [1, 2.50, null] }"#)
    #expect(written.status == 201)
    #expect(written.json["key"]?.string == "a/b")
    let read = door.get("/v1/records/notes/a%2Fb")
    #expect(read.text.contains(#""value":{"n":[1,2.50,null]}"#))
    #expect(read.json["context"] == written.json["context"])
    #expect(read.json["conflict"]?.bool == false)
    #expect(read.json["writes"]?.array?.first?["agent"]?.string == ada.id)
    #expect(
      read.json["writes"]?.array?.first?["node"]?.string == door.node.node.key.hexadecimal)
    #expect(put("notes/a%2Fb", "2").status == 201)
    #expect(door.get("/v1/records/notes/a%2Fb").json["value"]?.integer == 2)
    #expect(door.send(.delete, "/v1/records/notes/a%2Fb", token: ada.token).status == 201)
    let gone = door.get("/v1/records/notes/a%2Fb")
    #expect(gone.status == 404)
    #expect(gone.json["context"]?.string != nil)
    #expect(put("notes/a%2Fb", "null").status == 201)
    #expect(door.get("/v1/records/notes/a%2Fb").json["value"] == .null)
  }

  @Test func `what does not fit is refused by name`() {
    _ = define("notes", "lww")
    _ = define("hits", "counter")
    #expect(put("none/a", "1").problem == "not-found")
    #expect(put("hits/a", "1").problem == "wrong-policy")
    #expect(change("notes/a/counter", #"{"delta":1}"#).problem == "wrong-policy")
    #expect(change("hits/a/set", #"{"add":"x"}"#).problem == "wrong-policy")
    #expect(change("hits/a/counter", #"{"delta":0}"#).errors == ["delta invalid"])
    #expect(change("hits/a/counter", #"{"delta":9007199254740992}"#).errors == ["delta range"])
    let long = String(repeating: "x", count: 16_383)
    #expect(put("notes/a", #""\#(long)""#).errors == ["value length"])
    #expect(put("notes/a", "1", more: #","priority":10"#).errors == ["priority range"])
    let key = String(repeating: "%C3%A9", count: 129)
    #expect(put("notes/\(key)", "1").errors == ["key invalid"])
    #expect(put("notes/a%0Ab", "1").errors == ["key invalid"])
    #expect(door.get("/v1/records/notes/none").problem == "not-found")
  }

  @Test func `a write supersedes what its context names and nothing else`() {
    _ = define("notes", "siblings")
    _ = put("notes/a", "1")
    let context = door.get("/v1/records/notes/a").json["context"]?.string ?? ""
    door.node.wallMilliseconds += 10
    receive("notes", "a", .put(value: "2", priority: 0, seen: []))
    door.node.wallMilliseconds += 10
    let stale = put("notes/a", "3", more: #","context":"\#(context)""#)
    #expect(stale.status == 201)
    let read = door.get("/v1/records/notes/a")
    #expect(read.json["conflict"]?.bool == true)
    #expect(read.json["value"] == nil)
    #expect(read.json["writes"]?.array?.map { $0["value"]?.integer } == [2, 3])
    let all = read.json["context"]?.string ?? ""
    door.node.wallMilliseconds += 10
    receive("notes", "a", .put(value: "4", priority: 0, seen: []), lane: 78)
    let query = "/v1/records/notes/a?context=\(all)"
    door.node.wallMilliseconds += 10
    #expect(door.send(.delete, query, token: ada.token).status == 201)
    let last = door.get("/v1/records/notes/a")
    #expect(last.json["writes"]?.array?.map { $0["deleted"]?.bool } == [false, true])
  }

  @Test func `a context of another record, a damaged or a future one is refused`() {
    _ = define("notes", "siblings")
    let written = put("notes/a", "1")
    let context = written.json["context"]?.string ?? ""
    for text in [context.dropLast(2) + "00", context.dropLast(2), "00" + context.dropFirst(2)] {
      let reply = put("notes/a", "2", more: #","context":"\#(text)""#)
      #expect(reply.errors == ["context format"])
    }
    #expect(put("notes/b", "2", more: #","context":"\#(context)""#).errors == ["context format"])
    // The same write in the same millisecond is known here, so the clock is beyond it.
    #expect(put("notes/a", "2", more: #","context":"\#(context)""#).status == 201)
    receive("notes", "a", .put(value: "4", priority: 0, seen: []), after: 300)
    let ahead = door.get("/v1/records/notes/a").json["context"]?.string ?? ""
    #expect(put("notes/a", "5", more: #","context":"\#(ahead)""#).status == 201)
    let other = Door()
    let bob = other.register("Bob")
    let body = Array(#"{"policy":"siblings"}"#.utf8)
    other.send(.put, "/v1/collections/notes", token: bob.token, body: body)
    let early = other.send(
      .put, "/v1/records/notes/a", token: bob.token,
      body: Array(#"{"value":1,"context":"\#(ahead)"}"#.utf8))
    #expect(early.problem == "not-ready")
    #expect(early.header("Retry-After") == "1")
  }

  @Test func `so many blind writes stand and the next is refused`() {
    _ = define("notes", "siblings")
    let context = put("notes/a", "0").json["context"]?.string ?? ""
    for value in 1...4 {
      #expect(put("notes/a", "\(value)", more: #","context":"\#(context)""#).status == 201)
    }
    let refused = put("notes/a", "5", more: #","context":"\#(context)""#)
    #expect(refused.problem == "record-full")
    #expect(put("notes/a", "5").status == 201)
    #expect(door.get("/v1/records/notes/a").json["value"]?.integer == 5)
  }

  @Test func `the highest priority is the value and the others stand beside it`() {
    _ = define("plans", "priority")
    _ = put("plans/a", #""mine""#, more: #","priority":7"#)
    receive("plans", "a", .put(value: #""theirs""#, priority: 2, seen: []), after: 5)
    let read = door.get("/v1/records/plans/a")
    #expect(read.json["value"]?.string == "mine")
    #expect(read.json["conflict"]?.bool == true)
    #expect(read.json["writes"]?.array?.count == 2)
  }

  // MARK: Counters and sets

  @Test func `a counter adds up what every node adds`() {
    _ = define("hits", "counter")
    #expect(change("hits/a/counter", #"{"delta":5}"#).status == 201)
    receive("hits", "a", .add(delta: -7))
    #expect(door.get("/v1/records/hits/a").json["total"]?.integer == -2)
    #expect(door.get("/v1/records/hits/b").problem == "not-found")
  }

  @Test func `a set keeps what a removal did not see`() {
    _ = define("tags", "set")
    #expect(change("tags/a/set", #"{"add":"red"}"#).status == 201)
    #expect(change("tags/a/set", #"{"add":"blue"}"#).status == 201)
    #expect(change("tags/a/set", #"{"remove":"red"}"#).status == 201)
    receive("tags", "a", .insert(element: "red", seen: []), after: -50)
    let read = door.get("/v1/records/tags/a")
    #expect(read.json["elements"]?.array?.map(\.string) == ["blue", "red"])
    #expect(read.json["count"]?.integer == 2)
    #expect(change("tags/a/set", "{}").errors == ["add choice"])
    #expect(change("tags/a/set", #"{"add":"a","remove":"b"}"#).errors == ["add choice"])
  }

  // MARK: Repeating

  @Test func `a repeated request changes nothing twice`() {
    _ = define("hits", "counter")
    let key = [HTTPField("Idempotency-Key", "k1")]
    let first = change("hits/a/counter", #"{"delta":5}"#, headers: key)
    let second = change("hits/a/counter", #"{"delta":5}"#, headers: key)
    #expect(second.status == 200)
    #expect(second.json["operations"] == first.json["operations"])
    #expect(door.get("/v1/records/hits/a").json["total"]?.integer == 5)
    let other = change("hits/a/counter", #"{"delta":6}"#, headers: key)
    #expect(other.problem == "idempotency-mismatch")
    #expect(change("hits/b/counter", #"{"delta":6}"#, headers: key).status == 201)
  }

  @Test func `a repeated write does not come back over a later one`() {
    _ = define("notes", "lww")
    let key = [HTTPField("Idempotency-Key", "k1")]
    #expect(put("notes/a", "1", headers: key).status == 201)
    #expect(put("notes/a", "2").status == 201)
    let repeated = put("notes/a", "1", headers: key)
    #expect(repeated.status == 200)
    #expect(repeated.json["context"] == nil)
    #expect(door.get("/v1/records/notes/a").json["value"]?.integer == 2)
  }

  @Test func `writes to one record through one node see one another`() {
    _ = define("notes", "siblings")
    let body = { (value: Int) in Array(#"{"value":\#(value)}"#.utf8) }
    let first = door.start(.put, "/v1/records/notes/a", token: ada.token, body: body(1))
    let second = door.start(.put, "/v1/records/notes/a", token: ada.token, body: body(2))
    while door.node.hasPending { door.node.runNext() }
    #expect(first.reply?.status == 201)
    #expect(second.reply?.status == 201)
    #expect(door.get("/v1/records/notes/a").json["conflict"]?.bool == false)
  }

  @Test func `a quorum out of reach holds up nobody else and is reported as unknown`() {
    _ = define("notes", "siblings")
    door.node.waitFate = .undecided(.local)
    let body = { (value: Int) in Array(#"{"value":\#(value)}"#.utf8) }
    let path = "/v1/records/notes/a"
    let first = door.start(.put, path + "?consistency=quorum", token: ada.token, body: body(1))
    let second = door.start(.put, path, token: ada.token, body: body(2))
    // The first is local: the second is taken before the wait for the quorum ends.
    door.node.runNext()
    #expect(door.node.submitted.count == 4)
    #expect(first.reply == nil)
    while door.node.hasPending { door.node.runNext() }
    #expect(first.reply?.problem == "outcome-unknown")
    #expect(first.reply?.json["reached"]?.string == "local")
    #expect(second.reply?.status == 201)
    door.node.waitFate = .commit
    #expect(door.get(path).json["value"]?.integer == 2)
  }

  // MARK: Lists

  @Test func `records are listed by prefix, page by page`() {
    _ = define("notes", "siblings")
    for key in ["a", "ab", "abc", "ac", "b"] { _ = put("notes/\(key)", #""\#(key)""#) }
    door.send(.delete, "/v1/records/notes/abc", token: ada.token)
    receive("notes", "ac", .put(value: "2", priority: 0, seen: []))
    let keys = { (reply: Reply) in reply.json["records"]?.array?.map { $0["key"]?.string } }
    let all = door.get("/v1/records/notes")
    #expect(keys(all) == ["a", "ab", "ac", "b"])
    #expect(all.json["records"]?.array?.map { $0["value"]?.string } == ["a", "ab", nil, "b"])
    let conflicts = all.json["records"]?.array?.map { $0["conflict"]?.bool }
    #expect(conflicts == [false, false, true, false])
    #expect(keys(door.get("/v1/records/notes?prefix=ab")) == ["ab"])
    let first = door.get("/v1/records/notes?limit=2")
    #expect(keys(first) == ["a", "ab"])
    #expect(keys(door.get("/v1/records/notes?limit=5&after=ab")) == ["ac", "b"])
    #expect(door.get("/v1/records/none").problem == "not-found")
  }

  @Test func `open conflicts are listed, and those that a write has resolved`() {
    _ = define("notes", "siblings")
    _ = define("plans", "lww")
    for key in ["a", "b", "c"] {
      _ = put("notes/\(key)", "1")
      door.node.wallMilliseconds += 1_000
      receive("notes", key, .put(value: "2", priority: 3, seen: []), lane: 77)
    }
    _ = put("plans/a", "1")
    receive("plans", "a", .delete(priority: 0, seen: []), after: 20)
    let first = door.get("/v1/conflicts?limit=3")
    let names = { (reply: Reply) in
      reply.json["conflicts"]?.array?.map {
        "\($0["collection"]?.string ?? "")/\($0["key"]?.string ?? "")"
      }
    }
    #expect(names(first) == ["plans/a", "notes/c", "notes/b"])
    let next = first.json["next"]?.string ?? ""
    #expect(names(door.get("/v1/conflicts?limit=3&cursor=\(next)")) == ["notes/a"])
    #expect(names(door.get("/v1/conflicts?collection=plans")) == ["plans/a"])
    let plan = first.json["conflicts"]?.array?.first
    #expect(plan?["winner"] == plan?["writes"]?.array?.last?["operation"])
    #expect(first.json["conflicts"]?.array?.last?["winner"] == .null)

    door.node.wallMilliseconds += 1_000
    #expect(put("notes/b", "3").status == 201)
    #expect(names(door.get("/v1/conflicts?collection=notes")) == ["notes/c", "notes/a"])
    let resolved = door.get("/v1/conflicts?status=resolved")
    #expect(names(resolved) == ["notes/b"])
    let conflict = resolved.json["conflicts"]?.array?.first
    #expect(conflict?["resolvedBy"]?["agent"]?.string == ada.id)
    #expect(conflict?["resolvedBy"]?["value"]?.integer == 3)
    #expect(conflict?["writes"]?.array?.map { $0["value"]?.integer } == [1, 2])
    #expect(conflict?["winner"] == conflict?["resolvedBy"]?["operation"])
    #expect(names(door.get("/v1/conflicts?status=resolved&collection=plans")) == [])
  }

  @Test func `resolved conflicts have pages, and long values are told by their size`() {
    _ = define("notes", "lww")
    let long = #""\#(String(repeating: "x", count: 2_000))""#
    for key in ["a", "b", "c"] {
      _ = put("notes/\(key)", long)
      receive("notes", key, .put(value: "2", priority: 3, seen: []), lane: 77)
      door.node.wallMilliseconds += 1_000
      _ = put("notes/\(key)", long)
    }
    var seen: [String?] = []
    var cursor = ""
    for _ in 0..<3 {
      let reply = door.get("/v1/conflicts?status=resolved&limit=1\(cursor)")
      seen += (reply.json["conflicts"]?.array ?? []).map { $0["key"]?.string }
      let by = reply.json["conflicts"]?.array?.first?["resolvedBy"]
      #expect(by?["value"] == nil)
      #expect(by?["valueBytes"]?.integer == 2_002)
      cursor = reply.json["next"]?.string.map { "&cursor=\($0)" } ?? ""
    }
    #expect(seen == ["c", "b", "a"])
    #expect(cursor.isEmpty)
  }

  @Test func `values that are no JSON and names that do not exist do no harm`() {
    _ = define("notes", "siblings")
    let ghosts = (1...2).map {
      RecordDot(
        lane: LaneID(digest: Digest(words: UInt64($0), 9, 9, 9)), time: HybridTime(raw: 5))
    }
    receive("notes", "a", .put(value: "}{", priority: 0, seen: ghosts))
    #expect(door.get("/v1/records/notes/a").json["value"]?.string == "}{")
    let resolved = door.get("/v1/conflicts?status=resolved")
    #expect(resolved.json["conflicts"]?.array?.first?["writes"]?.array?.isEmpty == true)
    #expect(door.get("/v1/records/notes").status == 200)
  }

  @Test func `what is not yet on disk is waited for`() {
    _ = define("notes", "lww")
    door.node.keepsRowsBack = true
    _ = put("notes/a", "1")
    #expect(door.get("/v1/records/notes/a").json["value"]?.integer == 1)
  }

  @Test func `every read of records seeks by a key or an index`() {
    _ = define("notes", "siblings")
    _ = define("tags", "set")
    for index in 0..<4 {
      _ = put("notes/\(index)", "1")
      receive("notes", "\(index)", .put(value: "2", priority: 3, seen: []))
      door.node.wallMilliseconds += 100
      if index % 2 == 0 { _ = put("notes/\(index)", "1") }
    }
    _ = change("tags/a/set", #"{"add":"red"}"#)
    for path in ["records/notes", "records/notes?prefix=a&after=b", "records/tags/a"] {
      door.get("/v1/\(path)")
    }
    door.get("/v1/collections")
    for status in ["open", "resolved"] {
      let path = "/v1/conflicts?status=\(status)&limit=1"
      let next = door.get(path).json["next"]?.string ?? ""
      door.get(path + "&cursor=\(next)")
      door.get(path + "&collection=notes")
    }
    #expect(door.node.queries.count > 10)
    for query in door.node.queries {
      for step in door.node.database.plan(query) {
        let isScan = step.hasPrefix("SCAN") && !step.contains("USING") && !step.contains("CONSTANT")
        #expect(!isScan, "\(step): \(query.sql)")
        #expect(!step.contains("TEMP B-TREE"), "\(step): \(query.sql)")
      }
    }
  }
}
