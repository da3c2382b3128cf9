internal import Glibc
internal import Reactor

/// Many connections on one thread, each of which sends its next request when the last one is
/// answered.
///
/// Raw sockets, requests that are made once, no text: what it costs is mostly the kernel's work,
/// so that the nodes have the processors that they share with it.
final class LoadClient {
  /// What was counted.
  struct Counts: Sendable {
    /// How long each answered request took, in microseconds.
    var latencies: [UInt32] = []
    /// Answers that were no success, by status.
    var refusals: [Int: Int] = [:]
    /// Connections that broke.
    var broken = 0
    /// Why the first one did.
    var fault: String?
  }

  private let loop: EventLoop
  private var connections: [LoadConnection] = []
  fileprivate private(set) var counts = Counts()
  /// Whether answers count yet.
  fileprivate var isCounting = false
  /// Whether every request is to be followed by another.
  fileprivate var isRunning = true
  fileprivate var buffer = [UInt8](repeating: 0, count: 64 << 10)

  /// Opens one connection per element: where to, and the requests that it repeats in turn.
  init(_ clients: [(address: PlainAddress, requests: [[UInt8]])]) throws {
    loop = try EventLoop()
    for client in clients {
      connections.append(
        try LoadConnection(client.address, client.requests, loop: loop, owner: self))
    }
  }

  /// Sends and counts, first for a while that does not count.
  func run(warmUpNanoseconds: UInt64, nanoseconds: UInt64, onStart: () -> Void) throws -> Counts {
    for connection in connections { connection.start() }
    try run(for: warmUpNanoseconds)
    onStart()
    isCounting = true
    try run(for: nanoseconds)
    isCounting = false
    isRunning = false
    for connection in connections { connection.close() }
    return counts
  }

  private func run(for nanoseconds: UInt64) throws {
    let end = BenchClock.nanoseconds + nanoseconds
    while BenchClock.nanoseconds < end { try loop.runOnce(until: end) }
  }

  fileprivate func note(latencyNanoseconds: UInt64, status: Int) {
    guard isCounting else { return }
    if (200..<300).contains(status) {
      counts.latencies.append(UInt32(clamping: latencyNanoseconds / 1_000))
    } else {
      counts.refusals[status, default: 0] += 1
    }
  }

  fileprivate func note(fault: String) {
    counts.broken += 1
    if counts.fault == nil { counts.fault = fault }
  }
}

/// One connection of a load.
private final class LoadConnection {
  private let loop: EventLoop
  private unowned let owner: LoadClient
  private let requests: [[UInt8]]
  private var descriptor: Int32
  private var registration: Registration?
  private var reader = ResponseReader()
  private var next = 0
  private var sent = 0
  private var sentAt: UInt64 = 0

  init(
    _ address: PlainAddress, _ requests: [[UInt8]], loop: EventLoop, owner: LoadClient
  ) throws {
    precondition(!requests.isEmpty, "a connection without requests")
    self.loop = loop
    self.owner = owner
    self.requests = requests
    descriptor = address.connect()
    guard descriptor >= 0 else { throw SystemCallError(number: -descriptor, call: "connect") }
  }

  deinit { close() }

  func start() {
    do {
      registration = try loop.register(descriptor: descriptor, interest: .writable) {
        [unowned self] readiness in isReady(readiness)
      }
    } catch {
      fail("\(error)")
    }
  }

  func close() {
    guard descriptor >= 0 else { return }
    if let registration { loop.deregister(registration) }
    Glibc.close(descriptor)
    descriptor = -1
  }

  private func fail(_ reason: String) {
    owner.note(fault: reason)
    close()
  }

  private func isReady(_ readiness: Readiness) {
    if readiness.contains(.writable) {
      // The socket is connected, or has room for the rest of a request.
      if sent == 0 { sentAt = BenchClock.nanoseconds }
      return write(isWatched: true)
    }
    read()
  }

  private func send() {
    next = (next + 1) % requests.count
    sent = 0
    sentAt = BenchClock.nanoseconds
    write(isWatched: false)
  }

  private func write(isWatched: Bool) {
    let request = requests[next]
    while sent < request.count {
      let count = request.withUnsafeBytes { bytes in
        Glibc.send(
          descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        if !isWatched { watch(.writable) }
        return
      } else if errno != EINTR {
        return fail("send: error \(errno)")
      }
    }
    if isWatched { watch(.readable) }
  }

  private func watch(_ interest: Interest) {
    guard let registration else { return }
    do {
      try loop.modify(registration, interest: interest)
    } catch {
      fail("\(error)")
    }
  }

  private func read() {
    let count = owner.buffer.withUnsafeMutableBytes {
      recv(descriptor, $0.baseAddress, $0.count, 0)
    }
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    guard count > 0 else { return fail(count == 0 ? "the node closed it" : "recv: error \(errno)") }
    owner.buffer.withUnsafeBytes { reader.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    do throws(ResponseReader.Malformed) {
      guard let status = try reader.skip() else { return }
      owner.note(latencyNanoseconds: BenchClock.nanoseconds - sentAt, status: status)
    } catch {
      return fail(error.description)
    }
    if owner.isRunning { send() }
  }
}
