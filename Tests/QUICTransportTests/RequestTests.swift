import QUICTransport
import Reactor
import Testing

@Suite struct RequestTests {
  private func ask(
    _ asker: TestNode, _ answerer: TestNode, _ frame: [UInt8] = [1, 2]
  ) throws -> RequestID {
    let id = try #require(asker.connection(to: answerer))
    guard case .sent(let request) = asker.transport.request(frame, to: id) else {
      throw Refused()
    }
    return request
  }

  private struct Refused: Error {}

  @Test func `a request is answered with several frames and an end`() throws {
    let world = try World()
    let (asker, answerer) = (try world.node(1), try world.node(2))
    try world.connect(asker, to: answerer)
    answerer.onRequest = { id, frame in
      #expect(answerer.transport.respond(to: id, frame: frame + [3], last: false) == .queued)
      #expect(answerer.transport.respond(to: id, frame: [4], last: true) == .queued)
    }
    let request = try ask(asker, answerer)
    try world.run("the answer ends") { asker.ends[request] != nil }
    #expect(asker.responses[request] == [[1, 2, 3], [4]])
    #expect(asker.ends[request] == .complete)
  }

  @Test func `an answer without a frame ends too`() throws {
    let world = try World()
    let (asker, answerer) = (try world.node(1), try world.node(2))
    try world.connect(asker, to: answerer)
    answerer.onRequest = { id, _ in
      #expect(answerer.transport.finishResponse(to: id) == .queued)
    }
    let request = try ask(asker, answerer)
    try world.run("the answer ends") { asker.ends[request] != nil }
    #expect(asker.responses[request] == nil)
    #expect(asker.ends[request] == .complete)
  }

  @Test func `the acceptor can ask too, many times over`() throws {
    let world = try World()
    let (dialler, acceptor) = (try world.node(1), try world.node(2))
    try world.connect(dialler, to: acceptor)
    dialler.onRequest = { id, frame in
      _ = dialler.transport.respond(to: id, frame: frame, last: true)
    }
    // More than the concurrent limit, so streams must be given back.
    for number in 0..<100 {
      let request = try ask(acceptor, dialler, numbered(number, bytes: 200))
      try world.run("answer \(number)") { acceptor.ends[request] != nil }
      #expect(acceptor.responses[request] == [numbered(number, bytes: 200)])
    }
  }

  @Test func `a response larger than every window streams through`() throws {
    let world = try World()
    let asker = try world.node(1)
    let answerer = try world.node(2) { $0.requestWindowBytes = 64 << 10 }
    try world.connect(asker, to: answerer)
    let total = 400
    var next = 0
    func push(_ id: RequestID) {
      while next < total {
        let frame = numbered(next, bytes: 10_000)
        guard answerer.transport.respond(to: id, frame: frame, last: next == total - 1) == .queued
        else { return }
        next += 1
      }
    }
    answerer.onRequest = { id, _ in push(id) }
    answerer.onResponseWritable = { push($0) }
    let request = try ask(asker, answerer)
    try world.run("the answer ends") { asker.ends[request] != nil }
    #expect(asker.ends[request] == .complete)
    let frames = try #require(asker.responses[request])
    #expect(frames.count == total)
    #expect(frames.enumerated().allSatisfy { $1 == numbered($0, bytes: 10_000) })
  }

  @Test func `requests beyond the peer's limit are held back`() throws {
    let world = try World()
    let asker = try world.node(1)
    let answerer = try world.node(2) { $0.requestsMax = 3 }
    try world.connect(asker, to: answerer)
    let id = try #require(asker.connection(to: answerer))
    let first = try (0..<3).map { _ in try ask(asker, answerer) }
    #expect(asker.transport.request([1], to: id) == .full)
    try world.run("three are asked") { answerer.requests.count == 3 }
    for request in answerer.requests {
      #expect(answerer.transport.respond(to: request.id, frame: [1], last: true) == .queued)
    }
    try world.run("three are answered") { first.allSatisfy { asker.ends[$0] == .complete } }
    var fourth = asker.transport.request([1], to: id)
    try world.run("a place is free again") {
      if fourth == .full { fourth = asker.transport.request([1], to: id) }
      return fourth != .full
    }
  }

