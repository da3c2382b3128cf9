import Foundation
import HTTPClient
import HTTPServer
import Testing

/// A thread that can be waited for.
final class ReaderThread {
  private let done = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () -> Void) {
    let done = done
    Thread {
      body()
      done.signal()
    }.start()
  }

  func join() {
    done.wait()
  }
}

@Suite(.timeLimit(.minutes(1)))
struct HTTPClientTests {
  @Test func `requests reuse one connection and responses carry everything`() throws {
    let harness = try ServerHarness { request, responder, _ in
      responder.respond(
        HTTPResponse(
          status: request.method == .get ? 200 : 404,
          headers: [HTTPField("X-Echo", request.headers["X-Sent"] ?? "none")],
          text: request.method.rawValue + String(decoding: request.body, as: UTF8.self)))
    }
    defer { harness.stop() }
    let connection = HTTPConnection()
    let url = "http://127.0.0.1:\(harness.port)/a?b=c"
    for (method, body, text, status) in [
      ("GET", "", "GET", 200), ("POST", "xyz", "POSTxyz", 404), ("PUT", "", "PUT", 404),
      ("DELETE", "", "DELETE", 404), ("GET", "", "GET", 200),
    ] {
      let response = try connection.send(
        method: method, url: url, headers: [HTTPClientField("X-Sent", method)],
        body: Array(body.utf8))
      #expect(response.status == status)
      #expect(response.body == Array(text.utf8))
      #expect(response.header("x-echo") == method)
    }
    let head = try connection.send(method: "HEAD", url: url)
    #expect(head.status == 200 && head.body.isEmpty)
    #expect(head.header("content-length") == "3")
    #expect(harness.counters.connectionsNow == 1)
  }

  @Test func `a refused connection names the URL and the reason`() throws {
    let harness = try ServerHarness()
    let url = "http://127.0.0.1:\(harness.port)/"
    harness.stop()
    do throws(HTTPClientError) {
      _ = try HTTPConnection().send(method: "GET", url: url)
      Issue.record("nobody listens")
    } catch {
      #expect(error.reason == .cannotConnect)
      #expect(error.url == url)
      #expect(error.description.hasPrefix("\(url): "))
      #expect(!error.message.isEmpty)
    }
  }

  @Test func `an answer that does not come times out`() throws {
    let harness = try ServerHarness { _, responder, harness in harness.parked.append(responder) }
    defer { harness.stop() }
    do throws(HTTPClientError) {
      _ = try HTTPConnection().send(
        method: "GET", url: "http://127.0.0.1:\(harness.port)/", timeoutMilliseconds: 100)
      Issue.record("nobody answers")
    } catch {
      #expect(error.reason == .timedOut)
    }
  }

  @Test func `a response beyond the cap is refused`() throws {
    let harness = try ServerHarness { _, responder, _ in
      responder.respond(HTTPResponse(status: 200, text: String(repeating: "x", count: 1_001)))
    }
    defer { harness.stop() }
    do throws(HTTPClientError) {
      let connection = HTTPConnection(responseBytesMax: 1_000)
      _ = try connection.send(method: "GET", url: "http://127.0.0.1:\(harness.port)/")
      Issue.record("the response is too large")
    } catch {
      #expect(error.reason == .responseTooLarge)
    }
  }

  @Test func `other protocols than HTTP are refused`() {
    #expect(throws: HTTPClientError.self) {
      try HTTPConnection().send(method: "GET", url: "file:///etc/hostname")
    }
  }
}
