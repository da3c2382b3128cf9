import QUICTransport
import Reactor
import Testing

/// One loop with the transports of a test, driven until something is true.
final class World {
  let loop: EventLoop
  private var nodes: [TestNode] = []
  private var taps: [Tap] = []
  /// After this long without the awaited event a test has failed.
  private static let patience: UInt64 = 20_000_000_000

  init() throws {
    loop = try EventLoop()
  }

  /// Makes a node whose key comes from a one-byte seed.
  func node(
    _ seed: UInt8, bind: String = "127.0.0.1:0",
    configure: (inout QUICConfiguration) -> Void = { _ in }
  ) throws -> TestNode {
    var configuration = QUICConfiguration(
      identitySeed: [UInt8](repeating: seed, count: 32),
      bindAddresses: [try #require(SocketAddress(bind))], jitterSeed: UInt64(seed))
    configure(&configuration)
    let node = try TestNode(configuration: configuration, loop: loop)
    nodes.append(node)
    return node
  }

  /// Makes a bare socket.
  func tap() throws -> Tap {
    let tap = try Tap(loop: loop)
    taps.append(tap)
    return tap
  }

  /// Breaks the cycles that a test's closures make.
  deinit {
    for node in nodes { node.forgetClosures() }
    for tap in taps { tap.onDatagram = nil }
  }

  /// Runs the loop until the condition holds.
  func run(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () -> Bool
  ) throws {
    let deadline = loop.refreshClock() + World.patience
    while !condition() {
      try #require(loop.refreshClock() < deadline, what, sourceLocation: sourceLocation)
      try loop.runOnce(until: deadline)
    }
  }

  /// Connects two nodes that accept each other, and waits until both know.
  func connect(_ dialler: TestNode, to acceptor: TestNode) throws {
    dialler.transport.connect(to: acceptor.address, expecting: acceptor.key)
    try run("both sides announce the connection") {
      dialler.connection(to: acceptor) != nil && acceptor.connection(to: dialler) != nil
    }
  }
}

/// A transport with an owner that writes down what it hears.
final class TestNode: QUICTransportDelegate {
  struct Log: CustomStringConvertible {
    var level: QUICLogLevel
    var event: String
    var fields: [String: String]
    var description: String { "\(level) \(event) \(fields)" }
  }

  private final class LogBook {
    var lines: [Log] = []
  }

  private var holder: QUICTransport?
  private let book = LogBook()
  var accepts: (PeerKey) -> Bool = { _ in true }
  var connected: [(id: PeerConnectionID, key: PeerKey, role: ConnectionRole)] = []
  var disconnected: [(id: PeerConnectionID, key: PeerKey, reason: DisconnectReason)] = []
  var failures: [(key: PeerKey, reason: DisconnectReason)] = []
  var consensus: [[UInt8]] = []
  var refusals: [PeerKey] = []
  var control: [[UInt8]] = []
  var bundles: [[UInt8]] = []
  var datagrams: [[UInt8]] = []
  var writable: [Channel] = []
  var requests: [(id: RequestID, frame: [UInt8])] = []
  var cancelledRequests: [RequestID] = []
  var writableResponses: [RequestID] = []
  var responses: [RequestID: [[UInt8]]] = [:]
  var ends: [RequestID: ResponseEnd] = [:]
  var onConnected: ((PeerConnectionID) -> Void)?
  var onRefusal: ((PeerConnectionID) -> Void)?
  var onFrame: (([UInt8], Channel, PeerConnectionID) -> Void)?
  var onRequest: ((RequestID, [UInt8]) -> Void)?
  var onResponseWritable: ((RequestID) -> Void)?
  var onWritable: ((PeerConnectionID, Channel) -> Void)?

  init(configuration: QUICConfiguration, loop: EventLoop) throws {
    let book = book
    holder = try QUICTransport(configuration: configuration, loop: loop, delegate: self) {
      book.lines.append(Log(level: $0, event: $1, fields: Dictionary(uniqueKeysWithValues: $2)))
    }
  }

  var transport: QUICTransport {
    guard let holder else { preconditionFailure("the node was dropped") }
    return holder
  }

  var logs: [Log] { book.lines }
  var key: PeerKey { transport.key }
  var address: SocketAddress { transport.boundAddresses[0] }
  var counters: QUICCounters { transport.counters }

  func connection(to other: TestNode) -> PeerConnectionID? { transport.connection(to: other.key) }

  func forgetClosures() {
    onConnected = nil
    onRefusal = nil
    onFrame = nil
    onRequest = nil
    onResponseWritable = nil
    onWritable = nil
    accepts = { _ in true }
  }

  /// Lets the transport vanish without a farewell, as a crash does.
  func crash() { holder = nil }

  func transport(
    _ transport: QUICTransport, shouldAccept key: PeerKey, role: ConnectionRole
  ) -> Bool { accepts(key) }

  func transport(
    _ transport: QUICTransport, connected id: PeerConnectionID, key: PeerKey,
    address: SocketAddress, role: ConnectionRole
  ) {
    connected.append((id, key, role))
    onConnected?(id)
  }

  func transport(
    _ transport: QUICTransport, disconnected id: PeerConnectionID, key: PeerKey,
    reason: DisconnectReason
  ) { disconnected.append((id, key, reason)) }

  func transport(_ transport: QUICTransport, refusedBy id: PeerConnectionID, key: PeerKey) {
    refusals.append(key)
    onRefusal?(id)
  }

  func transport(
    _ transport: QUICTransport, failedToConnect key: PeerKey, address: SocketAddress,
    reason: DisconnectReason
  ) { failures.append((key, reason)) }

  func transport(
    _ transport: QUICTransport, received frame: [UInt8], on channel: Channel,
    from id: PeerConnectionID
  ) {
    if let onFrame { return onFrame(frame, channel, id) }
    switch channel {
    case .consensus: consensus.append(frame)
    case .control: control.append(frame)
    case .bundles: bundles.append(frame)
    }
  }

  func transport(_ transport: QUICTransport, writable id: PeerConnectionID, channel: Channel) {
    writable.append(channel)
    onWritable?(id, channel)
  }

  func transport(
    _ transport: QUICTransport, receivedDatagram datagram: [UInt8], from id: PeerConnectionID
  ) { datagrams.append(datagram) }

  func transport(_ transport: QUICTransport, receivedRequest frame: [UInt8], id: RequestID) {
    requests.append((id, frame))
    onRequest?(id, frame)
  }

  func transport(_ transport: QUICTransport, responseWritable id: RequestID) {
    writableResponses.append(id)
    onResponseWritable?(id)
  }

  func transport(_ transport: QUICTransport, requestCancelled id: RequestID) {
    cancelledRequests.append(id)
  }

  func transport(_ transport: QUICTransport, receivedResponse frame: [UInt8], id: RequestID) {
    responses[id, default: []].append(frame)
  }

  func transport(_ transport: QUICTransport, responseEnded id: RequestID, how: ResponseEnd) {
    ends[id] = how
  }
}
