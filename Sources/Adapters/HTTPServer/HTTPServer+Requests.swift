import CMicroHTTPD
import Glibc

// libmicrohttpd's callbacks, in the order in which a request meets them.

extension HTTPServer {
  private static func server(_ context: UnsafeMutableRawPointer?) -> HTTPServer? {
    context.map { Unmanaged<HTTPServer>.fromOpaque($0).takeUnretainedValue() }
  }

  private static func exchange(_ context: UnsafeMutableRawPointer?) -> HTTPExchange? {
    context.map { Unmanaged<HTTPExchange>.fromOpaque($0).takeUnretainedValue() }
  }

  /// The slot of a connection, which its context pointer carries as one more than its index.
  private static func slot(_ context: UnsafeMutableRawPointer?) -> Int {
    Int(bitPattern: context) - 1
  }

  /// A connection was accepted or is being closed.
  static let onConnection: MHD_NotifyConnectionCallback = { context, connection, slot, code in
    guard let server = HTTPServer.server(context), let slot else { return }
    if cmhd_is_start(code) {
      let opened = server.connections.open(
        descriptor: cmhd_socket(connection),
        remoteAddress: ListeningSocket.text(of: cmhd_client_address(connection)),
        now: server.nowMilliseconds)
      slot.pointee = UnsafeMutableRawPointer(bitPattern: opened + 1)
    } else {
      server.connections.close(slot: HTTPServer.slot(slot.pointee))
    }
    server.counters.connectionsNow = server.connections.count
  }

  /// A request line was read: its target is still whole.
  static let onTarget:
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?
    ) -> UnsafeMutableRawPointer? = { context, target, connection in
      guard let server = HTTPServer.server(context), let connection else { return nil }
      let slot = HTTPServer.slot(cmhd_socket_context(connection))
      if server.connections.phase(slot: slot) != .header {
        server.connections.enter(.header, slot: slot, now: server.nowMilliseconds)
      }
      var bytes: [UInt8] = []
      if let target {
        bytes = [UInt8](RequestHead.bytes(target, strlen(target)))
      }
      // libmicrohttpd is about to store each item; running out of memory there leaves it waiting
      // for a request that it has already refused, so the connection ends here.
      if HTTPServer.hasTooManyItems(bytes) {
        shutdown(server.connections.descriptor(slot: slot), Int32(SHUT_RDWR))
      }
      server.requestsStarted += 1
      let exchange = HTTPExchange(
        id: server.requestsStarted, slot: slot, target: bytes, connection: connection,
        server: server)
      server.connections.setExchange(exchange, slot: slot)
      return Unmanaged.passUnretained(exchange).toOpaque()
    }

  /// Called with the headers, then with each piece of the body, then with the request complete.
  static let onRequest: MHD_AccessHandlerCallback = {
    context, connection, url, method, version, upload, uploadCount, exchangeContext in
    guard let server = HTTPServer.server(context), let url, let method, let version,
      let uploadCount, let exchange = HTTPServer.exchange(exchangeContext?.pointee)
    else { return cmhd_no() }
    if !exchange.hasHead {
      server.receiveHead(of: exchange, method: method, url: url, version: version)
      return cmhd_yes()
    }
    if uploadCount.pointee > 0 {
      let bytes = RequestHead.bytes(upload, uploadCount.pointee)
      uploadCount.pointee = 0
      return server.receiveBody(bytes, of: exchange) ? cmhd_yes() : cmhd_no()
    }
    server.dispatch(exchange)
    return cmhd_yes()
  }

  /// A request is over: answered, refused or cut off.
  static let onCompleted: MHD_RequestCompletedCallback = { context, connection, exchange, code in
    guard let server = HTTPServer.server(context),
      let exchange = HTTPServer.exchange(exchange?.pointee)
    else { return }
    server.complete(
      exchange, status: Int(cmhd_status(connection)), isCompleted: cmhd_is_completed(code),
      isShutdown: cmhd_is_shutdown(code))
  }
}

extension HTTPServer {
  /// Checks a request's line and headers; a refusal is answered now unless its body is worth
  /// reading first.
  private func receiveHead(
    of exchange: HTTPExchange, method: UnsafePointer<CChar>, url: UnsafePointer<CChar>,
    version: UnsafePointer<CChar>
  ) {
    exchange.hasHead = true
    let byteCount = cmhd_header_bytes(exchange.connection)
    counters.bytesIn += UInt64(byteCount)
    do throws(Refusal) {
      let fieldCount = cmhd_headers(exchange.connection, fields, RequestHead.fieldsMax)
      guard exchange.target.count <= configuration.targetBytesMax,
        !Self.hasTooManyItems(exchange.target)
      else {
        throw Refusal(
          .headerTooLarge, 414, "URI Too Long",
          "the target exceeds \(configuration.targetBytesMax) bytes")
      }
      guard byteCount <= configuration.headerBytesMax, fieldCount <= RequestHead.fieldsMax else {
        throw Refusal(
          .headerTooLarge, 431, "Request Header Fields Too Large",
          "headers exceed \(configuration.headerBytesMax) bytes or \(RequestHead.fieldsMax) fields")
      }
      let head = RequestHead(
        method: method, url: url, version: version, byteCount: byteCount,
        targetCount: exchange.target.count,
        fields: UnsafeBufferPointer(start: fields, count: fieldCount))
      let framing = try head.check()
      exchange.head = try Self.parse(head, target: exchange.target)
      try expectBody(framing, of: exchange)
    } catch {
      refuse(exchange, error)
    }
  }

