internal import Glibc

/// The few operations on files that SQLite does not do itself.
package enum FileSystem {
  /// What the operating system answered.
  package struct Failure: Error {
    /// The error number.
    package let code: Int32
    /// What was tried.
    package let operation: String

    /// Describes a failure.
    package init(code: Int32, operation: String) {
      self.code = code
      self.operation = operation
    }
  }

  /// Makes a directory, whose parent must exist, unless it is there.
  package static func makeDirectory(_ path: String) throws(Failure) {
    if unsafe mkdir(path, 0o700) == 0 {
      try syncDirectory(parent(of: path))
    } else if errno != EEXIST {
      throw Failure(code: errno, operation: "make the directory")
    }
  }

  /// Renames a file and replaces the one with the new name, if any; a missing file is no failure.
  package static func move(_ path: String, to newPath: String) throws(Failure) {
    guard unsafe rename(path, newPath) == 0 || errno == ENOENT else {
      throw Failure(code: errno, operation: "rename \(path)")
    }
  }

  /// Removes a file; a missing file is no failure.
  package static func remove(_ path: String) throws(Failure) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw Failure(code: errno, operation: "remove \(path)")
    }
  }

  /// Replaces a small file as a whole, durably: a crash leaves the old bytes or the new ones.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
    let temporary = "\(path).new"
    try remove(temporary)
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(code: errno, operation: "create \(temporary)") }
    defer { _ = close(descriptor) }
    guard unsafe write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0
    else { throw Failure(code: errno, operation: "write \(temporary)") }
    try move(temporary, to: path)
    try syncDirectory(parent(of: path))
  }

  /// A small file's bytes, at most 1 MiB; `nil` when it cannot be read.
  package static func contents(of path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : Array(bytes.prefix(count))
  }

  /// Removes an empty directory; a missing one is no failure.
  package static func removeDirectory(_ path: String) throws(Failure) {
    guard unsafe rmdir(path) == 0 || errno == ENOENT else {
      throw Failure(code: errno, operation: "remove the directory \(path)")
    }
  }

  /// Whether something has this path.
  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The size of a file; zero when there is none.
  package static func byteCount(of path: String) -> UInt64 {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return 0 }
    return UInt64(max(0, status.st_size))
  }

  /// Makes the names in a directory durable.
  package static func syncDirectory(_ path: String) throws(Failure) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(code: errno, operation: "open \(path)") }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure(code: errno, operation: "sync \(path)") }
  }

  /// The files that belong to one database: itself, its write-ahead log and the log's index.
  package static let databaseSuffixes = ["", "-wal", "-shm"]

  private static func parent(of path: String) -> String {
    let trimmed = path.reversed().drop { $0 == "/" }
    let rest = trimmed.drop { $0 != "/" }
    if trimmed.isEmpty { return "/" }
    return rest.isEmpty ? "." : String(rest.reversed())
  }
}
