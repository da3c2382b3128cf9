import HTTPClient
import HTTPServer
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/// A handler that keeps every responder for the test to answer.
private let park: ServerHarness.Handler = { request, responder, harness in
  if request.segments == ["now"] {
    responder.respond(HTTPResponse(status: 200, text: "now"))
  } else if responder.park() {
    harness.parked.append(responder)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct LifecycleTests {
  @Test func `an answer may come later, on the same connection as the next`() throws {
    let harness = try ServerHarness(handler: park)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get + "GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(harness.wait { $0.parkedNow == 1 })
    _ = harness.onLoop { _ in
      harness.parked.removeFirst().respond(HTTPResponse(status: 200, text: "later"))
    }
    #expect(client.response()?.body == "later")
    #expect(client.response()?.body == "now")
    let counters = harness.counters
    #expect(counters.parkedNow == 0)
    #expect(counters.responsesSuccess == 2)
  }

  @Test func `a server that an answer has woken asks to be run at once`() throws {
    let harness = try ServerHarness(
      {
        // Nothing but the answer can make the loop run the server before the client gives up.
        $0.idleTimeoutMilliseconds = 600_000
        $0.headerDeadlineMilliseconds = 600_000
        $0.bodyDeadlineMilliseconds = 600_000
      }, handler: park)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get)
    #expect(harness.wait { $0.parkedNow == 1 })
    let timeouts = harness.onLoop { server in
      let before = server.timeoutMilliseconds
      harness.parked.removeFirst().respond(HTTPResponse(status: 200, text: "later"))
      return [before, server.timeoutMilliseconds]
    }
    #expect(timeouts?.first != 0)
    #expect(timeouts?.last == 0)
    #expect(client.response()?.body == "later")
  }

  @Test func `an answer to a client that left is harmless`() throws {
    let harness = try ServerHarness(handler: park)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get)
    #expect(harness.wait { $0.parkedNow == 1 })
    client.reset()
    _ = harness.onLoop { _ in
      harness.parked[0].respond(HTTPResponse(status: 200, text: "gone"))
    }
    #expect(harness.wait { $0.connectionsNow == 0 })
    #expect(harness.counters.parkedNow == 0)
    #expect(harness.counters.answersDropped == 1)
    #expect(harness.onLoop { _ in harness.parked[0].isOver } == true)
    let other = RawClient(port: harness.port)
    other.send("GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(other.response()?.body == "now")
  }

  @Test func `beyond the limit of waiting requests, more are told to come back`() throws {
    let harness = try ServerHarness({ $0.parkedMax = 2 }, handler: park)
    defer { harness.stop() }
    let clients = (0..<2).map { _ in RawClient(port: harness.port) }
    for client in clients { client.send(get) }
    #expect(harness.wait { $0.parkedNow == 2 })
    let third = RawClient(port: harness.port)
    third.send(get)
    let refused = try #require(third.response())
    #expect(refused.status == 503)
    #expect(refused.headers.contains("Retry-After: 1\r\n"))
    third.send("GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(third.response()?.body == "now")
    _ = harness.onLoop { _ in
      for responder in harness.parked { responder.respond(HTTPResponse(status: 200, text: "ok")) }
    }
    for client in clients { #expect(client.response()?.body == "ok") }
    let counters = harness.counters
    #expect(counters.refusedTooMany == 1)
    #expect(counters.parkedNow == 0)
  }

  @Test func `a handler that forgets to park is refused for it all the same`() throws {
    let harness = try ServerHarness({ $0.parkedMax = 1 }) { _, responder, harness in
      harness.parked.append(responder)
    }
    defer { harness.stop() }
    let first = RawClient(port: harness.port)
    first.send(get)
    #expect(harness.wait { $0.parkedNow == 1 })
    let second = RawClient(port: harness.port)
    second.send(get)
    #expect(second.response()?.status == 503)
    _ = harness.onLoop { _ in
      for responder in harness.parked { responder.respond(HTTPResponse(status: 200, text: "ok")) }
    }
    #expect(first.response()?.body == "ok")
    #expect(harness.counters.answersDropped == 1)
  }

  @Test func `a second answer stops the program`() async {
    await #expect(processExitsWith: .failure) {
      let harness = try ServerHarness { _, responder, _ in
        responder.respond(HTTPResponse(status: 200, text: "1"))
        responder.respond(HTTPResponse(status: 200, text: "2"))
      }
      let client = RawClient(port: harness.port)
      client.send(get)
      _ = client.response()
    }
  }

  @Test(arguments: ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n"])
  func `headers that do not end are cut off at their deadline`(bytes: String) throws {
    let harness = try ServerHarness { $0.headerDeadlineMilliseconds = 200 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(bytes)
    #expect(client.waitForClose())
    #expect(harness.counters.timeouts == 1)
  }

  @Test func `a body that does not end is cut off at its deadline`() throws {
    let harness = try ServerHarness { $0.bodyDeadlineMilliseconds = 200 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    #expect(client.waitForClose())
    #expect(harness.counters.timeouts == 1)
    #expect(harness.counters.requests == 0)
  }

  @Test func `a connection without a next request is closed`() throws {
    let harness = try ServerHarness { $0.idleTimeoutMilliseconds = 200 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.response()?.status == 200)
    #expect(client.waitForClose())
    #expect(harness.counters.timeouts == 1)
  }

  @Test func `later headers on a kept-alive connection have a deadline too`() throws {
    let harness = try ServerHarness { $0.headerDeadlineMilliseconds = 200 }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a")
    #expect(client.response()?.status == 200)
    #expect(client.waitForClose())
  }

  @Test func `quiescing closes idle connections and lets the others finish`() throws {
    let harness = try ServerHarness(handler: park)
    defer { harness.stop() }
    let idle = RawClient(port: harness.port)
    idle.send("GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(idle.response()?.body == "now")
    let waiting = RawClient(port: harness.port)
    waiting.send(get)
    #expect(harness.wait { $0.parkedNow == 1 })
    _ = harness.onLoop { $0.quiesce() }
    #expect(idle.waitForClose())
    #expect(harness.wait { $0.connectionsNow == 1 })
    _ = harness.onLoop { _ in
      harness.parked[0].respond(HTTPResponse(status: 200, text: "done"))
    }
    #expect(waiting.response()?.body == "done")
  }

  @Test func `stopping closes idle, waiting and streaming connections`() throws {
    let harness = try ServerHarness { request, responder, harness in
      switch request.target {
      case "/park": harness.parked.append(responder)
      case "/stream": harness.streams.append(responder.stream(contentType: "text/plain"))
      default: responder.respond(HTTPResponse(status: 200, text: "ok"))
      }
    }
    let clients = ["/park", "/stream", "/idle"].map { target in
      let client = RawClient(port: harness.port)
      client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
      return client
    }
    #expect(clients[2].response()?.status == 200)
    #expect(harness.wait { $0.parkedNow == 1 && $0.streamsNow == 1 })
    harness.stop()
    for client in clients { #expect(client.waitForClose()) }
  }

  @Test func `a server that is let go stops, and its responders do no harm`() throws {
    var responders: [HTTPResponder] = []
    var server: HTTPServer? = try HTTPServer(configuration: HTTPServerConfiguration()) {
      responders.append($1)
    }
    let client = RawClient(port: try #require(server).boundPort)
    client.send(get)
    while let running = server, running.counters.parkedNow == 0 { running.run() }
    server = nil
    #expect(client.waitForClose())
    #expect(responders[0].isOver)
    #expect(!responders[0].park())
    responders[0].respond(HTTPResponse(status: 200, text: "nobody"))
  }

  @Test func `a stream for a refused request takes nothing`() throws {
    let harness = try ServerHarness({ $0.parkedMax = 0 }) { _, responder, harness in
      #expect(!responder.park())
      harness.streams.append(responder.stream(contentType: "text/plain"))
    }
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get)
    #expect(client.response()?.status == 503)
    #expect(harness.onLoop { _ in harness.streams[0].write([1]) } == false)
    #expect(harness.counters.streamsNow == 0)
  }

  @Test func `many clients on many threads are all answered`() async throws {
    let harness = try ServerHarness()
    defer { harness.stop() }
    let url = "http://127.0.0.1:\(harness.port)/t"
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let connection = HTTPConnection()
          var good = 0
          for index in 0..<50 {
            let body = Array("\(index)".utf8)
            let response = try? connection.send(method: "POST", url: url, body: body)
            if response?.body == Array("POST /t ".utf8) + body { good += 1 }
          }
          return good
        }
      }
      for await good in group { #expect(good == 50) }
    }
    #expect(harness.counters.requests == 400)
  }
}
