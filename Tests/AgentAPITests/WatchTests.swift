import AgentAPI
import ControlCore
import HTTPServer
import JSONText
import NodeCore
import Primitives
import Records
import Testing

/// Watches: what they show, where they go on, and how they end.
struct WatchTests {
  private let door = Door()
  private let token: String

  init() {
    token = door.register("Ada").token
  }

  private func watch(
    _ query: String = "", headers: [HTTPField] = []
  ) throws -> FakeSink {
    let sent = door.start(.get, "/v1/watch\(query)", token: token, headers: headers)
    return try #require(sent.sink)
  }

  @discardableResult
  private func put(_ key: String, _ value: String = "v") throws -> UInt64 {
    door.node.apply(.put(key: try #require(ControlName(key)), value: Array(value.utf8))).revision
  }

  private func keys(_ events: [FakeSink.Event]) -> [String] {
    events.filter { $0.name == "put" }.compactMap { $0.data["key"]?.string }
  }

  @Test func `a watch begins with a bookmark and shows what comes`() throws {
    try put("before")
    let sink = try watch()
    #expect(sink.takeEvents().map(\.description) == [#"1 bookmark {"revision":1}"#])
    let revision = try put("a/1", "one")
    #expect(sink.takeEvents().isEmpty)
    door.node.pass(milliseconds: 0)
    let events = sink.takeEvents()
    #expect(events.count == 1)
    #expect(events.first?.name == "put")
    #expect(events.first?.id == revision)
    #expect(events.first?.data["key"]?.string == "a/1")
    #expect(events.first?.data["value"]?.string == "one")
    #expect(events.first?.data["version"]?.integer == Int64(revision))
    #expect(events.first?.data["revision"]?.integer == Int64(revision))
  }

  @Test func `news of one turn wake all watches once`() throws {
    let sinks = try (0..<3).map { _ in try watch("?prefix=a/") }
    for sink in sinks { _ = sink.takeEvents() }
    for number in 0..<10 { try put("a/\(number)") }
    try put("b/0")
    door.node.pass(milliseconds: 0)
    for sink in sinks { #expect(keys(sink.takeEvents()).count == 10) }
    #expect(door.node.wakeAt.map { $0 > door.node.now } == true)
  }

  @Test func `a watch shows each kind of event that it asked for`() throws {
    let sink = try watch("?prefix=k&locks=l&leases=1")
    _ = sink.takeEvents()
    guard
      case .leaseGranted(let lease, _) = door.node.apply(.grantLease(ttlMilliseconds: 900)).outcome
    else {
      Issue.record("no lease")
      return
    }
    let key = try #require(ControlName("k"))
    let name = try #require(ControlName("l"))
    door.node.apply(.put(key: key, value: [0xff], lease: lease))
    door.node.apply(.acquireLock(name: name, lease: lease, wait: false))
    let end = door.node.apply(.revokeLease(lease)).revision
    door.node.pass(milliseconds: 0)
    let events = sink.takeEvents()
    #expect(Set(events.map(\.name)).count == 5)
    #expect(events[0].data["valueBase64"]?.string == "/w==")
    #expect(events[0].data["lease"]?.integer == Int64(lease.value))
    // Three events of one revision: only the last names it, so that resuming lacks none.
    let last = events.suffix(3)
    #expect(last.map(\.id) == [nil, nil, end])
    #expect(last.allSatisfy { $0.data["revision"]?.integer == Int64(end) })
    #expect(events[1].data["token"]?.integer == events[1].id.map { Int64($0) })
  }

  @Test(arguments: [("", 3), ("?prefix=a", 2), ("?locks=a", 0), ("?leases=1", 0), ("?prefix=", 3)])
  func `a watch is for what it names, or else for all keys`(query: String, count: Int) throws {
    let sink = try watch(query)
    _ = sink.takeEvents()
    for key in ["a/1", "a/2", "b/1"] { try put(key) }
    door.node.pass(milliseconds: 0)
    #expect(keys(sink.takeEvents()).count == count)
  }

  @Test func `a watch goes on after a revision, the last seen before the one asked for`() throws {
    for number in 1...9 { try put("k/\(number)") }
    #expect(keys(try watch("?after=0").takeEvents()).count == 9)
    #expect(keys(try watch("?after=4").takeEvents()) == (5...9).map { "k/\($0)" })
    let resumed = try watch("?after=2", headers: [HTTPField("Last-Event-ID", "7")])
    let events = resumed.takeEvents()
    #expect(keys(events) == ["k/8", "k/9"])
    #expect(events.last?.name == "bookmark")
    #expect(events.last?.id == 9)
    // A client may come to a node that has not yet seen what the client has.
    let ahead = try watch("?after=11")
    #expect(ahead.takeEvents().last?.id == 11)
    for number in 10...13 { try put("k/\(number)") }
    door.node.pass(milliseconds: 0)
    #expect(keys(ahead.takeEvents()) == ["k/12", "k/13"])
  }

  @Test(arguments: ["x", "-1", "+3", "", "9223372036854775808"])
  func `a bad place to go on is refused`(text: String) {
    let headers = [HTTPField("Last-Event-ID", text)]
    #expect(door.send(.get, "/v1/watch", token: token, headers: headers).status == 422)
    let encoded = text.replacing("+", with: "%2B")
    #expect(door.get("/v1/watch?after=\(encoded)", token: token).status == 422)
  }

  @Test func `every watch has a bookmark at least every five seconds`() throws {
    let first = try watch()
    door.node.pass(milliseconds: 2_000)
    let second = try watch("?prefix=a")
    for sink in [first, second] { _ = sink.takeEvents() }
    try put("b")
    for _ in 0..<4 {
      door.node.pass(milliseconds: 5_000)
      for sink in [first, second] {
        let bookmarks = sink.takeEvents().filter { $0.name == "bookmark" }
        #expect(!bookmarks.isEmpty)
        #expect(bookmarks.last?.data["revision"]?.integer == 1)
      }
    }
    first.leave()
    second.leave()
    door.node.pass(milliseconds: 10_000)
    #expect(door.node.wakeAt == nil)
  }

  @Test func `history that is gone is said, and the watch ends`() throws {
    try put("a")
    let sink = try watch("?after=1")
    _ = sink.takeEvents()
    try put("b")
    door.node.pass(milliseconds: 0)
    #expect(keys(sink.takeEvents()) == ["b"])
    // This watch has not seen the last event when the whole state is replaced.
    try put("c")
    try door.node.restoreControl()
    door.node.pass(milliseconds: 0)
    let events = sink.takeEvents()
    #expect(events.map(\.name) == ["compacted"])
    #expect(events.first?.id == nil)
    #expect(events.first?.data["oldest"]?.integer == 3)
    #expect(sink.end == .finished)
    let late = try watch("?after=1")
    #expect(late.takeEvents().map(\.name) == ["compacted"])
    #expect(!late.isOpen)
    // Who has seen everything goes on.
    let current = try watch("?after=3")
    try put("d")
    door.node.pass(milliseconds: 0)
    #expect(keys(current.takeEvents()) == ["d"])
  }

  @Test func `a reader from far behind is served at its own pace, and lacks nothing`() throws {
    let value = String(repeating: "x", count: 4_000)
    for number in 1...500 { try put("k/\(number)", value) }
    let sent = door.start(.get, "/v1/watch?after=0", token: token)
    let sink = try #require(sent.sink)
    #expect(keys(sink.takeEvents()).count == 500)
    sink.leave()

    let slow = try slowWatch("?after=0")
    // One batch and no more lies there.
    #expect(slow.pendingBytes < 64 * 1_024 + 64 * 5_000)
    for number in 501...520 { try put("k/\(number)", value) }
    door.node.pass(milliseconds: 0)
    slow.readAll()
    #expect(keys(slow.takeEvents()) == (1...520).map { "k/\($0)" })
    #expect(slow.isOpen)
  }

  /// A watch whose reader does not read by itself.
  private func slowWatch(_ query: String) throws -> FakeSink {
    door.sinksRead = false
    defer { door.sinksRead = true }
    return try watch(query)
  }

  @Test func `a reader that does not read is cut off`() throws {
    let value = String(repeating: "x", count: 60_000)
    let sink = try slowWatch("")
    for number in 1...5 { try put("k/\(number)", value) }
    door.node.pass(milliseconds: 0)
    try put("k/6")
    door.node.pass(milliseconds: 29_000)
    #expect(sink.isOpen)
    door.node.pass(milliseconds: 6_000)
    #expect(sink.end == .tooSlow)
    #expect(
      door.get("/metrics").text.contains(#"swarmoracle_watches_ended_total{reason="slow"} 1"#))
  }

  @Test func `a revision that no stream has room for ends it`() throws {
    let sink = try slowWatch("")
    sink.bytesMax = 1_000
    try put("k", String(repeating: "x", count: 2_000))
    door.node.pass(milliseconds: 0)
    #expect(sink.end == .tooSlow)
    #expect(door.get("/metrics").text.contains("swarmoracle_watches 0\n"))
  }

  @Test func `there are 1,024 watches, and one that ends makes room`() throws {
    let sinks = try (0..<1_024).map { _ in try watch() }
    let refused = door.get("/v1/watch", token: token)
    #expect(refused.status == 503)
    #expect(refused.problem == "overloaded")
    #expect(refused.header("Retry-After") == "1")
    sinks[7].leave()
    let last = try watch()
    #expect(last.isOpen)
    #expect(door.get("/metrics").text.contains("swarmoracle_watches 1024\n"))
    #expect(door.get("/metrics").text.contains("swarmoracle_watches_refused_total 1\n"))
  }

  @Test func `a client that is gone before the stream opens leaves nothing behind`() throws {
    door.sinksAreOpen = false
    _ = try watch()
    #expect(door.get("/metrics").text.contains("swarmoracle_watches 0\n"))
  }

  @Test func `a node that stops ends its watches and takes no more`() throws {
    let sinks = try (0..<3).map { _ in try watch() }
    door.api.endStreams()
    #expect(sinks.allSatisfy { $0.end == .finished })
    #expect(door.get("/v1/watch", token: token).status == 503)
    door.node.pass(milliseconds: 10_000)
    #expect(door.node.wakeAt == nil)
  }

  @Test func `only those who may read keys may watch`() {
    #expect(door.get("/v1/watch").status == 401)
    let accept = [HTTPField("Accept", "application/json")]
    #expect(door.send(.get, "/v1/watch", token: token, headers: accept).status == 406)
    #expect(door.get("/v1/watch?key=a", token: token).status == 422)
  }

  @Test func `a HEAD request opens no watch`() throws {
    let request = try #require(
      HTTPRequest(
        .get, "/v1/watch", headers: [HTTPField("Authorization", "Bearer \(token)")], isHead: true))
    var status = 0
    door.api.handle(
      request,
      AnswerWays(
        park: { true }, respond: { status = $0.status },
        stream: { _ in
          Issue.record("a stream was opened")
          return FakeSink()
        }))
    #expect(status == 200)
  }
}
