internal import Configuration
internal import Glibc

/// Directories that are made for one run.
enum TemporaryDirectory {
  /// Makes a directory of our own below `$TMPDIR` or `/tmp`, for us alone.
  static func make(_ name: String) throws -> String {
    let above = Environment.value("TMPDIR") ?? "/tmp"
    var template = Array(Files.resolve("\(name)-XXXXXX", in: above).utf8CString)
    guard mkdtemp(&template) != nil else {
      throw FileError(operation: "mkdtemp", path: above, code: errno)
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes a directory with all that is in it; links are removed, not followed.
  static func remove(_ directory: String) throws {
    guard let stream = opendir(directory) else { throw failure("open", directory) }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name != "." && name != ".." else { continue }
      let path = Files.resolve(name, in: directory)
      if unlink(path) == 0 { continue }
      guard errno == EISDIR else { throw failure("remove", path) }
      try remove(path)
    }
    guard rmdir(directory) == 0 else { throw failure("remove", directory) }
  }

  private static func failure(_ operation: String, _ path: String) -> FileError {
    FileError(operation: operation, path: path, code: errno)
  }
}
