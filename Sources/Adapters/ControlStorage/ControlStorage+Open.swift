package import Records
internal import StorageThreads
package import Telemetry

extension ControlStorage {
  /// Storage that was opened, and what it held.
  package struct Opened: Sendable {
    /// The storage, ready for steps.
    package let storage: ControlStorage
    /// What the node starts from.
    package let recovery: ControlRecovery
    /// Whether the directory was new: the life is the one that was given.
    package let isNew: Bool
  }

  /// Opens a directory, which is made when it is missing, and recovers what it holds.
  ///
  /// - Parameters:
  ///   - path: the path; its parent exists.
  ///   - newLife: the life that a new control log gets; durable before this returns.
  ///   - options: the limits.
  ///   - logger: where failures go.
  ///   - onDurable: told that all steps up to a sequence are durable, on the thread that writes;
  ///     sequences ascend. It must return soon and not call `flush` or `close`.
  ///   - onFailure: told at most once that storage has stopped, on the same thread.
  /// - Returns: the storage, running, and what its files held.
  /// - Throws: why the directory cannot be used; nothing that was durable has been changed then.
  package static func open(
    directory path: String, newLife: UInt64, options: ControlStorageOptions = .init(),
    logger: Logger = .silent, onDurable: @escaping @Sendable (UInt64) -> Void,
    onFailure: @escaping @Sendable (ControlStorageFailure) -> Void
  ) throws(OpenControlStorageError) -> Opened {
    options.check()
    let directory = Directory(path, interception: options.interception)
    try translate(path) { () throws(ControlStorageFailure) in try directory.make() }
    let lock = try takeLock(path)
    var scan = try translate(path) { () throws(ControlStorageFailure) in
      try DirectoryScan(directory)
    }
    let isNew = scan.isNew
    if isNew {
      scan = try translate(path) { () throws(ControlStorageFailure) in
        let buffer = AlignedBuffer(byteCount: HardStateSlot.byteCount)
        try HardStateFile.create(directory, buffer, life: newLife)
        return try DirectoryScan(directory)
      }
    }
    guard let recovery = scan.recovery, let slots = scan.slots, let log = scan.log else {
      throw OpenControlStorageError(.damaged(scan.damages), directory: path)
    }
    let disk = try translate(path) { () throws(ControlStorageFailure) in
      try ControlDisk(
        directory, scan, slots, log: log, recovery, segmentBytes: options.segmentBytes)
    }
    if let torn = log.torn {
      logger.log(
        .warning, "control storage dropped a torn write",
        [LogField("file", torn.file), LogField("offset", String(torn.end))])
    }
    var queue = StepQueue()
    queue.statistics.observe(disk)
    let writer = StepWriter(
      queue: Monitor(queue), onDurable: onDurable, onFailure: onFailure, logger: logger)
    let storage = ControlStorage(
      directory: path, options: options, lock: lock, disk: disk, writer: writer)
    return Opened(storage: storage, recovery: recovery, isNew: isNew)
  }

  private static func takeLock(_ path: String) throws(OpenControlStorageError) -> DirectoryLock {
    do throws(DirectoryLock.Refusal) {
      return try DirectoryLock(directory: path)
    } catch {
      switch error {
      case .held(let processIdentifier):
        throw OpenControlStorageError(
          .locked(processIdentifier: processIdentifier), directory: path)
      case .system(let code, let operation):
        throw OpenControlStorageError(
          .system(ControlStorageFailure(operation, path, code: code)), directory: path)
      }
    }
  }

  private static func translate<Result>(
    _ path: String, _ body: () throws(ControlStorageFailure) -> Result
  ) throws(OpenControlStorageError) -> Result {
    do throws(ControlStorageFailure) {
      return try body()
    } catch {
      throw OpenControlStorageError(.system(error), directory: path)
    }
  }
}
