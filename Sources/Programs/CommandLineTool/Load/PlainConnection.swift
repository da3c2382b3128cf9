internal import Glibc

/// A blocking connection to one node that says for certain whether a request can have had an
/// effect.
///
/// It never sends a request twice, as libraries do when a kept connection turns out to be closed:
/// a history of what clients did must hold every attempt. One instance serves one thread.
final class PlainConnection {
  /// Why a request brought no answer.
  enum Failure: Error {
    /// Nothing was sent: it has no effect.
    case unreachable
    /// The connection broke behind the request: it may have an effect.
    case broken
    /// The time was over: it may have an effect.
    case timedOut
    /// What came back is no answer.
    case malformed(String)
  }

  let address: PlainAddress
  private var descriptor: Int32 = -1
  private var reader = ResponseReader()
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  init(_ address: PlainAddress) { self.address = address }

  deinit { close() }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
    reader = ResponseReader()
  }

  /// Sends a request and waits for its answer; connects first when that is needed.
  func send(
    _ request: PlainRequest, timeoutMilliseconds: Int
  ) throws(Failure) -> ResponseReader.Response {
    let deadline = MonotonicClock.milliseconds + timeoutMilliseconds
    if descriptor >= 0, hasEnded { close() }
    if descriptor < 0 { try connect(until: deadline) }
    do throws(Failure) {
      try write(request.bytes(to: address.host), until: deadline)
      let response = try read(until: deadline)
      if response.isLast { close() }
      return response
    } catch {
      close()
      throw error
    }
  }

  /// Whether the node has closed a connection that is between requests.
  private var hasEnded: Bool {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return !(count < 0 && (errno == EAGAIN || errno == EINTR))
  }

  private func connect(until deadline: Int) throws(Failure) {
    let opened = address.connect()
    guard opened >= 0 else { throw .unreachable }
    descriptor = opened
    guard wait(for: Int16(POLLOUT), until: deadline), errorOfSocket == 0 else {
      close()
      throw .unreachable
    }
  }

  private var errorOfSocket: Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
    return code
  }

  private func write(_ bytes: [UInt8], until deadline: Int) throws(Failure) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        Glibc.send(
          descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset,
          Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        offset += count
      } else if errno == EAGAIN {
        guard wait(for: Int16(POLLOUT), until: deadline) else { throw .timedOut }
      } else if errno != EINTR {
        throw .broken
      }
    }
  }

  private func read(until deadline: Int) throws(Failure) -> ResponseReader.Response {
    while true {
      do throws(ResponseReader.Malformed) {
        if let response = try reader.next() { return response }
      } catch {
        throw .malformed(error.description)
      }
      let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count > 0 {
        buffer.withUnsafeBytes { reader.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      } else if count == 0 {
        throw .broken
      } else if errno == EAGAIN {
        guard wait(for: Int16(POLLIN), until: deadline) else { throw .timedOut }
      } else if errno != EINTR {
        throw .broken
      }
    }
  }

  private func wait(for events: Int16, until deadline: Int) -> Bool {
    while true {
      let left = deadline - MonotonicClock.milliseconds
      guard left > 0 else { return false }
      var entry = pollfd(fd: descriptor, events: events, revents: 0)
      let count = poll(&entry, 1, Int32(clamping: left))
      if count > 0 { return true }
      if count < 0 && errno != EINTR { return false }
    }
  }
}
