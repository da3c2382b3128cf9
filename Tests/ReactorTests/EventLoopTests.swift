import Glibc
import Reactor
import Synchronization
import Testing

/// A pipe whose ends are closed with it.
private final class Pipe {
  let readEnd: Int32
  let writeEnd: Int32

  init() throws {
    var ends: [Int32] = [-1, -1]
    try SystemCallError.check(pipe(&ends), "pipe")
    for end in ends { try SystemCallError.check(fcntl(end, F_SETFL, O_NONBLOCK), "fcntl") }
    readEnd = ends[0]
    writeEnd = ends[1]
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  func write(_ byte: UInt8) {
    _ = [byte].withUnsafeBytes { Glibc.write(writeEnd, $0.baseAddress, 1) }
  }

  func read() -> UInt8? {
    var byte: UInt8 = 0
    return Glibc.read(readEnd, &byte, 1) == 1 ? byte : nil
  }
}

@Suite struct EventLoopTests {
  @Test func `a readable descriptor calls its handler until it is drained`() throws {
    let loop = try EventLoop()
    let pipe = try Pipe()
    var seen: [UInt8] = []
    let registration = try loop.register(descriptor: pipe.readEnd, interest: .readable) {
      readiness in
      #expect(readiness.contains(.readable))
      if let byte = pipe.read() { seen.append(byte) }
      if seen.count == 2 { loop.stop() }
    }
    pipe.write(1)
    pipe.write(2)
    try loop.run()
    #expect(seen == [1, 2])
    loop.deregister(registration)
  }

  @Test func `interest can be changed to writable and back`() throws {
    let loop = try EventLoop()
    let pipe = try Pipe()
    var writable = 0
    let registration = try loop.register(descriptor: pipe.writeEnd, interest: []) { readiness in
      #expect(readiness.contains(.writable))
      writable += 1
      loop.stop()
    }
    try loop.runOnce(until: loop.now())
    #expect(writable == 0)
    try loop.modify(registration, interest: .writable)
    try loop.run()
    #expect(writable == 1)
    try loop.modify(registration, interest: [])
    try loop.runOnce(until: loop.now())
    #expect(writable == 1)
    loop.deregister(registration)
  }

  @Test func `a handler removed earlier in the turn is not called`() throws {
    let loop = try EventLoop()
    let pipes = (try Pipe(), try Pipe())
    var registrations: [Registration] = []
    var calls = 0
    for pipe in [pipes.0, pipes.1] {
      registrations.append(
        try loop.register(descriptor: pipe.readEnd, interest: .readable) { _ in
          calls += 1
          for registration in registrations { loop.deregister(registration) }
          registrations = []
        })
      pipe.write(1)
    }
    try loop.runOnce(until: .max)
    #expect(calls == 1)
  }

  @Test func `registering a closed descriptor throws`() throws {
    let loop = try EventLoop()
    #expect(throws: SystemCallError(number: EBADF, call: "epoll_ctl")) {
      _ = try loop.register(descriptor: 1_000_000, interest: .readable) { _ in }
    }
  }

  @Test func `a hook runs once after all handlers of a turn`() throws {
    let loop = try EventLoop()
    let pipes = (try Pipe(), try Pipe())
    var order: [String] = []
    for pipe in [pipes.0, pipes.1] {
      _ = try loop.register(descriptor: pipe.readEnd, interest: .readable) { _ in
        _ = pipe.read()
        order.append("handler")
      }
      pipe.write(1)
    }
    loop.onTurnEnd { order.append("hook") }
    try loop.runOnce(until: .max)
    #expect(order == ["handler", "handler", "hook"])
  }

  @Test func `a requested turn end comes without an event`() throws {
    let loop = try EventLoop()
    var hooks = 0
    loop.onTurnEnd { [unowned loop] in
      hooks += 1
      if hooks < 3 { loop.requestTurnEnd() } else { loop.stop() }
    }
    loop.requestTurnEnd()
    try loop.run()
    #expect(hooks == 3)
  }

  @Test func `time stands still within a turn and never goes back`() throws {
    let loop = try EventLoop()
    let before = loop.now()
    #expect(loop.now() == before)
    #expect(loop.refreshClock() >= before)
  }

  @Test func `turns and events are counted`() throws {
    let loop = try EventLoop()
    let pipe = try Pipe()
    _ = try loop.register(descriptor: pipe.readEnd, interest: .readable) { _ in _ = pipe.read() }
    pipe.write(1)
    try loop.runOnce(until: .max)
    #expect(loop.metrics.turns == 1 && loop.metrics.events == 1)
    #expect(loop.metrics.longestTurnNanoseconds > 0)
  }

