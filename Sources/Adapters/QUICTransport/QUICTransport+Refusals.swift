import CPlatform
import CQUIC
import Reactor

/// What ICMP says about packets sent earlier.
///
/// A socket that asks for these messages (`IP_RECVERR`) fails one later call for each, whatever
/// that call is about; senders and receivers therefore drain the queue and try again.
extension QUICTransport {
  /// Messages taken at once; the rest is left for the next turn.
  private static let errorsPerDrain = 1_024
  /// Addresses per drain for which every connection is looked at.
  private static let searchesPerDrain = 8

  /// Takes what is in a socket's error queue, and gives how much that was.
  @discardableResult
  func drainErrors(of socket: UDPSocket) -> Int {
    var count = 0
    var searches = 0
    var error = cplatform_udp_error()
    while count < QUICTransport.errorsPerDrain,
      cplatform_udp_next_error(socket.descriptor, &error) > 0
    {
      count += 1
      guard error.port_unreachable else { continue }
      let length = Int(error.destination.length)
      let address = withUnsafeBytes(of: &error.destination.bytes) { bytes in
        SocketAddress(kernelBytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(length)))
      }
      if let address { refused(at: address, searches: &searches) }
    }
    counters.socketErrors += UInt64(count)
    return count
  }

  /// Finds who is at an address where nobody listens.
  private func refused(at address: SocketAddress, searches: inout Int) {
    let first = byAddress[address, default: []]
    var isFound = false
    for connection in first where currentAddress(of: connection) == address {
      isFound = true
      hint(about: connection)
    }
    // A peer whose address has changed since it connected is found the long way.
    guard !isFound, searches < QUICTransport.searchesPerDrain else { return }
    searches += 1
    for connection in byKey.values where currentAddress(of: connection) == address {
      hint(about: connection)
    }
  }

  private func hint(about connection: Connection) {
    guard connection.isAnnounced, let key = connection.key else {
      dialWasRefused(connection)
      return
    }
    let now = loop.now()
    guard connection.fault?.blocksIn != true, now >= connection.nextRefusalAt else { return }
    connection.nextRefusalAt = now &+ configuration.refusalInterval
    counters.refusalHints += 1
    emit(.refused(connection.id, key))
  }
}
