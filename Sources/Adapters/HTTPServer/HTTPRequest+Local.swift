extension HTTPRequest {
  /// Makes a request that came over no connection, as if it had; `nil` when the target breaks the
  /// grammar. The header fields are taken as they are.
  package init?(
    _ method: HTTPMethod, _ target: String, headers: [HTTPField] = [], body: [UInt8] = [],
    isHead: Bool = false
  ) {
    guard let parts = RequestTarget(Array(target.utf8)) else { return nil }
    var fields = HTTPHeaders(fieldCount: headers.count, byteCount: 0)
    for field in headers {
      var name = field.name
      var value = field.value
      name.withUTF8 { name in
        value.withUTF8 { value in fields.append(name: name, value: value) }
      }
    }
    self.init(
      id: 0, method: method, isHead: isHead, target: target, segments: parts.segments,
      query: parts.query, headers: fields, body: body, remoteAddress: "127.0.0.1")
  }
}
