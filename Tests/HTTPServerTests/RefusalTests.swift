import HTTPServer
import JSONText
import Testing

/// One way to break HTTP and what must come of it.
struct BrokenRequest: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: String
  /// The status of the answer; `nil` when the connection may just close.
  let status: Int?

  init(_ description: String, _ status: Int?, _ bytes: String) {
    testDescription = description
    self.bytes = bytes
    self.status = status
  }
}

private let malformed: [BrokenRequest] = [
  BrokenRequest(
    "length and transfer coding", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
  ),
  BrokenRequest(
    "transfer coding and length", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"
  ),
  BrokenRequest(
    "two lengths", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
  BrokenRequest(
    "a list of lengths", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"),
  BrokenRequest(
    "a signed length", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"),
  BrokenRequest(
    "a negative length", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc"),
  BrokenRequest(
    "an unknown transfer coding", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
  BrokenRequest(
    "two transfer codings", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "0\r\n\r\n"),
  BrokenRequest(
    "a transfer coding in HTTP/1.0", 400,
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
  BrokenRequest("a space before the colon", 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
  BrokenRequest(
    "a tab before the colon", 400, "GET / HTTP/1.1\r\nHost: a\r\nX\t: a\r\n\r\n"),
  BrokenRequest("an empty name", 400, "GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"),
  BrokenRequest("a header without colon", 400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
  BrokenRequest("a folded header", 400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
  BrokenRequest(
    "a space before the first header", 400, "GET / HTTP/1.1\r\n Host: a\r\nX: a\r\n\r\n"),
  BrokenRequest("bare line feeds", 400, "GET / HTTP/1.1\nHost: a\n\n"),
  BrokenRequest("a bare line feed behind the first line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
  BrokenRequest(
    "a bare line feed behind a header", 400, "GET / HTTP/1.1\r\nHost: a\nX: a\r\n\r\n"),
  BrokenRequest(
    "a bare line feed behind the last header", 400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
  BrokenRequest("a bare line feed as the blank line", 400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
  BrokenRequest("a bare carriage return", 400, "GET / HTTP/1.1\r\nHost: a\rX: a\r\n\r\n"),
  BrokenRequest("a zero byte in a value", 400, "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
  BrokenRequest("a control character in a value", 400, "GET / HTTP/1.1\r\nHost: a\u{1}\r\n\r\n"),
  BrokenRequest("no host", 400, "GET / HTTP/1.1\r\n\r\n"),
  BrokenRequest("two hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
  BrokenRequest("a space in the target", 400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("two spaces before the target", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("a target without slash", 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("a fragment", 400, "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("half an escape", 400, "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("an escape that is no number", 400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("an escaped zero", 400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("escapes that are not UTF-8", 400, "GET /%FF HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("an unknown method", 501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest(
    "a chunk size that is no number", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
  BrokenRequest(
    "a chunk without its end", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"),
]

/// What libmicrohttpd refuses before it tells anybody, so it is not counted.
private let early: [BrokenRequest] = [
  BrokenRequest("no version", nil, "GET /\r\n\r\n"),
  BrokenRequest("an unknown version", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
  BrokenRequest("a malformed version", 400, "GET / HTTX/1.1\r\nHost: a\r\n\r\n"),
  BrokenRequest("no target", nil, "GET\r\n\r\n"),
  BrokenRequest("a TLS hello", nil, "\u{16}\u{3}\u{1}\u{0}\u{5}\u{1}\u{0}\u{0}\u{1}\u{0}\n"),
]

@Suite(.timeLimit(.minutes(1)))
struct RefusalTests {
  private func expectServing(_ harness: ServerHarness) {
    let client = RawClient(port: harness.port)
    client.send("GET /after HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.response()?.body == "GET /after ")
  }

  @Test(arguments: malformed)
  func `a malformed request is refused, counted and closed`(request: BrokenRequest) throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(request.bytes)
    #expect(client.response()?.status == request.status)
    #expect(client.waitForClose())
    let counters = harness.counters
    #expect(counters.refusedMalformed == 1)
    #expect(counters.requests == 0)
    expectServing(harness)
  }

  @Test(arguments: early)
  func `what is hardly HTTP is refused and closed`(request: BrokenRequest) throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(request.bytes)
    let response = client.response()
    if let status = request.status { #expect(response?.status == status) }
    #expect(client.waitForClose())
    #expect(harness.counters.requests == 0)
    expectServing(harness)
  }

  @Test func `a refusal is a problem that says what is wrong`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    let response = try #require(client.response())
    #expect(response.headers.contains("Content-Type: application/problem+json\r\n"))
    #expect(response.headers.contains("Connection: close\r\n"))
    let json = try JSONValue.parse(Array(response.body.utf8))
    #expect(json["status"] == .integer(400))
    #expect(json["detail"] == .string("Host must be given once"))
  }

  @Test(arguments: [0, 1])
  func `headers up to the limit are read and one byte more is refused`(excess: Int) throws {
    let harness = try ServerHarness { $0.headerBytesMax = 1_000 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
    let filler = String(repeating: "x", count: 1_000 - head.utf8.count + excess)
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX: \(filler)\r\n\r\n")
    #expect(client.response()?.status == (excess == 0 ? 200 : 431))
    #expect(harness.counters.refusedHeaderTooLarge == UInt64(excess))
    expectServing(harness)
  }

  @Test func `headers without end are refused and counted`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 30_000))
    #expect(client.response()?.status == 431)
    #expect(client.waitForClose())
    #expect(harness.wait { $0.refusedHeaderTooLarge == 1 })
    expectServing(harness)
  }

  @Test func `more than 64 header fields are refused`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    for (count, status) in [(63, 200), (64, 431)] {
      let client = RawClient(port: harness.port)
      let fields = String(repeating: "X: 1\r\n", count: count)
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
      #expect(client.response()?.status == status)
    }
  }

  @Test(arguments: [65, 2_000])
  func `a query of more than 64 items closes the connection at once`(count: Int) throws {
    let harness = try ServerHarness { $0.headerDeadlineMilliseconds = 3_600_000 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    let most = String(repeating: "a&", count: 64)
    client.send("GET /?\(most) HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.response()?.status == 200)
    let items = String(repeating: "a&", count: count)
    client.send("GET /?\(items) HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.waitForClose())
    #expect(harness.wait { $0.connectionsNow == 0 })
    #expect(harness.counters.requests == 1)
    #expect(harness.counters.refusedHeaderTooLarge == 1)
    expectServing(harness)
  }

  @Test(arguments: [0, 1])
  func `a target up to the limit is read and one byte more is refused`(excess: Int) throws {
    let harness = try ServerHarness { $0.targetBytesMax = 500 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    let target = "/" + String(repeating: "a", count: 499 + excess)
    client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.response()?.status == (excess == 0 ? 200 : 414))
    #expect(harness.counters.refusedHeaderTooLarge == UInt64(excess))
  }

  @Test(arguments: [0, 1, 1_000])
  func `a body with a length up to the limit is read and more is refused`(excess: Int) throws {
    let harness = try ServerHarness { $0.bodyBytesMax = 1_000 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    let body = String(repeating: "b", count: 1_000 + excess)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    #expect(client.response()?.status == (excess == 0 ? 200 : 413))
    #expect(harness.counters.refusedBodyTooLarge == (excess == 0 ? 0 : 1))
    expectServing(harness)
  }

  @Test func `a body announced far beyond the limit is refused before it is sent`() throws {
    let harness = try ServerHarness { $0.bodyBytesMax = 1_000 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n")
    #expect(client.response()?.status == 413)
    #expect(client.waitForClose())
    let expecting = RawClient(port: harness.port)
    expecting.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
    #expect(expecting.response()?.status == 413)
    #expect(harness.counters.refusedBodyTooLarge == 2)
  }

  @Test(arguments: [0, 1, 999])
  func `a chunked body up to the limit is read and more is refused`(excess: Int) throws {
    let harness = try ServerHarness { $0.bodyBytesMax = 1_000 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send("3E8\r\n" + String(repeating: "b", count: 1_000) + "\r\n")
    for _ in 0..<excess { client.send("1\r\nb\r\n") }
    client.send("0\r\n\r\n")
    #expect(client.response()?.status == (excess == 0 ? 200 : 413))
    #expect(harness.counters.refusedBodyTooLarge == (excess == 0 ? 0 : 1))
    expectServing(harness)
  }

  @Test func `a chunked body without end is cut off`() throws {
    let harness = try ServerHarness { $0.bodyBytesMax = 1_000 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    var sent = 0
    while sent < 1_000_000, client.send("100\r\n" + String(repeating: "b", count: 256) + "\r\n") {
      sent += 1
    }
    #expect(sent < 1_000_000)
    #expect(harness.wait { $0.connectionsNow == 0 })
    #expect(harness.counters.refusedBodyTooLarge == 1)
    expectServing(harness)
  }
}
