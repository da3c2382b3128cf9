import CQUIC
import Reactor

extension QUICTransport {
  /// A peer that has not answered a datagram for this long is silent.
  private static let silenceNanoseconds: UInt64 = 500_000_000
  /// The least time between two datagrams to a silent peer.
  private static let probeIntervalNanoseconds: UInt64 = 100_000_000

  /// Queues a frame on a channel.
  ///
  /// Frames of one channel arrive in the order of these calls. `.full` queues nothing; `writable`
  /// follows.
  package func send(
    frame: [UInt8], on channel: Channel, to id: PeerConnectionID
  ) -> SendResult {
    requireSize(frame)
    guard let connection = announced(id) else { return .notConnected }
    guard let stream = connection.outgoing(channel) else { return .notConnected }
    guard append(frame, to: stream, of: connection) else { return .full }
    counters.countFrameOut(channel)
    return .queued
  }

  /// Sends a datagram of at most ``QUICConfiguration/datagramBytesMax`` bytes, which may be lost.
  ///
  /// `.full` drops it.
  package func send(datagram: [UInt8], to id: PeerConnectionID) -> SendResult {
    precondition(
      datagram.count <= QUICConfiguration.datagramBytesMax,
      "a datagram of \(datagram.count) bytes does not fit the smallest path")
    guard let connection = announced(id) else { return .notConnected }
    guard connection.datagrams.count < configuration.datagramsQueuedMax else {
      counters.datagramsDropped += 1
      return .full
    }
    guard mayProbe(connection) else {
      counters.datagramsWithheld += 1
      return .full
    }
    connection.datagrams.append(datagram)
    markDirty(connection)
    return .queued
  }

  /// Whether a datagram may be sent to a peer as often as it has answered lately.
  ///
  /// What a peer does not acknowledge counts against the congestion window until it does. A full
  /// window would leave only QUIC's own probes, whose intervals double, and a peer that comes back
  /// would be found as late again as it was away. So a silent peer gets few datagrams.
  private func mayProbe(_ connection: Connection) -> Bool {
    let now = loop.now()
    if connection.unansweredSince == .max { connection.unansweredSince = now }
    guard now &- connection.unansweredSince > QUICTransport.silenceNanoseconds else { return true }
    guard now >= connection.nextProbeAt else { return false }
    connection.nextProbeAt = now &+ QUICTransport.probeIntervalNanoseconds
    return true
  }

  /// Asks a peer; the answer arrives as response frames and one end.
  package func request(_ frame: [UInt8], to id: PeerConnectionID) -> RequestResult {
    requireSize(frame)
    guard let connection = announced(id) else { return .notConnected }
    guard connection.bufferedBytes + frame.count <= configuration.bufferedBytesMax else {
      counters.sendsHeldBack += 1
      return .full
    }
    let number = cquic_connection_open_bidirectional(connection.library)
    guard number >= 0 else { return .full }
    let stream = Stream(id: number, kind: .requestOut)
    stream.append(bytes: [Stream.requestByte])
    stream.outgoing.append(frame: frame)
    stream.finishing = true
    stream.deadline = loop.now() &+ configuration.requestTimeout
    connection.bufferedBytes += stream.outgoing.bufferedBytes
    connection.streams[number] = stream
    connection.requestRotation.append(stream)
    connection.requestsOutOpen += 1
    counters.requestsOut += 1
    markDirty(connection)
    return .sent(RequestID(connection: id, stream: number))
  }

  /// Queues one frame of an answer; the last one ends it.
  ///
  /// `.full` queues nothing; `responseWritable` follows. `.notConnected` means that nobody waits
  /// any more.
  package func respond(to request: RequestID, frame: [UInt8], last: Bool) -> SendResult {
    requireSize(frame)
    guard let (connection, stream) = inbound(request) else { return .notConnected }
    guard append(frame, to: stream, of: connection) else { return .full }
    counters.responseFramesOut += 1
    if last { stream.finishing = true }
    return .queued
  }

  /// Ends an answer without a further frame.
  package func finishResponse(to request: RequestID) -> SendResult {
    guard let (connection, stream) = inbound(request) else { return .notConnected }
    stream.finishing = true
    schedule(stream, of: connection)
    return .queued
  }

