import CPlatform
import CQUIC
import Reactor

extension QUICTransport {
  /// Closed connections that still answer; further ones are forgotten at once.
  private static let lingerersMax = 1_024

  // MARK: Making

  func librarySettings() -> cquic_settings {
    cquic_settings(
      idle_timeout: configuration.idleTimeout,
      handshake_timeout: configuration.handshakeTimeout,
      connection_window_bytes: UInt64(configuration.connectionReceiveWindowBytes),
      stream_window_bytes: UInt64(configuration.receiveWindowBytes),
      bidirectional_streams_max: UInt64(configuration.requestsMax),
      unidirectional_streams_max: UInt64(Channel.allCases.count), datagram_frame_bytes_max: 65_535,
      congestion_control: configuration.congestionControl.rawValue)
  }

  func makeConnection(
    role: ConnectionRole, socket: UDPSocket, address: SocketAddress, key: PeerKey?
  ) -> Connection {
    let id = PeerConnectionID(number: nextConnectionNumber)
    nextConnectionNumber += 1
    return Connection(
      transport: self, id: id, role: role, socket: socket, address: address, expectedKey: key)
  }

  /// Takes a connection in: its library object, its routes and its timer.
  func adopt(_ connection: Connection, _ raw: OpaquePointer) {
    connection.raw = raw
    connections[connection.id] = connection
    byAddress[connection.address, default: []].append(connection)
    counters.connections = connections.count
    if connection.role == .acceptor { handshakesInbound += 1 }
    var identifiers = [cquic_id](repeating: cquic_id(), count: 8)
    let count = identifiers.withUnsafeMutableBufferPointer {
      cquic_connection_identifiers(raw, $0.baseAddress, $0.count)
    }
    for identifier in identifiers.prefix(count) {
      route(ConnectionIdentifier(identifier), to: connection)
    }
    connection.timer = loop.makeTimer { [weak self, weak connection] in
      guard let self, let connection else { return }
      self.timerFired(connection)
    }
  }

  func route(_ identifier: ConnectionIdentifier, to connection: Connection) {
    routes[identifier] = .connection(connection)
    connection.identifiers.append(identifier)
  }

  func unroute(_ identifier: ConnectionIdentifier, from connection: Connection) {
    routes[identifier] = nil
    connection.identifiers.removeAll { $0 == identifier }
  }

  private func timerFired(_ connection: Connection) {
    guard !connection.hasEnded else { return }
    let now = loop.now()
    if connection.handshakeDeadline <= now {
      end(connection, .handshakeTimedOut, closePacket: nil)
      return
    }
    connection.expireRequests(at: now)
    if cquic_connection_expiry(connection.library) <= now {
      let result = cquic_connection_handle_expiry(connection.library, now)
      switch Int32(clamping: result) {
      case 0: break
      case CQUIC_EXPIRY_IDLE: end(connection, .idle, closePacket: nil)
      case CQUIC_EXPIRY_HANDSHAKE: end(connection, .handshakeTimedOut, closePacket: nil)
      default: fail(connection, with: result)
      }
    }
    markDirty(connection)
  }

  // MARK: Announcing

  /// Both sides have judged each other: keeps one connection per peer and announces it.
  func confirm(_ connection: Connection) {
    guard let key = connection.key else {
      preconditionFailure("connection \(connection.id) was confirmed without a key")
    }
    if connection.role == .acceptor { handshakesInbound -= 1 }
    connection.isConfirmed = true
    counters.handshakesConfirmed += 1
    if let existing = byKey[key] {
      if existing.role == connection.role || existing.life != connection.life
        || hasForgotten(existing, whoDials: connection)
      {
        close(existing, .replaced, .replaced)
      } else if isPreferred(connection.role, to: key) {
        close(existing, .duplicate, .duplicate)
      } else {
        if connection.role == .dialler { targets[key]?.dialling = nil }
        close(connection, .duplicate, .duplicate)
        return
      }
    }
    guard connection.openChannels() else {
      close(connection, .unknownStream, .protocolFailure("the peer allows no channels"))
      return
    }
    announce(connection, key)
  }

  /// Of two connections between the same nodes, the one dialled by the smaller key is kept.
  private func isPreferred(_ role: ConnectionRole, to peer: PeerKey) -> Bool {
    switch role {
    case .dialler: key < peer
    case .acceptor: peer < key
    }
  }

