package import ControlStorage
package import Records
internal import StorageThreads
package import Telemetry

/// The votes of one key for one chain, durable before they leave the process.
///
/// Records are opaque. One thread writes; steps that wait are one group, which costs one write that
/// is durable when it returns. Two files take turns: a checkpoint begins the next generation in the
/// other file, and the old one counts until the new one is whole
/// (docs/protocol/finality-storage.md).
///
/// A failed operation ends it all: the journal takes nothing more, reports nothing as durable, and
/// its owner must stop signing. Opening tells a write that a crash has torn, which nobody was told
/// of, from damage to what was durable: the first is dropped, the second refuses the directory.
/// A journal that is gone is no reason to refuse, but a key that has signed before is then told
/// that it has forgotten what (`VoteRecovery.isAmnesiac`).
///
/// Invariants: V1 to V3 of `JournalDisk`.
package final class VoteJournal: Sendable {
  /// Whether a step was taken.
  package enum SubmitResult: Hashable, Sendable {
    /// It will be written.
    case accepted
    /// Too much waits; nothing was taken.
    case busy
    /// The journal has failed or was closed; nothing was taken.
    case stopped
  }

  /// The directory.
  package let directory: String
  private let options: VoteJournalOptions
  private let lock: DirectoryLock
  private let queue: Monitor<VoteQueue>
  private let thread: WorkerThread

  /// Starts the thread on opened files; `open` is the way to get here.
  init(
    directory: String, options: VoteJournalOptions, lock: DirectoryLock, disk: JournalDisk,
    writer: VoteWriter
  ) {
    self.directory = directory
    self.options = options
    self.lock = lock
    queue = writer.queue
    thread = WorkerThread { writer.run(disk) }
  }

  /// Without `close`, whatever waits is dropped, as in a crash.
  deinit {
    queue.update { $0.phase = .stopped }
    thread.join()
  }

  /// Hands over a step to be made durable after all earlier ones. An answer other than `accepted`
  /// leaves the step with the caller.
  package func submit(_ step: VoteStep) -> SubmitResult {
    queue.update { queue in
      guard case .open = queue.phase else { return .stopped }
      guard
        queue.steps.count < options.queuedStepsMax, queue.byteCount < options.queuedBytesMax
      else {
        queue.statistics.refusals += 1
        return .busy
      }
      queue.add(step)
      return .accepted
    }
  }

  /// What was done and what waits.
  package var statistics: VoteJournalStatistics {
    queue.read { queue in
      var statistics = queue.statistics
      statistics.queuedSteps = queue.steps.count
      statistics.queuedBytes = queue.byteCount
      return statistics
    }
  }

  /// Why the journal stopped, if it did.
  package var failure: ControlStorageFailure? { queue.read { $0.failure } }

  /// Blocks until every step taken so far is durable.
  package func flush() throws(ControlStorageFailure) {
    let failure: ControlStorageFailure? = queue.wait { queue -> ControlStorageFailure?? in
      if let failure = queue.failure { return .some(failure) }
      if queue.durableSequence >= queue.lastSequence { return .some(nil) }
      if case .stopped = queue.phase {
        return .some(ControlStorageFailure("use", "a closed journal", code: 0))
      }
      return nil
    }
    if let failure { throw failure }
  }

  /// Writes what waits, ends the thread and lets the directory go. After a failure it only does the
  /// latter and throws the failure. Not to be called from a report.
  package func close() throws(ControlStorageFailure) {
    queue.update { queue in
      if case .open = queue.phase { queue.phase = .draining }
    }
    thread.join()
    lock.release()
    if let failure { throw failure }
  }
}

extension VoteJournal {
  /// Opens or makes the journal of a key for a chain.
  ///
  /// - Parameters:
  ///   - directory: a directory for it alone, whose parent must exist.
  ///   - marker: the path of the file that says that the key has signed, apart from the journal and
  ///     for it alone: in the directory of the node, so that it survives the loss of the data.
  ///   - key: the validator.
  ///   - chain: the chain.
  ///   - options: limits and sizes.
  ///   - logger: where a failure is told.
  ///   - onDurable: called on the journal's thread with the sequence up to which all is durable.
  ///   - onFailure: called once, on the journal's thread; the owner must stop signing.
  /// - Returns: the journal, and what it held.
  /// - Throws: `OpenVoteJournalError`, whose description says what to do.
  package static func open(
    directory: String, marker: String, key: NodeID, chain: ChainID,
    options: VoteJournalOptions = VoteJournalOptions(), logger: Logger,
    onDurable: @escaping @Sendable (_ throughSequence: UInt64) -> Void,
    onFailure: @escaping @Sendable (ControlStorageFailure) -> Void
  ) throws(OpenVoteJournalError) -> (journal: VoteJournal, recovery: VoteRecovery) {
    options.check()
    let owner = JournalOwner(key: key, chain: chain)
    let files = Directory(directory, interception: options.interception)
    let lock: DirectoryLock
    do throws(ControlStorageFailure) {
      try files.make()
    } catch {
      throw OpenVoteJournalError(.system(error), directory: directory)
    }
    do throws(DirectoryLock.Refusal) {
      lock = try DirectoryLock(directory: directory)
    } catch {
      throw OpenVoteJournalError(error, directory: directory)
    }
    do throws(OpenVoteJournalError) {
      let (disk, recovery) = try opened(files, marker, owner, options)
      var queue = VoteQueue()
      queue.statistics = disk.statistics
      let writer = VoteWriter(
        queue: Monitor(queue), onDurable: onDurable, onFailure: onFailure, logger: logger)
      let journal = VoteJournal(
        directory: directory, options: options, lock: lock, disk: disk, writer: writer)
      return (journal, recovery)
    } catch {
      lock.release()
      throw error
    }
  }

  private static func opened(
    _ directory: Directory, _ markerPath: String, _ owner: JournalOwner,
    _ options: VoteJournalOptions
  ) throws(OpenVoteJournalError) -> (JournalDisk, VoteRecovery) {
    let marker: SigningMarker
    var bytes: [[UInt8]] = []
    do throws(ControlStorageFailure) {
      marker = try SigningMarker(
        path: markerPath, owner: owner, interception: options.interception)
      let present = try directory.names()
      for name in JournalFiles.names {
        bytes.append(present.contains(name) ? try directory.read(name) : [])
      }
    } catch {
      throw OpenVoteJournalError(.system(error), directory: directory.path)
    }
    let found: JournalFiles
    do throws(JournalDamage) {
      found = try JournalFiles(bytes)
    } catch {
      throw OpenVoteJournalError(
        .damaged(file: error.file, offset: UInt64(error.offset), finding: error.finding),
        directory: directory.path)
    }
    if let other = found.current?.scan.header.owner, other != owner {
      throw OpenVoteJournalError(
        .foreign(key: other.key, chain: other.chain), directory: directory.path)
    }
    do throws(ControlStorageFailure) {
      let disk = try JournalDisk(directory, found, owner: owner, marker: marker, options)
      let recovery = VoteRecovery(
        records: found.current?.scan.records ?? [], isAmnesiac: disk.isAmnesiac)
      return (disk, recovery)
    } catch {
      throw OpenVoteJournalError(.system(error), directory: directory.path)
    }
  }
}

extension OpenVoteJournalError {
  /// Says why a directory could not be held.
  init(_ refusal: DirectoryLock.Refusal, directory: String) {
    switch refusal {
    case .held(let holder):
      self.init(.locked(processIdentifier: holder), directory: directory)
    case .system(let code, let operation):
      self.init(
        .system(ControlStorageFailure(operation, "lock", code: code)), directory: directory)
    }
  }
}
