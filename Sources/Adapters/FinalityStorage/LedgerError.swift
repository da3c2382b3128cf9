internal import Primitives
package import Records
package import SQLiteStorage

/// Why the ledger's database could not be opened or used.
package struct LedgerError: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// Another process holds the directory; `nil` when it did not say which.
    case locked(processIdentifier: Int32?)
    /// The file was written by a newer program.
    case newerVersion(found: Int64, known: Int64)
    /// The file is that of another chain.
    case otherChain(found: ChainID)
    /// The file is not what was written. It can be set aside and rebuilt from blocks of others.
    case damaged([LedgerFinding])
    /// The operating system refused an operation.
    case system(code: Int32, operation: String)
    /// SQLite failed for another reason: a full disk, an I/O error.
    case database(SQLiteError)
    /// An earlier commit failed: nobody knows what the disk holds before the file is opened anew.
    case stopped
  }

  /// What is wrong.
  package let reason: Reason
  /// The directory.
  package let directory: String

  init(_ reason: Reason, directory: String) {
    self.reason = reason
    self.directory = directory
  }

  /// Whether setting the file aside and building it anew is the way on.
  package var isDamage: Bool {
    switch reason {
    case .damaged: true
    case .locked, .newerVersion, .otherChain, .system, .database, .stopped: false
    }
  }
}

extension LedgerError: CustomStringConvertible {
  /// What is wrong and what to do about it.
  package var description: String {
    switch reason {
    case .locked(let holder):
      let name = holder.map { "process \($0)" } ?? "another process"
      return "\(directory) is in use by \(name); stop it first"
    case .newerVersion(let found, let known):
      return """
        \(directory)/ledger.db has version \(found) but this program knows up to \(known); start \
        the newer program
        """
    case .otherChain(let found):
      return """
        \(directory)/ledger.db is that of chain \(found.digest.short); give every chain a \
        directory of its own
        """
    case .damaged(let findings):
      let list = findings.map(\.description).joined(separator: "; ")
      return "\(directory)/ledger.db is damaged (\(list)); it is set aside and rebuilt"
    case .system(let code, let operation):
      return "\(directory): could not \(operation), error \(code)"
    case .database(let error):
      return "\(directory)/ledger.db: \(error)"
    case .stopped:
      return "\(directory)/ledger.db failed before; start the node again"
    }
  }
}

extension LedgerError {
  /// What SQLite's answer means.
  init(_ error: SQLiteError, directory: String) {
    let finding = LedgerFinding("database", error.context, error.message)
    self.init(
      error.isCorruption ? .damaged([finding]) : .database(error), directory: directory)
  }
}