  @Test func `signals arrive as events`() throws {
    try TerminationSignals.block()
    let loop = try EventLoop()
    var numbers: [Int32] = []
    let registration = try TerminationSignals.watch(on: loop) { number in
      numbers.append(number)
      loop.stop()
    }
    // Only this thread blocks the signals, so it must be the one they are sent to.
    pthread_kill(pthread_self(), SIGTERM)
    try loop.run()
    #expect(numbers == [SIGTERM])
    loop.deregister(registration)
  }

  @Test func `using a loop off its thread is a programming error`() async {
    await #expect(processExitsWith: .failure) {
      let thread = try LoopThread { _ in }
      let escaped = Mutex<UInt>(0)
      try await withCheckedThrowingContinuation { (next: CheckedContinuation<Void, any Error>) in
        _ = thread.handle.post { loop in
          let address = UInt(bitPattern: Unmanaged.passUnretained(loop).toOpaque())
          escaped.withLock { $0 = address }
          next.resume()
        }
      }
      let address = escaped.withLock { $0 }
      if let pointer = UnsafeRawPointer(bitPattern: address) {
        Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue().requestTurnEnd()
      }
    }
  }
}

@Suite struct TimerTests {
  @Test func `timers fire in the order of their deadlines`() throws {
    let loop = try EventLoop()
    var fired: [Int] = []
    let start = loop.now()
    for number in [3, 1, 2] {
      loop.schedule(at: start + UInt64(number) * 1_000_000) {
        fired.append(number)
        if fired.count == 3 { loop.stop() }
      }
    }
    try loop.run()
    #expect(fired == [1, 2, 3])
  }

  @Test(arguments: 0..<32)
  func `random arming, moving and cancelling keeps the order`(seed: UInt64) throws {
    let loop = try EventLoop()
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func random(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    // All deadlines lie in the past, so one turn fires everything, and only the order matters.
    let base = loop.now() - 1_000_000
    var fired: [Int] = []
    var tokens: [TimerToken] = []
    var expected: [Int: UInt64] = [:]
    for number in 0..<200 {
      tokens.append(loop.makeTimer { fired.append(number) })
    }
    for _ in 0..<1_000 {
      let number = Int(random(200))
      if random(4) == 0 {
        loop.disarm(tokens[number])
        expected[number] = nil
      } else {
        // Distinct deadlines, so that the oracle needs no tie-break.
        let deadline = base + random(1_000) * 200 + UInt64(number)
        loop.arm(tokens[number], at: deadline)
        expected[number] = deadline
      }
    }
    try loop.runOnce(until: loop.now())
    #expect(fired == expected.sorted { $0.value < $1.value }.map(\.key))
  }

  @Test func `timers of one deadline fire in the order of arming`() throws {
    let loop = try EventLoop()
    var fired: [Int] = []
    let deadline = loop.now()
    for number in 0..<50 { loop.schedule(at: deadline) { fired.append(number) } }
    try loop.runOnce(until: loop.now())
    #expect(fired == Array(0..<50))
  }

  @Test func `a cancelled timer does not fire, not even when it was due`() throws {
    let loop = try EventLoop()
    var fired: [String] = []
    let deadline = loop.now()
    var second: TimerToken?
    loop.schedule(at: deadline) {
      fired.append("first")
      if let second { loop.cancel(second) }
    }
    second = loop.schedule(at: deadline) { fired.append("second") }
    try loop.runOnce(until: loop.now())
    #expect(fired == ["first"])
  }

  @Test func `a timer can arm itself again`() throws {
    let loop = try EventLoop()
    var count = 0
    var timer: TimerToken?
    timer = loop.makeTimer { [unowned loop] in
      count += 1
      if count == 3 { return loop.stop() }
      if let timer { loop.arm(timer, at: loop.now() + 1) }
    }
    if let timer { loop.arm(timer, at: loop.now()) }
    try loop.run()
    #expect(count == 3)
  }

  @Test func `cancelling a timer that has fired is allowed`() throws {
    let loop = try EventLoop()
    let timer = loop.schedule(at: loop.now()) {}
    try loop.runOnce(until: loop.now())
    loop.cancel(timer)
    loop.cancel(timer)
  }

  @Test func `arming a removed timer is a programming error`() async {
    await #expect(processExitsWith: .failure) {
      let loop = try EventLoop()
      let timer = loop.makeTimer {}
      loop.cancel(timer)
      loop.arm(timer, at: 0)
    }
  }
}