  /// Whether a peer that dials must have lost the connection that this side still holds: it dials
  /// only while it knows none, and one announced longer ago than any dial goes unanswered cannot
  /// have crossed this one.
  private func hasForgotten(_ existing: Connection, whoDials connection: Connection) -> Bool {
    connection.role == .acceptor
      && connection.startedAt > existing.announcedAt &+ configuration.answerTimeout
  }

  private func announce(_ connection: Connection, _ key: PeerKey) {
    connection.isAnnounced = true
    connection.announcedAt = loop.now()
    byKey[key] = connection
    cquic_connection_keep_alive(connection.library, configuration.keepAliveInterval)
    if connection.role == .dialler { targets[key]?.dialling = nil }
    cancelRedial(key)
    emit(.connected(connection.id, key, connection.address, connection.role))
    let early = connection.early
    connection.early = []
    for event in early { emit(event) }
    log(
      .info, "connected",
      [
        ("peer", "\(key)"), ("address", "\(connection.address)"),
        ("role", connection.role == .dialler ? "dialler" : "acceptor"),
        ("connection", "\(connection.id)"),
      ])
    markDirty(connection)
  }

  // MARK: Ending

  /// Closes a connection with an application error code.
  func close(_ connection: Connection, _ code: ApplicationError, _ reason: DisconnectReason) {
    guard !connection.hasEnded else { return }
    let text = Array("\(reason)".utf8.prefix(100))
    let length = text.withUnsafeBufferPointer {
      cquic_connection_write_close(
        connection.library, scratch.burst, WriteScratch.packetBytes, code.rawValue,
        $0.baseAddress, $0.count, loop.now())
    }
    sendClose(length, connection, reason)
  }

  /// Closes a connection whose peer broke the framing rules.
  func endForBreach(_ connection: Connection, _ breach: (code: ApplicationError, what: String)) {
    counters.malformedFrames += 1
    close(connection, breach.code, .malformed(breach.what))
  }

  /// Ends a connection on which the library has failed.
  func fail(_ connection: Connection, with error: Int64) {
    guard !connection.hasEnded else { return }
    if let breach = connection.breach {
      endForBreach(connection, breach)
      return
    }
    let alert = cquic_connection_alert(connection.library)
    let reason: DisconnectReason
    if let refusal = connection.refusal {
      reason = .refusedHere(refusal)
    } else if alert != 0 {
      reason = .refusedHere("TLS alert \(alert)")
    } else {
      reason = .protocolFailure(String(cString: cquic_error_text(error)))
    }
    let length = cquic_connection_write_close_for(
      connection.library, scratch.burst, WriteScratch.packetBytes, error, loop.now())
    sendClose(length, connection, reason)
  }

  private func sendClose(_ length: Int64, _ connection: Connection, _ reason: DisconnectReason) {
    guard length > 0 else {
      end(connection, reason, closePacket: nil)
      return
    }
    let packet = [UInt8](UnsafeBufferPointer(start: scratch.burst, count: Int(length)))
    var remoteLength: UInt32 = 0
    cquic_connection_remote(connection.library, scratch.remote, &remoteLength)
    let remote = UnsafeRawBufferPointer(start: scratch.remote, count: Int(remoteLength))
    packet.withUnsafeBytes { bytes in
      _ = send(bytes, segmentBytes: bytes.count, for: connection, to: remote)
    }
    end(connection, reason, closePacket: packet)
  }

  /// Takes a connection out, tells the owner, and sees to the next attempt.
  ///
  /// Late packets are answered with `closePacket`; with an empty one (the peer has closed) they are
  /// ignored, and without one they are a stranger's.
  func end(_ connection: Connection, _ reason: DisconnectReason, closePacket: [UInt8]?) {
    guard !connection.hasEnded else { return }
    for stream in connection.streams.values where stream.kind == .requestOut {
      connection.settleRequest(stream, .disconnected, code: nil)
    }
    connection.hasEnded = true
    linger(connection, closePacket)
    connections[connection.id] = nil
    forgetAddress(of: connection)
    counters.connections = connections.count
    if let timer = connection.timer { loop.cancel(timer) }
    connection.timer = nil
    if !connection.isConfirmed {
      if connection.role == .acceptor { handshakesInbound -= 1 }
      countFailure(reason)
    }
    logEnd(connection, reason)
    if connection.isAnnounced, lived(connection) >= configuration.reconnectDelayMax {
      forgetAttempts(connection)
    }
    if let key = connection.key, connection.isAnnounced {
      if byKey[key] === connection { byKey[key] = nil }
      emit(.disconnected(connection.id, key, reason))
    } else if let expected = connection.expectedKey, reason != .duplicate {
      emit(.failedToConnect(expected, connection.address, reason))
    }
    connection.release()
    if let key = connection.expectedKey ?? connection.key {
      // The reset came from the peer, which is there and has forgotten the connection.
      let isBack = reason == .reset && connection.isAnnounced
      connectionEnded(key, connection.id, isBack: isBack, atOnce: connection.redialsAtOnce)
    }
  }

