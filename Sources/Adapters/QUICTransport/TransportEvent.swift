import CQUIC
import Reactor

/// Something to tell the owner once the QUIC library has returned.
enum TransportEvent {
  case connected(PeerConnectionID, PeerKey, SocketAddress, ConnectionRole)
  case disconnected(PeerConnectionID, PeerKey, DisconnectReason)
  case refused(PeerConnectionID, PeerKey)
  case failedToConnect(PeerKey, SocketAddress, DisconnectReason)
  case frame(PeerConnectionID, Channel, [UInt8])
  case writable(PeerConnectionID, Channel)
  case datagram(PeerConnectionID, [UInt8])
  case request(RequestID, [UInt8])
  case responseWritable(RequestID)
  case requestCancelled(RequestID)
  case response(RequestID, [UInt8])
  case responseEnded(RequestID, ResponseEnd)
}

/// A QUIC connection id as a dictionary key: up to 20 bytes in three words.
struct ConnectionIdentifier: Hashable {
  private let word0: UInt64
  private let word1: UInt64
  private let word2: UInt32
  private let length: UInt8

  init(_ identifier: cquic_id) {
    var copy = identifier
    let count = Int(identifier.length)
    (word0, word1, word2) = withUnsafeMutableBytes(of: &copy.bytes) { bytes in
      for index in count..<bytes.count { bytes[index] = 0 }
      return (
        bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
      )
    }
    length = identifier.length
  }
}

/// Where packets with some connection id go.
enum Route {
  case connection(Connection)
  case lingering(Lingerer)
}

/// A closed connection's last words, repeated to a peer that goes on sending (RFC 9000, section
/// 10.2).
final class Lingerer {
  let closePacket: [UInt8]
  let identifiers: [ConnectionIdentifier]
  /// The peer, where it is known.
  let key: PeerKey?
  /// Packets seen since; answered at 1, 2, 4, 8, … so that answers stay few.
  var packetsSeen: UInt64 = 0

  init(closePacket: [UInt8], identifiers: [ConnectionIdentifier], key: PeerKey?) {
    self.closePacket = closePacket
    self.key = key
    self.identifiers = identifiers
  }
}
