/// A breach of the framing rules.
enum FrameError: Error, Equatable, CustomStringConvertible {
  case empty
  case tooLong(Int)
  case endedInsideFrame

  var description: String {
    switch self {
    case .empty: "a frame of no bytes"
    case .tooLong(let length): "a frame of \(length) bytes"
    case .endedInsideFrame: "the stream ended inside a frame"
    }
  }
}

/// Cuts a stream's bytes into frames: a little-endian `u32` length, then that many bytes.
struct FrameAssembler {
  static let headerBytes = 4

  private var length: UInt32 = 0
  private var headerBytesRead = 0
  private var frame: [UInt8] = []

  /// Whether the stream stands between two frames.
  var isAtBoundary: Bool { headerBytesRead == 0 }

  /// Takes all bytes and hands over each frame they complete.
  mutating func consume(
    _ bytes: UnsafeRawBufferPointer, frameBytesMax: Int, into emit: ([UInt8]) -> Void
  ) throws(FrameError) {
    var offset = 0
    while offset < bytes.count {
      if headerBytesRead < FrameAssembler.headerBytes {
        length |= UInt32(bytes[offset]) << UInt32(8 * headerBytesRead)
        headerBytesRead += 1
        offset += 1
        guard headerBytesRead == FrameAssembler.headerBytes else { continue }
        if length == 0 { throw .empty }
        if length > UInt32(clamping: frameBytesMax) { throw .tooLong(Int(length)) }
      }
      let wanted = Int(length) - frame.count
      let count = min(wanted, bytes.count - offset)
      guard count > 0 else { continue }
      let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
      offset += count
      if frame.isEmpty && count == wanted {
        emit([UInt8](part))
      } else {
        if frame.isEmpty { frame.reserveCapacity(Int(length)) }
        frame.append(contentsOf: part)
        guard count == wanted else { continue }
        emit(frame)
        frame = []
      }
      length = 0
      headerBytesRead = 0
    }
  }
}
