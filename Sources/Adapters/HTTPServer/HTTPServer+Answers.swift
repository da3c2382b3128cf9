import CMicroHTTPD

// The ways in which a request gets its answer.

extension HTTPServer {
  /// Counts the request as parked, or refuses it when too many are.
  func park(_ exchange: HTTPExchange) -> Bool {
    switch exchange.stage {
    case .dispatching: break
    case .parked: return true
    case .receiving, .answered, .over: return false
    }
    if exchange.hasPlace { return true }
    guard counters.parkedNow < configuration.parkedMax else {
      refuse(exchange, .tooMany(configuration.parkedMax))
      return false
    }
    counters.parkedNow += 1
    exchange.hasPlace = true
    return true
  }

  /// Gives back a place that `park` reserved.
  func releasePlace(of exchange: HTTPExchange) {
    guard exchange.hasPlace else { return }
    exchange.hasPlace = false
    counters.parkedNow -= 1
  }

  /// Sends the handler's answer, or drops it when nobody waits for it.
  func answer(_ exchange: HTTPExchange, with response: HTTPResponse) {
    switch exchange.stage {
    case .dispatching, .parked: queue(response, on: exchange)
    case .answered, .over: counters.answersDropped += 1
    case .receiving: preconditionFailure("request \(exchange.id) is answered before it is complete")
    }
  }

  /// Sends the server's own answer.
  func refuse(_ exchange: HTTPExchange, _ refusal: Refusal) {
    var headers: [HTTPField] = []
    switch refusal.kind {
    case .bodyTooLarge: counters.refusedBodyTooLarge += 1
    case .headerTooLarge: counters.refusedHeaderTooLarge += 1
    case .malformed: counters.refusedMalformed += 1
    case .tooMany:
      counters.refusedTooMany += 1
      headers.append(HTTPField("Retry-After", "1"))
    }
    connections.enter(.untimed, slot: exchange.slot, now: nowMilliseconds)
    queue(refusal.problem.response(headers: headers), on: exchange)
  }

  /// Opens the body that the handler will write, already ended when nobody waits for it.
  func openStream(_ exchange: HTTPExchange, status: Int, headers: [HTTPField]) -> HTTPStream {
    switch exchange.stage {
    case .dispatching, .parked: break
    case .answered, .over:
      counters.answersDropped += 1
      return HTTPStream.ended()
    case .receiving: preconditionFailure("request \(exchange.id) is answered before it is complete")
    }
    let stream = HTTPStream(bytesMax: configuration.streamBytesMax)
    stream.attach(
      connection: exchange.connection, descriptor: connections.descriptor(slot: exchange.slot)
    ) { [weak self] in self?.hasResumed = true }
    exchange.stream = stream
    counters.streamsNow += 1
    let response = cmhd_stream_response(
      Self.readStream, Unmanaged.passRetained(stream).toOpaque(), Self.releaseStream)
    queue(response, status: status, headers: headers, on: exchange)
    return stream
  }

  private func queue(_ response: HTTPResponse, on exchange: HTTPExchange) {
    var headers = response.headers
    if let contentType = response.contentType {
      headers.append(HTTPField("Content-Type", contentType))
    }
    counters.bytesOut += UInt64(response.body.count)
    let made = response.body.withUnsafeBytes { cmhd_response($0.baseAddress, $0.count) }
    queue(made, status: response.status, headers: headers, on: exchange)
  }

  private func queue(
    _ response: OpaquePointer?, status: Int, headers: [HTTPField], on exchange: HTTPExchange
  ) {
    guard let response else { preconditionFailure("no memory for a response") }
    defer { MHD_destroy_response(response) }
    for field in headers {
      let isValid = cmhd_add_header(response, field.name, field.value)
      precondition(isValid, "invalid response header \(field.name): \(field.value)")
    }
    precondition((200...599).contains(status), "status \(status) is outside 200...599")
    let wasParked = exchange.stage == .parked
    exchange.stage = .answered
    releasePlace(of: exchange)
    countResponse(status)
    let isQueued = cmhd_queue(exchange.connection, UInt32(status), response)
    precondition(isQueued, "request \(exchange.id) cannot take an answer now")
    guard wasParked else { return }
    MHD_resume_connection(exchange.connection)
    hasResumed = true
  }

  func countResponse(_ status: Int) {
    switch status {
    case ..<300: counters.responsesSuccess += 1
    case ..<400: counters.responsesRedirect += 1
    case ..<500: counters.responsesClientError += 1
    default: counters.responsesServerError += 1
    }
  }

  private static let readStream: MHD_ContentReaderCallback = { context, _, buffer, count in
    guard let context else { return cmhd_end_with_error() }
    let stream = Unmanaged<HTTPStream>.fromOpaque(context).takeUnretainedValue()
    return stream.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
  }

  private static let releaseStream: MHD_ContentReaderFreeCallback = { context in
    guard let context else { return }
    Unmanaged<HTTPStream>.fromOpaque(context).release()
  }
}
