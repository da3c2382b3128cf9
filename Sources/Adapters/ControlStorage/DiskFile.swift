internal import CPlatform
internal import Glibc

/// A file that is open for writing, closed with its last holder.
package final class DiskFile: Sendable {
  /// How writes reach the disk.
  package enum Mode: Sendable {
    /// Through the kernel's cache; durable after `sync`.
    case cached
    /// Past the cache where the file system can; durable after `sync`.
    case direct
    /// Past the cache where the file system can, and durable when the write returns.
    case durable

    fileprivate var flags: Int32 {
      switch self {
      case .cached: 0
      case .direct: cplatform_direct_flag()
      case .durable: cplatform_direct_flag() | O_DSYNC
      }
    }
  }

  /// The name in its directory.
  package let name: String
  private let descriptor: Int32
  private let isDurable: Bool
  private let interception: FileInterception?

  /// Opens the file, which is made when it is missing.
  init(
    _ path: String, name: String, _ mode: Mode, _ interception: FileInterception?
  ) throws(ControlStorageFailure) {
    let flags = O_RDWR | O_CREAT | O_CLOEXEC
    var descriptor = unsafe open(path, flags | mode.flags, 0o600)
    if descriptor < 0 && errno == EINVAL {
      // A file system without direct writes.
      descriptor = unsafe open(path, flags | (mode.flags & ~cplatform_direct_flag()), 0o600)
    }
    guard descriptor >= 0 else { throw ControlStorageFailure("open", name, code: errno) }
    self.name = name
    self.descriptor = descriptor
    self.interception = interception
    switch mode {
    case .cached, .direct: isDurable = false
    case .durable: isDurable = true
    }
  }

  deinit {
    _ = close(descriptor)
  }

  /// Writes the first `count` bytes of `buffer` at an offset. For all modes but `cached`, both are
  /// multiples of a block.
  package func write(
    _ buffer: AlignedBuffer, count: Int, at offset: Int
  ) throws(ControlStorageFailure) {
    precondition(count <= buffer.byteCount, "\(count) bytes of \(buffer.byteCount)")
    let operation = FileOperation.write(
      file: name, offset: offset, byteCount: count, isDurable: isDurable)
    switch interception?.decide(operation) ?? .proceed {
    case .proceed:
      try carryOut(buffer, count: count, at: offset)
    case .fail(let code):
      throw ControlStorageFailure("write", name, code: code)
    case .tear(let byteCount, let code):
      precondition(byteCount <= count, "a write of \(count) bytes torn after \(byteCount)")
      tear(buffer, count: byteCount, at: offset)
      throw ControlStorageFailure("write", name, code: code)
    }
  }

  private func carryOut(
    _ buffer: AlignedBuffer, count: Int, at offset: Int
  ) throws(ControlStorageFailure) {
    var done = 0
    while done < count {
      let written = unsafe pwrite(
        descriptor, buffer.start + done, count - done, off_t(offset + done))
      if written > 0 {
        done += written
      } else if written == 0 || errno != EINTR {
        throw ControlStorageFailure("write", name, code: written == 0 ? EIO : errno)
      }
    }
  }

  /// Writes bytes that need not be whole blocks, past the rules of direct writes.
  private func tear(_ buffer: AlignedBuffer, count: Int, at offset: Int) {
    let flags = fcntl(descriptor, F_GETFL)
    _ = fcntl(descriptor, F_SETFL, flags & ~cplatform_direct_flag())
    _ = unsafe pwrite(descriptor, buffer.start, count, off_t(offset))
    _ = fcntl(descriptor, F_SETFL, flags)
  }

  /// Reserves room for `byteCount` bytes in all; a file system that cannot is no failure.
  package func reserve(_ byteCount: Int) throws(ControlStorageFailure) {
    try intercept(.reserve(file: name, byteCount: byteCount), "reserve room for")
    let status = cplatform_reserve(descriptor, Int64(byteCount))
    guard status < 0 && status != -EOPNOTSUPP else { return }
    throw ControlStorageFailure("reserve room for", name, code: -status)
  }

  /// Makes what was written durable, with the size of the file.
  package func sync() throws(ControlStorageFailure) {
    try intercept(.sync(file: name), "sync")
    guard fdatasync(descriptor) == 0 else {
      throw ControlStorageFailure("sync", name, code: errno)
    }
  }

  private func intercept(
    _ operation: FileOperation, _ verb: String
  ) throws(ControlStorageFailure) {
    switch interception?.decide(operation) ?? .proceed {
    case .proceed: return
    case .fail(let code), .tear(_, let code): throw ControlStorageFailure(verb, name, code: code)
    }
  }
}

/// Memory that begins at a multiple of a block, as direct writes need it.
///
/// Safe: it is filled and written by the one thread that owns the log; opening fills it before that
/// thread exists. The memory lives from `init` to `deinit`, which frees it when nobody refers to
/// it.
package final class AlignedBuffer: @unchecked Sendable {
  /// The size.
  package let byteCount: Int
  /// The first byte.
  package let start: UnsafeMutableRawPointer

  /// Reserves zeros.
  package init(byteCount: Int) {
    self.byteCount = byteCount
    start = .allocate(byteCount: byteCount, alignment: DiskBlock.byteCount)
    _ = unsafe memset(start, 0, byteCount)
  }

  deinit {
    unsafe start.deallocate()
  }

  /// Puts bytes at the beginning.
  package func fill(_ bytes: some Collection<UInt8>) {
    precondition(bytes.count <= byteCount, "\(bytes.count) bytes for \(byteCount)")
    let target = unsafe UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    unsafe target.copyBytes(from: bytes)
  }
}
