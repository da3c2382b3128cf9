internal import CPlatform
internal import Glibc
internal import Reactor

/// Asks a node through its admin socket; blocks the calling thread.
package enum AdminClient {
  private static let bytesPerRead = 16 << 10

  /// Sends one line and waits for the one that answers it.
  ///
  /// - Throws: ``AdminSocketError``; after a time-out the node may still do what the line asks for.
  package static func call(
    path: String, line: String, timeoutMilliseconds: Int = 10_000
  ) throws(AdminSocketError) -> String {
    let request = try AdminLine.encode(line)
    let bytesMax = Int(CPLATFORM_LOCAL_PATH_BYTES_MAX)
    guard (1...bytesMax).contains(path.utf8.count) else {
      throw .pathTooLong(path, bytesMax: bytesMax)
    }
    var call = Call(path: path, timeoutMilliseconds: timeoutMilliseconds)
    let descriptor = try call.connect()
    defer { _ = cplatform_close(descriptor) }
    try call.send(request, on: descriptor)
    return try call.receive(on: descriptor, bytesPerRead: bytesPerRead)
  }
}

/// One call and the time that is left for it.
private struct Call {
  let path: String
  let timeoutMilliseconds: Int
  private let deadline: UInt64

  init(path: String, timeoutMilliseconds: Int) {
    self.path = path
    self.timeoutMilliseconds = timeoutMilliseconds
    let (nanoseconds, overflow) = UInt64(clamping: timeoutMilliseconds)
      .multipliedReportingOverflow(by: 1_000_000)
    let (sum, isEndless) = cplatform_monotonic_nanoseconds().addingReportingOverflow(nanoseconds)
    deadline = overflow || isEndless ? .max : sum
  }

  private func failure(_ number: Int64, _ call: String) -> AdminSocketError {
    .systemCall(path, SystemCallError(number: Int32(clamping: -number), call: call))
  }

  mutating func connect() throws(AdminSocketError) -> Int32 {
    while true {
      let descriptor = cplatform_local_connect(path)
      switch descriptor {
      case 0...: return descriptor
      case -EAGAIN:
        // The backlog is full; there is nothing to wait on but time.
        try pause()
      case -EINTR: continue
      case -ENOENT, -ECONNREFUSED:
        throw .nobodyAnswers(path, SystemCallError(number: -descriptor, call: "connect"))
      default: throw failure(Int64(descriptor), "connect")
      }
    }
  }

  mutating func send(_ bytes: [UInt8], on descriptor: Int32) throws(AdminSocketError) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBufferPointer { buffer in
        let rest = UnsafeBufferPointer(rebasing: buffer[offset...])
        return cplatform_local_send(descriptor, rest.baseAddress, rest.count)
      }
      switch count {
      case 0...: offset += Int(count)
      case Int64(-EAGAIN): try wait(for: descriptor, writing: true)
      case Int64(-EINTR): continue
      case Int64(-EPIPE), Int64(-ECONNRESET): throw .connectionLost(path)
      default: throw failure(count, "send")
      }
    }
  }

  mutating func receive(
    on descriptor: Int32, bytesPerRead: Int
  ) throws(AdminSocketError) -> String {
    var answer: [UInt8] = []
    var part = [UInt8](repeating: 0, count: bytesPerRead)
    while true {
      let count = part.withUnsafeMutableBufferPointer {
        cplatform_local_receive(descriptor, $0.baseAddress, $0.count)
      }
      switch count {
      case 0, Int64(-ECONNRESET): throw .connectionLost(path)
      case 1...:
        let fresh = part[..<Int(count)]
        if let end = fresh.firstIndex(of: AdminLine.end) {
          answer.append(contentsOf: fresh[..<end])
          return String(decoding: answer, as: UTF8.self)
        }
        answer.append(contentsOf: fresh)
        guard answer.count <= AdminLine.bytesMax else {
          throw .badLine(byteCount: answer.count, bytesMax: AdminLine.bytesMax)
        }
      case Int64(-EAGAIN): try wait(for: descriptor, writing: false)
      case Int64(-EINTR): continue
      default: throw failure(count, "recv")
      }
    }
  }

  private var left: UInt64 {
    let now = cplatform_monotonic_nanoseconds()
    return deadline > now ? deadline - now : 0
  }

  private func wait(for descriptor: Int32, writing: Bool) throws(AdminSocketError) {
    let left = left
    guard left > 0 else { throw .timedOut(path, milliseconds: timeoutMilliseconds) }
    let result = cplatform_wait(descriptor, writing, Int64(clamping: left))
    guard result >= 0 else { throw failure(Int64(result), "ppoll") }
  }

  private func pause() throws(AdminSocketError) {
    let left = left
    guard left > 0 else { throw .timedOut(path, milliseconds: timeoutMilliseconds) }
    // No descriptor is ready ever: waits for the time alone.
    _ = cplatform_wait(-1, false, Int64(clamping: min(left, 5_000_000)))
  }
}
