import CQUIC
import Reactor

/// One QUIC connection: the library's object and the streams above it.
///
/// ```
/// handshaking --confirmed--> announced --close, error, silence--> ended
///      \---------refused, timed out, error------------------------/
/// ```
///
/// The library calls back into this object while it reads, writes or handles a timer. Callbacks
/// only record: events for the owner are queued in the transport and delivered after the library
/// has returned, and closing is deferred, so no callback can free what the library still uses. All
/// pointers handed to the library lead to allocated memory, never to stored properties, because a
/// callback may touch any property while the library runs.
final class Connection {
  unowned let transport: QUICTransport
  let id: PeerConnectionID
  let role: ConnectionRole
  let socket: UDPSocket
  /// The key a dialled peer must show.
  let expectedKey: PeerKey?
  /// The key the peer has shown.
  var key: PeerKey?
  /// Which life of its process the peer has shown.
  var life: UInt64 = 0
  var address: SocketAddress
  /// The library's object; `nil` only before `start` and after `release`.
  var raw: OpaquePointer?
  var timer: TimerToken?

  var handshakeCompleted = false
  var handshakeConfirmed = false
  /// The transport has counted the handshake as confirmed.
  var isConfirmed = false
  var isAnnounced = false
  var hasEnded = false
  var isDirty = false
  /// What disturbs this connection's packets.
  var fault: PeerFault?
  /// When the handshake began.
  let startedAt: UInt64
  var announcedAt: UInt64 = 0
  /// A packet of the peer has been read.
  var hasHeard = false
  /// When a datagram was sent for which no packet of the peer has come back; `.max` without one.
  var unansweredSince = UInt64.max
  /// When a peer that does not answer may be sent the next datagram.
  var nextProbeAt: UInt64 = 0
  /// The peer is dialled again without delay when this connection ends.
  var redialsAtOnce = false
  /// When the owner may next be told that the peer's host refuses packets.
  var nextRefusalAt: UInt64 = 0
  /// The peer has sent a stateless reset.
  var wasReset = false
  /// Why this node refused the peer's certificate.
  var refusal: String?
  /// A breach found inside a callback, to be answered once the library has returned.
  var breach: (code: ApplicationError, what: String)?

  var streams: [Int64: Stream] = [:]
  var consensusOut: Stream?
  var controlOut: Stream?
  var bundlesOut: Stream?
  /// The channels that the peer has opened.
  var channelsIn: Set<Channel> = []
  /// Streams whose owner was told `.full` and waits to hear that they drained.
  var owing: [Stream] = []
  /// Streams of requests that may have something to send, served in turn.
  var requestRotation: [Stream] = []
  var requestsOutOpen = 0
  /// Streams to reset once the library has returned.
  var abandoned: [(stream: Int64, code: ApplicationError)] = []
  /// Streams to open for the peer, one for each of its that closed.
  var bidirectionalCredit = 0
  var bufferedBytes = 0
  var datagrams: [[UInt8]] = []
  /// Bulk waits while this is set.
  var isUrgentOnly = false
  /// What arrived before the connection was announced.
  var early: [TransportEvent] = []

  var bundlesPaused = false
  /// Flow-control credit held back while paused, and its stream.
  var withheldCredit: UInt64 = 0
  var bundlesInStream: Int64?

  /// The identifiers by which packets find this connection.
  var identifiers: [ConnectionIdentifier] = []

  init(
    transport: QUICTransport, id: PeerConnectionID, role: ConnectionRole, socket: UDPSocket,
    address: SocketAddress, expectedKey: PeerKey?
  ) {
    self.transport = transport
    self.id = id
    self.role = role
    self.socket = socket
    self.address = address
    self.expectedKey = expectedKey
    startedAt = transport.loop.now()
    fault = transport.fault(of: self)
  }

  deinit {
    precondition(raw == nil, "connection \(id) was dropped with its library object")
  }

  /// The library's object of a connection that has one.
  var library: OpaquePointer {
    guard let raw else { preconditionFailure("connection \(id) has no library object") }
    return raw
  }

  var owner: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

  /// Frees the library's object, and with it the last pointers into the send buffers.
  func release() {
    if let raw { cquic_connection_free(raw) }
    raw = nil
    streams = [:]
    consensusOut = nil
    controlOut = nil
    bundlesOut = nil
    requestRotation = []
    owing = []
  }

  /// Queues an event, or keeps it until the connection is announced.
  func emit(_ event: TransportEvent) {
    if isAnnounced {
      transport.emit(event)
    } else {
      early.append(event)
    }
  }

