internal import Records

/// What the owner and the thread that writes share.
struct StepQueue: Sendable {
  /// How far storage's life has come.
  enum Phase: Sendable {
    /// Steps are taken.
    case open
    /// No more steps are taken; those that wait are written.
    case draining
    /// Nothing is written any more.
    case stopped
  }

  private(set) var steps: [ControlWrite] = []
  private(set) var byteCount = 0
  var phase = Phase.open
  /// The sequence of the last step that was taken.
  private(set) var lastSequence: UInt64 = 0
  /// Everything up to this sequence is durable.
  var durableSequence: UInt64 = 0
  var failure: ControlStorageFailure?
  var statistics = ControlStorageStatistics()

  /// Adds a step, which must follow the last one.
  mutating func add(_ step: ControlWrite) {
    precondition(
      step.sequence > lastSequence, "step \(step.sequence) follows \(lastSequence)")
    lastSequence = step.sequence
    byteCount += step.byteCount
    steps.append(step)
  }

  /// Takes out everything.
  mutating func takeAll() -> [ControlWrite] {
    defer {
      steps = []
      byteCount = 0
    }
    return steps
  }
}

extension ControlWrite {
  /// What the step takes of the queue, in bytes.
  fileprivate var byteCount: Int {
    let snapshots = [installedSnapshot, takenSnapshot].compactMap { $0?.head.byteCount }
    return entries.reduce(64) { $0 + $1.byteCount } + snapshots.reduce(0) { $0 + Int($1) }
  }
}

/// What control storage has done since it was opened, and what it holds.
package struct ControlStorageStatistics: Hashable, Sendable {
  /// Steps that wait.
  package internal(set) var queuedSteps = 0
  /// Bytes that wait.
  package internal(set) var queuedBytes = 0
  /// Steps that were refused because too much waited.
  package internal(set) var refusals: UInt64 = 0
  /// Groups written.
  package internal(set) var groups: UInt64 = 0
  /// Steps made durable.
  package internal(set) var steps: UInt64 = 0
  /// Times the disk was waited for.
  package internal(set) var syncs: UInt64 = 0
  /// How long the last time took, in nanoseconds.
  package internal(set) var lastSyncNanoseconds: UInt64 = 0
  /// How long the longest took, in nanoseconds.
  package internal(set) var longestSyncNanoseconds: UInt64 = 0
  /// How long all took together, in nanoseconds.
  package internal(set) var syncNanoseconds: UInt64 = 0
  /// Bytes of the log's segments on disk.
  package internal(set) var logBytes = 0
  /// The log's segments.
  package internal(set) var segments = 0
  /// Bytes of the stored snapshot's file.
  package internal(set) var snapshotBytes = 0

  /// Copies what the disk knows.
  mutating func observe(_ disk: ControlDisk) {
    syncs = disk.meter.count
    lastSyncNanoseconds = disk.meter.lastNanoseconds
    longestSyncNanoseconds = disk.meter.longestNanoseconds
    syncNanoseconds = disk.meter.totalNanoseconds
    logBytes = disk.log.byteCount
    segments = disk.log.segmentCount
    snapshotBytes = disk.snapshotBytes
  }
}
