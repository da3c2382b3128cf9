import Foundation
import Glibc
import HTTPServer
import Synchronization

/// A server with a loop of its own on a thread, as small as its owner's loop can be.
///
/// Safe: `server` and `parked` are touched by the loop's thread only, everything
/// that other threads touch is inside `shared`.
final class ServerHarness: @unchecked Sendable {
  typealias Handler = @Sendable (HTTPRequest, HTTPResponder, ServerHarness) -> Void

  private struct Waiter {
    let condition: @Sendable (HTTPServerCounters) -> Bool
    let signal: DispatchSemaphore
  }

  private struct Shared {
    var commands: [@Sendable (HTTPServer) -> Void] = []
    var waiters: [Waiter] = []
    var isStopping = false
  }

  private let shared = Mutex(Shared())
  private let wakeRead: Int32
  private let wakeWrite: Int32
  private let stopped = DispatchSemaphore(value: 0)
  private var server: HTTPServer?
  /// Responders that a handler keeps for later; for the loop's thread only.
  var parked: [HTTPResponder] = []
  /// Streams that a handler keeps; for the loop's thread only.
  var streams: [HTTPStream] = []
  private(set) var port: UInt16 = 0

  convenience init(handler: @escaping Handler) throws {
    try self.init({ _ in }, handler: handler)
  }

  convenience init() throws {
    try self.init({ _ in }, handler: Self.echo)
  }

  convenience init(
    _ configure: @escaping @Sendable (inout HTTPServerConfiguration) -> Void
  ) throws {
    try self.init(configure, handler: Self.echo)
  }

  init(
    _ configure: @escaping @Sendable (inout HTTPServerConfiguration) -> Void,
    handler: @escaping Handler
  ) throws {
    var ends: [Int32] = [-1, -1]
    pipe(&ends)
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    wakeRead = ends[0]
    wakeWrite = ends[1]
    let started = DispatchSemaphore(value: 0)
    let failure = Mutex<HTTPServerError?>(nil)
    let thread = Thread { [self] in
      var configuration = HTTPServerConfiguration()
      configure(&configuration)
      do throws(HTTPServerError) {
        let server = try HTTPServer(configuration: configuration) { [unowned self] in
          handler($0, $1, self)
        }
        self.server = server
        port = server.boundPort
      } catch {
        failure.withLock { $0 = error }
      }
      started.signal()
      loop()
      stopped.signal()
    }
    thread.start()
    started.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Answers every request with its method, target and body.
  static let echo: Handler = { request, responder, _ in
    let body = Array("\(request.method.rawValue) \(request.target) ".utf8) + request.body
    responder.respond(HTTPResponse(status: 200, contentType: "text/plain", body: body))
  }

  private func loop() {
    guard let server else { return }
    while !shared.withLock({ $0.isStopping }) {
      if waitForServer(server) { server.run() }
      let counters = server.counters
      shared.withLock { shared in
        shared.waiters.removeAll { waiter in
          guard waiter.condition(counters) else { return false }
          waiter.signal.signal()
          return true
        }
      }
    }
    server.stop()
    parked = []
    streams = []
    self.server = nil
  }

  /// Polls as the server's owner must, and no oftener: true when the server is to run, because its
  /// descriptor is readable or its time has come. Commands of the tests alone do not make it run.
  private func waitForServer(_ server: HTTPServer) -> Bool {
    let timeout = server.timeoutMilliseconds.map { Int32(clamping: $0) } ?? -1
    var polled = [
      pollfd(fd: server.pollDescriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0),
    ]
    let readyCount = poll(&polled, 2, timeout)
    if polled[1].revents != 0 {
      var count: UInt64 = 0
      read(wakeRead, &count, 8)
      let commands = shared.withLock { shared in
        defer { shared.commands = [] }
        return shared.commands
      }
      for command in commands { command(server) }
    }
    return polled[0].revents != 0 || readyCount == 0
  }

  private func wake() {
    var one: UInt64 = 1
    write(wakeWrite, &one, 8)
  }

  /// Runs `body` on the loop's thread and waits for its result.
  func onLoop<Value: Sendable>(_ body: @escaping @Sendable (HTTPServer) -> Value) -> Value? {
    let result = Mutex<Value?>(nil)
    let done = DispatchSemaphore(value: 0)
    shared.withLock {
      $0.commands.append { server in
        let value = body(server)
        result.withLock { $0 = value }
        done.signal()
      }
    }
    wake()
    done.wait()
    return result.withLock { $0 }
  }

  /// Waits until the counters satisfy `condition`; returns whether they did within 20 s.
  func wait(until condition: @escaping @Sendable (HTTPServerCounters) -> Bool) -> Bool {
    let signal = DispatchSemaphore(value: 0)
    shared.withLock { $0.waiters.append(Waiter(condition: condition, signal: signal)) }
    wake()
    return signal.wait(timeout: .now() + 20) == .success
  }

  var counters: HTTPServerCounters {
    onLoop { $0.counters } ?? HTTPServerCounters()
  }

  /// Stops the loop and the server and waits for both.
  func stop() {
    shared.withLock { $0.isStopping = true }
    wake()
    stopped.wait()
    Glibc.close(wakeRead)
    Glibc.close(wakeWrite)
  }
}
