package import BFTCore
package import Primitives

/// Where a simulated crash strikes a step of the journal.
package enum CrashPoint: String, CaseIterable, Sendable {
  /// Before the disk has the step.
  case beforeJournal
  /// The step is durable, and nothing that waits for it has left.
  case afterJournal
  /// The votes have left.
  case afterSend
}

/// A disk that keeps steps in order, and of those that are not durable may lose any tail.
package struct JournalDisk: Sendable {
  private(set) var durable: [[UInt8]] = []
  private var pending: [JournalStep] = []

  /// An empty disk.
  package init() {}

  /// What a start finds.
  package var records: [[UInt8]] { durable }

  /// Takes a step; it is durable only after `sync`.
  package mutating func write(_ step: JournalStep) {
    pending.append(step)
  }

  /// Makes every step up to one durable.
  package mutating func sync(through sequence: UInt64) {
    while let step = pending.first, step.sequence <= sequence {
      keep(step.records, replacing: step.isCheckpoint)
      pending.removeFirst()
    }
  }

  /// Loses power: some of the unsynced steps survive whole, and one more may be torn: its first
  /// records survive, as the checks over each record let a reader find.
  package mutating func crash(_ random: inout Xoshiro256) {
    let survivors = random.next(below: pending.count + 1)
    for step in pending.prefix(survivors) { keep(step.records, replacing: step.isCheckpoint) }
    if survivors < pending.count, !pending[survivors].isCheckpoint {
      let records = pending[survivors].records
      keep(Array(records.prefix(random.next(below: records.count + 1))), replacing: false)
    }
    pending.removeAll()
  }

  /// Keeps every unsynced step but the last, and of that the first records.
  mutating func tear(keeping count: Int) {
    guard let last = pending.popLast() else { return }
    for step in pending { keep(step.records, replacing: step.isCheckpoint) }
    pending.removeAll()
    if !last.isCheckpoint { keep(Array(last.records.prefix(count)), replacing: false) }
  }

  /// Loses power before any unsynced step reached the disk.
  package mutating func loseUnsynced() {
    pending.removeAll()
  }

  /// Everything is gone.
  package mutating func wipe() {
    durable.removeAll()
    pending.removeAll()
  }

  private mutating func keep(_ records: [[UInt8]], replacing: Bool) {
    if replacing { durable.removeAll() }
    durable.append(contentsOf: records)
  }
}
