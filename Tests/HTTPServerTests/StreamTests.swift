import HTTPClient
import HTTPServer
import Synchronization
import Testing

/// Opens a stream for every request and records how each one ends.
private final class Streams: Sendable {
  let ends = Mutex<[HTTPStream.End]>([])

  var handler: ServerHarness.Handler {
    { [self] _, responder, harness in
      let stream = responder.stream(contentType: "text/event-stream")
      stream.onClosed = { [self] end in ends.withLock { $0.append(end) } }
      harness.streams.append(stream)
    }
  }
}

@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
  private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func `pieces arrive as they are written and the connection goes on`() throws {
    let streams = Streams()
    let harness = try ServerHarness(handler: streams.handler)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get)
    let head = try #require(client.read(through: "\r\n\r\n"))
    #expect(head.contains("Transfer-Encoding: chunked\r\n"))
    for piece in ["data: 1\n\n", "data: two\n\n"] {
      #expect(harness.onLoop { _ in harness.streams[0].write(Array(piece.utf8)) } == true)
      #expect(client.read(through: piece) != nil)
    }
    _ = harness.onLoop { _ in harness.streams[0].close() }
    #expect(client.read(through: "0\r\n\r\n") != nil)
    #expect(harness.wait { $0.streamsNow == 0 })
    #expect(streams.ends.withLock { $0 } == [.finished])
    #expect(harness.onLoop { _ in harness.streams[0].write([1]) } == false)
    client.send(get)
    #expect(client.read(through: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200") == true)
  }

  @Test func `a client that left is found by a later write`() throws {
    let streams = Streams()
    let harness = try ServerHarness(handler: streams.handler)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get)
    #expect(client.read(through: "\r\n\r\n") != nil)
    client.reset()
    _ = harness.onLoop { _ in harness.streams[0].write(Array(": alive\n\n".utf8)) }
    #expect(harness.wait { $0.streamsNow == 0 && $0.connectionsNow == 0 })
    #expect(streams.ends.withLock { $0 } == [.clientLeft])
  }

  @Test func `a reader that falls behind is dropped`() throws {
    let streams = Streams()
    let harness = try ServerHarness({ $0.streamBytesMax = 100_000 }, handler: streams.handler)
    defer { harness.stop() }
    let client = RawClient(port: harness.port, receiveBufferBytes: 4_096)
    client.send(get)
    #expect(client.read(through: "\r\n\r\n") != nil)
    var writes = 0
    let piece = [UInt8](repeating: 120, count: 50_000)
    while writes < 10_000, harness.onLoop({ _ in harness.streams[0].write(piece) }) == true {
      writes += 1
    }
    #expect(writes < 10_000)
    #expect(harness.wait { $0.streamsNow == 0 && $0.connectionsNow == 0 })
    #expect(streams.ends.withLock { $0 } == [.tooSlow])
    #expect(harness.counters.streamsDropped == 1)
  }

  @Test func `a megabyte passes through a small buffer in order`() throws {
    let harness = try ServerHarness({ $0.streamBytesMax = 64 << 10 }) { _, responder, harness in
      harness.streams.append(responder.stream(contentType: "application/octet-stream"))
    }
    defer { harness.stop() }
    let port = harness.port
    let received = Mutex<[UInt8]>([])
    let finished = Mutex<Bool>(false)
    let reader = ReaderThread {
      _ = try? HTTPConnection().stream(url: "http://127.0.0.1:\(port)/") { chunk in
        received.withLock { $0.append(contentsOf: chunk) }
        return true
      }
      finished.withLock { $0 = true }
    }
    #expect(harness.wait { $0.streamsNow == 1 })
    var expected: [UInt8] = []
    while expected.count < 1 << 20 {
      let piece = (0..<10_007).map { UInt8(truncatingIfNeeded: expected.count + $0 * 7) }
      let isWritten = harness.onLoop { _ in
        guard harness.streams[0].pendingBytes < 32 << 10 else { return false }
        return harness.streams[0].write(piece)
      }
      if isWritten == true { expected += piece }
    }
    _ = harness.onLoop { _ in harness.streams[0].close() }
    reader.join()
    #expect(finished.withLock { $0 })
    #expect(received.withLock { $0 } == expected)
  }

  @Test func `a stream that is drained asks for more, and lacks nothing`() throws {
    let pieces = 40
    let harness = try ServerHarness({ $0.streamBytesMax = 64 << 10 }) { _, responder, harness in
      let stream = responder.stream(contentType: "application/octet-stream")
      harness.streams.append(stream)
      var next = 0
      stream.onDrained = { [weak stream] in
        guard next < pieces else { return stream?.close() ?? () }
        stream?.write([UInt8](repeating: UInt8(next), count: 50_000))
        next += 1
      }
    }
    defer { harness.stop() }
    var received: [UInt8] = []
    let response = try HTTPConnection().stream(url: "http://127.0.0.1:\(harness.port)/") { chunk in
      received.append(contentsOf: chunk)
      return true
    }
    #expect(response.status == 200)
    #expect(received.count == pieces * 50_000)
    #expect(received.enumerated().allSatisfy { Int($0.element) == $0.offset / 50_000 })
    #expect(harness.wait { $0.streamsNow == 0 })
  }

  @Test func `a stream that is abandoned ends as too slow`() throws {
    let streams = Streams()
    let harness = try ServerHarness(handler: streams.handler)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send(get)
    #expect(client.read(through: "\r\n\r\n") != nil)
    _ = harness.onLoop { _ in harness.streams[0].abandon() }
    #expect(harness.wait { $0.streamsNow == 0 && $0.connectionsNow == 0 })
    #expect(streams.ends.withLock { $0 } == [.tooSlow])
    #expect(harness.onLoop { _ in harness.streams[0].write([1]) } == false)
  }

  @Test func `a streaming client may stop reading when it has enough`() throws {
    let streams = Streams()
    let harness = try ServerHarness(handler: { request, responder, harness in
      streams.handler(request, responder, harness)
      harness.streams[0].write(Array("abc".utf8))
    })
    defer { harness.stop() }
    var received: [UInt8] = []
    let response = try HTTPConnection().stream(url: "http://127.0.0.1:\(harness.port)/") { chunk in
      received.append(contentsOf: chunk)
      return false
    }
    #expect(response.status == 200)
    #expect(received == Array("abc".utf8))
  }

  @Test func `HEAD of a stream has no body and ends it`() throws {
    let streams = Streams()
    let harness = try ServerHarness(handler: streams.handler)
    defer { harness.stop() }
    let client = RawClient(port: harness.port)
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.response(isHead: true)?.status == 200)
    #expect(harness.wait { $0.streamsNow == 0 })
  }
}
