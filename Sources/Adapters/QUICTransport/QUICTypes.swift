package import Reactor

/// One connection during its life; never used twice.
package struct PeerConnectionID: Hashable, Sendable, CustomStringConvertible {
  let number: UInt64
  /// The number that log lines carry.
  package var description: String { "\(number)" }
}

/// One request on one connection.
package struct RequestID: Hashable, Sendable {
  /// The connection that carries the request.
  package let connection: PeerConnectionID
  let stream: Int64
}

/// The three long-lived channels of a connection, in the order in which they are sent.
package enum Channel: Hashable, Sendable, CaseIterable {
  /// Frames of the control plane, for which a leader and its followers wait.
  case consensus
  /// Small and urgent frames.
  case control
  /// Bulk frames, which the receiver can hold back.
  case bundles
}

/// Who opened a connection.
package enum ConnectionRole: Hashable, Sendable {
  /// This node dialled.
  case dialler
  /// The other node dialled.
  case acceptor
}

/// The outcome of sending a frame.
package enum SendResult: Hashable, Sendable {
  /// The transport has the frame and will deliver it unless the connection ends.
  case queued
  /// The window is full: hold back until `writable`.
  case full
  /// There is no such connection or request.
  case notConnected
}

/// The outcome of starting a request.
package enum RequestResult: Hashable, Sendable {
  /// The request is on its way.
  case sent(RequestID)
  /// The peer serves as many as it allows, or the connection's buffers are full.
  case full
  /// There is no such connection.
  case notConnected
}

/// How a response ended.
package enum ResponseEnd: Hashable, Sendable {
  /// The peer finished it.
  case complete
  /// The peer gave it up, with an application error code.
  case cancelledByPeer(UInt64)
  /// Nothing came for the configured time.
  case timedOut
  /// It exceeded the configured size.
  case tooLarge
  /// The connection ended first.
  case disconnected
}

/// Why a connection ended or was never made.
package enum DisconnectReason: Hashable, Sendable, CustomStringConvertible {
  /// The owner asked for it.
  case closedHere
  /// The owner gave it up, believing the peer's process or the way to it gone.
  case abandoned
  /// The transport shut down.
  case shutDown
  /// The peer closed it, with an application error code and a reason.
  case closedByPeer(code: UInt64, reason: String)
  /// The peer judged this node's certificate or protocol and refused (a TLS alert).
  case refusedByPeer(alert: UInt64)
  /// This node judged the peer and refused.
  case refusedHere(String)
  /// Nothing was heard for the idle time-out.
  case idle
  /// The handshake took too long.
  case handshakeTimedOut
  /// The peer has forgotten the connection.
  case reset
  /// Both nodes dialled, and the other connection is kept.
  case duplicate
  /// The same peer made a newer connection.
  case replaced
  /// The peer broke the framing rules.
  case malformed(String)
  /// The QUIC layer failed: a peer's breach of the protocol, or want of memory.
  case protocolFailure(String)
  /// The connection could not even be started.
  case unreachable(String)

  /// One sentence for the log.
  package var description: String {
    switch self {
    case .closedHere: "closed by this node"
    case .abandoned: "given up by this node"
    case .shutDown: "this node is shutting down"
    case .closedByPeer(let code, let reason): "closed by the peer: code \(code) \(reason)"
    case .refusedByPeer(let alert): "the peer refused this node: TLS alert \(alert)"
    case .refusedHere(let why): "refused by this node: \(why)"
    case .idle: "nothing heard for the idle time-out"
    case .handshakeTimedOut: "the handshake timed out"
    case .reset: "the peer no longer knows the connection"
    case .duplicate: "both nodes dialled and the other connection is kept"
    case .replaced: "the peer made a newer connection"
    case .malformed(let what): "the peer broke the framing rules: \(what)"
    case .protocolFailure(let what): "QUIC failed: \(what)"
    case .unreachable(let what): "could not start: \(what)"
    }
  }
}

/// Application error codes of CONNECTION_CLOSE, RESET_STREAM and STOP_SENDING.
package enum ApplicationError: UInt64, Sendable {
  /// The owner closed the connection.
  case closed = 0
  /// The node shuts down.
  case shutDown = 1
  /// The other connection of the pair is kept.
  case duplicate = 2
  /// A newer connection took its place.
  case replaced = 3
  /// A frame broke the rules.
  case malformedFrame = 4
  /// A stream of a kind that does not exist, or one too many of a kind.
  case unknownStream = 5
  /// A request was given up.
  case requestCancelled = 6
  /// A response exceeded its size.
  case responseTooLarge = 7
  /// A request timed out.
  case requestTimedOut = 8
}

