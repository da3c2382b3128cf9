import RaftCore
import Records

/// A disk that loses what was not yet synced when its node crashes.
struct Disk {
  /// What survives a crash for sure.
  private(set) var recovery: ControlRecovery
  /// Writes under way, oldest first.
  private var pending: [RaftWrite] = []

  init(life: UInt64 = 0) {
    recovery = ControlRecovery(life: life)
  }

  /// A disk that holds something already.
  init(_ recovery: ControlRecovery) {
    self.recovery = recovery
  }

  mutating func begin(_ write: RaftWrite) {
    pending.append(write)
  }

  /// Carries out everything up to a write.
  mutating func sync(through sequence: UInt64) {
    while let first = pending.first, first.sequence <= sequence {
      Disk.carryOut(first, on: &recovery)
      pending.removeFirst()
    }
  }

  /// Forgets what is under way, but for the first `survivors`: they came through, unreported.
  mutating func crash(survivors: Int) {
    for write in pending.prefix(survivors) { Disk.carryOut(write, on: &recovery) }
    pending.removeAll()
  }

  var pendingCount: Int { pending.count }

  var lastIndex: UInt64 {
    max(recovery.entries.last?.index ?? 0, recovery.snapshot?.head.index ?? 0)
  }

  /// Whether an entry is durable, as such or in a snapshot.
  func holds(_ index: UInt64, term: UInt64) -> Bool {
    if let snapshot = recovery.snapshot, index <= snapshot.head.index { return true }
    guard let first = recovery.entries.first, index >= first.index,
      index - first.index < UInt64(recovery.entries.count)
    else { return false }
    return recovery.entries[Int(index - first.index)].term == term
  }

  private static func carryOut(_ write: RaftWrite, on recovery: inout ControlRecovery) {
    var step = ControlWrite(sequence: write.sequence)
    write.fill(&step)
    if let hardState = step.hardState { recovery.hardState = hardState }
    if let installed = step.installedSnapshot {
      recovery.snapshot = installed
      recovery.entries.removeAll()
    }
    if let first = step.entries.first {
      recovery.entries.removeAll { $0.index >= first.index }
      recovery.entries.append(contentsOf: step.entries)
    }
    if let taken = step.takenSnapshot { recovery.snapshot = taken }
    if let through = step.compactedThrough {
      recovery.entries.removeAll { $0.index <= through }
    }
  }
}
