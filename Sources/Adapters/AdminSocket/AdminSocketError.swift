package import Reactor

/// Why an admin socket could not be served or asked.
package enum AdminSocketError: Error, CustomStringConvertible {
  /// The path has more bytes than the kernel takes for a socket.
  case pathTooLong(String, bytesMax: Int)
  /// Another process answers at this path.
  case isInUse(String)
  /// Something stands at the path that is no socket.
  case isNoSocket(String)
  /// Nobody answers at this path.
  case nobodyAnswers(String, SystemCallError)
  /// The answer did not come in time.
  case timedOut(String, milliseconds: Int)
  /// The connection ended before the answer was whole.
  case connectionLost(String)
  /// A line has more bytes than either side takes, or a line break inside.
  case badLine(byteCount: Int, bytesMax: Int)
  /// The system refused a call.
  case systemCall(String, SystemCallError)

  /// What failed, and at which path.
  package var description: String {
    switch self {
    case .pathTooLong(let path, let bytesMax):
      "the path of the admin socket has \(path.utf8.count) bytes, \(bytesMax) are allowed: \(path)"
    case .isInUse(let path): "another process serves the admin socket \(path)"
    case .isNoSocket(let path): "\(path) is in the way and no socket"
    case .nobodyAnswers(let path, let error): "nobody answers at \(path): \(error)"
    case .timedOut(let path, let milliseconds): "\(path) gave no answer within \(milliseconds) ms"
    case .connectionLost(let path): "\(path) closed the connection without an answer"
    case .badLine(let byteCount, let bytesMax):
      "a line of \(byteCount) bytes, or with a line break inside: \(bytesMax) are allowed"
    case .systemCall(let path, let error): "the admin socket \(path): \(error)"
    }
  }
}

/// What both sides of an admin socket agree on.
enum AdminLine {
  /// The most bytes of a line, its end not counted.
  static let bytesMax = 64 << 10
  static let end = UInt8(ascii: "\n")

  /// The bytes of a line and its end.
  static func encode(_ line: String) throws(AdminSocketError) -> [UInt8] {
    var bytes = Array(line.utf8)
    guard bytes.count <= bytesMax, !bytes.contains(end) else {
      throw .badLine(byteCount: bytes.count, bytesMax: bytesMax)
    }
    bytes.append(end)
    return bytes
  }
}
