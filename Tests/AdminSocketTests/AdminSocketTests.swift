import AdminSocket
import Glibc
import Reactor
import Synchronization
import Testing

/// A directory for one test's sockets.
final class Place {
  let directory: String

  init() throws {
    var template = Array("/tmp/admin-socket-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    directory = String(cString: made)
  }

  deinit {
    for name in ["admin", "file"] { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  var path: String { "\(directory)/admin" }

  func mode() -> UInt32? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode : nil
  }
}

/// A server on a thread of its own, with what its owner's handler does.
func serve(
  _ path: String, limits: AdminServer.Limits = .init(),
  counters: @escaping @Sendable (AdminServer.Counters) -> Void = { _ in },
  handler: @escaping @Sendable (String, AdminReply, EventLoop) -> Void
) throws -> LoopThread {
  try LoopThread { loop in
    let server = try AdminServer(path: path, loop: loop, limits: limits) {
      [unowned loop] line, reply in
      handler(line, reply, loop)
    }
    loop.attach(server)
    loop.onTurnEnd { [unowned server] in counters(server.counters) }
  }
}

/// A client that can do what the polite one does not.
final class RawClient {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0)
  }

  deinit { close(descriptor) }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Int {
    Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Reads until so many lines have come or the server ends the connection.
  func lines(_ count: Int) -> [String] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while bytes.count(where: { $0 == 10 }) < count {
      let read = recv(descriptor, &part, part.count, 0)
      guard read > 0 else { break }
      bytes.append(contentsOf: part[..<read])
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

@Suite struct AdminSocketTests {
  @Test func `a line is answered by a line`() throws {
    let place = try Place()
    let thread = try serve(place.path) { line, reply, _ in reply.send("<\(line)>") }
    for line in ["{\"verb\":\"status\"}", "ü", String(repeating: "x", count: 60_000)] {
      #expect(try AdminClient.call(path: place.path, line: line) == "<\(line)>")
    }
    try thread.stopAndJoin()
  }

  @Test func `the file is its owner's alone and vanishes with the server`() throws {
    let place = try Place()
    let thread = try serve(place.path) { line, reply, _ in reply.send(line) }
    let mode = try #require(place.mode())
    #expect(mode & 0o777 == 0o600 && mode & S_IFMT == S_IFSOCK)
    try thread.stopAndJoin()
    #expect(place.mode() == nil)
  }

  @Test func `lines of one connection are answered one by one and in order`() throws {
    let place = try Place()
    let open = Mutex(0)
    let most = Mutex(0)
    let thread = try serve(place.path) { line, reply, loop in
      let now = open.withLock {
        $0 += 1; return $0
      }
      most.withLock { $0 = max($0, now) }
      // Answered in a later turn, the first ones later than the last ones.
      let delay = line == "0" ? 5_000_000 : 100_000
      loop.schedule(at: loop.now() + UInt64(delay)) {
        open.withLock { $0 -= 1 }
        reply.send(line)
      }
    }
    let client = try RawClient(place.path)
    let lines = (0..<20).map { "\($0)" }
    client.send(lines.joined(separator: "\n\n") + "\n")
    #expect(client.lines(20) == lines)
    #expect(most.withLock { $0 } == 1)
    try thread.stopAndJoin()
  }

  @Test func `a client that has said all still gets its answer`() throws {
    let place = try Place()
    let thread = try serve(place.path) { line, reply, loop in
      loop.schedule(at: loop.now() + 2_000_000) { reply.send(line) }
    }
    let client = try RawClient(place.path)
    client.send("a\nb\nrest without an end")
    client.finish()
    #expect(client.lines(9) == ["a", "b"])
    try thread.stopAndJoin()
  }

  enum BadLine: CaseIterable {
    case noText
    case tooLong
    case tooLongAnswer
  }

  @Test(arguments: BadLine.allCases)
  func `a bad line ends its connection and no other`(bad line: BadLine) throws {
    let place = try Place()
    let refused = Mutex<UInt64>(0)
    let thread = try serve(
      place.path, counters: { counters in refused.withLock { $0 = counters.linesRefused } },
      handler: { line, reply, _ in
        reply.send(line == "ask" ? String(repeating: "a", count: 65_537) : line)
      })
    let (bad, good) = (try RawClient(place.path), try RawClient(place.path))
    good.send("1\n")
    #expect(good.lines(1) == ["1"])
    switch line {
    case .noText: bad.send([0xff, 0xfe, 10])
    case .tooLong: bad.send([UInt8](repeating: 97, count: 65_537))
    case .tooLongAnswer: bad.send("ask\n")
    }
    #expect(bad.lines(1) == [])
    good.send("2\n")
    #expect(good.lines(1) == ["2"])
    try thread.stopAndJoin()
    #expect(refused.withLock { $0 } == 1)
  }

  @Test func `the longest line passes both ways`() throws {
    let place = try Place()
    let thread = try serve(place.path) { line, reply, _ in reply.send(line) }
    let line = String(repeating: "z", count: 64 << 10)
    #expect(try AdminClient.call(path: place.path, line: line) == line)
    #expect(throws: AdminSocketError.self) {
      try AdminClient.call(path: place.path, line: line + "z")
    }
    #expect(throws: AdminSocketError.self) { try AdminClient.call(path: place.path, line: "a\nb") }
    try thread.stopAndJoin()
  }

  @Test func `connections beyond the limit are closed and room is reused`() throws {
    let place = try Place()
    let refused = Mutex<UInt64>(0)
    let thread = try serve(
      place.path, counters: { counters in refused.withLock { $0 = counters.connectionsRefused } },
      handler: { line, reply, _ in reply.send(line) })
    var clients = try (0..<8).map { _ in try RawClient(place.path) }
    for client in clients {
      client.send("in\n")
      #expect(client.lines(1) == ["in"])
    }
    let ninth = try RawClient(place.path)
    #expect(ninth.lines(1) == [])
    clients.removeLast()
    var answer: [String] = []
    // The server may hear of the new client before it hears of the end of the old one.
    while answer.isEmpty {
      let next = try RawClient(place.path)
      next.send("in\n")
      answer = next.lines(1)
    }
    #expect(answer == ["in"])
    try thread.stopAndJoin()
    #expect(refused.withLock { $0 } >= 1)
  }

  @Test func `an idle connection is closed, one that waits for its owner is not`() throws {
    let place = try Place()
    var limits = AdminServer.Limits()
    limits.idleTimeout = 20_000_000
    let thread = try serve(place.path, limits: limits) { line, reply, loop in
      loop.schedule(at: loop.now() + 100_000_000) { reply.send(line) }
    }
    let (idle, busy) = (try RawClient(place.path), try RawClient(place.path))
    busy.send("slow\n")
    #expect(idle.lines(1) == [])
    #expect(busy.lines(1) == ["slow"])
    #expect(busy.lines(1) == [])
    try thread.stopAndJoin()
  }

  @Test func `an answer that is never given ends the connection`() throws {
    let place = try Place()
    let thread = try serve(place.path) { _, _, _ in }
    #expect {
      try AdminClient.call(path: place.path, line: "a")
    } throws: { error in
      if case AdminSocketError.connectionLost = error { true } else { false }
    }
    try thread.stopAndJoin()
  }

  @Test func `an answer to a client that left goes nowhere`() throws {
    let place = try Place()
    let results = Mutex<[Bool]>([])
    let thread = try serve(place.path) { line, reply, loop in
      guard line == "leave" else { return _ = reply.send(line) }
      loop.schedule(at: loop.now() + 30_000_000) {
        let result = reply.send(line)
        results.withLock { $0.append(result) }
      }
    }
    var leaver: RawClient? = try RawClient(place.path)
    leaver?.send("leave\n")
    leaver = nil
    let stayer = try RawClient(place.path)
    while results.withLock({ $0.isEmpty }) {
      stayer.send("tick\n")
      #expect(stayer.lines(1) == ["tick"])
    }
    #expect(results.withLock { $0 } == [false])
    try thread.stopAndJoin()
  }

  @Test func `a client does not wait for ever`() throws {
    let place = try Place()
    let thread = try serve(place.path) { _, reply, loop in loop.attach(reply) }
    #expect {
      try AdminClient.call(path: place.path, line: "a", timeoutMilliseconds: 30)
    } throws: { error in
      if case AdminSocketError.timedOut(_, 30) = error { true } else { false }
    }
    try thread.stopAndJoin()
  }
}
