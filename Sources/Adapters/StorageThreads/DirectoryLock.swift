internal import Glibc
internal import Synchronization

/// Holds a directory for this process: an exclusive `flock` on the file `lock`.
///
/// The kernel releases it when the process ends however it ends, so nothing stale is left behind.
/// The file names the holder's process identifier for whoever is refused.
package final class DirectoryLock: Sendable {
  /// Why the directory could not be held.
  package enum Refusal: Error {
    /// Another process (or this one, a second time) holds it.
    case held(processIdentifier: Int32?)
    /// The file could not be opened or locked.
    case system(code: Int32, operation: String)
  }

  private let descriptor: Mutex<Int32?>

  /// Takes the lock or says who holds it; never waits.
  package init(directory: String) throws(Refusal) {
    let descriptor = unsafe open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(code: errno, operation: "open the lock file") }
    self.descriptor = Mutex(descriptor)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      guard code == EWOULDBLOCK else { throw .system(code: code, operation: "lock") }
      throw .held(processIdentifier: DirectoryLock.holder(descriptor))
    }
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0,
      unsafe pwrite(descriptor, text, text.count, 0) == text.count
    else { throw .system(code: errno, operation: "write the lock file") }
  }

  deinit {
    release()
  }

  /// Lets the directory go; the second call does nothing.
  package func release() {
    let descriptor = descriptor.withLock { slot in
      defer { slot = nil }
      return slot
    }
    guard let descriptor else { return }
    // Unlocked by name: a child process between fork and exec still shares the open file, so that
    // closing this descriptor alone would not let go.
    _ = flock(descriptor, LOCK_UN)
    _ = close(descriptor)
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = unsafe pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    let digits = buffer.prefix(count).prefix { $0 != UInt8(ascii: "\n") }
    return Int32(String(decoding: digits, as: UTF8.self))
  }
}
