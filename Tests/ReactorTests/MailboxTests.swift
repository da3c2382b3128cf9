import Reactor
import Synchronization
import Testing

@Suite struct MailboxTests {
  @Test func `messages of several threads all arrive, each thread's in order`() async throws {
    let received = Mutex<[(Int, Int)]>([])
    let slot = Mutex<Mailbox<(Int, Int)>?>(nil)
    let thread = try LoopThread { loop in
      let mailbox = loop.makeMailbox(limit: 1_000_000) { (batch: [(Int, Int)]) in
        received.withLock { $0.append(contentsOf: batch) }
      }
      slot.withLock { $0 = mailbox }
    }
    let mailbox = try #require(slot.withLock { $0 })
    await withTaskGroup(of: Void.self) { group in
      for sender in 0..<4 {
        group.addTask {
          for number in 0..<10_000 { #expect(mailbox.post((sender, number)) == .accepted) }
        }
      }
    }
    try thread.stopAndJoin()
    let all = received.withLock { $0 }
    #expect(all.count == 40_000)
    for sender in 0..<4 {
      #expect(all.filter { $0.0 == sender }.map(\.1) == Array(0..<10_000))
    }
  }

  @Test func `a full mailbox refuses and counts, and all of a batch or nothing`() throws {
    let loop = try EventLoop()
    var received: [Int] = []
    let mailbox = loop.makeMailbox(limit: 3) { (batch: [Int]) in received += batch }
    #expect(mailbox.post(contentsOf: [1, 2]) == .accepted)
    #expect(mailbox.post(contentsOf: [3, 4]) == .full)
    #expect(mailbox.post(5) == .accepted)
    #expect(mailbox.post(6) == .full)
    #expect(mailbox.refusedCount == 3)
    try loop.runOnce(until: .max)
    #expect(received == [1, 2, 5])
    #expect(mailbox.post(7) == .accepted)
  }

  @Test func `a mailbox outlives its loop and says so`() throws {
    var loop: EventLoop? = try EventLoop()
    let mailbox = loop?.makeMailbox(limit: 3) { (_: [Int]) in }
    #expect(mailbox?.post(1) == .accepted)
    loop = nil
    #expect(mailbox?.post(1) == .closed)
  }

  @Test func `a posted closure runs on the loop's thread`() async throws {
    let thread = try LoopThread { _ in }
    let turns = await withCheckedContinuation { continuation in
      let result = thread.handle.post { loop in
        // Touching the loop is allowed here and nowhere else.
        loop.requestTurnEnd()
        continuation.resume(returning: loop.metrics.turns)
      }
      #expect(result == .accepted)
    }
    #expect(turns < 1_000)
    try thread.stopAndJoin()
    #expect(thread.handle.post { _ in } == .closed)
  }

  @Test func `what set-up throws is thrown to the starter`() {
    struct Unwilling: Error {}
    #expect(throws: Unwilling.self) { _ = try LoopThread { _ in throw Unwilling() } }
  }

  @Test func `attached objects are released when the loop ends`() throws {
    final class Witness: Sendable {
      let released: @Sendable () -> Void
      init(_ released: @escaping @Sendable () -> Void) { self.released = released }
      deinit { released() }
    }
    let count = Counter()
    let thread = try LoopThread { loop in
      loop.attach(Witness { count.increment() })
    }
    #expect(count.value == 0)
    try thread.stopAndJoin()
    #expect(count.value == 1)
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func increment() { count.withLock { $0 += 1 } }
}

@Suite struct SocketAddressTests {
  @Test(arguments: ["127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:1"])
  func `an address is what it was parsed from`(text: String) {
    #expect(SocketAddress(text)?.description == text)
  }

  @Test(arguments: [
    "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[127.0.0.1:80", "localhost:80",
    "[]:80", "256.0.0.1:80", "127.0.0.1:-1",
  ])
  func `what is no address is refused`(text: String) {
    #expect(SocketAddress(text) == nil)
  }

  @Test func `the port can be replaced`() throws {
    let address = try #require(SocketAddress("127.0.0.1:80"))
    #expect(address.withPort(81).description == "127.0.0.1:81")
    #expect(address.withPort(81) != address)
  }
}