  @Test func `the answerer hears that the asker gave up`() throws {
    let world = try World()
    let (asker, answerer) = (try world.node(1), try world.node(2))
    try world.connect(asker, to: answerer)
    let request = try ask(asker, answerer)
    try world.run("the request arrives") { answerer.requests.count == 1 }
    asker.transport.cancel(request)
    try world.run("the answerer hears of it") { answerer.cancelledRequests.count == 1 }
    let id = answerer.requests[0].id
    #expect(answerer.transport.respond(to: id, frame: [1], last: true) == .notConnected)
    #expect(asker.ends[request] == nil)
  }

  @Test func `the asker hears that the answerer gave up`() throws {
    let world = try World()
    let (asker, answerer) = (try world.node(1), try world.node(2))
    try world.connect(asker, to: answerer)
    answerer.onRequest = { id, _ in answerer.transport.cancel(id) }
    let request = try ask(asker, answerer)
    try world.run("the asker hears of it") { asker.ends[request] != nil }
    #expect(
      asker.ends[request] == .cancelledByPeer(ApplicationError.requestCancelled.rawValue))
  }

  @Test func `an unanswered request times out`() throws {
    let world = try World()
    let asker = try world.node(1) { $0.requestTimeout = 30_000_000 }
    let answerer = try world.node(2)
    try world.connect(asker, to: answerer)
    let request = try ask(asker, answerer)
    try world.run("it times out on both sides") {
      asker.ends[request] != nil && answerer.cancelledRequests.count == 1
    }
    #expect(asker.ends[request] == .timedOut)
  }

  @Test func `a response that grows too large is given up`() throws {
    let world = try World()
    let asker = try world.node(1) { $0.responseBytesMax = 10_000 }
    let answerer = try world.node(2)
    try world.connect(asker, to: answerer)
    answerer.onRequest = { id, _ in
      for number in 0..<11 {
        _ = answerer.transport.respond(
          to: id, frame: numbered(number, bytes: 1_000), last: number == 10)
      }
    }
    let request = try ask(asker, answerer)
    try world.run("the response ends") { asker.ends[request] != nil }
    #expect(asker.ends[request] == .tooLarge)
    #expect(asker.responses[request]?.count == 10)
  }

  @Test func `a request ends with its connection`() throws {
    let world = try World()
    let (asker, answerer) = (try world.node(1), try world.node(2))
    try world.connect(asker, to: answerer)
    let request = try ask(asker, answerer)
    try world.run("the request arrives") { answerer.requests.count == 1 }
    answerer.transport.disconnect(answerer.requests[0].id.connection)
    try world.run("the asker hears of it") { asker.ends[request] != nil }
    #expect(asker.ends[request] == .disconnected)
  }

  @Test func `cancelled responses give their flow-control credit back`() throws {
    let world = try World()
    let asker = try world.node(1) { $0.connectionReceiveWindowBytes = 1 << 20 }
    let answerer = try world.node(2)
    try world.connect(asker, to: answerer)
    answerer.onRequest = { id, _ in
      for number in 0..<10 {
        let frame = numbered(number, bytes: 100_000)
        _ = answerer.transport.respond(to: id, frame: frame, last: number == 9)
      }
    }
    for _ in 0..<30 {
      let request = try ask(asker, answerer)
      try world.run("the answer begins") { asker.responses[request] != nil }
      asker.transport.cancel(request)
    }
    let back = try #require(answerer.connection(to: asker))
    for number in 0..<30 {
      let frame = numbered(number, bytes: 100_000)
      try #require(answerer.transport.send(frame: frame, on: .bundles, to: back) == .queued)
    }
    try world.run("three windows of bundles still pass") { asker.bundles.count == 30 }
  }
}
