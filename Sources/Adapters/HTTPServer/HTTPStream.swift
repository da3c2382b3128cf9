import CMicroHTTPD
import Glibc

/// A response body that is written piece by piece, such as server-sent events.
///
/// Use it on the server's thread only. While nothing is pending, the connection is suspended and a
/// client that leaves is not noticed before the next write, so quiet streams need a regular sign
/// of life (a comment line every 15 s for server-sent events).
package final class HTTPStream {
  /// How a stream ended.
  package enum End: Equatable, Sendable {
    /// `close()` was called and everything was sent.
    case finished
    /// The client left or its connection failed.
    case clientLeft
    /// The client read too slowly for `HTTPServerConfiguration.streamBytesMax`.
    case tooSlow
    /// The server stopped.
    case serverStopped
  }

  private enum State {
    case open
    case closing
    case aborted
    case ended
  }

  /// Called once when the stream has ended, on the server's thread; do not stop the server in it.
  package var onClosed: ((End) -> Void)?

  /// Called whenever everything written has been handed to the connection, on the server's thread:
  /// the time to write more, if there is more.
  package var onDrained: (() -> Void)?

  private let bytesMax: Int
  private var state = State.open
  private var pending: [UInt8] = []
  private var sentCount = 0
  /// Whether libmicrohttpd waits for `resume`.
  private var isSuspended = false
  private var connection: OpaquePointer?
  private var descriptor: Int32 = -1
  /// Tells the server that it must run.
  private var onResume: (() -> Void)?

  init(bytesMax: Int) {
    self.bytesMax = bytesMax
  }

  /// Makes a stream that nobody reads.
  static func ended() -> HTTPStream {
    let stream = HTTPStream(bytesMax: 0)
    stream.state = .ended
    return stream
  }

  /// Whether writes still reach the connection.
  package var isOpen: Bool { state == .open }

  /// Bytes written but not yet handed to the connection.
  package var pendingBytes: Int { pending.count - sentCount }

  /// Queues bytes; returns `false` when the stream is closed or this write ends it as too slow.
  @discardableResult
  package func write(_ bytes: [UInt8]) -> Bool {
    guard state == .open else { return false }
    guard pendingBytes + bytes.count <= bytesMax else {
      abandon()
      return false
    }
    pending.append(contentsOf: bytes)
    resume()
    return true
  }

  /// Ends the stream at once as too slow.
  package func abandon() {
    guard state == .open || state == .closing else { return }
    state = .aborted
    pending = []
    sentCount = 0
    // The connection may wait for a full socket: only shutting it down gets its attention.
    shutdown(descriptor, Int32(SHUT_RDWR))
    resume()
  }

  /// Ends the body after what has been written.
  package func close() {
    guard state == .open else { return }
    state = .closing
    resume()
  }

  // MARK: The server's side

  func attach(
    connection: OpaquePointer, descriptor: Int32, onResume: @escaping () -> Void
  ) {
    self.connection = connection
    self.descriptor = descriptor
    self.onResume = onResume
  }

  /// Wakes the suspended connection; without effect when it is not suspended.
  func resume() {
    guard isSuspended, let connection else { return }
    isSuspended = false
    MHD_resume_connection(connection)
    onResume?()
  }

  /// Copies pending bytes out, suspends the connection when there are none, or ends the body.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    if pendingBytes == 0 && state == .open { onDrained?() }
    if pendingBytes > 0 {
      let count = min(pendingBytes, buffer.count)
      pending.withUnsafeBytes { bytes in
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[sentCount..<sentCount + count]))
      }
      sentCount += count
      if sentCount == pending.count {
        pending.removeAll(keepingCapacity: true)
        sentCount = 0
      } else if sentCount > bytesMax / 2 {
        pending.removeFirst(sentCount)
        sentCount = 0
      }
      return count
    }
    switch state {
    case .open:
      guard let connection else { return cmhd_end_with_error() }
      isSuspended = true
      MHD_suspend_connection(connection)
      return 0
    case .closing: return cmhd_end_of_stream()
    case .aborted, .ended: return cmhd_end_with_error()
    }
  }

  /// Learns that the connection is done with this body; returns how the stream ended.
  func end(isCompleted: Bool, isShutdown: Bool) -> End {
    let end: End =
      switch state {
      case .aborted: .tooSlow
      case .closing where isCompleted: .finished
      case .open, .closing, .ended: isShutdown ? .serverStopped : .clientLeft
      }
    state = .ended
    connection = nil
    isSuspended = false
    return end
  }

  /// Reports the end to the owner, once.
  func report(_ end: End) {
    let callback = onClosed
    onClosed = nil
    onDrained = nil
    callback?(end)
  }
}
