import CQUIC
import Reactor

/// The connection behind a callback's owner pointer.
private func connection(behind owner: UnsafeMutableRawPointer?) -> Connection {
  guard let owner else { preconditionFailure("a callback without its connection") }
  return Unmanaged<Connection>.fromOpaque(owner).takeUnretainedValue()
}

extension Connection {
  /// The table that leads from the library to this object's methods.
  static func callbackTable() -> cquic_callbacks {
    cquic_callbacks(
      verify: { connection(behind: $0).verify(keyBytes: $1, life: $2, problem: $3) },
      handshake_completed: { connection(behind: $0).handshakeCompleted = true },
      handshake_confirmed: { connection(behind: $0).handshakeConfirmed = true },
      stream_data: { owner, stream, finished, data, length in
        let bytes = UnsafeRawBufferPointer(start: data, count: length)
        return connection(behind: owner).receive(stream: stream, finished: finished, bytes: bytes)
      },
      stream_acknowledged: { connection(behind: $0).acknowledged(stream: $1, upTo: $2) },
      stream_closed: { connection(behind: $0).closed(stream: $1, code: $2) },
      stream_reset: { connection(behind: $0).resetByPeer(stream: $1, code: $2) },
      stream_stopped: { connection(behind: $0).resetByPeer(stream: $1, code: $2) },
      identifier_added: { owner, identifier in
        let receiver = connection(behind: owner)
        receiver.transport.route(ConnectionIdentifier(identifier), to: receiver)
        return 0
      },
      identifier_removed: { owner, identifier in
        let receiver = connection(behind: owner)
        receiver.transport.unroute(ConnectionIdentifier(identifier), from: receiver)
      },
      datagram: { owner, data, length in
        let receiver = connection(behind: owner)
        let bytes = [UInt8](UnsafeRawBufferPointer(start: data, count: length))
        receiver.transport.counters.datagramsIn += 1
        receiver.emit(.datagram(receiver.id, bytes))
      },
      stateless_reset: { connection(behind: $0).wasReset = true })
  }

  // MARK: Bytes in

  private func receive(
    stream number: Int64, finished: Bool, bytes: UnsafeRawBufferPointer
  ) -> Int32 {
    let stream = streams[number] ?? adopt(number)
    var payload = bytes
    if let first = payload.first, !readKind(of: stream, first: first, payload: &payload) {
      return -1
    }
    do {
      try consume(payload, on: stream)
      if finished, breach == nil { try finish(stream) }
    } catch {
      breach = (.malformedFrame, error.description)
      return -1
    }
    giveCredit(for: stream, bytes: UInt64(bytes.count))
    return breach == nil ? 0 : -1
  }

  /// Makes the record of a stream that the peer has opened.
  private func adopt(_ number: Int64) -> Stream {
    let isUnidirectional = number & 2 != 0
    let stream = Stream(id: number, kind: isUnidirectional ? .unknownIn : .unknownRequest)
    streams[number] = stream
    return stream
  }

  /// Takes a stream's first byte off its bytes and learns what it is; false when it may not be.
  private func readKind(
    of stream: Stream, first: UInt8, payload: inout UnsafeRawBufferPointer
  ) -> Bool {
    switch stream.kind {
    case .channelOut, .channelIn, .requestOut, .requestIn:
      return true
    case .unknownIn:
      guard let channel = Stream.channel(startingWith: first),
        channelsIn.insert(channel).inserted
      else {
        breach = (.unknownStream, "a one-way stream of kind \(first)")
        return false
      }
      stream.kind = .channelIn(channel)
      if channel == .bundles { bundlesInStream = stream.id }
    case .unknownRequest:
      guard first == Stream.requestByte else {
        breach = (.unknownStream, "a two-way stream of kind \(first)")
        return false
      }
      stream.kind = .requestIn
    }
    payload = UnsafeRawBufferPointer(rebasing: payload.dropFirst())
    return true
  }

  private func consume(
    _ bytes: UnsafeRawBufferPointer, on stream: Stream
  ) throws(FrameError) {
    guard !bytes.isEmpty else { return }
    let limit = transport.configuration.frameBytesMax
    var assembler = stream.incoming
    // Taken out so that appending to its frame does not copy it.
    stream.incoming = FrameAssembler()
    defer { stream.incoming = assembler }
    switch stream.kind {
    case .channelIn(let channel):
      try assembler.consume(bytes, frameBytesMax: limit) { frame in
        transport.counters.countFrameIn(channel)
        emit(.frame(id, channel, frame))
      }
    case .requestIn:
      try assembler.consume(bytes, frameBytesMax: limit) { frame in
        if stream.pendingRequest == nil {
          stream.pendingRequest = frame
        } else {
          breach = (.malformedFrame, "a request of more than one frame")
        }
      }
    case .requestOut:
      try assembler.consume(bytes, frameBytesMax: limit) { frame in
        receive(response: frame, on: stream)
      }
    case .channelOut, .unknownIn, .unknownRequest:
      preconditionFailure("bytes arrived on stream \(stream.id) of kind \(stream.kind)")
    }
  }

