internal import CPlatform
internal import Glibc
internal import Primitives
package import Reactor
package import Telemetry

/// Serves a Unix stream socket to the operator of this node: a line in, a line out.
///
/// What a line says is its owner's business. The file belongs to the node's user alone (mode 0600),
/// which is the whole access control. A file that a killed process has left is replaced, unless
/// somebody answers there. Confined to its loop's thread. Invariants:
///
/// - A1: per connection, a line is handed over only after the one before it was answered.
/// - A2: every line handed over is answered, or its connection ends.
/// - A3: lines, connections and silence are bounded by ``Limits``.
package final class AdminServer {
  /// Receives a line and the means to answer it, now or later.
  package typealias Handler = (String, AdminReply) -> Void

  private static let restNanoseconds: UInt64 = 100_000_000

  /// What is bounded, and how.
  package struct Limits: Sendable {
    /// Connections at once; further ones are closed.
    package var connectionsMax = 8
    /// Quiet time after which a connection with nothing to wait for is closed, in nanoseconds.
    package var idleTimeout: UInt64 = 60_000_000_000

    /// Makes the default limits.
    package init() {}
  }

  /// What has been counted since the server was made.
  package struct Counters: Sendable, Equatable {
    /// Lines handed over.
    package internal(set) var lines: UInt64 = 0
    /// Connections closed because there were too many.
    package internal(set) var connectionsRefused: UInt64 = 0
    /// Connections closed for a line that was too long or no UTF-8, and answers that were.
    package internal(set) var linesRefused: UInt64 = 0
    /// Connections closed because nothing happened on them.
    package internal(set) var idleClosed: UInt64 = 0
    /// Connections now.
    package internal(set) var connections = 0
  }

  /// Where the socket is.
  package let path: String
  /// The counters.
  package internal(set) var counters = Counters()

  let loop: EventLoop
  let limits: Limits
  let handler: Handler
  let logger: Logger
  private var listener: Int32
  private var registration: Registration?
  private var identity: FileIdentity?
  private var connections: [AdminConnection] = []

  /// Binds the path and serves it from the loop's next turn on.
  ///
  /// - Throws: ``AdminSocketError`` when the path cannot be had.
  package init(
    path: String, loop: EventLoop, limits: Limits = Limits(), logger: Logger = .silent,
    handler: @escaping Handler
  ) throws {
    self.path = path
    self.loop = loop
    self.limits = limits
    self.logger = logger
    self.handler = handler
    listener = try AdminServer.listen(path, backlog: Int32(clamping: limits.connectionsMax))
    identity = FileIdentity(path)
    do {
      registration = try loop.register(descriptor: listener, interest: .readable) {
        [weak self] _ in
        self?.accept()
      }
    } catch {
      closeListener()
      throw error
    }
  }

  deinit { stop() }

  /// Closes every connection and removes the file; answers still owed go nowhere.
  package func stop() {
    closeListener()
    for connection in connections { connection.close() }
  }

  private func closeListener() {
    guard listener >= 0 else { return }
    if let registration { loop.deregister(registration) }
    registration = nil
    _ = cplatform_close(listener)
    listener = -1
    // Another process may have taken the path since.
    if let identity, FileIdentity(path) == identity { unlink(path) }
  }

  private static func listen(_ path: String, backlog: Int32) throws(AdminSocketError) -> Int32 {
    let bytesMax = Int(CPLATFORM_LOCAL_PATH_BYTES_MAX)
    guard (1...bytesMax).contains(path.utf8.count) else {
      throw .pathTooLong(path, bytesMax: bytesMax)
    }
    var result = cplatform_local_listen(path, backlog)
    if result == -EADDRINUSE {
      try removeStale(path)
      result = cplatform_local_listen(path, backlog)
    }
    if result == -EADDRINUSE { throw .isInUse(path) }
    guard result >= 0 else {
      throw .systemCall(path, SystemCallError(number: -result, call: "bind"))
    }
    return result
  }

  /// Removes the socket of a process that is gone.
  private static func removeStale(_ path: String) throws(AdminSocketError) {
    guard let identity = FileIdentity(path) else { return }
    guard identity.isSocket else { throw .isNoSocket(path) }
    let connected = cplatform_local_connect(path)
    if connected >= 0 {
      _ = cplatform_close(connected)
      throw .isInUse(path)
    }
    switch connected {
    case -ECONNREFUSED:
      guard unlink(path) == 0 || errno == ENOENT else {
        throw .systemCall(path, SystemCallError(number: errno, call: "unlink"))
      }
    case -ENOENT: return
    // A full backlog is somebody's.
    case -EAGAIN: throw .isInUse(path)
    default: throw .systemCall(path, SystemCallError(number: -connected, call: "connect"))
    }
  }

  // MARK: Connections

  private func accept() {
    while listener >= 0 {
      let descriptor = cplatform_local_accept(listener)
      if descriptor == -EAGAIN { return }
      if descriptor == -EINTR || descriptor == -ECONNABORTED { continue }
      guard descriptor >= 0 else { return rest() }
      guard connections.count < limits.connectionsMax else {
        counters.connectionsRefused += 1
        logger.log(.warning, "an admin connection was refused", [LogField("path", path)])
        _ = cplatform_close(descriptor)
        continue
      }
      guard let connection = AdminConnection(descriptor: descriptor, server: self) else { continue }
      connections.append(connection)
      counters.connections = connections.count
    }
  }

  /// Accepts nothing for a while: the process has no descriptors left, and the loop would spin.
  private func rest() {
    watch([])
    loop.schedule(at: loop.now() &+ AdminServer.restNanoseconds) { [weak self] in
      self?.watch(.readable)
    }
  }

  private func watch(_ interest: Interest) {
    guard let registration else { return }
    do {
      try loop.modify(registration, interest: interest)
    } catch {
      preconditionFailure("epoll refuses a socket it knows: \(error)")
    }
  }

  func forget(_ connection: AdminConnection) {
    connections.removeAll { $0 === connection }
    counters.connections = connections.count
  }

  func refuseLine(_ what: StaticString) {
    counters.linesRefused += 1
    logger.log(.warning, what, [LogField("path", path)])
  }
}

/// Which file a path leads to.
private struct FileIdentity: Equatable {
  let device: UInt64
  let inode: UInt64
  let isSocket: Bool

  init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    isSocket = status.st_mode & S_IFMT == S_IFSOCK
  }
}
