import CPlatform
import CQUIC
package import Reactor

/// A node's connections to its peers: authenticated, ordered channels over QUIC (RFC 9000, 9001,
/// 9221).
///
/// Both roles share the bound sockets. Each connection carries a consensus, a control and a bundle
/// channel in each direction, requests on streams of their own, and datagrams;
/// `docs/protocol/transport.md` describes what is on the wire. The transport is confined to its
/// loop's thread.
///
/// Invariants:
///
/// - T1: at most one announced connection per peer key.
/// - T2: the owner hears `connected` only after both sides have judged each other, and
///   `disconnected` exactly once for each `connected`.
/// - T3: no delegate method but `shouldAccept` is called while the QUIC library is on the stack.
/// - T4: every queue is bounded: see ``QUICConfiguration``.
///
/// Deviations from RFC 9000: no 0-RTT, no NEW_TOKEN, ECN is not marked, and packets are written
/// only at the end of a loop turn, so that frames sent in one turn share packets.
package final class QUICTransport {
  /// The limits and times in force.
  package let configuration: QUICConfiguration
  /// This node's public key.
  package let key: PeerKey
  /// What has been counted.
  package internal(set) var counters = QUICCounters()

  let loop: EventLoop
  weak var delegate: (any QUICTransportDelegate)?
  let log: QUICLogger
  let identity: OpaquePointer
  var sockets: [UDPSocket] = []
  let receiver: OpaquePointer
  let scratch: WriteScratch

  var connections: [PeerConnectionID: Connection] = [:]
  var byKey: [PeerKey: Connection] = [:]
  var routes: [ConnectionIdentifier: Route] = [:]
  /// The connections with a peer at some address, for the resets that carry no identifier of ours.
  var byAddress: [SocketAddress: [Connection]] = [:]
  var lingerersCount = 0
  var targets: [PeerKey: DialTarget] = [:]
  var jitter: Jitter
  var nextConnectionNumber: UInt64 = 1
  var handshakesInbound = 0
  var dirty: [Connection] = []
  var events: [TransportEvent] = []
  var isDelivering = false
  var isShuttingDown = false
  var shutdownCompletion: (() -> Void)?
  /// The faults in force, for drills.
  var injector: FaultInjector
  /// Stateless resets and version negotiations still allowed in this second.
  var unsolicited = UnsolicitedBudget()

  /// Receive slots: each holds one coalesced burst.
  private static let receiveSlots = 16
  private static let receiveSlotBytes = 65_536

  /// Binds the sockets and starts to receive with the loop's next turn.
  ///
  /// - Throws: ``SystemCallError`` when an address cannot be bound, ``IdentityError`` when the
  ///   certificate cannot be made.
  package init(
    configuration: QUICConfiguration, loop: EventLoop, delegate: any QUICTransportDelegate,
    log: @escaping QUICLogger = { _, _, _ in }
  ) throws {
    configuration.checkLimits()
    self.configuration = configuration
    self.loop = loop
    self.delegate = delegate
    self.log = log
    jitter = Jitter(seed: configuration.jitterSeed)
    injector = FaultInjector(
      packetsMax: configuration.delayedPacketsMax, bytesMax: configuration.delayedBytesMax)
    identity = try QUICTransport.makeIdentity(configuration)
    key = QUICTransport.publicKey(of: identity)
    guard
      let receiver = cplatform_receiver_new(
        QUICTransport.receiveSlots, QUICTransport.receiveSlotBytes)
    else {
      preconditionFailure("no memory for the receive buffers")
    }
    self.receiver = receiver
    scratch = WriteScratch()
    for address in configuration.bindAddresses {
      try open(address)
    }
    loop.onTurnEnd { [weak self] in self?.endTurn() }
  }

  deinit {
    for connection in connections.values {
      if let timer = connection.timer { loop.cancel(timer) }
      connection.release()
    }
    for target in targets.values {
      if let timer = target.timer { loop.cancel(timer) }
    }
    if let timer = injector.timer { loop.cancel(timer) }
    for socket in sockets {
      if let registration = socket.registration { loop.deregister(registration) }
    }
    cplatform_receiver_free(receiver)
    cquic_identity_free(identity)
    scratch.free()
  }

  private static func makeIdentity(_ configuration: QUICConfiguration) throws -> OpaquePointer {
    let credential: Int32 =
      switch configuration.credential {
      case .ed25519: CQUIC_CREDENTIAL_ED25519
      case .none: CQUIC_CREDENTIAL_NONE
      case .ecdsa: CQUIC_CREDENTIAL_ECDSA
      }
    var code: Int32 = 0
    let identity = configuration.identitySeed.withUnsafeBufferPointer { seed in
      cquic_identity_new(seed.baseAddress, configuration.applicationProtocol, credential, &code)
    }
    guard let identity else {
      throw IdentityError(code: code, reason: String(cString: cquic_tls_error_text(code)))
    }
    return identity
  }

  private static func publicKey(of identity: OpaquePointer) -> PeerKey {
    var bytes = [UInt8](repeating: 0, count: PeerKey.byteCount)
    bytes.withUnsafeMutableBufferPointer { cquic_identity_public_key(identity, $0.baseAddress) }
    guard let key = PeerKey(bytes) else {
      preconditionFailure("a key of \(bytes.count) bytes")
    }
    return key
  }

  private func open(_ address: SocketAddress) throws {
    let socket = try UDPSocket(bindingTo: address)
    let place = sockets.count
    sockets.append(socket)
    socket.registration = try loop.register(descriptor: socket.descriptor, interest: .readable) {
      [weak self] readiness in
      self?.socketIsReady(place, readiness)
    }
    log(
      .info, "bound",
      [
        ("address", "\(socket.address)"), ("gso", "\(socket.segmentsOnSend)"),
        ("gro", "\(socket.coalescesOnReceive)"),
      ])
  }

  /// The addresses bound, in the order of the configuration, with the ports the kernel chose.
  package var boundAddresses: [SocketAddress] { sockets.map(\.address) }

  func ownerAccepts(_ key: PeerKey, role: ConnectionRole) -> Bool {
    delegate?.transport(self, shouldAccept: key, role: role) ?? false
  }

  // MARK: The turn's end

  /// Delivers events, then writes what they and everybody else left to send.
  private func endTurn() {
    deliverEvents()
    flush()
    // Flushing can end connections, which is news too.
    deliverEvents()
    if dirty.contains(where: { $0.socket.waiting == nil }) { loop.requestTurnEnd() }
    if let completion = shutdownCompletion, connections.isEmpty,
      sockets.allSatisfy({ $0.waiting == nil })
    {
      shutdownCompletion = nil
      completion()
    }
  }

  func emit(_ event: TransportEvent) {
    events.append(event)
    loop.requestTurnEnd()
  }

  func markDirty(_ connection: Connection) {
    keepDirty(connection)
    loop.requestTurnEnd()
  }

  private func keepDirty(_ connection: Connection) {
    guard !connection.isDirty, !connection.hasEnded else { return }
    connection.isDirty = true
    dirty.append(connection)
  }

  private func flush() {
    let now = loop.refreshClock()
    let batch = dirty
    dirty.removeAll(keepingCapacity: true)
    if batch.count > 1, batch.contains(where: \.hasBulk) { flushUrgent(batch, at: now) }
    for connection in batch {
      connection.isDirty = false
      guard !connection.hasEnded else { continue }
      if connection.socket.waiting != nil {
        // Written to again once the socket has room.
        keepDirty(connection)
        continue
      }
      switch connection.flush(at: now) {
      case .drained: break
      case .hasMore, .socketBlocked: keepDirty(connection)
      case .failed(let error): fail(connection, with: error)
      }
      if !connection.hasEnded, let breach = connection.breach { endForBreach(connection, breach) }
      if !connection.hasEnded { rearm(connection) }
    }
  }

  /// Sends what is urgent on any connection, so that it does not wait for another one's bulk.
  private func flushUrgent(_ batch: [Connection], at now: UInt64) {
    for connection in batch
    where !connection.hasEnded && connection.hasUrgent && connection.socket.waiting == nil {
      if case .failed(let error) = connection.flushUrgent(at: now) {
        fail(connection, with: error)
      }
    }
  }

  /// Sets a connection's timer to what is due first.
  func rearm(_ connection: Connection) {
    guard let timer = connection.timer else { return }
    let deadline = min(
      cquic_connection_expiry(connection.library), connection.requestDeadline,
      connection.handshakeDeadline)
    if deadline == .max {
      loop.disarm(timer)
    } else {
      loop.arm(timer, at: deadline)
    }
  }

  func deliverEvents() {
    guard !isDelivering else { return }
    isDelivering = true
    defer { isDelivering = false }
    while !events.isEmpty {
      let batch = events
      events = []
      guard let delegate else { continue }
      for event in batch { deliver(event, to: delegate) }
    }
  }

  private func deliver(_ event: TransportEvent, to delegate: any QUICTransportDelegate) {
    switch event {
    case .connected(let id, let key, let address, let role):
      delegate.transport(self, connected: id, key: key, address: address, role: role)
    case .disconnected(let id, let key, let reason):
      delegate.transport(self, disconnected: id, key: key, reason: reason)
    case .refused(let id, let key):
      delegate.transport(self, refusedBy: id, key: key)
    case .failedToConnect(let key, let address, let reason):
      delegate.transport(self, failedToConnect: key, address: address, reason: reason)
    case .frame(let id, let channel, let frame):
      delegate.transport(self, received: frame, on: channel, from: id)
    case .writable(let id, let channel):
      delegate.transport(self, writable: id, channel: channel)
    case .datagram(let id, let bytes):
      delegate.transport(self, receivedDatagram: bytes, from: id)
    case .request(let id, let frame):
      delegate.transport(self, receivedRequest: frame, id: id)
    case .responseWritable(let id):
      delegate.transport(self, responseWritable: id)
    case .requestCancelled(let id):
      delegate.transport(self, requestCancelled: id)
    case .response(let id, let frame):
      delegate.transport(self, receivedResponse: frame, id: id)
    case .responseEnded(let id, let how):
      delegate.transport(self, responseEnded: id, how: how)
    }
  }
}

/// The node's certificate could not be made.
package struct IdentityError: Error, CustomStringConvertible {
  /// The TLS library's code.
  package let code: Int32
  /// The TLS library's text.
  package let reason: String
  /// The text and the code.
  package var description: String { "making the certificate failed: \(reason) (\(code))" }
}
