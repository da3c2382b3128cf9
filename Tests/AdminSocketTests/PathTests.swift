import AdminSocket
import Glibc
import Reactor
import Testing

/// Who gets a path, and what is said when nobody does.
@Suite struct PathTests {
  @Test func `the socket of a process that is gone is replaced`() throws {
    let place = try Place()
    // Bound, and closed without being removed, as a killed process leaves it.
    let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: place.path.utf8) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    close(stale)
    #expect {
      try AdminClient.call(path: place.path, line: "a")
    } throws: { error in
      if case AdminSocketError.nobodyAnswers = error { true } else { false }
    }
    let thread = try serve(place.path) { line, reply, _ in reply.send(line) }
    #expect(try AdminClient.call(path: place.path, line: "a") == "a")
    try thread.stopAndJoin()
  }

  @Test func `a path that somebody serves is left alone`() throws {
    let place = try Place()
    let thread = try serve(place.path) { line, reply, _ in reply.send(line) }
    let loop = try EventLoop()
    #expect {
      try AdminServer(path: place.path, loop: loop) { _, _ in }
    } throws: { error in
      if case AdminSocketError.isInUse = error { true } else { false }
    }
    #expect(try AdminClient.call(path: place.path, line: "still here") == "still here")
    try thread.stopAndJoin()
  }

  @Test func `a file that is no socket is left alone`() throws {
    let place = try Place()
    let file = "\(place.directory)/file"
    let descriptor = creat(file, 0o600)
    try #require(descriptor >= 0)
    close(descriptor)
    let loop = try EventLoop()
    #expect {
      try AdminServer(path: file, loop: loop) { _, _ in }
    } throws: { error in
      if case AdminSocketError.isNoSocket = error { true } else { false }
    }
    #expect(access(file, F_OK) == 0)
  }

  @Test func `a server that stops does not remove its successor's socket`() throws {
    let place = try Place()
    let loop = try EventLoop()
    let first = try AdminServer(path: place.path, loop: loop) { _, _ in }
    try #require(unlink(place.path) == 0)
    let thread = try serve(place.path) { line, reply, _ in reply.send(line) }
    first.stop()
    #expect(try AdminClient.call(path: place.path, line: "a") == "a")
    try thread.stopAndJoin()
  }

  @Test(arguments: [0, 108, 4_000])
  func `a path of another length than the kernel takes is named`(bytes: Int) throws {
    let path = String(repeating: "p", count: bytes)
    let loop = try EventLoop()
    func isNamed(_ error: any Error) -> Bool {
      if case AdminSocketError.pathTooLong(path, bytesMax: 107) = error { true } else { false }
    }
    #expect {
      try AdminServer(path: path, loop: loop) { _, _ in }
    } throws: { isNamed($0) }
    #expect {
      try AdminClient.call(path: path, line: "a")
    } throws: { isNamed($0) }
  }

  @Test func `the longest path works`() throws {
    let place = try Place()
    let rest = 107 - place.directory.utf8.count - 1
    let path = place.directory + "/" + String(repeating: "n", count: rest)
    let thread = try serve(path) { line, reply, _ in reply.send(line) }
    #expect(try AdminClient.call(path: path, line: "a") == "a")
    try thread.stopAndJoin()
  }

  @Test func `a missing directory is an error that names the path`() throws {
    let loop = try EventLoop()
    let path = "/tmp/there-is-no-such-directory/admin"
    #expect {
      try AdminServer(path: path, loop: loop) { _, _ in }
    } throws: { error in "\(error)".contains(path) }
  }
}
