/// What a transport has counted since it was made; all but `connections` only grow.
package struct QUICCounters: Sendable, Equatable {
  /// Handshakes confirmed.
  package var handshakesConfirmed: UInt64 = 0
  /// Handshakes ended by a judgement: of this node, or of the peer.
  package var handshakesRefused: UInt64 = 0
  /// Handshakes that ended otherwise: timed out, unreachable, broken.
  package var handshakesFailed: UInt64 = 0
  /// First packets refused because a limit was reached.
  package var refusedByLimit: UInt64 = 0
  /// UDP datagrams received.
  package var packetsIn: UInt64 = 0
  /// UDP datagrams sent.
  package var packetsOut: UInt64 = 0
  /// UDP payload bytes received.
  package var bytesIn: UInt64 = 0
  /// UDP payload bytes sent.
  package var bytesOut: UInt64 = 0
  /// UDP datagrams that were no QUIC packet for anybody here.
  package var packetsDropped: UInt64 = 0
  /// UDP datagrams the kernel refused to send, other than for want of buffer space.
  package var sendFailures: UInt64 = 0
  /// ICMP messages and local refusals to send, taken from the sockets' error queues.
  package var socketErrors: UInt64 = 0
  /// Hints given to the owner that a peer's host refuses packets.
  package var refusalHints: UInt64 = 0
  /// Packets lost, either way, because a fault blocks their peer.
  package var faultsBlocked: UInt64 = 0
  /// Packets lost, either way, by a fault's chance.
  package var faultsLost: UInt64 = 0
  /// Packets delayed by a fault.
  package var faultsDelayed: UInt64 = 0
  /// Packets that were to be delayed and found no room.
  package var faultsDelayDropped: UInt64 = 0
  /// Datagrams withheld from a peer that does not answer.
  package var datagramsWithheld: UInt64 = 0
  /// Connections that the owner has abandoned.
  package var abandoned: UInt64 = 0
  /// Consensus frames received.
  package var consensusFramesIn: UInt64 = 0
  /// Consensus frames queued.
  package var consensusFramesOut: UInt64 = 0
  /// Control frames received.
  package var controlFramesIn: UInt64 = 0
  /// Control frames queued.
  package var controlFramesOut: UInt64 = 0
  /// Bundle frames received.
  package var bundleFramesIn: UInt64 = 0
  /// Bundle frames queued.
  package var bundleFramesOut: UInt64 = 0
  /// Requests received.
  package var requestsIn: UInt64 = 0
  /// Requests sent.
  package var requestsOut: UInt64 = 0
  /// Response frames received.
  package var responseFramesIn: UInt64 = 0
  /// Response frames queued.
  package var responseFramesOut: UInt64 = 0
  /// Breaches of the framing rules, each of which closed a connection.
  package var malformedFrames: UInt64 = 0
  /// Sends that found a channel full.
  package var sendsHeldBack: UInt64 = 0
  /// Retry packets sent.
  package var retriesSent: UInt64 = 0
  /// Version negotiation packets sent.
  package var versionNegotiationsSent: UInt64 = 0
  /// Stateless resets sent.
  package var statelessResetsSent: UInt64 = 0
  /// Datagrams (RFC 9221) received.
  package var datagramsIn: UInt64 = 0
  /// Datagrams handed to the network.
  package var datagramsOut: UInt64 = 0
  /// Datagrams dropped here because their queue was full.
  package var datagramsDropped: UInt64 = 0
  /// Connections now, handshakes included.
  package var connections = 0

  /// Makes counters at zero.
  package init() {}

  mutating func countFrameIn(_ channel: Channel) {
    switch channel {
    case .consensus: consensusFramesIn += 1
    case .control: controlFramesIn += 1
    case .bundles: bundleFramesIn += 1
    }
  }

  mutating func countFrameOut(_ channel: Channel) {
    switch channel {
    case .consensus: consensusFramesOut += 1
    case .control: controlFramesOut += 1
    case .bundles: bundleFramesOut += 1
    }
  }
}
