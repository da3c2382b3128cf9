internal import Glibc

/// The system's words for its error numbers.
package enum SystemText {
  /// The text of an error number.
  package static func describe(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The few file operations that configuration needs, each durable when it returns.
package enum Files {
  /// Bytes of the largest configuration file that is read.
  package static let bytesMax = 1 << 20

  /// Reads a whole file of at most `limit` bytes.
  package static func read(_ path: String, limit: Int = bytesMax) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return result }
      result.append(contentsOf: chunk[..<count])
      guard result.count <= limit else {
        throw ConfigurationError(source: path, reason: "the file is longer than \(limit) bytes")
      }
    }
  }

  /// Replaces a file as a whole: readers see the old bytes or the new ones, also after a crash.
  package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644) throws {
    let temporary = "\(path).new-\(getpid())"
    unlink(temporary)
    do {
      try create(temporary, bytes, mode: mode, syncingDirectory: false)
      guard rename(temporary, path) == 0 else { throw failure("rename", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    try synchronizeDirectory(of: path)
  }

  /// Writes a file that must not exist yet.
  package static func create(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws {
    try create(path, bytes, mode: mode, syncingDirectory: true)
  }

  /// Removes a file.
  package static func remove(_ path: String) throws {
    guard unlink(path) == 0 else { throw failure("remove", path) }
    try synchronizeDirectory(of: path)
  }

  /// Makes a directory and the missing ones above it.
  package static func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws {
    if mkdir(path, mode) == 0 { return }
    switch errno {
    case EEXIST where isDirectory(path): return
    case ENOENT:
      let above = parent(of: path)
      guard above != path else { throw failure("mkdir", path) }
      try makeDirectory(above, mode: mode)
      guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
    default: throw failure("mkdir", path)
    }
  }

  /// Whether something exists at `path`.
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether `path` is a directory.
  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The permission bits of a file.
  package static func mode(of path: String) throws -> UInt32 {
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure("stat", path) }
    return status.st_mode & 0o7777
  }

  /// `path` seen from `directory`: unchanged when it is absolute.
  package static func resolve(_ path: String, in directory: String) -> String {
    if path.hasPrefix("/") { return path }
    return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
  }

  /// `path` from the root, seen from the working directory; it need not exist.
  package static func absolute(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    guard let current = getcwd(nil, 0) else { throw failure("getcwd", path) }
    defer { free(current) }
    var rest = path[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
    let start = String(cString: current)
    return rest.isEmpty || rest == "." ? start : resolve(String(rest), in: start)
  }

  private static func create(
    _ path: String, _ bytes: [UInt8], mode: UInt32, syncingDirectory: Bool
  ) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure("create", path) }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure("write", path) }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
    if syncingDirectory { try synchronizeDirectory(of: path) }
  }

  private static func synchronizeDirectory(of path: String) throws {
    let directory = parent(of: path)
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("fsync", directory) }
  }

  private static func parent(of path: String) -> String {
    var trimmed = path[...]
    while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  private static func failure(_ operation: String, _ path: String) -> FileError {
    FileError(operation: operation, path: path, code: errno)
  }
}
