/// What is wrong with a file of a control log.
package struct ControlDamage: Hashable, Sendable {
  /// The file's name in the directory.
  package let file: String
  /// Where in the file, in bytes.
  package let offset: UInt64
  /// What was found there.
  package let finding: String

  init(_ file: String, at offset: Int = 0, _ finding: String) {
    self.file = file
    self.offset = UInt64(offset)
    self.finding = finding
  }
}

extension ControlDamage: CustomStringConvertible {
  package var description: String { "\(file) at byte \(offset): \(finding)" }
}

/// An operation that the operating system refused. When it happens while storage runs, storage has
/// stopped: the owner must stop too and open the directory anew.
package struct ControlStorageFailure: Error, Hashable, Sendable {
  /// What was tried.
  package let operation: String
  /// The name of the file, or the directory.
  package let file: String
  /// The error number; zero when storage had been closed.
  package let code: Int32

  /// Describes an operation that failed.
  package init(_ operation: String, _ file: String, code: Int32) {
    self.operation = operation
    self.file = file
    self.code = code
  }

  static let closed = ControlStorageFailure("use", "closed storage", code: 0)
}

extension ControlStorageFailure: CustomStringConvertible {
  package var description: String { "could not \(operation) \(file), error \(code)" }
}

/// Why the directory of a control log could not be opened; nothing durable was changed in it.
package struct OpenControlStorageError: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// Another process holds the directory; `nil` when it did not say which.
    case locked(processIdentifier: Int32?)
    /// Something that was durable is gone or changed.
    case damaged([ControlDamage])
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

extension OpenControlStorageError: CustomStringConvertible {
  package var description: String {
    switch reason {
    case .locked(let holder):
      let name = holder.map { "process \($0)" } ?? "another process"
      return "\(directory) is in use by \(name); stop it first"
    case .damaged(let damages):
      let list = damages.map(\.description).joined(separator: "; ")
      return """
        \(directory) is damaged (\(list)); move the directory away and start the node again: it \
        joins the control log under a new life; never start a copy of the old files, a node that \
        forgot its vote can elect two leaders
        """
    case .system(let failure):
      return "\(directory): \(failure)"
    }
  }
}
