import CMicroHTTPD
import Glibc

/// An HTTP/1.1 server without a thread of its own, over libmicrohttpd.
///
/// The owner's loop polls `pollDescriptor` for reading, for at most `timeoutMilliseconds`, and then
/// calls `run()`, which reads, calls the handler and writes. Everything happens on that one thread:
/// the server, its responders and its streams are not safe to use from others.
///
///     accept ─▶ header ─▶ body ─▶ handler ─▶ answer ─▶ idle ─▶ header …
///                 │         │        └─ parked ─┘         │
///                 └ deadline┴──────── closed ─────────────┘ deadline
///
/// Refused requests are answered by the server with a `Problem` and counted. What breaks the
/// grammar so early or so badly that libmicrohttpd answers by itself (a request line without
/// version, more header bytes than a connection's memory, a broken chunk) gets the same status but
/// a plain body.
package final class HTTPServer {
  /// Receives each complete request and the means to answer it.
  package typealias Handler = (HTTPRequest, HTTPResponder) -> Void

  /// The port that the server listens on.
  package let boundPort: UInt16
  /// Counts of what the server did.
  package internal(set) var counters = HTTPServerCounters()

  let configuration: HTTPServerConfiguration
  let handler: Handler
  var connections: ConnectionTable
  var nowMilliseconds = monotonicMilliseconds()
  var requestsStarted: UInt64 = 0
  /// Room for the header fields of the request being checked.
  let fields: UnsafeMutablePointer<cmhd_field>
  private var daemon: OpaquePointer?
  private var isRunning = false
  /// Whether a connection was resumed since the last `run()`: libmicrohttpd neither signals its
  /// descriptor nor shortens its time-out for that when it has no thread.
  var hasResumed = false
  /// The listening socket once libmicrohttpd has given it back.
  private var quiescedDescriptor: Int32 = -1

  /// Binds, listens and starts accepting with the next `run()`.
  package init(
    configuration: HTTPServerConfiguration, handler: @escaping Handler
  ) throws(HTTPServerError) {
    let socket = try ListeningSocket.open(
      address: configuration.address, port: configuration.port)
    fields = .allocate(capacity: RequestHead.fieldsMax)
    self.configuration = configuration
    self.handler = handler
    boundPort = socket.port
    connections = ConnectionTable(
      headerMilliseconds: configuration.headerDeadlineMilliseconds,
      bodyMilliseconds: configuration.bodyDeadlineMilliseconds,
      idleMilliseconds: configuration.idleTimeoutMilliseconds)
    daemon = startDaemon(on: socket)
    guard daemon != nil else {
      Glibc.close(socket.descriptor)
      throw HTTPServerError(
        endpoint: "\(configuration.address):\(socket.port)", reason: .cannotStart)
    }
  }

  deinit {
    if daemon != nil { stop() }
    fields.deallocate()
  }

  /// The descriptor to poll for reading; it stays the same until `stop()`.
  package var pollDescriptor: Int32 {
    daemon.map { cmhd_epoll_descriptor($0) } ?? -1
  }

  /// Milliseconds until `run()` is due without activity, or `nil` when only activity matters.
  package var timeoutMilliseconds: Int? {
    guard let daemon else { return nil }
    if hasResumed { return 0 }
    let daemonTimeout = cmhd_timeout_milliseconds(daemon)
    guard let deadline = connections.nextDeadlineMilliseconds else {
      return daemonTimeout < 0 ? nil : Int(daemonTimeout)
    }
    let now = monotonicMilliseconds()
    let own = deadline > now ? Int(deadline - now) : 0
    return daemonTimeout < 0 ? own : min(own, Int(daemonTimeout))
  }

  /// Handles what is ready and closes connections past their deadline; never waits.
  package func run() {
    guard let daemon else { return }
    precondition(!isRunning, "run() is called by a handler")
    isRunning = true
    hasResumed = false
    defer { isRunning = false }
    nowMilliseconds = monotonicMilliseconds()
    while let descriptor = connections.popExpired(now: nowMilliseconds) {
      counters.timeouts += 1
      // libmicrohttpd reads the end of the connection in this same run and closes it.
      shutdown(descriptor, Int32(SHUT_RDWR))
    }
    let isFine = cmhd_run(daemon)
    precondition(isFine, "libmicrohttpd cannot poll its own descriptor")
  }

  /// Stops accepting and closes connections between requests; requests under way go on.
  ///
  /// Keep running until `counters.connectionsNow` is 0 or patience ends, then call `stop()`.
  package func quiesce() {
    guard let daemon, quiescedDescriptor < 0 else { return }
    quiescedDescriptor = MHD_quiesce_daemon(daemon)
    for descriptor in connections.idleDescriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  /// Closes every connection and the listening socket; waiting responders become void.
  package func stop() {
    guard let daemon else { return }
    precondition(!isRunning, "stop() is called by a handler")
    for exchange in connections.exchanges {
      if exchange.stage == .parked { MHD_resume_connection(exchange.connection) }
      exchange.stream?.resume()
    }
    MHD_stop_daemon(daemon)
    self.daemon = nil
    if quiescedDescriptor >= 0 { Glibc.close(quiescedDescriptor) }
  }

  private func startDaemon(on socket: ListeningSocket.Opened) -> OpaquePointer? {
    var options = cmhd_options()
    options.listen_descriptor = socket.descriptor
    options.is_ipv6 = socket.isIPv6
    options.connections_max = UInt32(configuration.connectionsMax)
    // Room for the largest headers and their records, and a little beyond, so that excess is
    // refused by us. Not more, since the library clears this memory for every request.
    let records = (RequestHead.fieldsMax + RequestHead.queryItemsMax) * RequestHead.recordBytes
    options.connection_memory_bytes = configuration.headerBytesMax + records + 2_048
    // The library's own timeout only has to catch clients that do not read their answer.
    let longest = max(
      configuration.headerDeadlineMilliseconds, configuration.bodyDeadlineMilliseconds,
      configuration.idleTimeoutMilliseconds)
    options.timeout_seconds = UInt32(longest / 1_000 + 1)
    options.context = Unmanaged.passUnretained(self).toOpaque()
    options.on_request = Self.onRequest
    options.on_completed = Self.onCompleted
    options.on_connection = Self.onConnection
    options.on_target = Self.onTarget
    guard let tls = configuration.tls else { return cmhd_start(&options) }
    let certificate = tls.certificatePEM.map { CChar(bitPattern: $0) } + [0]
    let privateKey = tls.privateKeyPEM.map { CChar(bitPattern: $0) } + [0]
    return certificate.withUnsafeBufferPointer { certificate in
      privateKey.withUnsafeBufferPointer { privateKey in
        options.certificate = certificate.baseAddress
        options.private_key = privateKey.baseAddress
        return cmhd_start(&options)
      }
    }
  }
}

/// Milliseconds of the monotonic clock.
func monotonicMilliseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
}