  /// Gives up a request of either side; the canceller hears nothing more of it.
  package func cancel(_ request: RequestID) {
    guard let connection = announced(request.connection),
      let stream = connection.streams[request.stream], !stream.isSettled
    else { return }
    stream.isSettled = true
    connection.abandoned.append((request.stream, .requestCancelled))
    markDirty(connection)
  }

  /// Stops giving a peer room for bundles; those under way, up to the receive window, still arrive.
  package func pauseBundles(_ id: PeerConnectionID) {
    announced(id)?.bundlesPaused = true
  }

  /// Gives a peer room for bundles again.
  package func resumeBundles(_ id: PeerConnectionID) {
    guard let connection = announced(id), connection.bundlesPaused else { return }
    connection.resumeBundles()
    markDirty(connection)
  }

  /// What is known of a connection, or `nil` when it has ended.
  package func statistics(_ id: PeerConnectionID) -> ConnectionStatistics? {
    guard let connection = announced(id), let key = connection.key else { return nil }
    var values = cquic_statistics()
    cquic_connection_statistics(connection.library, &values)
    return ConnectionStatistics(
      key: key, address: currentAddress(of: connection), role: connection.role,
      smoothedRoundTripNanoseconds: values.smoothed_rtt,
      minimumRoundTripNanoseconds: values.minimum_rtt, bytesInFlight: values.bytes_in_flight,
      congestionWindowBytes: values.congestion_window_bytes,
      bufferedBytes: connection.bufferedBytes,
      unansweredNanoseconds: connection.unansweredSince == .max
        ? 0 : loop.now() &- connection.unansweredSince)
  }

  /// The peer's address now, which changes when its network does.
  func currentAddress(of connection: Connection) -> SocketAddress {
    var length: UInt32 = 0
    cquic_connection_remote(connection.library, scratch.remote, &length)
    let bytes = UnsafeRawBufferPointer(start: scratch.remote, count: Int(length))
    return SocketAddress(kernelBytes: bytes) ?? connection.address
  }

  /// The connection's id for a peer that is connected now.
  package func connection(to key: PeerKey) -> PeerConnectionID? { byKey[key]?.id }

  private func announced(_ id: PeerConnectionID) -> Connection? {
    guard let connection = connections[id], connection.isAnnounced else { return nil }
    return connection
  }

  private func inbound(_ request: RequestID) -> (Connection, Stream)? {
    guard let connection = announced(request.connection),
      let stream = connection.streams[request.stream], stream.kind == .requestIn,
      !stream.isSettled, !stream.finishing
    else { return nil }
    return (connection, stream)
  }

  /// Queues a frame unless that would overfill the stream or the connection.
  ///
  /// A stream that holds nothing takes one frame of any permitted size, so that a window smaller
  /// than a frame cannot stop a channel for ever.
  private func append(_ frame: [UInt8], to stream: Stream, of connection: Connection) -> Bool {
    let size = FrameAssembler.headerBytes + frame.count
    let held = stream.outgoing.bufferedBytes
    let fitsStream = held + size <= connection.window(of: stream) || held <= 1
    let fitsConnection =
      connection.isUrgent(stream)
      || connection.bufferedBytes + size <= configuration.bufferedBytesMax
    guard fitsStream, fitsConnection else {
      if !stream.owesWritable { connection.owing.append(stream) }
      stream.owesWritable = true
      counters.sendsHeldBack += 1
      return false
    }
    stream.outgoing.append(frame: frame)
    connection.bufferedBytes += size
    schedule(stream, of: connection)
    return true
  }

  /// Has a stream written in its turn, and its connection at the end of this one.
  private func schedule(_ stream: Stream, of connection: Connection) {
    if stream.kind == .requestIn, !connection.requestRotation.contains(where: { $0 === stream }) {
      connection.requestRotation.append(stream)
    }
    markDirty(connection)
  }

  private func requireSize(_ frame: [UInt8]) {
    precondition(
      !frame.isEmpty && frame.count <= configuration.frameBytesMax,
      "a frame of \(frame.count) bytes, allowed are 1...\(configuration.frameBytesMax)")
  }
}