/// How loud a log line is.
package enum QUICLogLevel: Hashable, Sendable {
  case debug
  case info
  case warning
  case error
}

/// Receives a transport's log lines: level, event, fields.
package typealias QUICLogger = (QUICLogLevel, String, [(String, String)]) -> Void

/// A connection as operators see it.
package struct ConnectionStatistics: Sendable {
  /// The peer's key.
  package var key: PeerKey
  /// Where the peer is now.
  package var address: SocketAddress
  /// Who dialled.
  package var role: ConnectionRole
  /// The smoothed round trip, in nanoseconds.
  package var smoothedRoundTripNanoseconds: UInt64
  /// The least round trip, in nanoseconds.
  package var minimumRoundTripNanoseconds: UInt64
  /// Bytes sent and not yet acknowledged or lost.
  package var bytesInFlight: UInt64
  /// The congestion window.
  package var congestionWindowBytes: UInt64
  /// Bytes of frames waiting or unacknowledged.
  package var bufferedBytes: Int
  /// For how long a datagram has gone unanswered, in nanoseconds; 0 when none has.
  package var unansweredNanoseconds: UInt64
}

/// What a transport tells its owner, always on the loop's thread.
///
/// Only `shouldAccept` is called from inside the handshake and must do no more than answer; all
/// others may call the transport freely.
package protocol QUICTransportDelegate: AnyObject {
  /// Judges a peer's key. A dialled peer has already shown the expected one.
  func transport(
    _ transport: QUICTransport, shouldAccept key: PeerKey, role: ConnectionRole
  ) -> Bool
  /// A connection is confirmed by both sides.
  func transport(
    _ transport: QUICTransport, connected id: PeerConnectionID, key: PeerKey,
    address: SocketAddress, role: ConnectionRole)
  /// A connection that was announced has ended; frames not yet acknowledged may be lost.
  func transport(
    _ transport: QUICTransport, disconnected id: PeerConnectionID, key: PeerKey,
    reason: DisconnectReason)
  /// A peer's host says that nobody listens where the peer was: its process has probably ended.
  ///
  /// Anybody on the way can forge this (it is an ICMP message), so it is a reason to ask, not to
  /// believe, and the connection stays as it is. At most one per peer and
  /// ``QUICConfiguration/refusalInterval``.
  func transport(_ transport: QUICTransport, refusedBy id: PeerConnectionID, key: PeerKey)
  /// One attempt to reach a peer failed; another follows until `forget`.
  func transport(
    _ transport: QUICTransport, failedToConnect key: PeerKey, address: SocketAddress,
    reason: DisconnectReason)
  /// A frame arrived, in the order of its channel.
  func transport(
    _ transport: QUICTransport, received frame: [UInt8], on channel: Channel,
    from id: PeerConnectionID)
  /// A channel that had answered `.full` has drained below half of its window.
  func transport(_ transport: QUICTransport, writable id: PeerConnectionID, channel: Channel)
  /// A datagram arrived.
  func transport(
    _ transport: QUICTransport, receivedDatagram datagram: [UInt8], from id: PeerConnectionID)
  /// A peer asks; answer with `respond`.
  func transport(_ transport: QUICTransport, receivedRequest frame: [UInt8], id: RequestID)
  /// A response that had answered `.full` has drained below half of its window.
  func transport(_ transport: QUICTransport, responseWritable id: RequestID)
  /// The peer gave up a request that was not yet answered.
  func transport(_ transport: QUICTransport, requestCancelled id: RequestID)
  /// One frame of a response arrived.
  func transport(_ transport: QUICTransport, receivedResponse frame: [UInt8], id: RequestID)
  /// A response ended; nothing follows.
  func transport(_ transport: QUICTransport, responseEnded id: RequestID, how: ResponseEnd)
}

extension QUICTransportDelegate {
  /// Ignores the hint.
  package func transport(
    _ transport: QUICTransport, refusedBy id: PeerConnectionID, key: PeerKey
  ) {}
}
