import CPlatform
import CQUIC
import Reactor

/// Bounds answers to packets of unknown origin, which could be aimed at a third party.
struct UnsolicitedBudget {
  private static let perSecond = 200
  private var windowStart: UInt64 = 0
  private var used = 0

  mutating func take(at now: UInt64) -> Bool {
    if now &- windowStart >= 1_000_000_000 {
      windowStart = now
      used = 0
    }
    guard used < UnsolicitedBudget.perSecond else { return false }
    used += 1
    return true
  }
}

extension QUICTransport {
  /// The least size of a datagram that opens a connection (RFC 9000, section 14.1).
  private static let initialDatagramBytesMin = 1_200
  /// The least size of a stateless reset (RFC 9000, section 10.3).
  private static let resetBytesMin = 21

  func process(
    _ packet: UnsafeBufferPointer<UInt8>, from remote: UnsafeRawBufferPointer,
    on socket: UDPSocket, at now: UInt64
  ) {
    var header = cquic_header()
    let kind = cquic_route(packet.baseAddress, packet.count, &header)
    guard kind != CQUIC_ROUTE_MALFORMED else {
      counters.packetsDropped += 1
      return
    }
    switch routes[ConnectionIdentifier(header.destination)] {
    case .connection(let connection):
      read(packet, from: remote, for: connection, at: now)
    case .lingering(let lingerer):
      if let fault = lingerer.key.flatMap(fault(for:)), fault.blocks { return }
      lingerer.packetsSeen += 1
      guard !lingerer.closePacket.isEmpty, lingerer.packetsSeen.nonzeroBitCount == 1 else { return }
      lingerer.closePacket.withUnsafeBytes { bytes in
        _ = send(bytes, segmentBytes: bytes.count, on: socket, to: remote)
      }
    case nil:
      if injector.blocks(remote) {
        counters.faultsBlocked += 1
      } else if kind == CQUIC_ROUTE_LONG {
        accept(packet, header, from: remote, on: socket, at: now)
      } else {
        answerStranger(packet, header, kind, from: remote, on: socket, at: now)
      }
    }
  }

  /// Answers a packet of an unknown version or connection, within the budget.
  private func answerStranger(
    _ packet: UnsafeBufferPointer<UInt8>, _ header: cquic_header, _ kind: Int32,
    from remote: UnsafeRawBufferPointer, on socket: UDPSocket, at now: UInt64
  ) {
    var header = header
    let isShort = kind == CQUIC_ROUTE_SHORT
    if isShort, isReset(packet, from: remote, at: now) { return }
    guard isShort || packet.count >= QUICTransport.initialDatagramBytesMin,
      unsolicited.take(at: now)
    else {
      counters.packetsDropped += 1
      return
    }
    let capacity = WriteScratch.packetBytes
    let length =
      isShort
      ? cquic_write_stateless_reset(
        identity, scratch.burst, capacity, header.destination, packet.count)
      : cquic_write_version_negotiation(scratch.burst, capacity, &header)
    guard length > 0 else {
      counters.packetsDropped += 1
      return
    }
    if isShort {
      counters.statelessResetsSent += 1
    } else {
      counters.versionNegotiationsSent += 1
    }
    sendSingle(length, from: scratch.burst, on: socket, to: remote)
  }

  /// Whether the packet is a stateless reset of a connection with the sender.
  ///
  /// A reset looks like a packet for an identifier nobody has; only the connection can tell it, by
  /// the token in its last bytes (RFC 9000, section 10.3.1).
  private func isReset(
    _ packet: UnsafeBufferPointer<UInt8>, from remote: UnsafeRawBufferPointer, at now: UInt64
  ) -> Bool {
    guard packet.count >= QUICTransport.resetBytesMin,
      let address = SocketAddress(kernelBytes: remote), let candidates = byAddress[address]
    else { return false }
    for connection in candidates {
      read(packet, from: remote, for: connection, at: now)
      if connection.hasEnded { return true }
    }
    return false
  }

  // MARK: Accepting

  private func accept(
    _ packet: UnsafeBufferPointer<UInt8>, _ routed: cquic_header,
    from remote: UnsafeRawBufferPointer, on socket: UDPSocket, at now: UInt64
  ) {
    var header = routed
    guard packet.count >= QUICTransport.initialDatagramBytesMin,
      cquic_accept(packet.baseAddress, packet.count, &header),
      let address = SocketAddress(kernelBytes: remote)
    else {
      counters.packetsDropped += 1
      return
    }
    if isShuttingDown || connections.count >= configuration.connectionsMax
      || handshakesInbound >= configuration.handshakesMax
    {
      counters.refusedByLimit += 1
      guard unsolicited.take(at: now) else { return }
      log(
        .warning, "connection refused",
        [
          ("address", "\(address)"), ("connections", "\(connections.count)"),
          ("handshakes", "\(handshakesInbound)"), ("reason", "a limit is reached"),
        ])
      refuse(header, code: CQUIC_REFUSE_CONNECTION, from: remote, on: socket)
      return
    }
    var original = cquic_id()
    var hasRetried = false
    if header.token_length > 0 {
      let from = cquic_address(bytes: remote.baseAddress, length: UInt32(remote.count))
      let lifetime = configuration.retryTokenLifetime
      guard cquic_verify_retry(identity, &header, from, lifetime, now, &original) else {
        refuse(header, code: CQUIC_REFUSE_TOKEN, from: remote, on: socket)
        return
      }
      hasRetried = true
    } else if handshakesInbound >= configuration.handshakesBeforeRetry {
      retry(header, from: remote, on: socket, at: now)
      return
    }
    start(
      header, hasRetried ? original : nil, packet, from: remote, address, on: socket, at: now)
  }

