import Configuration
import Crypto
import GossipCore
import Primitives
import QUICTransport
import Reactor
import Records
import Testing
import Wire

/// A peer that speaks only what a test tells it to, over the real transport.
final class Outsider: QUICTransportDelegate {
  private let loop: EventLoop
  private var holder: QUICTransport?
  private let book = LogBook()
  private let target: PeerKey
  private let address: SocketAddress
  private(set) var connection: PeerConnectionID?
  private(set) var connectionsMade = 0
  private(set) var disconnections: [DisconnectReason] = []
  private(set) var failures: [DisconnectReason] = []
  private(set) var control: [[UInt8]] = []
  private(set) var responses: [RequestID: [[UInt8]]] = [:]
  private(set) var ends: [RequestID: ResponseEnd] = [:]

  private final class LogBook {
    var lines: [String] = []
  }

  /// After this long without the awaited event a test has failed, in nanoseconds.
  private static let patience: UInt64 = 40_000_000_000

  /// Dials a voter with `key` and goes on dialling.
  init(_ key: SigningKey, to place: TestSwarm.Place) throws {
    loop = try EventLoop()
    target = try #require(PeerKey(place.key.publicKey.bytes))
    address = try #require(SocketAddress(place.transport.description))
    var configuration = QUICConfiguration(
      identitySeed: key.seed.bytes, bindAddresses: [try #require(SocketAddress("127.0.0.1:0"))],
      jitterSeed: 1)
    // What the node does not accept can still be sent, and sent again soon.
    configuration.frameBytesMax = 2 << 20
    configuration.reconnectDelayMin = 1_000_000
    configuration.reconnectDelayMax = 50_000_000
    let book = book
    holder = try QUICTransport(configuration: configuration, loop: loop, delegate: self) {
      level, event, fields in
      book.lines.append("\(level) \(event) \(fields)")
    }
    transport.connect(to: address, expecting: target)
  }

  var transport: QUICTransport {
    guard let holder else { preconditionFailure("the transport is not up") }
    return holder
  }

  var log: [String] { book.lines }

  /// Runs until the condition holds.
  func run(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () -> Bool
  ) throws {
    let deadline = loop.refreshClock() + Outsider.patience
    while !condition() {
      try #require(loop.refreshClock() < deadline, what, sourceLocation: sourceLocation)
      try loop.runOnce(until: deadline)
    }
  }

  /// Runs one turn without waiting.
  func turn() throws { try loop.runOnce(until: 0) }

  /// Waits for a connection and returns it.
  func connected() throws -> PeerConnectionID {
    try run("the outsider is connected") { connection != nil }
    return try #require(connection)
  }

  /// Sends one frame and waits until the node has closed the connection for it.
  func sendBad(_ frame: [UInt8], on channel: Channel) throws {
    let id = try connected()
    let before = disconnections.count
    #expect(transport.send(frame: frame, on: channel, to: id) == .queued)
    try run("the node closes the connection") { disconnections.count > before }
  }

  /// Asks and waits for the end of the answer.
  func ask(_ frame: [UInt8]) throws -> (frames: [[UInt8]], end: ResponseEnd) {
    let id = try connected()
    guard case .sent(let request) = transport.request(frame, to: id) else {
      throw TestSwarm.Failure(description: "the request was not sent")
    }
    try run("the request ends") { ends[request] != nil }
    return (responses[request] ?? [], try #require(ends[request]))
  }

  /// Pulls a range as a peer does.
  func pull(
    _ lane: LaneID, _ range: ClosedRange<UInt64>, in swarm: SwarmID
  ) throws -> (frames: [[UInt8]], end: ResponseEnd) {
    let request = PullRequest(
      swarm: swarm, lane: lane, first: range.lowerBound, last: range.upperBound,
      bytesMax: 1 << 20)
    return try ask([1] + request.encoded)
  }

  func transport(
    _ transport: QUICTransport, shouldAccept key: PeerKey, role: ConnectionRole
  ) -> Bool { key == target }

  func transport(
    _ transport: QUICTransport, connected id: PeerConnectionID, key: PeerKey,
    address: SocketAddress, role: ConnectionRole
  ) {
    connection = id
    connectionsMade += 1
  }

  func transport(
    _ transport: QUICTransport, disconnected id: PeerConnectionID, key: PeerKey,
    reason: DisconnectReason
  ) {
    if connection == id { connection = nil }
    disconnections.append(reason)
  }

  func transport(
    _ transport: QUICTransport, failedToConnect key: PeerKey, address: SocketAddress,
    reason: DisconnectReason
  ) { failures.append(reason) }

  func transport(
    _ transport: QUICTransport, received frame: [UInt8], on channel: Channel,
    from id: PeerConnectionID
  ) { if channel == .control { control.append(frame) } }

  func transport(_ transport: QUICTransport, writable id: PeerConnectionID, channel: Channel) {}

  func transport(
    _ transport: QUICTransport, receivedDatagram datagram: [UInt8], from id: PeerConnectionID
  ) {}

  func transport(_ transport: QUICTransport, receivedRequest frame: [UInt8], id: RequestID) {
    transport.cancel(id)
  }

  func transport(_ transport: QUICTransport, responseWritable id: RequestID) {}

  func transport(_ transport: QUICTransport, requestCancelled id: RequestID) {}

  func transport(_ transport: QUICTransport, receivedResponse frame: [UInt8], id: RequestID) {
    responses[id, default: []].append(frame)
  }

  func transport(_ transport: QUICTransport, responseEnded id: RequestID, how: ResponseEnd) {
    ends[id] = how
  }
}
