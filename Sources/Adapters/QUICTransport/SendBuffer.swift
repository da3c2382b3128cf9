import CQUIC

/// A stream's outgoing bytes, at addresses that do not move until the peer has acknowledged them.
///
/// The bytes stand in chunks that never grow; the QUIC layer keeps pointers into them for
/// retransmission. Offsets count from the stream's start: `acknowledged <= sent <= appended`.
struct SendBuffer: ~Copyable {
  private struct Chunk {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    var filled = 0
  }

  private static let chunkBytesMin = 4 << 10
  private static let chunkBytesMax = 64 << 10
  static let vectorsMax = 8

  private var chunks: [Chunk] = []
  /// Chunks before this one are acknowledged and freed.
  private var head = 0
  /// The stream offset at which `chunks[head]` begins.
  private var headOffset: UInt64 = 0
  /// The next byte to send: a chunk and a place in it.
  private var cursorChunk = 0
  private var cursorOffset = 0

  /// Bytes ever appended.
  private(set) var appended: UInt64 = 0
  /// Bytes handed to the QUIC layer.
  private(set) var sent: UInt64 = 0
  /// Bytes the peer has.
  private(set) var acknowledged: UInt64 = 0

  /// Bytes waiting or unacknowledged.
  var bufferedBytes: Int { Int(appended - acknowledged) }
  /// Bytes not yet handed to the QUIC layer.
  var unsentBytes: Int { Int(appended - sent) }

  deinit {
    for chunk in chunks[head...] { chunk.base.deallocate() }
  }

  /// Appends a length and a payload.
  mutating func append(frame: [UInt8]) {
    var header = UInt32(frame.count).littleEndian
    let total = MemoryLayout<UInt32>.size + frame.count
    withUnsafeBytes(of: &header) { append($0, followedBy: total) }
    frame.withUnsafeBytes { append($0, followedBy: frame.count) }
  }

  /// Appends one byte, the kind of the stream.
  mutating func append(byte: UInt8) {
    withUnsafeBytes(of: byte) { append($0, followedBy: 1) }
  }

  private var isFull: Bool {
    guard chunks.count > head, let last = chunks.last else { return true }
    return last.filled == last.capacity
  }

  /// Small streams get small chunks; one that is already busy gets large ones.
  private mutating func addChunk(expecting expected: Int) {
    let isBusy = bufferedBytes > SendBuffer.chunkBytesMin
    let wanted = isBusy ? SendBuffer.chunkBytesMax : expected
    let size = max(SendBuffer.chunkBytesMin, min(wanted, SendBuffer.chunkBytesMax))
    chunks.append(
      Chunk(
        base: .allocate(byteCount: size, alignment: MemoryLayout<UInt64>.alignment),
        capacity: size))
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer, followedBy expected: Int) {
    var rest = bytes
    while !rest.isEmpty {
      if isFull { addChunk(expecting: expected) }
      let last = chunks.count - 1
      let count = min(rest.count, chunks[last].capacity - chunks[last].filled)
      UnsafeMutableRawBufferPointer(start: chunks[last].base + chunks[last].filled, count: count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
      chunks[last].filled += count
      appended += UInt64(count)
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Points the vectors at the bytes to send next; gives how many vectors and bytes.
  func fill(_ vectors: UnsafeMutablePointer<cquic_vector>) -> (vectors: Int, bytes: Int) {
    var used = 0
    var bytes = 0
    var chunk = cursorChunk
    var offset = cursorOffset
    while chunk < chunks.count, used < SendBuffer.vectorsMax {
      let count = chunks[chunk].filled - offset
      if count > 0 {
        vectors[used] = cquic_vector(
          base: (chunks[chunk].base + offset).assumingMemoryBound(to: UInt8.self), length: count)
        used += 1
        bytes += count
      }
      chunk += 1
      offset = 0
    }
    return (used, bytes)
  }

  /// Moves past bytes that the QUIC layer has taken.
  mutating func markSent(_ count: Int) {
    precondition(count <= unsentBytes, "\(count) bytes sent of \(unsentBytes)")
    sent += UInt64(count)
    var rest = count
    while rest > 0 {
      let available = chunks[cursorChunk].filled - cursorOffset
      let step = min(rest, available)
      cursorOffset += step
      rest -= step
      if cursorOffset == chunks[cursorChunk].capacity {
        cursorChunk += 1
        cursorOffset = 0
      }
    }
  }

  /// Frees what lies wholly below an acknowledged offset.
  mutating func acknowledge(upTo offset: UInt64) {
    precondition(offset <= sent, "offset \(offset) acknowledged, \(sent) sent")
    acknowledged = max(acknowledged, offset)
    while head < cursorChunk, headOffset + UInt64(chunks[head].filled) <= acknowledged {
      headOffset += UInt64(chunks[head].filled)
      chunks[head].base.deallocate()
      head += 1
    }
    if head > 32, head * 2 > chunks.count {
      chunks.removeFirst(head)
      cursorChunk -= head
      head = 0
    }
  }
}
