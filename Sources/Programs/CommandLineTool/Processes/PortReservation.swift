internal import Configuration
internal import Glibc

/// Ports on the loopback interface that nobody else has at this moment.
///
/// They stay bound until the value is released, so that several reservations never collide; after
/// that another program may take one before the node does, which the node then reports.
final class PortReservation {
  private var descriptors: [Int32] = []

  deinit { for descriptor in descriptors { close(descriptor) } }

  /// The kinds of ports.
  enum Kind {
    /// For agents.
    case tcp
    /// For peers.
    case udp
  }

  /// Binds a port, `port` or any free one when that is 0, and returns its number.
  func reserve(_ kind: Kind, port: UInt16 = 0) throws -> UInt16 {
    let type: Int32
    switch kind {
    case .tcp: type = Int32(SOCK_STREAM.rawValue)
    case .udp: type = Int32(SOCK_DGRAM.rawValue)
    }
    let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure("socket", kind, port) }
    descriptors.append(descriptor)
    if kind == .tcp {
      // A connection of an earlier node that lingers in TIME_WAIT must not count as taken.
      var yes: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        bind(descriptor, general, length) == 0 ? getsockname(descriptor, general, &length) : -1
      }
    }
    guard status == 0 else { throw failure("bind", kind, port) }
    return UInt16(bigEndian: address.sin_port)
  }

  private func failure(_ operation: String, _ kind: Kind, _ port: UInt16) -> FileError {
    let name = kind == .tcp ? "TCP" : "UDP"
    return FileError(operation: operation, path: "\(name) port 127.0.0.1:\(port)", code: errno)
  }
}
