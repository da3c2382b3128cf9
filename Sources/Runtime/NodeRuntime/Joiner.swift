internal import Configuration
internal import Crypto
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import Telemetry
internal import Wire

/// Knocks at the introducer's door with the ticket's guest key, before the node starts.
///
/// It runs a transport and a loop of its own, so that the guest key never meets the node's.
final class Joiner: QUICTransportDelegate {
  private let ticket: Ticket
  private let request: JoinRequest
  private let logger: Logger
  private let loop: EventLoop
  private var requestID: RequestID?
  private var isAdmitted = false
  private var lastReason = "no answer"

  private init(_ configuration: NodeConfiguration, _ ticket: Ticket, _ logger: Logger) throws {
    self.ticket = ticket
    self.logger = logger
    let settings = configuration.settings
    let scheme = settings.apiTLS == nil ? "http" : "https"
    request = JoinRequest(
      cluster: ticket.cluster, guest: NodeID(key: ticket.guestKey.publicKey),
      transportAddress: settings.transportAdvertise.description,
      apiAddress: "\(scheme)://\(settings.apiAdvertise)",
      signedWith: configuration.nodeKey.signingKey)
    loop = try EventLoop()
  }

  /// Asks to be admitted and waits for the answer, for at most 30 seconds.
  static func join(_ configuration: NodeConfiguration, _ ticket: Ticket, _ logger: Logger) throws {
    guard !ticket.isExpired(atMilliseconds: WallClock.milliseconds()) else {
      throw StartError("the ticket has ended; ask the operator of a member for a new one")
    }
    let joiner = try Joiner(configuration, ticket, logger)
    try joiner.run()
    guard joiner.isAdmitted else {
      throw StartError(
        "member \(ticket.introducer.key.short) at \(ticket.address) did not admit this node: "
          + joiner.lastReason)
    }
    logger.log(.info, "admitted", [LogField("by", ticket.introducer.key.hexadecimal)])
  }

  private func run() throws {
    let any = ticket.address.isIPv6 ? "[::]:0" : "0.0.0.0:0"
    guard let bind = SocketAddress(any), let target = SocketAddress(ticket.address.description),
      let key = PeerKey(ticket.introducer.key.bytes)
    else { throw StartError("the ticket's address cannot be dialled") }
    let quic = QUICConfiguration(
      identitySeed: ticket.guestSeed.bytes, bindAddresses: [bind], jitterSeed: loop.now())
    let transport = try QUICTransport(
      configuration: quic, loop: loop, delegate: self, log: TransportLog.sink(logger))
    loop.schedule(at: loop.now() + 30_000_000_000) { [loop] in loop.stop() }
    transport.connect(to: target, expecting: key)
    try loop.run()
    transport.shutdown { [loop] in loop.stop() }
    try loop.run()
  }

  func transport(
    _ transport: QUICTransport, shouldAccept key: PeerKey, role: ConnectionRole
  ) -> Bool {
    key.bytes == ticket.introducer.key.bytes && role == .dialler
  }

  func transport(
    _ transport: QUICTransport, connected id: PeerConnectionID, key: PeerKey,
    address: SocketAddress, role: ConnectionRole
  ) {
    let frame = [RequestKind.join.rawValue] + request.encoded
    if case .sent(let sent) = transport.request(frame, to: id) { requestID = sent }
  }

  func transport(_ transport: QUICTransport, receivedResponse frame: [UInt8], id: RequestID) {
    if id == requestID && frame == [1] { isAdmitted = true }
  }

  func transport(_ transport: QUICTransport, responseEnded id: RequestID, how: ResponseEnd) {
    switch how {
    case .complete:
      lastReason = "its answer was not understood"
    case .cancelledByPeer:
      lastReason = "it refused; its log says why, such as that the ticket was used by another node"
    case .timedOut, .tooLarge, .disconnected:
      lastReason = "its answer was lost (\(how)); start again with the same ticket"
    }
    loop.stop()
  }

  func transport(
    _ transport: QUICTransport, disconnected id: PeerConnectionID, key: PeerKey,
    reason: DisconnectReason
  ) {
    // The end of the request has said why; what follows is this side hanging up.
    if !isAdmitted && requestID == nil { lastReason = reason.description }
  }

  func transport(
    _ transport: QUICTransport, failedToConnect key: PeerKey, address: SocketAddress,
    reason: DisconnectReason
  ) {
    lastReason = reason.description
    // Nothing that this side can do makes a refused key welcome.
    if case .refusedByPeer = reason {
      lastReason += "; the ticket is not known there, or has ended"
      loop.stop()
    }
  }

  func transport(
    _ transport: QUICTransport, received frame: [UInt8], on channel: Channel,
    from id: PeerConnectionID
  ) {}

  func transport(_ transport: QUICTransport, writable id: PeerConnectionID, channel: Channel) {}

  func transport(
    _ transport: QUICTransport, receivedDatagram datagram: [UInt8], from id: PeerConnectionID
  ) {}

  func transport(_ transport: QUICTransport, receivedRequest frame: [UInt8], id: RequestID) {
    transport.cancel(id)
  }

  func transport(_ transport: QUICTransport, responseWritable id: RequestID) {}

  func transport(_ transport: QUICTransport, requestCancelled id: RequestID) {}
}
