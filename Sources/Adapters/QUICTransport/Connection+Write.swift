import CQUIC
import Reactor

/// What a flush of one connection came to.
enum FlushOutcome {
  /// Nothing more can be sent now.
  case drained
  /// More could be sent; the turn's share is used up.
  case hasMore
  /// The socket takes no more.
  case socketBlocked
  /// The library failed; the connection must be closed with this error.
  case failed(Int64)
}

/// Memory that is handed to the library, at addresses of its own.
struct WriteScratch {
  /// One burst and one packet more.
  static let burstBytes = 63_000
  static let packetBytes = Int(CQUIC_PACKET_BYTES_MAX)

  let burst: UnsafeMutablePointer<UInt8>
  let vectors: UnsafeMutablePointer<cquic_vector>
  let taken: UnsafeMutablePointer<Int64>
  let accepted: UnsafeMutablePointer<Bool>
  let remote: UnsafeMutablePointer<UInt8>
  let remoteLength: UnsafeMutablePointer<UInt32>
  /// The destination of the burst being gathered.
  let burstRemote: UnsafeMutablePointer<UInt8>

  init() {
    burst = .allocate(capacity: WriteScratch.burstBytes + WriteScratch.packetBytes)
    vectors = .allocate(capacity: SendBuffer.vectorsMax)
    taken = .allocate(capacity: 1)
    accepted = .allocate(capacity: 1)
    remote = .allocate(capacity: 28)
    remoteLength = .allocate(capacity: 1)
    burstRemote = .allocate(capacity: 28)
    taken.initialize(to: -1)
    accepted.initialize(to: false)
    remote.initialize(repeating: 0, count: 28)
    remoteLength.initialize(to: 0)
    burstRemote.initialize(repeating: 0, count: 28)
  }

  func free() {
    burst.deallocate()
    vectors.deallocate()
    taken.deallocate()
    accepted.deallocate()
    remote.deallocate()
    remoteLength.deallocate()
    burstRemote.deallocate()
  }
}

extension Connection {
  /// Bursts per connection and turn: enough to keep a fast link busy, few enough that other
  /// connections and incoming packets wait less than a millisecond.
  private static let burstsPerTurn = 2
  /// Kernels segment at most 64 packets per call.
  private static let packetsPerBurst = 60

  /// Sends what there is, within this turn's share.
  func flush(at now: UInt64) -> FlushOutcome {
    settle()
    unblockStreams()
    var outcome = FlushOutcome.hasMore
    for _ in 0..<Connection.burstsPerTurn {
      outcome = writeBurst(at: now)
      guard case .hasMore = outcome else { break }
    }
    cquic_connection_sent(library, now)
    return outcome
  }

  /// Sends datagrams and the frames of urgent channels, and nothing else.
  func flushUrgent(at now: UInt64) -> FlushOutcome {
    unblockStreams()
    isUrgentOnly = true
    defer { isUrgentOnly = false }
    return writeBurst(at: now)
  }

  /// Whether there is something to send that must not wait for bulk.
  var hasUrgent: Bool {
    !datagrams.isEmpty || consensusOut?.hasWork == true || controlOut?.hasWork == true
  }

  /// Whether there may be something to send that takes long.
  var hasBulk: Bool { bundlesOut?.hasWork == true || !requestRotation.isEmpty }

  /// Forgets which streams the last flush found blocked: credit may have come since.
  private func unblockStreams() {
    consensusOut?.isBlocked = false
    controlOut?.isBlocked = false
    bundlesOut?.isBlocked = false
    for stream in requestRotation { stream.isBlocked = false }
  }