  // MARK: Handshake

  /// Judges the peer inside the TLS handshake.
  func verify(keyBytes: UnsafePointer<UInt8>?, life: UInt64, problem: Int32) -> Bool {
    guard let keyBytes else {
      refuse(Connection.text(ofProblem: problem))
      return false
    }
    let shown = UnsafeBufferPointer(start: keyBytes, count: PeerKey.byteCount)
    guard let shownKey = PeerKey(shown) else { return false }
    key = shownKey
    fault = transport.fault(of: self)
    self.life = life
    if shownKey == transport.key {
      refuse("the peer shows this node's own key")
    } else if let expectedKey, expectedKey != shownKey {
      refuse("another key was expected: \(expectedKey)")
    } else if !transport.ownerAccepts(shownKey, role: role) {
      refuse("the key is not known")
    }
    return refusal == nil
  }

  private func refuse(_ reason: String) {
    refusal = reason
  }

  private static func text(ofProblem problem: Int32) -> String {
    switch problem {
    case CQUIC_CERTIFICATE_MISSING: "no certificate was shown"
    case CQUIC_CERTIFICATE_NOT_ED25519: "the certificate holds no Ed25519 key"
    case CQUIC_PROTOCOL_MISMATCH: "another application protocol was chosen"
    default: preconditionFailure("certificate problem \(problem) is unknown")
    }
  }

  /// Opens this side's channels; false when the peer does not allow them.
  func openChannels() -> Bool {
    for channel in Channel.allCases {
      let number = cquic_connection_open_unidirectional(library)
      guard number >= 0 else { return false }
      let stream = Stream(id: number, kind: .channelOut(channel))
      stream.append(bytes: [Stream.firstByte(of: channel)])
      bufferedBytes += 1
      streams[number] = stream
      switch channel {
      case .consensus: consensusOut = stream
      case .control: controlOut = stream
      case .bundles: bundlesOut = stream
      }
    }
    return true
  }

  /// The stream of one of this side's channels.
  func outgoing(_ channel: Channel) -> Stream? {
    switch channel {
    case .consensus: consensusOut
    case .control: controlOut
    case .bundles: bundlesOut
    }
  }

  // MARK: After the library has returned

  /// Does what callbacks had to put off.
  func settle() {
    for item in abandoned {
      cquic_connection_abandon(library, item.stream, item.code.rawValue)
    }
    abandoned.removeAll(keepingCapacity: true)
    if bidirectionalCredit > 0 {
      cquic_connection_extend_bidirectional_streams(library, bidirectionalCredit)
      bidirectionalCredit = 0
    }
  }

  /// Gives back the credit of bundles received while paused.
  func resumeBundles() {
    bundlesPaused = false
    guard withheldCredit > 0, let stream = bundlesInStream else { return }
    cquic_connection_extend_stream(library, stream, withheldCredit)
    withheldCredit = 0
  }

  /// When a handshake that is not yet confirmed is given up. The library's own limit ends with the
  /// handshake's completion, which the peer need not know of.
  var handshakeDeadline: UInt64 {
    guard !isConfirmed else { return .max }
    let isUnanswered = role == .dialler && !hasHeard
    let configuration = transport.configuration
    let patience = isUnanswered ? configuration.answerTimeout : .max
    return startedAt &+ min(patience, configuration.handshakeTimeout)
  }

  /// The earliest deadline of our requests.
  var requestDeadline: UInt64 {
    guard requestsOutOpen > 0 else { return .max }
    var earliest = UInt64.max
    for stream in streams.values where stream.kind == .requestOut && !stream.isSettled {
      earliest = min(earliest, stream.deadline)
    }
    return earliest
  }

  /// Gives up the requests of ours that have waited too long.
  func expireRequests(at now: UInt64) {
    guard requestsOutOpen > 0 else { return }
    for stream in streams.values
    where stream.kind == .requestOut && !stream.isSettled && stream.deadline <= now {
      settleRequest(stream, .timedOut, code: .requestTimedOut)
    }
  }

  /// Tells the owner how a request of ours ended and abandons its stream unless it is complete.
  func settleRequest(_ stream: Stream, _ end: ResponseEnd, code: ApplicationError?) {
    guard !stream.isSettled else { return }
    stream.isSettled = true
    emit(.responseEnded(RequestID(connection: id, stream: stream.id), end))
    if let code { abandoned.append((stream.id, code)) }
  }
}