  private func forgetAddress(of connection: Connection) {
    byAddress[connection.address]?.removeAll { $0 === connection }
    if byAddress[connection.address]?.isEmpty == true { byAddress[connection.address] = nil }
  }

  private func lived(_ connection: Connection) -> UInt64 { loop.now() &- connection.announcedAt }

  private func countFailure(_ reason: DisconnectReason) {
    switch reason {
    case .refusedHere, .refusedByPeer:
      counters.handshakesRefused += 1
    case .closedHere, .abandoned, .shutDown, .closedByPeer, .idle, .handshakeTimedOut, .reset,
      .duplicate, .replaced, .malformed, .protocolFailure, .unreachable:
      counters.handshakesFailed += 1
    }
  }

  private func logEnd(_ connection: Connection, _ reason: DisconnectReason) {
    let who = connection.key ?? connection.expectedKey
    let fields = [
      ("peer", who.map { "\($0)" } ?? "unknown"), ("address", "\(connection.address)"),
      ("role", connection.role == .dialler ? "dialler" : "acceptor"),
      ("connection", "\(connection.id)"), ("reason", "\(reason)"),
    ]
    switch reason {
    case .refusedHere, .refusedByPeer: log(.warning, "peer refused", fields)
    case .malformed: log(.warning, "peer closed for a breach", fields)
    case .closedHere, .abandoned, .shutDown, .closedByPeer, .idle, .handshakeTimedOut, .reset,
      .duplicate, .replaced, .protocolFailure, .unreachable:
      log(.info, connection.isAnnounced ? "disconnected" : "handshake ended", fields)
    }
  }

  /// Keeps answering late packets for three probe time-outs (RFC 9000, section 10.2).
  private func linger(_ connection: Connection, _ closePacket: [UInt8]?) {
    let identifiers = connection.identifiers
    guard let closePacket, lingerersCount < QUICTransport.lingerersMax, !isShuttingDown else {
      for identifier in identifiers { routes[identifier] = nil }
      return
    }
    let lingerer = Lingerer(
      closePacket: closePacket, identifiers: identifiers,
      key: connection.key ?? connection.expectedKey)
    for identifier in identifiers { routes[identifier] = .lingering(lingerer) }
    lingerersCount += 1
    let patience = 3 * cquic_connection_probe_timeout(connection.library)
    loop.schedule(at: loop.now() &+ patience) { [weak self] in
      guard let self else { return }
      for identifier in lingerer.identifiers { self.routes[identifier] = nil }
      self.lingerersCount -= 1
    }
  }

  /// Closes one connection; a peer that is still dialled is dialled again.
  package func disconnect(_ id: PeerConnectionID) {
    guard let connection = connections[id] else { return }
    close(connection, .closed, .closedHere)
  }

  /// Gives a connection up without waiting for the idle time-out, because the owner believes that
  /// the peer's process or the way to it is gone.
  ///
  /// A peer that is still dialled is dialled again soon, as often as after its first loss.
  package func abandon(_ id: PeerConnectionID) {
    guard let connection = connections[id], connection.isAnnounced else { return }
    forgetAttempts(connection)
    counters.abandoned += 1
    close(connection, .closed, .abandoned)
  }

  private func forgetAttempts(_ connection: Connection) {
    if let key = connection.key { targets[key]?.attempts = 0 }
  }

  /// Closes everything, accepts nothing more, and calls `completion` once the farewells are sent.
  package func shutdown(completion: @escaping () -> Void) {
    isShuttingDown = true
    for key in targets.keys { cancelRedial(key) }
    targets = [:]
    for connection in Array(connections.values) {
      close(connection, .shutDown, .shutDown)
    }
    shutdownCompletion = completion
    loop.requestTurnEnd()
  }
}
