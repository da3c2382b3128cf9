internal import Primitives
package import Records

/// Why a swarm's directory could not be opened; no bundle, row or named value was changed in it.
package struct OpenStorageError: Error, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// Another process holds the directory; `nil` when it did not say which.
    case locked(processIdentifier: Int32?)
    /// A file was written by a newer program.
    case newerVersion(file: String, found: Int64, known: Int64)
    /// The lanes are damaged: what SQLite or the checks found.
    case logCorrupt(findings: [String])
    /// The rows reflect a bundle that the lanes have lost, which an honest disk does not do.
    case logBehindState(lane: LaneID, held: UInt64, applied: UInt64)
    /// The rows are gone or damaged, and the lanes are not held from their beginning: nothing here
    /// leads to the rows again.
    case rowsLost(lane: LaneID, base: UInt64)
    /// The operating system refused an operation.
    case system(code: Int32, operation: String)
    /// SQLite failed for a reason other than damage.
    case database
  }

  /// What is wrong.
  package let reason: Reason
  /// The directory.
  package let directory: String
  /// SQLite's error, when there is one.
  package let underlying: SQLiteError?

  init(_ reason: Reason, directory: String, underlying: SQLiteError? = nil) {
    self.reason = reason
    self.directory = directory
    self.underlying = underlying
  }
}

extension OpenStorageError: CustomStringConvertible {
  /// What is wrong and what to do about it, without the underlying error.
  package var description: String {
    let freshStart = """
      move the directory away and start the node again: it joins with a new lane epoch and fetches \
      every lane from its peers; never start a copy of the old files, a node that reuses the \
      numbers of its lane is excluded for equivocation
      """
    switch reason {
    case .locked(let holder):
      let name = holder.map { "process \($0)" } ?? "another process"
      return "\(directory) is in use by \(name); stop it first"
    case .newerVersion(let file, let found, let known):
      return """
        \(directory)/\(file) has version \(found) but this program knows up to \(known); start the \
        newer program
        """
    case .logCorrupt(let findings):
      let list = findings.joined(separator: "; ")
      return "\(directory)/log.db is damaged (\(list)); \(freshStart)"
    case .logBehindState(let lane, let held, let applied):
      return """
        \(directory)/log.db has lost durable bundles: lane \(lane.digest.short) ends at \(held) \
        but bundle \(applied) was applied; \(freshStart)
        """
    case .rowsLost(let lane, let base):
      return """
        \(directory)/state.db does not hold the rows that lane \(lane.digest.short) led to up to \
        bundle \(base), and log.db begins after it; \(freshStart)
        """
    case .system(let code, let operation):
      return "\(directory): could not \(operation), error \(code)"
    case .database:
      return "\(directory) could not be opened"
    }
  }
}

/// Why storage stopped: the owner must stop too and open the directory anew.
package struct StorageFailure: Error, Hashable, Sendable {
  /// Where it happened.
  package enum Step: Hashable, Sendable {
    /// Appending to the lanes, the sync included.
    case log
    /// Changing the rows.
    case state
    /// Moving a write-ahead log into its database.
    case checkpoint
    /// Storing or reading a named value.
    case meta
    /// Storage was closed before.
    case closed
  }

  /// Where it happened.
  package let step: Step
  /// SQLite's error; `nil` when storage was closed.
  package let underlying: SQLiteError?

  init(_ step: Step, _ underlying: SQLiteError? = nil) {
    self.step = step
    self.underlying = underlying
  }
}

extension StorageFailure: CustomStringConvertible {
  package var description: String {
    switch step {
    case .log: "appending to the lanes failed"
    case .state: "changing the rows failed"
    case .checkpoint: "moving a write-ahead log into its database failed"
    case .meta: "storing a named value failed"
    case .closed: "storage is closed"
    }
  }
}
