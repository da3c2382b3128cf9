package import Records

/// What an offline check of a control log's directory found.
package struct ControlStorageReport: Hashable, Sendable {
  /// Whether no control log was ever begun there.
  package internal(set) var isNew = false
  /// The life of the log.
  package internal(set) var life: UInt64?
  /// The last incarnation that may have been announced.
  package internal(set) var incarnation: UInt64 = 0
  /// Term, vote and commit.
  package internal(set) var hardState = RaftHardState()
  /// What the snapshot is, if there is one.
  package internal(set) var snapshot: RaftSnapshotHead?
  /// The indexes of the entries that are held.
  package internal(set) var entries: ClosedRange<UInt64>?
  /// The term of the first and of the last entry.
  package internal(set) var terms: ClosedRange<UInt64>?
  /// The log's segments, with one that is prepared.
  package internal(set) var segments = 0
  /// A write that a crash has torn and that the next opening drops: no damage.
  package internal(set) var tornWrite: ControlDamage?
  /// What is wrong; empty when a node can start from the directory.
  package internal(set) var damages: [ControlDamage] = []
}

extension ControlStorage {
  /// Checks a directory without changing it: a copy, or that of a node that does not run.
  package static func inspect(
    _ directory: String
  ) throws(ControlStorageFailure) -> ControlStorageReport {
    let scan = try DirectoryScan(Directory(directory))
    var report = ControlStorageReport()
    report.isNew = scan.isNew
    report.damages = scan.damages
    report.snapshot = scan.snapshot?.snapshot.head
    if let slot = scan.slots?.newest {
      report.life = slot.life
      report.incarnation = slot.incarnation
      report.hardState = scan.recovery?.hardState ?? slot.state
    }
    guard let log = scan.log else { return report }
    report.segments = log.segments.count
    if let first = log.entries.first, let last = log.entries.last {
      report.entries = first.index...last.index
      report.terms = min(first.term, last.term)...max(first.term, last.term)
    }
    if let torn = log.torn, log.damage == nil {
      report.tornWrite = ControlDamage(torn.file, at: torn.end, "a torn write")
    } else if let slots = scan.slots, slots.other == nil, scan.damages.isEmpty {
      report.tornWrite = ControlDamage(HardStateSlot.file, "a torn slot")
    }
    return report
  }
}
