internal import HTTPServer
internal import Reactor

/// Runs an HTTP server inside the node's loop.
final class HTTPPump {
  private let loop: EventLoop
  private let server: HTTPServer
  private let registration: Registration
  private var timer: TimerToken?
  private var isStopped = false

  /// The port that the server listens on.
  var port: UInt16 { server.boundPort }

  /// Listens and serves from the loop's next turn on.
  init(
    loop: EventLoop, configuration: HTTPServerConfiguration, handler: @escaping HTTPServer.Handler
  ) throws {
    self.loop = loop
    let server = try HTTPServer(configuration: configuration, handler: handler)
    self.server = server
    registration = try loop.register(
      descriptor: server.pollDescriptor, interest: .readable
    ) { _ in
      server.run()
    }
    timer = loop.makeTimer { server.run() }
    loop.onTurnEnd { [unowned self] in plan() }
  }

  /// Sees to it that the server runs when its next deadline comes.
  private func plan() {
    guard !isStopped, let timer else { return }
    if let milliseconds = server.timeoutMilliseconds {
      loop.arm(timer, at: loop.now() + UInt64(milliseconds) * 1_000_000)
    } else {
      loop.disarm(timer)
    }
  }

  /// Whether no client is connected.
  var isIdle: Bool { server.counters.connectionsNow == 0 }

  /// Accepts no more connections and closes those between requests; requests under way go on.
  func quiesce() {
    if !isStopped { server.quiesce() }
  }

  /// Closes every connection and the listening socket.
  func stop() {
    guard !isStopped else { return }
    isStopped = true
    if let timer { loop.cancel(timer) }
    loop.deregister(registration)
    server.stop()
  }
}
