internal import CPlatform
internal import Glibc
internal import Reactor

/// One client of the admin socket.
///
///     reading ──line──▶ waiting for the owner ──answer──▶ writing ──done──▶ reading
final class AdminConnection {
  private static let bytesPerRead = 16 << 10

  private let loop: EventLoop
  /// Gone while the server is being destroyed.
  private weak var server: AdminServer?
  private let idleTimeout: UInt64
  private var descriptor: Int32
  private var registration: Registration?
  private var timer: TimerToken?
  private var incoming: [UInt8] = []
  private var outgoing: [UInt8] = []
  private var sent = 0
  /// A line was handed over and is not answered.
  private var isWaiting = false
  /// The client sends nothing more.
  private var hasEnded = false

  /// Takes the descriptor over; `nil` when the loop cannot watch it.
  init?(descriptor: Int32, server: AdminServer) {
    self.descriptor = descriptor
    self.server = server
    loop = server.loop
    idleTimeout = server.limits.idleTimeout
    do {
      registration = try loop.register(descriptor: descriptor, interest: .readable) {
        [weak self] readiness in
        self?.isReady(readiness)
      }
    } catch {
      // The kernel has no room for another watch: the client sees the connection end.
      _ = cplatform_close(descriptor)
      self.descriptor = -1
      return nil
    }
    timer = loop.makeTimer { [weak self] in
      self?.server?.counters.idleClosed += 1
      self?.close()
    }
    restartTimer()
  }

  private var isOpen: Bool { descriptor >= 0 }

  /// Ends the connection; calling it again does nothing.
  func close() {
    guard isOpen else { return }
    if let registration { loop.deregister(registration) }
    if let timer { loop.cancel(timer) }
    _ = cplatform_close(descriptor)
    descriptor = -1
    server?.forget(self)
  }

  private func restartTimer() {
    guard let timer, isOpen else { return }
    if isWaiting {
      loop.disarm(timer)
    } else {
      loop.arm(timer, at: loop.now() &+ idleTimeout)
    }
  }

  private func isReady(_ readiness: Readiness) {
    if readiness.contains(.writable) { write() }
    guard isOpen else { return }
    if isWaiting || !outgoing.isEmpty {
      // Only an end that leaves nobody to answer is reported without being asked for.
      if readiness.contains(.hangup) || readiness.contains(.failed) { close() }
      return
    }
    read()
  }

  private func watch(_ interest: Interest) {
    guard let registration, isOpen else { return }
    do {
      try loop.modify(registration, interest: interest)
    } catch {
      preconditionFailure("epoll refuses a socket it knows: \(error)")
    }
  }

  // MARK: In

  private func read() {
    var count: Int64 = 0
    let part = [UInt8](unsafeUninitializedCapacity: AdminConnection.bytesPerRead) { room, filled in
      count = cplatform_local_receive(descriptor, room.baseAddress, room.count)
      filled = max(0, Int(count))
    }
    if count == Int64(-EAGAIN) || count == Int64(-EINTR) { return }
    guard count >= 0 else { return close() }
    if count == 0 { hasEnded = true }
    incoming.append(contentsOf: part)
    restartTimer()
    proceed()
  }

  /// Hands over the next line, if there is one and nothing is under way.
  private func proceed() {
    while isOpen, !isWaiting, outgoing.isEmpty {
      guard let end = incoming.firstIndex(of: AdminLine.end) else {
        if incoming.count > AdminLine.bytesMax {
          server?.refuseLine("an admin line is too long")
          close()
        } else if hasEnded {
          close()
        }
        return
      }
      let line = Array(incoming[..<end])
      incoming.removeSubrange(...end)
      guard !line.isEmpty else { continue }
      handOver(line)
    }
  }

  private func handOver(_ bytes: [UInt8]) {
    guard bytes.count <= AdminLine.bytesMax, let line = String(validating: bytes, as: UTF8.self)
    else {
      server?.refuseLine("an admin line is too long or no UTF-8")
      return close()
    }
    isWaiting = true
    restartTimer()
    watch([])
    server?.counters.lines += 1
    server?.handler(line, AdminReply(self))
  }

  // MARK: Out

  /// Takes the owner's answer; false when the client is gone.
  func answer(_ line: String) -> Bool {
    guard isOpen else { return false }
    precondition(isWaiting, "an answer nobody asked for")
    do throws(AdminSocketError) {
      outgoing = try AdminLine.encode(line)
    } catch {
      server?.refuseLine("an answer to an admin line is too long or has several lines")
      close()
      return false
    }
    isWaiting = false
    sent = 0
    restartTimer()
    // Asked for in any case: an answer given at once must not go on inside the handler's caller.
    watch(.writable)
    return true
  }

  private func write() {
    while sent < outgoing.count {
      let count = outgoing.withUnsafeBufferPointer { bytes in
        let rest = UnsafeBufferPointer(rebasing: bytes[sent...])
        return cplatform_local_send(descriptor, rest.baseAddress, rest.count)
      }
      if count == Int64(-EAGAIN) { return }
      guard count > 0 || count == Int64(-EINTR) else { return close() }
      sent += max(0, Int(count))
    }
    guard !outgoing.isEmpty else { return }
    outgoing = []
    restartTimer()
    watch(.readable)
    proceed()
  }
}
