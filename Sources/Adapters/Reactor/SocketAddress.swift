package import CPlatform
import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// The family of an address.
  package enum Family: Hashable, Sendable {
    case ipv4
    case ipv6
  }

  /// The family.
  package let family: Family
  /// The first eight bytes of an IPv6 address, big-endian; zero for IPv4.
  private let high: UInt64
  /// The last eight bytes of an IPv6 address, or the four of IPv4, big-endian.
  private let low: UInt64
  /// The interface of a link-local IPv6 address.
  private let scope: UInt32
  /// The port; 0 asks the kernel to choose.
  package let port: UInt16

  /// Parses `127.0.0.1:4000` or `[::1]:4000`; names are not resolved.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    let host = text[..<colon]
    if host.first == "[", host.last == "]", host.count > 2 {
      self.init(host: String(host.dropFirst().dropLast()), port: port)
    } else {
      guard !host.contains(":") else { return nil }
      self.init(host: String(host), port: port)
    }
  }

  /// Makes an address from a numeric host and a port.
  package init?(host: String, port: UInt16) {
    var ipv4 = in_addr()
    var ipv6 = in6_addr()
    if inet_pton(AF_INET, host, &ipv4) == 1 {
      self.init(
        family: .ipv4, high: 0, low: UInt64(UInt32(bigEndian: ipv4.s_addr)), scope: 0, port: port)
    } else if inet_pton(AF_INET6, host, &ipv6) == 1 {
      let words = withUnsafeBytes(of: &ipv6) { bytes in
        (
          bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
          bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        )
      }
      self.init(
        family: .ipv6, high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1), scope: 0,
        port: port)
    } else {
      return nil
    }
  }

  private init(family: Family, high: UInt64, low: UInt64, scope: UInt32, port: UInt16) {
    self.family = family
    self.high = high
    self.low = low
    self.scope = scope
    self.port = port
  }

  /// Reads a kernel address; `nil` when its family or length is neither IPv4's nor IPv6's.
  package init?(kernelBytes: UnsafeRawBufferPointer) {
    guard kernelBytes.count >= MemoryLayout<sockaddr_in>.size else { return nil }
    let family = kernelBytes.loadUnaligned(as: sa_family_t.self)
    if family == sa_family_t(AF_INET) {
      let address = kernelBytes.loadUnaligned(as: sockaddr_in.self)
      self.init(
        family: .ipv4, high: 0, low: UInt64(UInt32(bigEndian: address.sin_addr.s_addr)), scope: 0,
        port: UInt16(bigEndian: address.sin_port))
    } else if family == sa_family_t(AF_INET6),
      kernelBytes.count >= MemoryLayout<sockaddr_in6>.size
    {
      let address = kernelBytes.loadUnaligned(as: sockaddr_in6.self)
      let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
      self.init(
        family: .ipv6,
        high: UInt64(
          bigEndian: kernelBytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
        low: UInt64(
          bigEndian: kernelBytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)),
        scope: address.sin6_scope_id, port: UInt16(bigEndian: address.sin6_port))
    } else {
      return nil
    }
  }

  /// The address as the kernel lays it out.
  package var kernelAddress: cplatform_address {
    var result = cplatform_address()
    withUnsafeMutableBytes(of: &result.bytes) { bytes in
      switch family {
      case .ipv4:
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
        bytes.storeBytes(of: address, as: sockaddr_in.self)
      case .ipv6:
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_scope_id = scope
        let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
        bytes.storeBytes(of: address, as: sockaddr_in6.self)
        bytes.storeBytes(of: high.bigEndian, toByteOffset: offset, as: UInt64.self)
        bytes.storeBytes(of: low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
      }
    }
    switch family {
    case .ipv4: result.length = UInt32(MemoryLayout<sockaddr_in>.size)
    case .ipv6: result.length = UInt32(MemoryLayout<sockaddr_in6>.size)
    }
    return result
  }

  /// The same host with another port.
  package func withPort(_ port: UInt16) -> SocketAddress {
    SocketAddress(family: family, high: high, low: low, scope: scope, port: port)
  }

  /// The text that `init(_:)` parses.
  package var description: String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let capacity = socklen_t(buffer.count)
    switch family {
    case .ipv4:
      var address = UInt32(truncatingIfNeeded: low).bigEndian
      _ = inet_ntop(AF_INET, &address, &buffer, capacity)
    case .ipv6:
      var words = (high.bigEndian, low.bigEndian)
      _ = inet_ntop(AF_INET6, &words, &buffer, capacity)
    }
    let text = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    switch family {
    case .ipv4: return "\(text):\(port)"
    case .ipv6: return "[\(text)]:\(port)"
    }
  }
}
