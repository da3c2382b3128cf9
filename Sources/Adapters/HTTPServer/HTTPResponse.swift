import JSONText

/// A response header field.
package struct HTTPField: Equatable, Sendable {
  /// The field name, a token.
  package let name: String
  /// The value, not empty and without line breaks.
  package let value: String

  /// Makes a field.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// An answer as a value. The server adds `Date`, `Content-Length` and `Connection`.
package struct HTTPResponse: Sendable {
  /// The status code, 200 to 599.
  package var status: Int
  /// The media type of the body; `nil` sends none.
  package var contentType: String?
  /// Further header fields.
  package var headers: [HTTPField]
  /// The body.
  package var body: [UInt8]

  /// Makes an answer from bytes.
  package init(
    status: Int, contentType: String? = nil, headers: [HTTPField] = [], body: [UInt8] = []
  ) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
  }

  /// Makes an answer from text, UTF-8 unless `contentType` says otherwise.
  package init(
    status: Int, contentType: String = "text/plain; charset=utf-8", headers: [HTTPField] = [],
    text: String
  ) {
    self.init(status: status, contentType: contentType, headers: headers, body: Array(text.utf8))
  }

  /// Makes an answer from a finished JSON text.
  package static func json(_ body: [UInt8], status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, contentType: "application/json", body: body)
  }
}

/// An error as RFC 9457 describes it, sent as `application/problem+json`.
package struct Problem: Equatable, Sendable {
  /// A URI that names the kind of problem; `about:blank` means the status says it all.
  package var type: String
  /// A short summary that is the same for every problem of its type.
  package var title: String
  /// The HTTP status.
  package var status: Int
  /// What went wrong this time.
  package var detail: String

  /// Makes a problem.
  package init(type: String = "about:blank", title: String, status: Int, detail: String) {
    self.type = type
    self.title = title
    self.status = status
    self.detail = detail
  }

  /// The answer that carries this problem.
  package func response(headers: [HTTPField] = []) -> HTTPResponse {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("type")
    writer.string(type)
    writer.key("title")
    writer.string(title)
    writer.key("status")
    writer.integer(status)
    writer.key("detail")
    writer.string(detail)
    writer.endObject()
    return HTTPResponse(
      status: status, contentType: "application/problem+json", headers: headers,
      body: writer.bytes)
  }
}