  private static func hasTooManyItems(_ target: [UInt8]) -> Bool {
    target.count(where: { $0 == UInt8(ascii: "&") }) > RequestHead.queryItemsMax
  }

  private static func parse(_ head: RequestHead, target: [UInt8]) throws(Refusal) -> ParsedHead {
    let name = String(cString: head.method)
    let isHead = name == "HEAD"
    guard let method = isHead ? .get : HTTPMethod(rawValue: name) else {
      throw Refusal(.malformed, 501, "Not Implemented", "the method is unknown")
    }
    guard let target = RequestTarget(target) else { throw .malformed("the target is malformed") }
    var headers = HTTPHeaders(fieldCount: head.fields.count, byteCount: head.byteCount)
    for field in head.fields {
      headers.append(
        name: RequestHead.bytes(field.name, field.name_length),
        value: RequestHead.bytes(field.value, field.value_length))
    }
    return ParsedHead(method: method, isHead: isHead, target: target, headers: headers)
  }

  /// Starts the body's deadline and room.
  private func expectBody(_ framing: BodyFraming, of exchange: HTTPExchange) throws(Refusal) {
    let limit = configuration.bodyBytesMax
    switch framing {
    case .none, .count(0):
      connections.enter(.untimed, slot: exchange.slot, now: nowMilliseconds)
      return
    case .count(let count) where count > limit:
      // Answering before the body is read makes the kernel reset the connection and the client
      // lose the answer: a body not far over the limit is read and thrown away first.
      let isExpecting = exchange.head?.headers["Expect"] != nil
      guard count <= 2 * limit, !isExpecting else { throw .bodyTooLarge(limit) }
      exchange.refusal = .bodyTooLarge(limit)
    case .count(let count):
      exchange.body.reserveCapacity(count)
    case .chunked: break
    }
    connections.enter(.body, slot: exchange.slot, now: nowMilliseconds)
  }

  /// Takes a piece of the body; returns `false` when the connection is to be closed.
  private func receiveBody(
    _ bytes: UnsafeBufferPointer<UInt8>, of exchange: HTTPExchange
  ) -> Bool {
    let limit = configuration.bodyBytesMax
    counters.bytesIn += UInt64(bytes.count)
    exchange.bodyBytes += bytes.count
    if exchange.bodyBytes <= limit {
      if exchange.refusal == nil { exchange.body.append(contentsOf: bytes) }
      return true
    }
    exchange.body = []
    exchange.refusal = .bodyTooLarge(limit)
    guard exchange.bodyBytes <= 2 * limit else {
      counters.refusedBodyTooLarge += 1
      exchange.stage = .answered
      return false
    }
    return true
  }

  /// Hands a complete request to the handler, and parks it when no answer came at once.
  private func dispatch(_ exchange: HTTPExchange) {
    connections.enter(.untimed, slot: exchange.slot, now: nowMilliseconds)
    if let refusal = exchange.refusal {
      refuse(exchange, refusal)
      return
    }
    guard let head = exchange.head else { return }
    let request = HTTPRequest(
      id: exchange.id, method: head.method, isHead: head.isHead,
      target: String(decoding: exchange.target, as: UTF8.self), segments: head.target.segments,
      query: head.target.query, headers: head.headers, body: exchange.body,
      remoteAddress: connections.remoteAddress(slot: exchange.slot))
    exchange.body = []
    exchange.head = nil
    counters.requests += 1
    exchange.stage = .dispatching
    handler(request, HTTPResponder(exchange))
    if exchange.stage == .dispatching, park(exchange) {
      exchange.stage = .parked
      MHD_suspend_connection(exchange.connection)
    }
  }

  /// Forgets a request that is over and starts the wait for the next one.
  private func complete(
    _ exchange: HTTPExchange, status: Int, isCompleted: Bool, isShutdown: Bool
  ) {
    if exchange.stage == .receiving {
      let isCut = !exchange.hasHead && Self.hasTooManyItems(exchange.target)
      countLibraryRefusal(isCut ? 414 : status)
    }
    let isUnsent = exchange.stage == .answered && status > 0 && !isCompleted && !isShutdown
    if isUnsent && exchange.stream == nil { counters.answersDropped += 1 }
    releasePlace(of: exchange)
    exchange.stage = .over
    connections.setExchange(nil, slot: exchange.slot)
    connections.enter(.idle, slot: exchange.slot, now: nowMilliseconds)
    guard let stream = exchange.stream else { return }
    exchange.stream = nil
    counters.streamsNow -= 1
    let end = stream.end(isCompleted: isCompleted, isShutdown: isShutdown)
    if end == .tooSlow { counters.streamsDropped += 1 }
    stream.report(end)
  }

  /// Counts a refusal that libmicrohttpd decided without asking.
  private func countLibraryRefusal(_ status: Int) {
    switch status {
    case 413: counters.refusedBodyTooLarge += 1
    case 414, 431: counters.refusedHeaderTooLarge += 1
    case 400...: counters.refusedMalformed += 1
    default: break
    }
  }
}
