internal import Glibc

/// Where a node of a local cluster serves agents: an IPv4 address and a port.
package struct PlainAddress: Hashable, Sendable {
  private let address: UInt32
  private let port: UInt16
  /// The address as the Host field says it.
  let host: String

  /// Reads `http://A.B.C.D:PORT`, which is how `cluster.json` writes it.
  package init?(_ url: String) {
    guard url.hasPrefix("http://") else { return nil }
    host = String(url.dropFirst("http://".count))
    let parts = host.split(separator: ":", omittingEmptySubsequences: false)
    var address = in_addr()
    guard parts.count == 2, let port = UInt16(parts[1]), port > 0,
      inet_pton(AF_INET, String(parts[0]), &address) == 1
    else { return nil }
    self.address = address.s_addr
    self.port = port
  }

  /// Opens a socket and begins to connect it without waiting; the negative error number when even
  /// that fails.
  func connect() -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, type | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return -errno }
    var yes: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    target.sin_addr.s_addr = address
    let result = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        Glibc.connect(descriptor, general, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 || errno == EINPROGRESS else {
      let code = errno
      close(descriptor)
      return -code
    }
    return descriptor
  }
}

/// A request of HTTP/1.1.
package struct PlainRequest: Sendable {
  /// The method.
  var method: String
  /// The path with its query.
  var target: String
  /// The bearer token, if one is sent.
  var token: String?
  /// The idempotency key, if one is sent.
  var key: String?
  /// The body; a request without one sends no content type.
  var body: [UInt8]

  /// Describes a request.
  package init(
    _ method: String, _ target: String, token: String? = nil, key: String? = nil,
    body: [UInt8] = []
  ) {
    self.method = method
    self.target = target
    self.token = token
    self.key = key
    self.body = body
  }

  /// The bytes to send.
  package func bytes(to host: String) -> [UInt8] {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
    if let token { head += "Authorization: Bearer \(token)\r\n" }
    if let key { head += "Idempotency-Key: \(key)\r\n" }
    if !body.isEmpty { head += "Content-Type: application/json\r\n" }
    if !body.isEmpty || method != "GET" { head += "Content-Length: \(body.count)\r\n" }
    return Array((head + "\r\n").utf8) + body
  }
}
