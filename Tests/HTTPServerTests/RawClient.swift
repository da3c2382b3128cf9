import Glibc

/// A TCP client that sends exactly the bytes it is given.
final class RawClient {
  struct Response: Equatable {
    var status: Int
    var headers: String
    var body: String
  }

  private let descriptor: Int32
  private var received: [UInt8] = []
  /// Whether the server has closed or reset the connection.
  private(set) var isClosed = false

  init(port: UInt16, address: String = "127.0.0.1", receiveBufferBytes: Int32? = nil) {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    getaddrinfo(address, String(port), &hints, &found)
    let info = found?.pointee ?? addrinfo()
    descriptor = socket(info.ai_family, Int32(SOCK_STREAM.rawValue), 0)
    if var bytes = receiveBufferBytes {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
    // A server that neither answers nor closes fails the test instead of hanging it.
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    connect(descriptor, info.ai_addr, info.ai_addrlen)
    freeaddrinfo(found)
  }

  deinit {
    close()
  }

  private var isOpen = true

  func close() {
    if isOpen { Glibc.close(descriptor) }
    isOpen = false
  }

  /// Closes so that the server sees a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Sends text; returns whether all of it was taken.
  @discardableResult
  func send(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Reads more bytes; returns `false` at the end of the connection.
  private func receive() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else {
      if count == 0 || errno == ECONNRESET { isClosed = true }
      return false
    }
    received.append(contentsOf: buffer[..<count])
    return true
  }

  /// Reads until `text` has arrived and returns everything before and including it.
  func read(through text: String) -> String? {
    let pattern = Array(text.utf8)
    while true {
      if let end = Self.end(of: pattern, in: received) {
        defer { received.removeFirst(end) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      guard receive() else { return nil }
    }
  }

  private static func end(of pattern: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= pattern.count else { return nil }
    for start in 0...(bytes.count - pattern.count)
    where bytes[start..<start + pattern.count].elementsEqual(pattern) {
      return start + pattern.count
    }
    return nil
  }

  /// Reads one response; without a body when it answers HEAD.
  func response(isHead: Bool = false) -> Response? {
    guard let head = read(through: "\r\n\r\n"), head.utf8.count > 12 else { return nil }
    let status = Int(head.split(separator: " ")[1]) ?? 0
    guard !isHead, status != 100,
      let length = header("content-length", in: head).flatMap({ Int($0) })
    else {
      return Response(status: status, headers: head, body: "")
    }
    while received.count < length, receive() {}
    let body = String(decoding: received.prefix(length), as: UTF8.self)
    received.removeFirst(min(length, received.count))
    return Response(status: status, headers: head, body: body)
  }

  private func header(_ name: String, in head: String) -> String? {
    for line in head.split(separator: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == name { return parts[1].trimmed }
    }
    return nil
  }

  /// Reads and discards until the server closes; returns whether it did.
  func waitForClose() -> Bool {
    while receive() {}
    return isClosed
  }
}

extension Substring {
  fileprivate var trimmed: String {
    String(drop { $0 == " " })
  }
}