  private func receive(response frame: [UInt8], on stream: Stream) {
    guard !stream.isSettled else { return }
    stream.responseBytes += frame.count
    if stream.responseBytes > transport.configuration.responseBytesMax {
      settleRequest(stream, .tooLarge, code: .responseTooLarge)
      return
    }
    stream.deadline = transport.loop.now() &+ transport.configuration.requestTimeout
    transport.counters.responseFramesIn += 1
    emit(.response(RequestID(connection: id, stream: stream.id), frame))
  }

  private func finish(_ stream: Stream) throws(FrameError) {
    if !stream.incoming.isAtBoundary { throw .endedInsideFrame }
    switch stream.kind {
    case .requestOut:
      settleRequest(stream, .complete, code: nil)
    case .requestIn:
      guard let request = stream.pendingRequest else { throw .endedInsideFrame }
      stream.pendingRequest = nil
      transport.counters.requestsIn += 1
      emit(.request(RequestID(connection: id, stream: stream.id), request))
    case .channelIn, .unknownIn, .unknownRequest:
      breach = (.unknownStream, "a channel was ended")
    case .channelOut:
      preconditionFailure("an outgoing stream was finished by the peer")
    }
  }

  /// Lets the peer send as much again, except for bundles while paused.
  private func giveCredit(for stream: Stream, bytes: UInt64) {
    guard bytes > 0 else { return }
    cquic_connection_extend(library, bytes)
    if bundlesPaused, stream.kind == .channelIn(.bundles) {
      withheldCredit += bytes
    } else {
      cquic_connection_extend_stream(library, stream.id, bytes)
    }
  }

  // MARK: What becomes of streams

  private func acknowledged(stream number: Int64, upTo offset: UInt64) {
    guard let stream = streams[number] else { return }
    let before = stream.outgoing.bufferedBytes
    stream.outgoing.acknowledge(upTo: offset)
    bufferedBytes -= before - stream.outgoing.bufferedBytes
    if !owing.isEmpty { tellWritable() }
  }

  /// Tells the owner of every stream that was full and has drained below half of its window.
  ///
  /// Any stream's progress can be what another one waited for, since all share the connection's
  /// limit.
  private func tellWritable() {
    owing.removeAll { stream in
      guard stream.outgoing.bufferedBytes * 2 <= window(of: stream),
        isUrgent(stream) || bufferedBytes * 2 <= transport.configuration.bufferedBytesMax
      else { return false }
      stream.owesWritable = false
      switch stream.kind {
      case .channelOut(let channel): emit(.writable(id, channel))
      case .requestIn: emit(.responseWritable(RequestID(connection: id, stream: stream.id)))
      case .requestOut, .unknownIn, .channelIn, .unknownRequest:
        preconditionFailure("stream \(stream.id) of kind \(stream.kind) owed a writable event")
      }
      return true
    }
  }

  /// The most bytes a stream may hold.
  func window(of stream: Stream) -> Int {
    switch stream.kind {
    case .channelOut(let channel): transport.configuration.windowBytes(of: channel)
    case .requestIn, .requestOut, .unknownRequest: transport.configuration.requestWindowBytes
    case .unknownIn, .channelIn: 0
    }
  }

  /// Whether a stream is bound by its own window alone, so that bulk cannot fill the connection's
  /// limit against it.
  func isUrgent(_ stream: Stream) -> Bool {
    switch stream.kind {
    case .channelOut(.consensus), .channelOut(.control): true
    case .channelOut(.bundles), .requestIn, .requestOut, .unknownRequest, .unknownIn, .channelIn:
      false
    }
  }

  private func closed(stream number: Int64, code: UInt64) {
    let isPeersRequest = number & 2 == 0 && (number & 1 == 0) == (role == .acceptor)
    if isPeersRequest { bidirectionalCredit += 1 }
    guard let stream = streams.removeValue(forKey: number) else { return }
    bufferedBytes -= stream.outgoing.bufferedBytes
    requestRotation.removeAll { $0 === stream }
    owing.removeAll { $0 === stream }
    if !owing.isEmpty { tellWritable() }
    switch stream.kind {
    case .requestOut:
      requestsOutOpen -= 1
      settleRequest(stream, .cancelledByPeer(code), code: nil)
    case .requestIn:
      cancelInbound(stream)
    case .unknownRequest:
      break
    case .channelOut, .channelIn, .unknownIn:
      breach = (.unknownStream, "a channel was closed")
    }
  }

  private func resetByPeer(stream number: Int64, code: UInt64) {
    guard let stream = streams[number] else { return }
    switch stream.kind {
    case .requestOut:
      settleRequest(stream, .cancelledByPeer(code), code: .requestCancelled)
    case .requestIn, .unknownRequest:
      cancelInbound(stream)
      abandoned.append((number, .requestCancelled))
    case .channelOut, .channelIn, .unknownIn:
      breach = (.unknownStream, "a channel was reset")
    }
  }

  /// Tells the owner that a request it has been given needs no answer any more.
  private func cancelInbound(_ stream: Stream) {
    guard stream.kind == .requestIn, !stream.isSettled, stream.pendingRequest == nil else { return }
    stream.isSettled = true
    emit(.requestCancelled(RequestID(connection: id, stream: stream.id)))
  }
}
