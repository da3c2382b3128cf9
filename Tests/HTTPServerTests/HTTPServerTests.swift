import HTTPClient
import HTTPServer
import JSONText
import Testing

private func post(_ body: String, target: String = "/", extra: String = "") -> String {
  "POST \(target) HTTP/1.1\r\nHost: a\r\n\(extra)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

private func get(_ target: String, extra: String = "") -> String {
  "GET \(target) HTTP/1.1\r\nHost: a\r\n\(extra)\r\n"
}

@Suite(.timeLimit(.minutes(1)))
struct HTTPServerTests {
  @Test func `a request arrives as a decoded value`() throws {
    let harness = try ServerHarness { request, responder, _ in
      #expect(request.method == .get)
      #expect(request.target == "/a%20b/%C3%A9//x%2Fy?k=1+2&flag&k=%26")
      #expect(request.segments == ["a b", "é", "", "x/y"])
      #expect(request.query.map(\.name) == ["k", "flag", "k"])
      #expect(request.query.map(\.value) == ["1 2", "", "&"])
      #expect(request.query("k") == "1 2")
      #expect(request.headers["x-ONE"] == "1")
      #expect(request.headers.values("X-Two") == ["a", "b"])
      #expect(request.headers["absent"] == nil)
      #expect(request.remoteAddress == "127.0.0.1")
      #expect(request.body.isEmpty)
      responder.respond(
        HTTPResponse(status: 201, headers: [HTTPField("X-Answer", "yes")], text: "made"))
    }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(
      get("/a%20b/%C3%A9//x%2Fy?k=1+2&flag&k=%26", extra: "X-One:1\r\nX-Two: a\r\nx-two:\tb\r\n"))
    let response = try #require(client.response())
    #expect(response.status == 201)
    #expect(response.body == "made")
    #expect(response.headers.contains("X-Answer: yes\r\n"))
    #expect(response.headers.contains("Content-Type: text/plain; charset=utf-8\r\n"))
    #expect(harness.counters.requests == 1)
    #expect(harness.counters.responsesSuccess == 1)
  }

  @Test func `an absolute target and the asterisk form are understood`() throws {
    let harness = try ServerHarness { request, responder, _ in
      responder.respond(
        HTTPResponse(status: 200, text: request.segments.joined(separator: "|") + "."))
    }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    for (line, body) in [
      ("GET http://a/x/y?q", "x|y."), ("GET http://a", "."), ("OPTIONS *", "."), ("GET /", "."),
    ] {
      client.send("\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(client.response()?.body == body, "\(line)")
    }
  }

  @Test func `HEAD answers like GET without the body`() throws {
    let harness = try ServerHarness { request, responder, _ in
      #expect(request.method == .get)
      responder.respond(HTTPResponse(status: 200, text: request.isHead ? "12345" : "get"))
    }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/x"))
    let head = try #require(client.response(isHead: true))
    #expect(head.status == 200)
    #expect(head.headers.contains("Content-Length: 5\r\n"))
    #expect(client.response()?.body == "get")
  }

  @Test func `pipelined requests with bodies are answered in order`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send((0..<50).map { post("body \($0)", target: "/\($0)") }.joined())
    for index in 0..<50 {
      #expect(client.response()?.body == "POST /\(index) body \(index)")
    }
    #expect(harness.counters.connectionsNow == 1)
  }

  @Test func `a chunked body is joined, whatever its pieces`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(head + "3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\n\r\n")
    #expect(client.response()?.body == "POST / abcd")
    for piece in [head, "2\r", "\nx", "y\r\n", "0\r\nTrailer: t\r\n", "\r\n"] { client.send(piece) }
    #expect(client.response()?.body == "POST / xy")
  }

  @Test func `a client that expects 100 Continue gets it and then the answer`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(client.response()?.status == 100)
    client.send("ok")
    #expect(client.response()?.body == "POST / ok")
  }

  @Test func `an HTTP/1.0 request is answered and its connection closed`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("GET /old HTTP/1.0\r\n\r\n")
    #expect(client.response()?.body == "GET /old ")
    #expect(client.waitForClose())
  }

  @Test func `an IPv6 address is served`() throws {
    let harness = try ServerHarness({ $0.address = "::1" }) { request, responder, _ in
      responder.respond(HTTPResponse(status: 200, text: request.remoteAddress))
    }
    defer { harness.stop() }
    let client = RawClient(port: harness.port, address: "::1")
    client.send(get("/"))
    #expect(client.response()?.body == "::1")
  }

  @Test func `a port in use and a wrong address are reported`() throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let port = harness.port
    #expect(throws: HTTPServerError.self) { try ServerHarness { $0.port = port } }
    do {
      _ = try ServerHarness { $0.address = "localhost" }
      Issue.record("a name is no numeric address")
    } catch let error as HTTPServerError {
      #expect(error.reason == .invalidAddress)
    }
  }

  @Test func `TLS is served with the given certificate`() throws {
    let harness = try ServerHarness {
      $0.tls = HTTPServerCertificate(
        certificatePEM: Array(TestCertificate.certificatePEM.utf8),
        privateKeyPEM: Array(TestCertificate.privateKeyPEM.utf8))
    }
    defer { harness.stop() }
    let path = try TemporaryFile(text: TestCertificate.certificatePEM)
    let trusting = HTTPConnection(certificateAuthorityPath: path.path)
    let url = "https://localhost:\(harness.port)/secret"
    let response = try trusting.send(method: "POST", url: url, body: Array("key".utf8))
    #expect(response.body == Array("POST /secret key".utf8))
    do throws(HTTPClientError) {
      _ = try HTTPConnection().send(method: "GET", url: url)
      Issue.record("an unknown certificate must not be trusted")
    } catch {
      #expect(error.reason == .tls)
    }
  }

  @Test func `a certificate that is none keeps the server from starting`() {
    #expect(throws: HTTPServerError.self) {
      try ServerHarness {
        $0.tls = HTTPServerCertificate(certificatePEM: [65], privateKeyPEM: [66])
      }
    }
  }

  @Test func `a problem is written as RFC 9457 asks`() throws {
    let response = Problem(title: "T", status: 409, detail: "a \"b\"").response()
    #expect(response.status == 409)
    #expect(response.contentType == "application/problem+json")
    let json = try JSONValue.parse(response.body)
    #expect(json["type"] == .string("about:blank"))
    #expect(json["title"] == .string("T"))
    #expect(json["status"] == .integer(409))
    #expect(json["detail"] == .string("a \"b\""))
  }
}
