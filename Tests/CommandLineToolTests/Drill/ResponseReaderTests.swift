import CommandLineTool
import Testing

@Suite struct `Answers of a node` {
  private func append(_ text: some Sequence<UInt8>, to reader: inout ResponseReader) {
    Array(text).withUnsafeBytes { reader.append($0) }
  }

  private static let text =
    "HTTP/1.1 200 OK\r\nDate: now\r\ncontent-length: 5\r\n\r\nhello"
    + "HTTP/1.1 409 Conflict\r\nContent-Length:0\r\nConnection: close\r\n\r\n"

  @Test(arguments: 1...40) func `are cut the same wherever reads end`(step: Int) throws {
    var reader = ResponseReader()
    var found: [(Int, String, Bool)] = []
    let bytes = Array(Self.text.utf8)
    for start in stride(from: 0, to: bytes.count, by: step) {
      append(bytes[start..<min(start + step, bytes.count)], to: &reader)
      while let response = try reader.next() {
        found.append(
          (response.status, String(decoding: response.body, as: UTF8.self), response.isLast))
      }
    }
    #expect(found.map(\.0) == [200, 409])
    #expect(found.map(\.1) == ["hello", ""])
    #expect(found.map(\.2) == [false, true])
    #expect(reader.isEmpty)
  }

  @Test func `can be counted without being kept`() throws {
    var reader = ResponseReader()
    append(Self.text.utf8, to: &reader)
    #expect(try reader.skip() == 200)
    #expect(try reader.skip() == 409)
    #expect(try reader.skip() == nil)
    #expect(reader.isEmpty)
  }

  @Test(arguments: [
    "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n", "\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
  ]) func `that are none are refused`(text: String) {
    var reader = ResponseReader()
    append(text.utf8, to: &reader)
    #expect(throws: ResponseReader.Malformed.self) { try reader.next() }
  }

  @Test func `do not begin with endless heads`() {
    var reader = ResponseReader()
    append(Array(repeating: UInt8(ascii: "x"), count: (64 << 10) + 1), to: &reader)
    #expect(throws: ResponseReader.Malformed.self) { try reader.next() }
  }

  @Test(arguments: [
    "https://127.0.0.1:80", "http://localhost:80", "http://127.0.0.1", "http://127.0.0.1:0",
    "http://127.0.0.1:99999", "127.0.0.1:80",
  ]) func `come from addresses with numbers`(url: String) {
    #expect(PlainAddress(url) == nil)
    #expect(PlainAddress("http://127.0.0.1:8001") != nil)
  }

  @Test func `answer requests that say how long they are`() {
    let request = PlainRequest("PUT", "/v1/kv/a", token: "t", body: Array("{}".utf8))
    #expect(
      String(decoding: request.bytes(to: "h:1"), as: UTF8.self)
        == "PUT /v1/kv/a HTTP/1.1\r\nHost: h:1\r\nAuthorization: Bearer t\r\n"
        + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    let delete = PlainRequest("DELETE", "/x", key: "k")
    #expect(
      String(decoding: delete.bytes(to: "h:1"), as: UTF8.self)
        == "DELETE /x HTTP/1.1\r\nHost: h:1\r\nIdempotency-Key: k\r\nContent-Length: 0\r\n\r\n")
  }
}
