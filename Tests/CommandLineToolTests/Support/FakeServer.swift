import Foundation
import Glibc
import Synchronization

/// An HTTP server on a thread of its own that answers what a test says: one request at a time.
final class FakeServer: Sendable {
  struct Request: Sendable {
    let method: String
    let path: String
    let headers: String
    let body: String
  }

  typealias Handler = @Sendable (Request) -> (status: Int, body: String)

  let port: UInt16
  private let listener: Int32
  private let handler: Handler
  private let received = Mutex<[Request]>([])

  var requests: [Request] { received.withLock { $0 } }
  var url: String { "http://127.0.0.1:\(port)" }

  struct Failure: Error { let code: Int32 }

  init(port: UInt16 = 0, _ handler: @escaping Handler) throws {
    self.handler = handler
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        bind(descriptor, general, length) == 0 && listen(descriptor, 64) == 0
          ? getsockname(descriptor, general, &length) : -1
      }
    }
    guard status == 0 else { throw Failure(code: errno) }
    self.port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in serve() }
  }

  /// Makes the thread end and refuses further connections.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      answer(connection)
      close(connection)
    }
    close(listener)
  }

  private func answer(_ connection: Int32) {
    guard let request = read(connection) else { return }
    received.withLock { $0.append(request) }
    let (status, body) = handler(request)
    let text =
      "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nConnection: close\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  private func read(_ connection: Int32) -> Request? {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      if let end = text.firstRange(of: "\r\n\r\n") {
        let head = String(text[..<end.lowerBound])
        let body = String(text[end.upperBound...])
        let length = head.lowercased().split(separator: "\r\n")
          .first { $0.hasPrefix("content-length:") }
          .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
        if body.utf8.count >= length ?? 0 {
          let words = head.split(separator: " ")
          return Request(
            method: String(words[0]), path: String(words[1]), headers: head, body: body)
        }
      }
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }
}
