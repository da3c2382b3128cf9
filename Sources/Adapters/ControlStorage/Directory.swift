internal import Glibc

/// The directory of a control log and what is done to the files in it.
package struct Directory: Sendable {
  /// Where it is.
  package let path: String
  private let interception: FileInterception?

  /// Names a directory; `interception` decides on each operation that changes it.
  package init(_ path: String, interception: FileInterception? = nil) {
    self.path = path
    self.interception = interception
  }

  /// Makes the directory, whose parent must exist, unless it is there.
  package func make() throws(ControlStorageFailure) {
    if unsafe mkdir(path, 0o700) == 0 {
      try Directory(parent).sync()
    } else if errno != EEXIST {
      throw ControlStorageFailure("make", path, code: errno)
    }
  }

  /// The names of all files.
  package func names() throws(ControlStorageFailure) -> [String] {
    guard let stream = unsafe opendir(path) else {
      throw ControlStorageFailure("list", path, code: errno)
    }
    defer { _ = unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw ControlStorageFailure("list", path, code: errno) }
        return names.sorted()
      }
      names.append(
        unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
  }

  /// All bytes of a file.
  package func read(_ name: String) throws(ControlStorageFailure) -> [UInt8] {
    let descriptor = unsafe Glibc.open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ControlStorageFailure("open", name, code: errno) }
    defer { _ = close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw ControlStorageFailure("inspect", name, code: errno)
    }
    var code: Int32 = 0
    let size = Int(status.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      filled = 0
      while filled < size, let start = buffer.baseAddress {
        let count = unsafe pread(descriptor, start + filled, size - filled, off_t(filled))
        if count > 0 {
          filled += count
        } else if count == 0 {
          return
        } else if errno != EINTR {
          code = errno
          return
        }
      }
    }
    guard code == 0 else { throw ControlStorageFailure("read", name, code: code) }
    return bytes
  }

  /// Opens a file for writing.
  package func open(_ name: String, _ mode: DiskFile.Mode) throws(ControlStorageFailure) -> DiskFile
  {
    try intercept(.open(file: name), "open", name)
    return try DiskFile("\(path)/\(name)", name: name, mode, interception)
  }

  /// Gives a file its final name and makes that durable; replaces the file with that name, if any.
  package func rename(_ name: String, to newName: String) throws(ControlStorageFailure) {
    try intercept(.rename(from: name, to: newName), "rename", name)
    guard unsafe Glibc.rename("\(path)/\(name)", "\(path)/\(newName)") == 0 else {
      throw ControlStorageFailure("rename", name, code: errno)
    }
    try sync()
  }

  /// Removes a file; a missing one is no failure.
  package func remove(_ name: String) throws(ControlStorageFailure) {
    try intercept(.remove(file: name), "remove", name)
    guard unsafe unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
      throw ControlStorageFailure("remove", name, code: errno)
    }
  }

  /// Makes the names in the directory durable.
  package func sync() throws(ControlStorageFailure) {
    try intercept(.syncDirectory, "sync", path)
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ControlStorageFailure("open", path, code: errno) }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw ControlStorageFailure("sync", path, code: errno) }
  }

  private func intercept(
    _ operation: FileOperation, _ verb: String, _ name: String
  ) throws(ControlStorageFailure) {
    switch interception?.decide(operation) ?? .proceed {
    case .proceed: return
    case .fail(let code), .tear(_, let code): throw ControlStorageFailure(verb, name, code: code)
    }
  }

  private var parent: String {
    let trimmed = path.reversed().drop { $0 == "/" }
    let rest = trimmed.drop { $0 != "/" }
    if trimmed.isEmpty { return "/" }
    return rest.isEmpty ? "." : String(rest.reversed())
  }
}
