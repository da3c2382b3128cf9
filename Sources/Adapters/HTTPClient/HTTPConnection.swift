import CCurl

/// A blocking HTTP/1.1 client that keeps its connections open between requests.
///
/// One instance serves one thread at a time; many may work on many threads at once. Redirects are
/// not followed and proxies from the environment are ignored, since nodes are addressed directly.
package final class HTTPConnection {
  /// libcurl's process-wide setup, done once by whichever thread comes first.
  private static let isReady = ccurl_global_init() == CURLE_OK

  private let handle: UnsafeMutableRawPointer
  private let responseBytesMax: Int
  private let errorText: UnsafeMutablePointer<CChar>

  /// Makes a client that trusts the system's certificates, or only those in the named PEM file.
  ///
  /// A body longer than `responseBytesMax` bytes is refused with `HTTPClientError`.
  package init(responseBytesMax: Int = 64 << 20, certificateAuthorityPath: String? = nil) {
    precondition(Self.isReady, "libcurl cannot be set up")
    guard let handle = curl_easy_init() else { preconditionFailure("no memory for libcurl") }
    self.handle = handle
    self.responseBytesMax = responseBytesMax
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_NOPROXY, "*")
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    if let certificateAuthorityPath { set(CURLOPT_CAINFO, certificateAuthorityPath) }
    check(ccurl_set_error_buffer(handle, errorText))
  }

  deinit {
    curl_easy_cleanup(handle)
    errorText.deallocate()
  }

  /// Sends a request and waits for the whole answer; any status is an answer.
  ///
  /// `timeoutMilliseconds` covers everything from connecting to the last byte of the body.
  package func send(
    method: String, url: String, headers: [HTTPClientField] = [], body: [UInt8] = [],
    timeoutMilliseconds: Int = 30_000
  ) throws(HTTPClientError) -> HTTPClientResponse {
    let transfer = Transfer(bytesMax: responseBytesMax, onChunk: nil)
    try perform(
      transfer, method: method, url: url, headers: headers, body: body,
      timeoutMilliseconds: timeoutMilliseconds)
    return HTTPClientResponse(
      status: status, headers: transfer.headers, body: transfer.body)
  }

  /// Gets a body piece by piece as it arrives, until it ends or `onChunk` returns `false`.
  ///
  /// Without `timeoutMilliseconds` the body may take forever; connecting may not.
  package func stream(
    url: String, headers: [HTTPClientField] = [], timeoutMilliseconds: Int? = nil,
    onChunk: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(HTTPClientError) -> HTTPClientResponse {
    let transfer = Transfer(bytesMax: .max, onChunk: onChunk)
    try perform(
      transfer, method: "GET", url: url, headers: headers, body: [],
      timeoutMilliseconds: timeoutMilliseconds ?? 0)
    return HTTPClientResponse(status: status, headers: transfer.headers, body: [])
  }

  private var status: Int { ccurl_get_long(handle, CURLINFO_RESPONSE_CODE) }

  private func perform(
    _ transfer: Transfer, method: String, url: String, headers: [HTTPClientField], body: [UInt8],
    timeoutMilliseconds: Int
  ) throws(HTTPClientError) {
    var list = Self.append("Expect:", to: nil)
    for field in headers { list = Self.append("\(field.name): \(field.value)", to: list) }
    defer { curl_slist_free_all(list) }
    check(ccurl_set_headers(handle, list))
    set(CURLOPT_URL, url)
    set(CURLOPT_TIMEOUT_MS, timeoutMilliseconds)
    set(CURLOPT_CONNECTTIMEOUT_MS, timeoutMilliseconds > 0 ? timeoutMilliseconds : 10_000)
    set(CURLOPT_CUSTOMREQUEST, nil)
    set(CURLOPT_NOBODY, 0)
    set(CURLOPT_HTTPGET, 1)
    if method == "HEAD" {
      set(CURLOPT_NOBODY, 1)
    } else if method != "GET" || !body.isEmpty {
      set(CURLOPT_POST, 1)
      set(CURLOPT_CUSTOMREQUEST, method)
    }
    errorText.pointee = 0
    let code = body.withUnsafeBytes { bytes in
      // libcurl takes a null pointer for "read it from a callback".
      var nothing: UInt8 = 0
      return withUnsafePointer(to: &nothing) { nothing in
        if method != "GET" && method != "HEAD" || !body.isEmpty {
          check(ccurl_set_body(handle, bytes.baseAddress ?? UnsafeRawPointer(nothing), bytes.count))
        }
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        check(ccurl_set_callbacks(handle, Transfer.onBody, Transfer.onHeader, context))
        return withExtendedLifetime(transfer) { curl_easy_perform(handle) }
      }
    }
    if code == CURLE_OK || transfer.isStopped { return }
    throw failure(code, url: url, transfer: transfer)
  }

  private func failure(_ code: CURLcode, url: String, transfer: Transfer) -> HTTPClientError {
    var message = String(cString: errorText)
    if message.isEmpty { message = String(cString: curl_easy_strerror(code)) }
    if transfer.isTooLarge {
      return HTTPClientError(
        url: url, reason: .responseTooLarge,
        message: "the response exceeds \(responseBytesMax) bytes")
    }
    let reason: HTTPClientError.Reason =
      switch code {
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST: .cannotConnect
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE:
        .connectionLost
      case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE: .tls
      default: .other
      }
    return HTTPClientError(url: url, reason: reason, message: message)
  }

  // MARK: Options

  private func set(_ option: CURLoption, _ value: Int) {
    check(ccurl_set_long(handle, option, value))
  }

  private func set(_ option: CURLoption, _ value: String?) {
    check(ccurl_set_text(handle, option, value))
  }

  /// An option is refused only for lack of memory or when libcurl lacks what the package needs.
  private func check(_ code: CURLcode) {
    precondition(code == CURLE_OK, "libcurl: \(String(cString: curl_easy_strerror(code)))")
  }

  private static func append(
    _ line: String, to list: UnsafeMutablePointer<curl_slist>?
  ) -> UnsafeMutablePointer<curl_slist>? {
    guard let longer = curl_slist_append(list, line) else {
      preconditionFailure("no memory for a header")
    }
    return longer
  }
}

