internal import Records
internal import Wire

/// Why what the storage held is not a control log that this member could have written.
///
/// The node must not take part under this name any more: what it promised is not known.
package struct RaftRecoveryFault: Error, Hashable, Sendable {
  /// What does not fit.
  package enum Reason: UInt8, Hashable, Sendable {
    /// Entries are missing between others, or between the snapshot and the first one.
    case gap = 0
    /// Terms fall, or an entry is of a later term than the member knew.
    case terms = 1
    /// The log ends before what was known to be committed.
    case short = 2
    /// The snapshot's entry is of another term than the log's.
    case snapshot = 3
    /// An entry names no configuration although it should.
    case configuration = 4
  }

  /// What does not fit.
  package let reason: Reason
  /// Where.
  package let index: UInt64
}

extension RaftRecoveryFault: CustomStringConvertible {
  package var description: String { "recovering the control log: \(reason) at \(index)" }
}

/// A log and its configurations, made of what storage held.
struct RecoveredLog {
  let log: RaftLog
  let configurations: ConfigurationHistory

  init(
    _ recovery: ControlRecovery, bootstrap: RaftConfiguration?
  ) throws(RaftRecoveryFault) {
    let head = recovery.snapshot?.head
    let (snapshotIndex, snapshotTerm) = (head?.index ?? 0, head?.term ?? 0)
    var log = RaftLog(baseIndex: snapshotIndex, baseTerm: snapshotTerm)
    var stored = recovery.entries[...]
    if let last = stored.last, last.index > snapshotIndex, let first = stored.first {
      guard first.index <= snapshotIndex + 1 else {
        throw RaftRecoveryFault(reason: .gap, index: first.index)
      }
      if first.index == 1 {
        log.reset(index: 0, term: 0)
      } else if first.index <= snapshotIndex {
        // The term before the first entry is not stored, so it serves as what stands before.
        log.reset(index: first.index, term: first.term)
        stored = stored.dropFirst()
      }
      try RecoveredLog.check(stored, behind: log, termMax: recovery.hardState.term)
      log.append(contentsOf: stored)
    }
    guard log.term(at: snapshotIndex) == snapshotTerm else {
      throw RaftRecoveryFault(reason: .snapshot, index: snapshotIndex)
    }
    guard log.lastTerm <= recovery.hardState.term else {
      throw RaftRecoveryFault(reason: .terms, index: log.lastIndex)
    }
    guard recovery.hardState.commit <= log.lastIndex else {
      throw RaftRecoveryFault(reason: .short, index: recovery.hardState.commit)
    }
    var history = ConfigurationHistory(
      index: snapshotIndex, head?.configuration ?? bootstrap ?? RaftConfiguration())
    for entry in log.entries where entry.kind == .configuration && entry.index > snapshotIndex {
      guard let configuration = try? RaftConfiguration(decoding: entry.payload) else {
        // Why it does not decode does not matter: this member had decoded it before it wrote it.
        throw RaftRecoveryFault(reason: .configuration, index: entry.index)
      }
      history.append(configuration, at: entry.index)
    }
    self.log = log
    configurations = history
  }

  private static func check(
    _ entries: ArraySlice<RaftEntry>, behind log: RaftLog, termMax: UInt64
  ) throws(RaftRecoveryFault) {
    var (index, term) = (log.lastIndex, log.lastTerm)
    for entry in entries {
      guard entry.index == index + 1 else {
        throw RaftRecoveryFault(reason: .gap, index: entry.index)
      }
      guard entry.term >= term, entry.term <= termMax else {
        throw RaftRecoveryFault(reason: .terms, index: entry.index)
      }
      (index, term) = (entry.index, entry.term)
    }
  }
}
