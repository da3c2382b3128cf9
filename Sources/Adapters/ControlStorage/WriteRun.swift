internal import Records

/// Steps that are carried out as one.
///
/// The newest hard state comes first, so that a term is durable before any entry of it; entries
/// that a later step makes void are not written at all. None of the steps is reported before all of
/// it is durable, so what a crash leaves is what it could have left of the steps one by one, except
/// that term and vote may be newer: a promise that nobody was told of.
struct WriteRun: Sendable {
  private(set) var lastSequence: UInt64 = 0
  private(set) var stepCount = 0
  private(set) var incarnation: UInt64?
  private(set) var hardState: RaftHardState?
  private(set) var installedSnapshot: RaftSnapshot?
  private(set) var entries: [RaftEntry] = []
  private(set) var takenSnapshot: RaftSnapshot?
  private(set) var compactedThrough: UInt64?

  /// Splits steps where order between kinds counts: an installed snapshot begins a run, and a step
  /// with one that was taken is a run by itself, so that nothing waits for a snapshot but what
  /// comes after it.
  static func split(_ steps: [ControlWrite]) -> [WriteRun] {
    var runs: [WriteRun] = []
    for step in steps {
      let continues = runs.last.map { $0.takenSnapshot == nil } ?? false
      let isPlain = step.installedSnapshot == nil && step.takenSnapshot == nil
      if !continues || !isPlain { runs.append(WriteRun()) }
      runs[runs.count - 1].add(step)
    }
    return runs
  }

  private mutating func add(_ step: ControlWrite) {
    lastSequence = step.sequence
    stepCount += 1
    incarnation = step.incarnation ?? incarnation
    hardState = step.hardState ?? hardState
    installedSnapshot = step.installedSnapshot ?? installedSnapshot
    takenSnapshot = step.takenSnapshot
    if let through = step.compactedThrough {
      compactedThrough = max(through, compactedThrough ?? 0)
    }
    if let first = step.entries.first?.index, let last = entries.last?.index {
      precondition(
        first <= last + 1, "step \(step.sequence): entry \(first) does not follow \(last)")
    }
    entries.replaceSuffix(with: step.entries)
  }
}