/// What has arrived of one answer.
private final class Transfer {
  private(set) var headers: [HTTPClientField] = []
  private(set) var body: [UInt8] = []
  private(set) var isTooLarge = false
  private(set) var isStopped = false
  private let bytesMax: Int
  private let onChunk: ((UnsafeRawBufferPointer) -> Bool)?

  init(bytesMax: Int, onChunk: ((UnsafeRawBufferPointer) -> Bool)?) {
    self.bytesMax = bytesMax
    self.onChunk = onChunk
  }

  private func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if let onChunk {
      isStopped = !onChunk(bytes)
      return !isStopped
    }
    isTooLarge = body.count + bytes.count > bytesMax
    if !isTooLarge { body.append(contentsOf: bytes) }
    return !isTooLarge
  }

  private func receiveHeader(_ bytes: UnsafeRawBufferPointer) {
    // A status line starts the fields of this answer; an interim answer's fields are forgotten.
    if bytes.starts(with: "HTTP/".utf8) {
      headers = []
      return
    }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return }
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    let value = bytes[(colon + 1)...].drop(while: isSpace)
    let end = value.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? value.startIndex
    headers.append(
      HTTPClientField(
        String(decoding: bytes[..<colon], as: UTF8.self),
        String(decoding: value[..<end], as: UTF8.self)))
  }

  private static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Returns the bytes taken; any other count makes libcurl give up.
  static let onBody: ccurl_data_callback = { bytes, size, count, context in
    guard let transfer = Transfer.transfer(context) else { return 0 }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return transfer.receiveBody(buffer) || buffer.isEmpty ? size * count : 0
  }

  static let onHeader: ccurl_data_callback = { bytes, size, count, context in
    Transfer.transfer(context)?.receiveHeader(
      UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
  }
}
