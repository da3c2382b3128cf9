internal import Glibc

/// A numeric IPv4 or IPv6 address with a port, in its one canonical text.
///
/// Names are not resolved: a node that cannot reach a name server must still find its peers.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
  /// The numeric host without brackets, such as `127.0.0.1` or `::1`.
  package let host: String
  /// The port; 0 lets the kernel choose when listening.
  package let port: UInt16

  /// What a refused text should have been.
  package static let expectation =
    "expected a numeric address with port, such as 127.0.0.1:4000 or [::1]:4000"

  /// Parses `127.0.0.1:4000` or `[::1]:4000`; `nil` for anything else.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
      return nil
    }
    let written = text[..<colon]
    let isBracketed = written.hasPrefix("[") && written.hasSuffix("]") && written.count > 2
    let bare = isBracketed ? String(written.dropFirst().dropLast()) : String(written)
    let family = isBracketed ? AF_INET6 : AF_INET
    guard let host = NetworkAddress.canonical(bare, family) else { return nil }
    self.host = host
    self.port = port
  }

  /// Whether the host is an IPv6 address.
  package var isIPv6: Bool { host.contains(":") }

  /// Whether the host means every interface, which can be listened on but not connected to.
  package var isUnspecified: Bool { host == "0.0.0.0" || host == "::" }

  /// The text that `init(_:)` parses.
  package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  private static func canonical(_ host: String, _ family: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(family, host, &bytes) == 1 else { return nil }
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
