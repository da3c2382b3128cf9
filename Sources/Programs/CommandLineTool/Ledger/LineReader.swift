internal import Glibc
internal import JSONText
internal import ProofFiles
internal import Records

/// Reads a file line by line, without holding more of it than a line.
struct LineReader: ~Copyable {
  private static let chunkBytes = 1 << 16

  private let descriptor: Int32
  private let path: String
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false

  /// Opens a file; `-` is the standard input.
  init(_ path: String) throws {
    self.path = path
    descriptor = open(path == "-" ? "/dev/stdin" : path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
  }

  deinit { close(descriptor) }

  /// The next line without its end; `nil` at the end of the file. Empty lines are passed over.
  mutating func next() throws -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        let line = Array(buffer[start..<end])
        start = end + 1
        if !line.isEmpty { return line }
        searched = start
        continue
      }
      if isAtEnd {
        defer { start = buffer.count }
        return start < buffer.count ? Array(buffer[start...]) : nil
      }
      buffer.removeFirst(start)
      start = 0
      searched = buffer.count
      guard buffer.count <= ProofFile.limits.bytesMax else {
        throw LedgerProofFault.format("a line is longer than \(ProofFile.limits.bytesMax) bytes")
      }
      try fill()
    }
  }

  private mutating func fill() throws {
    var chunk = [UInt8](repeating: 0, count: LineReader.chunkBytes)
    var count = read(descriptor, &chunk, chunk.count)
    while count < 0 && errno == EINTR { count = read(descriptor, &chunk, chunk.count) }
    guard count >= 0 else { throw Failure(path: path, code: errno) }
    isAtEnd = count == 0
    buffer += chunk.prefix(count)
  }

  /// A file that cannot be read.
  struct Failure: Error, CustomStringConvertible {
    let path: String
    let code: Int32

    var description: String { "\(path): \(String(cString: strerror(code)))" }
  }
}
