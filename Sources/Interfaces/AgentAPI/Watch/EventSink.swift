package import HTTPServer

/// Where a watch's events go: a response body that is written piece by piece.
package protocol EventSink: AnyObject {
  /// Whether writes still reach the client.
  var isOpen: Bool { get }
  /// Bytes written but not yet handed to the connection.
  var pendingBytes: Int { get }
  /// Called once when the stream has ended.
  var onClosed: ((HTTPStream.End) -> Void)? { get set }
  /// Called whenever everything written has been handed to the connection.
  var onDrained: (() -> Void)? { get set }
  /// Queues bytes; returns `false` when the stream is closed or this write ends it as too slow.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool
  /// Ends the body after what has been written.
  func close()
  /// Ends the body at once, because its reader is too slow.
  func abandon()
}

extension HTTPStream: EventSink {}
