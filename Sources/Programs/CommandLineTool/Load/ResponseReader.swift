/// Cuts the bytes of a connection into answers of HTTP/1.1 whose length is stated.
///
/// It reads what the nodes' own server sends and nothing more: no chunks, no interim answers. That
/// is what makes it cheap enough not to be what a measurement measures.
package struct ResponseReader {
  /// One answer.
  package struct Response: Sendable {
    /// The status.
    package let status: Int
    /// The body.
    package let body: [UInt8]
    /// Whether the server closes the connection behind it.
    package let isLast: Bool
  }

  /// Bytes that are no answer.
  package struct Malformed: Error, CustomStringConvertible {
    /// What is wrong.
    package let description: String
  }

  /// The most bytes of an answer's head.
  private static let headBytesMax = 64 << 10

  private var bytes: [UInt8] = []
  private let bodyBytesMax: Int

  /// Starts with nothing read; a longer body is refused.
  package init(bodyBytesMax: Int = 16 << 20) {
    self.bodyBytesMax = bodyBytesMax
  }

  /// Whether nothing of an answer has arrived.
  package var isEmpty: Bool { bytes.isEmpty }

  /// Takes what arrived.
  package mutating func append(_ part: UnsafeRawBufferPointer) { bytes.append(contentsOf: part) }

  /// The next whole answer, if it is there.
  package mutating func next() throws(Malformed) -> Response? {
    guard let head = try head() else { return nil }
    let end = head.byteCount + head.bodyByteCount
    guard bytes.count >= end else { return nil }
    let body = Array(bytes[head.byteCount..<end])
    bytes.removeSubrange(..<end)
    return Response(status: head.status, body: body, isLast: head.isLast)
  }

  /// The status of the next whole answer, which is thrown away; `nil` when it is not there yet.
  package mutating func skip() throws(Malformed) -> Int? {
    guard let head = try head() else { return nil }
    let end = head.byteCount + head.bodyByteCount
    if bytes.count < end { return nil }
    if bytes.count == end {
      bytes.removeAll(keepingCapacity: true)
    } else {
      bytes.removeSubrange(..<end)
    }
    return head.status
  }

  private struct Head {
    var status: Int
    var byteCount: Int
    var bodyByteCount: Int
    var isLast: Bool
  }

  private func head() throws(Malformed) -> Head? {
    let span = bytes.span
    guard let end = ResponseReader.endOfHead(span) else {
      guard span.count <= ResponseReader.headBytesMax else {
        throw Malformed(description: "a head of more than \(ResponseReader.headBytesMax) bytes")
      }
      return nil
    }
    guard end > 12, let status = ResponseReader.number(span, 9, 12), (200...599).contains(status)
    else { throw Malformed(description: "an answer without a status") }
    var head = Head(status: status, byteCount: end, bodyByteCount: -1, isLast: false)
    var line = 12
    while line < end {
      var stop = line
      while span[stop] != 10 { stop += 1 }
      if let value = ResponseReader.value(of: "content-length:", span, line, stop) {
        guard let length = ResponseReader.number(span, value, stop - 1), length <= bodyBytesMax
        else { throw Malformed(description: "a length that is none or too large") }
        head.bodyByteCount = length
      } else if let value = ResponseReader.value(of: "connection:", span, line, stop) {
        head.isLast = span[value] | 0x20 == UInt8(ascii: "c")
      }
      line = stop + 1
    }
    guard head.bodyByteCount >= 0 else {
      throw Malformed(description: "an answer without a length")
    }
    return head
  }

  /// The place behind the empty line that ends a head.
  private static func endOfHead(_ bytes: Span<UInt8>) -> Int? {
    var index = 3
    while index < bytes.count {
      if bytes[index] == 10, bytes[index - 1] == 13, bytes[index - 2] == 10 { return index + 1 }
      index += 1
    }
    return nil
  }

  /// Where the value of a header field begins whose line starts at `start`.
  private static func value(
    of name: StaticString, _ bytes: Span<UInt8>, _ start: Int, _ end: Int
  ) -> Int? {
    let count = name.utf8CodeUnitCount
    guard end - start > count else { return nil }
    for index in 0..<count where bytes[start + index] | 0x20 != name.utf8Start[index] | 0x20 {
      return nil
    }
    var value = start + count
    while value < end, bytes[value] == 0x20 { value += 1 }
    return value
  }

  /// The digits from `start` to `end` as a number; nothing else may stand there.
  private static func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    guard end > start, end - start <= 15, end <= bytes.count else { return nil }
    var number = 0
    for index in start..<end {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      number = number * 10 + Int(digit)
    }
    return number
  }
}
