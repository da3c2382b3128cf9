/// The methods that requests may use; others are refused with 501.
package enum HTTPMethod: String, Sendable, CaseIterable {
  /// Reads; a HEAD request arrives as this with `HTTPRequest.isHead` set.
  case get = "GET"
  /// Submits.
  case post = "POST"
  /// Replaces.
  case put = "PUT"
  /// Changes in part.
  case patch = "PATCH"
  /// Removes.
  case delete = "DELETE"
  /// Asks what is possible.
  case options = "OPTIONS"
}

/// One name and value of a query string, percent-decoded, with `+` read as a space.
package struct HTTPQueryItem: Equatable, Sendable {
  /// The part before `=`.
  package let name: String
  /// The part behind `=`; empty without one.
  package let value: String
}

/// A complete request as a value, checked against RFC 9110 and RFC 9112.
package struct HTTPRequest: Sendable {
  /// A number unique within the server, for logs.
  package let id: UInt64
  /// What is asked; HEAD is `.get`.
  package let method: HTTPMethod
  /// Whether only the headers of the answer are sent; the library cuts off the body.
  package let isHead: Bool
  /// The request target as it was sent.
  package let target: String
  /// The path between its slashes, percent-decoded; `/` alone is one empty segment.
  package let segments: [String]
  /// The query in its order.
  package let query: [HTTPQueryItem]
  /// The header fields in their order.
  package let headers: HTTPHeaders
  /// The whole body, empty without one.
  package let body: [UInt8]
  /// The client's numeric address without port.
  package let remoteAddress: String

  /// The first value of a query name.
  package func query(_ name: String) -> String? {
    for item in query where item.name == name { return item.value }
    return nil
  }
}

/// Header fields in received order over one block of bytes.
package struct HTTPHeaders: Sendable {
  /// Where a field lies inside the block.
  private struct Field {
    var nameStart: Int32
    var nameCount: Int32
    var valueCount: Int32
  }

  private var block: [UInt8] = []
  private var fields: [Field] = []

  /// Makes an empty list with room for `fieldCount` fields in `byteCount` bytes.
  init(fieldCount: Int, byteCount: Int) {
    block.reserveCapacity(byteCount)
    fields.reserveCapacity(fieldCount)
  }

  mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    fields.append(
      Field(
        nameStart: Int32(block.count), nameCount: Int32(name.count),
        valueCount: Int32(value.count)))
    block.append(contentsOf: name)
    block.append(contentsOf: value)
  }

  /// The number of fields.
  package var count: Int { fields.count }

  /// The first value of a field, whose name is compared without regard to ASCII case.
  package subscript(_ name: String) -> String? {
    for field in fields where matches(field, name) { return value(of: field) }
    return nil
  }

  /// Every value of a field in received order.
  package func values(_ name: String) -> [String] {
    fields.filter { matches($0, name) }.map { value(of: $0) }
  }

  /// Whether a field is given more than once.
  package func isRepeated(_ name: String) -> Bool {
    var isFound = false
    for field in fields where matches(field, name) {
      if isFound { return true }
      isFound = true
    }
    return false
  }

  private func matches(_ field: Field, _ name: String) -> Bool {
    guard Int(field.nameCount) == name.utf8.count else { return false }
    var index = Int(field.nameStart)
    for byte in name.utf8 {
      guard lowercased(block[index]) == lowercased(byte) else { return false }
      index += 1
    }
    return true
  }

  private func value(of field: Field) -> String {
    let start = Int(field.nameStart + field.nameCount)
    return String(decoding: block[start..<start + Int(field.valueCount)], as: UTF8.self)
  }
}

/// Maps ASCII capitals to small letters and leaves other bytes alone.
func lowercased(_ byte: UInt8) -> UInt8 {
  byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
