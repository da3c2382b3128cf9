import CMicroHTTPD
import Glibc

/// The text that the C library has for an error number.
func systemMessage(_ number: Int32) -> String {
  String(cString: strerror(number))
}

/// Opens listening TCP sockets on numeric addresses.
enum ListeningSocket {
  /// An open socket; whoever holds it closes it.
  struct Opened {
    let descriptor: Int32
    let port: UInt16
    let isIPv6: Bool
  }

  /// Binds and listens without blocking accepts.
  static func open(address: String, port: UInt16) throws(HTTPServerError) -> Opened {
    let endpoint = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &found) == 0, let info = found?.pointee else {
      throw HTTPServerError(endpoint: endpoint, reason: .invalidAddress)
    }
    defer { freeaddrinfo(found) }
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(info.ai_family, info.ai_socktype | flags, 0)
    guard descriptor >= 0 else {
      throw HTTPServerError(endpoint: endpoint, reason: .cannotListen(errno: errno))
    }
    let isIPv6 = info.ai_family == AF_INET6
    enable(SO_REUSEADDR, of: SOL_SOCKET, on: descriptor)
    if isIPv6 { enable(IPV6_V6ONLY, of: Int32(IPPROTO_IPV6), on: descriptor) }
    guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, listen(descriptor, SOMAXCONN) == 0
    else {
      let reason = HTTPServerError.Reason.cannotListen(errno: errno)
      Glibc.close(descriptor)
      throw HTTPServerError(endpoint: endpoint, reason: reason)
    }
    return Opened(descriptor: descriptor, port: boundPort(descriptor), isIPv6: isIPv6)
  }

  private static func enable(_ option: Int32, of level: Int32, on descriptor: Int32) {
    var on: Int32 = 1
    setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func boundPort(_ descriptor: Int32) -> UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length)
      // Both families keep the port, in network order, behind the two bytes of the family.
      return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
    }
  }

  /// The numeric text of a client's address without its port.
  static func text(of address: UnsafePointer<sockaddr>?) -> String {
    guard let address else { return "" }
    let length =
      Int32(address.pointee.sa_family) == AF_INET6
      ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let result = getnameinfo(
      address, socklen_t(length), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
    guard result == 0 else { return "" }
    return host.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? ""
    }
  }
}