  /// Gathers packets of one size for one destination and sends them in one system call.
  ///
  /// A larger packet (a probe of the path's MTU) or one for another destination ends the burst and
  /// goes alone; a smaller one ends it.
  private func writeBurst(at now: UInt64) -> FlushOutcome {
    let scratch = transport.scratch
    let quantum = min(cquic_connection_send_quantum(library), WriteScratch.burstBytes)
    var gathered = 0
    var segment = 0
    var packets = 0
    var remoteLength: UInt32 = 0
    while gathered == 0 || (gathered + segment <= quantum && packets < Connection.packetsPerBurst) {
      let destination = scratch.burst + gathered
      let length = nextPacket(into: destination, at: now)
      if length < 0 { return .failed(length) }
      if length == 0 {
        guard gathered > 0 else { return .drained }
        let sent = send(scratch.burst, gathered, segment, to: scratch.burstRemote, remoteLength)
        return sent ? .drained : .socketBlocked
      }
      let bytes = Int(length)
      if gathered > 0, bytes > segment || !isSameDestination(remoteLength) {
        let burstSent = send(
          scratch.burst, gathered, segment, to: scratch.burstRemote, remoteLength)
        let aloneSent = send(
          destination, bytes, bytes, to: scratch.remote, scratch.remoteLength.pointee)
        return burstSent && aloneSent ? .hasMore : .socketBlocked
      }
      if gathered == 0 {
        segment = bytes
        remoteLength = scratch.remoteLength.pointee
        scratch.burstRemote.update(from: scratch.remote, count: 28)
      }
      gathered += bytes
      packets += 1
      if bytes < segment { break }
    }
    let sent = send(scratch.burst, gathered, segment, to: scratch.burstRemote, remoteLength)
    return sent ? .hasMore : .socketBlocked
  }

  private func isSameDestination(_ burstLength: UInt32) -> Bool {
    let scratch = transport.scratch
    guard burstLength == scratch.remoteLength.pointee else { return false }
    for index in 0..<Int(burstLength) where scratch.remote[index] != scratch.burstRemote[index] {
      return false
    }
    return true
  }

  private func send(
    _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ segment: Int,
    to remote: UnsafeMutablePointer<UInt8>, _ remoteLength: UInt32
  ) -> Bool {
    transport.send(
      UnsafeRawBufferPointer(start: bytes, count: count), segmentBytes: segment, for: self,
      to: UnsafeRawBufferPointer(start: remote, count: Int(remoteLength)))
  }

  /// Writes one packet: a datagram, or streams in the order of ``Channel``, then requests.
  private func nextPacket(into destination: UnsafeMutablePointer<UInt8>, at now: UInt64) -> Int64 {
    if let result = nextDatagram(into: destination, at: now) { return result }
    let scratch = transport.scratch
    while true {
      let chosen = nextStream()
      var offered = (vectors: 0, bytes: 0)
      var finish = false
      if let chosen {
        offered = chosen.outgoing.fill(scratch.vectors)
        finish = chosen.finishing && offered.bytes == chosen.outgoing.unsentBytes
      }
      let result = cquic_connection_write(
        library, destination, WriteScratch.packetBytes, chosen?.id ?? -1, finish, chosen != nil,
        scratch.vectors, offered.vectors, scratch.taken, scratch.remote, scratch.remoteLength, now)
      let taken = Int(scratch.taken.pointee)
      if let chosen, taken >= 0 {
        chosen.outgoing.markSent(taken)
        if finish, taken == offered.bytes { chosen.finishSent = true }
      }
      switch Int32(clamping: result) {
      case CQUIC_WRITE_MORE:
        continue
      case CQUIC_STREAM_BLOCKED, CQUIC_STREAM_ENDED:
        guard let chosen else { return result }
        chosen.isBlocked = true
      default:
        return result
      }
    }
  }

  /// Writes the next datagram's packet; `nil` when there is none to write.
  private func nextDatagram(
    into destination: UnsafeMutablePointer<UInt8>, at now: UInt64
  ) -> Int64? {
    let scratch = transport.scratch
    while let datagram = datagrams.first {
      let result = datagram.withUnsafeBufferPointer { bytes in
        cquic_connection_write_datagram(
          library, destination, WriteScratch.packetBytes, bytes.baseAddress, bytes.count,
          scratch.accepted, scratch.remote, scratch.remoteLength, now)
      }
      if scratch.accepted.pointee {
        datagrams.removeFirst()
        transport.counters.datagramsOut += 1
      } else if result < 0 {
        // The peer takes no datagrams, or none of this size.
        datagrams.removeFirst()
        transport.counters.datagramsDropped += 1
        continue
      }
      return result
    }
    return nil
  }

  private func nextStream() -> Stream? {
    if let consensusOut, consensusOut.hasWork { return consensusOut }
    if let controlOut, controlOut.hasWork { return controlOut }
    if isUrgentOnly { return nil }
    if let bundlesOut, bundlesOut.hasWork { return bundlesOut }
    guard let place = requestRotation.firstIndex(where: { $0.hasWork }) else { return nil }
    let stream = requestRotation.remove(at: place)
    requestRotation.append(stream)
    return stream
  }
}