  private func refuse(
    _ header: cquic_header, code: Int32, from remote: UnsafeRawBufferPointer, on socket: UDPSocket
  ) {
    var header = header
    let length = cquic_write_refusal(
      scratch.burst, WriteScratch.packetBytes, &header, UInt64(code))
    sendSingle(length, from: scratch.burst, on: socket, to: remote)
  }

  private func retry(
    _ header: cquic_header, from remote: UnsafeRawBufferPointer, on socket: UDPSocket,
    at now: UInt64
  ) {
    var header = header
    let address = cquic_address(bytes: remote.baseAddress, length: UInt32(remote.count))
    let length = cquic_write_retry(
      identity, scratch.burst, WriteScratch.packetBytes, &header, address, now)
    guard length > 0 else { return }
    counters.retriesSent += 1
    sendSingle(length, from: scratch.burst, on: socket, to: remote)
  }

  private func start(
    _ header: cquic_header, _ original: cquic_id?, _ packet: UnsafeBufferPointer<UInt8>,
    from remote: UnsafeRawBufferPointer, _ address: SocketAddress, on socket: UDPSocket,
    at now: UInt64
  ) {
    let connection = makeConnection(role: .acceptor, socket: socket, address: address, key: nil)
    var header = header
    var settings = librarySettings()
    var callbacks = Connection.callbackTable()
    var code: Int32 = 0
    let from = cquic_address(bytes: remote.baseAddress, length: UInt32(remote.count))
    let raw = withUnsafeBytes(of: socket.kernelAddress.bytes) { bytes in
      let to = cquic_address(bytes: bytes.baseAddress, length: socket.kernelAddress.length)
      guard var original else {
        return cquic_server_new(
          identity, &settings, &callbacks, connection.owner, to, from, &header, nil, now, &code)
      }
      return cquic_server_new(
        identity, &settings, &callbacks, connection.owner, to, from, &header, &original, now,
        &code)
    }
    guard let raw else {
      counters.handshakesFailed += 1
      log(.warning, "connection refused", [("address", "\(address)"), ("code", "\(code)")])
      return
    }
    adopt(connection, raw)
    route(ConnectionIdentifier(header.destination), to: connection)
    read(packet, from: remote, for: connection, at: now)
  }

  // MARK: Reading

  private func read(
    _ packet: UnsafeBufferPointer<UInt8>, from remote: UnsafeRawBufferPointer,
    for connection: Connection, at now: UInt64
  ) {
    guard !connection.hasEnded else { return }
    if let fault = connection.fault, loses(packetUnder: fault) { return }
    let address = cquic_address(bytes: remote.baseAddress, length: UInt32(remote.count))
    let result = cquic_connection_read(
      connection.library, address, packet.baseAddress, packet.count, now)
    if connection.wasReset {
      end(connection, .reset, closePacket: nil)
      return
    }
    switch Int32(clamping: result) {
    case CQUIC_READ_OK:
      connection.hasHeard = true
      connection.unansweredSince = .max
      afterRead(connection)
    case CQUIC_READ_DRAINING:
      end(connection, closeReason(of: connection), closePacket: [])
    case CQUIC_READ_DROP:
      end(connection, .protocolFailure("dropped"), closePacket: nil)
    case CQUIC_READ_RETRY:
      end(connection, .protocolFailure("a retry is needed"), closePacket: nil)
    default:
      fail(connection, with: result)
    }
  }

  private func afterRead(_ connection: Connection) {
    if let breach = connection.breach {
      endForBreach(connection, breach)
      return
    }
    let isConfirmedByBoth =
      switch connection.role {
      case .dialler: connection.handshakeConfirmed
      case .acceptor: connection.handshakeCompleted
      }
    if isConfirmedByBoth, !connection.isConfirmed, connection.fault?.blocks != true {
      confirm(connection)
    }
    if !connection.hasEnded { markDirty(connection) }
  }

  /// Turns the peer's CONNECTION_CLOSE into a reason.
  private func closeReason(of connection: Connection) -> DisconnectReason {
    var information = cquic_close_information()
    cquic_connection_close_information(connection.library, &information)
    let text = withUnsafeBytes(of: &information.reason) { bytes in
      String(decoding: bytes.prefix(information.reason_length), as: UTF8.self)
    }
    if information.application {
      if information.code == ApplicationError.duplicate.rawValue { return .duplicate }
      return .closedByPeer(code: information.code, reason: text)
    }
    // CRYPTO_ERROR carries the TLS alert in its low byte (RFC 9001, section 4.8).
    if (0x100...0x1ff).contains(information.code) {
      return .refusedByPeer(alert: information.code & 0xff)
    }
    return .protocolFailure("the peer closed with transport error \(information.code) \(text)")
  }
}
