package import ControlStorage
internal import Primitives
package import Records

/// The limits and sizes of a vote journal.
package struct VoteJournalOptions: Sendable {
  /// Steps that may wait for the thread that writes.
  package var queuedStepsMax = 4_096
  /// Bytes that may wait. A step is taken whenever fewer wait.
  package var queuedBytesMax = 32 * 1_048_576
  /// The size of each of the two files when it is made, in bytes: a multiple of 4,096. A file that
  /// is full grows by as much.
  package var fileBytes = 4 * 1_048_576
  /// The size beyond which a file does not grow: the journal fails, as on a full disk.
  package var fileBytesMax = 256 * 1_048_576
  /// Decides on each operation that changes files before it is carried out; for tests of crashes
  /// and full disks.
  package var interception: FileInterception?

  /// The default limits.
  package init() {}

  /// Refuses sizes that cannot work.
  func check() {
    precondition(
      fileBytes >= 4 * DiskBlock.byteCount && fileBytes.isMultiple(of: DiskBlock.byteCount)
        && fileBytesMax >= fileBytes, "files of \(fileBytes) to \(fileBytesMax) bytes")
    precondition(
      queuedStepsMax > 0 && queuedBytesMax > 0,
      "a queue of \(queuedStepsMax) steps and \(queuedBytesMax) bytes")
  }
}

/// What a vote journal held when it was opened.
package struct VoteRecovery: Hashable, Sendable {
  /// The records since the last checkpoint, its own first.
  package let records: [[UInt8]]
  /// Whether the key has signed for this chain and what it signed is lost: it must not vote before
  /// others have told it what it may have signed.
  package let isAmnesiac: Bool

  /// Joins the parts; a new journal holds nothing.
  package init(records: [[UInt8]] = [], isAmnesiac: Bool = false) {
    self.records = records
    self.isAmnesiac = isAmnesiac
  }
}

/// Why a vote journal could not be opened; nothing durable was changed in it.
package struct OpenVoteJournalError: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// Another process holds the directory; `nil` when it did not say which.
    case locked(processIdentifier: Int32?)
    /// Something that was durable is gone or changed.
    case damaged(file: String, offset: UInt64, finding: String)
    /// It belongs to another key or another chain.
    case foreign(key: NodeID, chain: ChainID)
    /// The operating system refused an operation.
    case system(ControlStorageFailure)
  }

  /// What is wrong.
  package let reason: Reason
  /// The directory.
  package let directory: String

  init(_ reason: Reason, directory: String) {
    self.reason = reason
    self.directory = directory
  }
}

extension OpenVoteJournalError: CustomStringConvertible {
  /// What is wrong and what to do about it.
  package var description: String {
    switch reason {
    case .locked(let holder):
      let name = holder.map { "process \($0)" } ?? "another process"
      return "\(directory) is in use by \(name); stop it first: one key must not vote twice"
    case .damaged(let file, let offset, let finding):
      return """
        \(directory) is damaged (\(file) at byte \(offset): \(finding)); move the directory away \
        and start the node again: it asks the other validators what it may have signed before it \
        votes; never start a copy of the old files, a validator that forgot a vote can sign two \
        blocks
        """
    case .foreign(let key, let chain):
      return """
        \(directory) is the vote journal of node \(key.key.short) for chain \(chain.digest.short); \
        give every key and every chain a directory of its own
        """
    case .system(let failure):
      return "\(directory): \(failure)"
    }
  }
}

/// What a vote journal has done since it was opened.
package struct VoteJournalStatistics: Hashable, Sendable {
  /// Steps that wait.
  package internal(set) var queuedSteps = 0
  /// Bytes that wait.
  package internal(set) var queuedBytes = 0
  /// Steps that were refused because too much waited.
  package internal(set) var refusals: UInt64 = 0
  /// Steps made durable.
  package internal(set) var steps: UInt64 = 0
  /// Groups of steps written.
  package internal(set) var groups: UInt64 = 0
  /// Checkpoints written.
  package internal(set) var checkpoints: UInt64 = 0
  /// Times the disk was waited for.
  package internal(set) var syncs: UInt64 = 0
  /// How long all took together, in nanoseconds.
  package internal(set) var syncNanoseconds: UInt64 = 0
  /// How long the longest took, in nanoseconds.
  package internal(set) var longestSyncNanoseconds: UInt64 = 0
  /// Bytes of the current file that are in use: the owner makes a checkpoint when it is many.
  package internal(set) var usedBytes = 0
}
