/// An operation that changes files of a control log, about to be carried out.
package enum FileOperation: Hashable, Sendable {
  /// A file is made or opened for writing.
  case open(file: String)
  /// Room is reserved.
  case reserve(file: String, byteCount: Int)
  /// Bytes are written; `isDurable` when they are on the disk when the write returns.
  case write(file: String, offset: Int, byteCount: Int, isDurable: Bool)
  /// What was written before is made durable.
  case sync(file: String)
  /// A file gets its final name.
  case rename(from: String, to: String)
  /// A file is removed.
  case remove(file: String)
  /// The names in the directory are made durable.
  case syncDirectory
}

/// Stands between control storage and the operating system, to fail operations where a test wants
/// it, or to look at the files as a crash at that moment would leave them.
package struct FileInterception: Sendable {
  /// What becomes of an operation.
  package enum Verdict: Hashable, Sendable {
    /// It is carried out.
    case proceed
    /// It is not, and fails with an error number.
    case fail(code: Int32)
    /// Only the first bytes are written, then it fails with an error number.
    case tear(byteCount: Int, code: Int32)
  }

  /// Decides before each operation, on the thread that does it.
  package let decide: @Sendable (FileOperation) -> Verdict

  /// Takes the function that decides.
  package init(_ decide: @escaping @Sendable (FileOperation) -> Verdict) {
    self.decide = decide
  }
}
