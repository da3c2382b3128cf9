package import Reactor

/// What a transport is made of, and its limits. Times are in nanoseconds.
package struct QUICConfiguration: Sendable {
  /// The congestion controllers the library has.
  package enum CongestionControl: UInt32, Sendable {
    case reno = 0
    case cubic = 1
    case bbr = 2
  }

  /// What the node shows in the handshake. Only an Ed25519 certificate is accepted by others.
  package enum Credential: Sendable {
    case ed25519
    case none
    case ecdsa
  }

  /// The 32-byte Ed25519 seed of the node's key.
  package var identitySeed: [UInt8]
  /// Addresses to bind, each with a socket of its own; port 0 lets the kernel choose.
  package var bindAddresses: [SocketAddress]
  /// Seeds the jitter of reconnecting.
  package var jitterSeed: UInt64
  /// What the node shows; anything but the default exists to prove that it is refused.
  package var credential = Credential.ed25519
  /// The application protocol (RFC 7301); both sides must name the same.
  package var applicationProtocol = "swarmoracle/2"

  /// Connections held, handshakes included; further ones are refused.
  package var connectionsMax = 512
  /// Inbound handshakes in progress; further ones are refused.
  package var handshakesMax = 128
  /// Inbound handshakes in progress from which a Retry round trip is asked for.
  package var handshakesBeforeRetry = 32
  /// Bytes of frames waiting or unacknowledged on a connection, over all streams, above which
  /// bundles and requests are held back.
  package var bufferedBytesMax = 8 << 20
  /// Bytes waiting or unacknowledged on the consensus channel.
  package var consensusWindowBytes = 4 << 20
  /// Bytes waiting or unacknowledged on the control channel.
  package var controlWindowBytes = 1 << 20
  /// Bytes waiting or unacknowledged on the bundle channel.
  package var bundleWindowBytes = 4 << 20
  /// Bytes waiting or unacknowledged on one request stream.
  package var requestWindowBytes = 1 << 20
  /// The largest frame, sent or accepted.
  package var frameBytesMax = 1 << 20
  /// Inbound requests served at once, per connection.
  package var requestsMax = 16
  /// The sum of a response's frames.
  package var responseBytesMax = 64 << 20
  /// Datagrams waiting to be sent, per connection; further ones are dropped.
  package var datagramsQueuedMax = 64
  /// Packets delayed by faults at once; further ones are dropped.
  package var delayedPacketsMax = 16_384
  /// Bytes of packets delayed by faults; further ones are dropped.
  package var delayedBytesMax = 16 << 20
  /// Bytes a peer may send on one stream before we have taken them.
  package var receiveWindowBytes = 2 << 20
  /// Bytes a peer may send on a connection before we have taken them.
  package var connectionReceiveWindowBytes = 8 << 20

  /// Quiet time after which a PING is sent.
  package var keepAliveInterval: UInt64 = 5_000_000_000
  /// Quiet time after which a connection is given up.
  package var idleTimeout: UInt64 = 20_000_000_000
  /// Time for a handshake to complete.
  package var handshakeTimeout: UInt64 = 5_000_000_000
  /// Time for a dialled peer to answer at all.
  package var answerTimeout: UInt64 = 2_000_000_000
  /// Quiet time after which a request is given up.
  package var requestTimeout: UInt64 = 10_000_000_000
  /// The first delay before dialling again.
  package var reconnectDelayMin: UInt64 = 100_000_000
  /// The longest delay before dialling again.
  package var reconnectDelayMax: UInt64 = 1_000_000_000
  /// The least time between two hints that a peer's host refuses packets.
  package var refusalInterval: UInt64 = 100_000_000
  /// Time for which a Retry token is good.
  package var retryTokenLifetime: UInt64 = 10_000_000_000
  /// The congestion controller.
  package var congestionControl = CongestionControl.cubic

  /// Bytes a datagram may carry: what fits the smallest path QUIC allows, 1,200 bytes (RFC 9000,
  /// section 14), after packet and frame headers.
  package static let datagramBytesMax = 1_100

  /// Makes a configuration with the default limits.
  package init(identitySeed: [UInt8], bindAddresses: [SocketAddress], jitterSeed: UInt64) {
    self.identitySeed = identitySeed
    self.bindAddresses = bindAddresses
    self.jitterSeed = jitterSeed
  }

  func windowBytes(of channel: Channel) -> Int {
    switch channel {
    case .consensus: consensusWindowBytes
    case .control: controlWindowBytes
    case .bundles: bundleWindowBytes
    }
  }

  func checkLimits() {
    precondition(identitySeed.count == 32, "a seed has 32 bytes, not \(identitySeed.count)")
    precondition(!bindAddresses.isEmpty, "a transport needs an address to bind")
    precondition(connectionsMax > 0, "connectionsMax \(connectionsMax)")
    precondition(frameBytesMax > 0, "frameBytesMax \(frameBytesMax)")
    precondition(
      frameBytesMax + FrameAssembler.headerBytes <= bufferedBytesMax,
      "a frame of \(frameBytesMax) bytes could never be sent")
    precondition(requestsMax > 0, "requestsMax \(requestsMax)")
    precondition(
      reconnectDelayMin > 0 && reconnectDelayMin <= reconnectDelayMax,
      "reconnect delays \(reconnectDelayMin)...\(reconnectDelayMax)")
    precondition(
      keepAliveInterval < idleTimeout,
      "a keep-alive of \(keepAliveInterval) ns cannot hold \(idleTimeout) ns of idle time off")
  }
}
