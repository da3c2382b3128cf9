/// A database that was found damaged: what has to be repaired before the node may go on.
package struct StorageDamage: Error, Hashable, Sendable {
  /// Findings that are kept.
  package static let findingsMax = 20

  /// The database.
  package let file: DatabaseFile
  /// What was found, at most `findingsMax` of it.
  package let findings: [String]

  /// Names a damage.
  package init(_ file: DatabaseFile, _ findings: [String]) {
    self.file = file
    self.findings = Array(findings.prefix(StorageDamage.findingsMax))
  }

  /// The damage that an error shows; `nil` when the disk, the caller or another file is at fault.
  package init?(_ error: any Error) {
    switch error {
    case let error as StoredValueError: self.init(.log, ["\(error)"])
    case let error as SQLiteError where error.isCorruption:
      guard let file = DatabaseFile.allCases.first(where: { error.path.hasSuffix("/\($0.name)") })
      else { return nil }
      self.init(file, ["\(error)"])
    // open set: errors of works that readers carry out, which only their owner knows
    default: return nil
    }
  }
}

extension StorageDamage: CustomStringConvertible {
  package var description: String { "\(file.name) is damaged: \(findings.joined(separator: "; "))" }
}

extension OpenStorageError {
  /// The damage that keeps a directory from being opened; `nil` when something else does.
  package var damage: StorageDamage? {
    switch reason {
    case .logCorrupt(let findings): StorageDamage(.log, findings)
    case .logBehindState: StorageDamage(.log, [description])
    case .database: underlying.flatMap { StorageDamage($0) }
    // Rows below a base cannot be made again from what is held.
    case .locked, .newerVersion, .rowsLost, .system: nil
    }
  }
}

extension StorageFailure {
  /// The damage that a failed step shows; `nil` when the disk or the caller is at fault.
  package var damage: StorageDamage? { underlying.flatMap { StorageDamage($0) } }
}
