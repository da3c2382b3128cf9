import Foundation
import Glibc

/// A door that gives prepared answers in order, one per connection, and then closes.
final class ScriptedNode: Sendable {
  /// The URL of the door.
  let endpoint: String

  /// Opens a door on a free port that answers each request with the next status and body.
  init(_ answers: [(status: Int, body: String)]) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        bind(descriptor, general, length) == 0 && listen(descriptor, 16) == 0
          ? getsockname(descriptor, general, &length) : -1
      }
    }
    guard status == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
    endpoint = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    if answers.isEmpty {
      close(descriptor)
      return
    }
    Thread.detachNewThread {
      for answer in answers { ScriptedNode.serve(descriptor, answer) }
      close(descriptor)
    }
  }

  private static func serve(_ listener: Int32, _ answer: (status: Int, body: String)) {
    let connection = accept(listener, nil, nil)
    defer { close(connection) }
    var request: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    // The requests of these tests have bodies of less than one segment, sent with the head.
    while !String(decoding: request, as: UTF8.self).contains("\r\n\r\n") {
      let count = read(connection, &chunk, chunk.count)
      guard count > 0 else { return }
      request += chunk[..<count]
    }
    let head = "HTTP/1.1 \(answer.status) Scripted\r\nContent-Type: application/json\r\n"
    let rest = "Content-Length: \(answer.body.utf8.count)\r\nConnection: close\r\n\r\n"
    let bytes = Array((head + rest + answer.body).utf8)
    _ = write(connection, bytes, bytes.count)
    shutdown(connection, Int32(SHUT_WR))
    while read(connection, &chunk, chunk.count) > 0 {}
  }
}
