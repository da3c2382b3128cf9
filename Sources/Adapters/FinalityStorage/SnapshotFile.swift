internal import Glibc
package import SQLiteStorage
internal import Synchronization

/// The parts of a snapshot in one file, in the order in which they came.
///
/// ```
/// index 4 little-endian | byte count 4 little-endian | bytes
/// ```
///
/// It says nothing of whether a part is right: who reads one checks it against the manifest. So an
/// unfinished record at the end, as a crash leaves it, is passed over, and nothing needs a sync
/// before all is there.
package final class SnapshotFile: Sendable {
  private static let headerBytes = 8

  /// The path.
  package let path: String
  private let descriptor: Int32
  private let state = Mutex(Places())

  /// Where parts stand, and where the next one goes.
  private struct Places {
    var parts: [Int: (offset: Int, count: Int)] = [:]
    var end = 0
  }

  /// Opens a file, which is made when it is absent, or made anew.
  package init(path: String, isNew: Bool) throws(FileSystem.Failure) {
    self.path = path
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | (isNew ? O_TRUNC : 0)
    descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else {
      throw FileSystem.Failure(code: errno, operation: "open \(path)")
    }
    try scan()
  }

  deinit { close(descriptor) }

  /// The parts that are there, in ascending order.
  package var indexes: [Int] { state.withLock { $0.parts.keys.sorted() } }

  /// Adds a part; one that comes twice counts as it came last.
  package func append(_ index: Int, _ bytes: [UInt8]) throws(FileSystem.Failure) {
    precondition(
      (0..<(1 << 31)).contains(index) && bytes.count < 1 << 31,
      "part \(index) of \(bytes.count) bytes")
    var record = SnapshotFile.encoded(UInt32(index)) + SnapshotFile.encoded(UInt32(bytes.count))
    record += bytes
    try state.withLock { (places) throws(FileSystem.Failure) in
      try write(record, at: places.end)
      places.parts[index] = (places.end + SnapshotFile.headerBytes, bytes.count)
      places.end += record.count
    }
  }

  private func write(_ record: [UInt8], at offset: Int) throws(FileSystem.Failure) {
    var written = 0
    while written < record.count {
      let count = record.withUnsafeBytes { buffer in
        unsafe pwrite(
          descriptor, buffer.baseAddress?.advanced(by: written), record.count - written,
          offset + written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw FileSystem.Failure(code: errno, operation: "write \(path)") }
      written += count
    }
  }

  /// A part, or `nil` when it is not there, or not whole.
  package func part(_ index: Int) -> [UInt8]? {
    guard let place = state.withLock({ $0.parts[index] }) else { return nil }
    return read(at: place.offset, count: place.count)
  }

  /// Makes all that was added durable.
  package func sync() throws(FileSystem.Failure) {
    guard fsync(descriptor) == 0 else {
      throw FileSystem.Failure(code: errno, operation: "sync \(path)")
    }
  }

  /// Finds the records; what follows the last whole one is written over.
  private func scan() throws(FileSystem.Failure) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw FileSystem.Failure(code: errno, operation: "read \(path)")
    }
    let size = Int(status.st_size)
    var places = Places()
    while let header = read(at: places.end, count: SnapshotFile.headerBytes) {
      let index = SnapshotFile.number(header[0..<4])
      let count = SnapshotFile.number(header[4..<8])
      let next = places.end + SnapshotFile.headerBytes + count
      guard next <= size else { break }
      places.parts[index] = (places.end + SnapshotFile.headerBytes, count)
      places.end = next
    }
    let found = places
    state.withLock { $0 = found }
  }

  private func read(at offset: Int, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(
          descriptor, buffer.baseAddress?.advanced(by: done), count - done, offset + done)
      }
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return nil }
      done += got
    }
    return bytes
  }

  private static func encoded(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
