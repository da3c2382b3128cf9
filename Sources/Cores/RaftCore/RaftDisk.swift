internal import Records

/// What this member's disk holds, is about to hold, and is yet to be told.
///
/// Writes are carried out in order. A write under way may hold entries that a later one replaces:
/// those never count as durable, whatever comes to stand in their place.
struct RaftDisk: Sendable {
  private struct InFlight: Sendable {
    let sequence: UInt64
    let term: UInt64
    let vote: RaftID?
    /// Entries through this one are durable with the write; lowered when the log is truncated.
    var lastIndex: UInt64
    let isInstall: Bool
  }

  /// The next write.
  private(set) var sequence: UInt64 = 1
  private var inFlight: [InFlight] = []
  /// Everything up to here is durable and will stay.
  private(set) var persistedIndex: UInt64
  /// What is durable of the promises.
  private(set) var term: UInt64
  private(set) var vote: RaftID?
  /// The promises as last handed out.
  private var handedTerm: UInt64
  private var handedVote: RaftID?
  /// Entries up to here were handed out.
  private(set) var handedIndex: UInt64

  /// A received snapshot, a snapshot of its own, and a compaction that are yet to be handed out.
  var installed: RaftSnapshot?
  var taken: RaftSnapshot?
  var compacted: UInt64?

  init(_ state: RaftHardState, lastIndex: UInt64) {
    (term, handedTerm) = (state.term, state.term)
    (vote, handedVote) = (state.vote, state.vote)
    (persistedIndex, handedIndex) = (lastIndex, lastIndex)
  }

  /// Whether a received snapshot is not yet durable: until then the log begins in the air.
  var isInstalling: Bool { installed != nil || inFlight.contains(where: \.isInstall) }

  /// How many writes are under way.
  var inFlightCount: Int { inFlight.count }

  /// Takes note that entries behind `index` are void.
  mutating func truncate(after index: UInt64) {
    persistedIndex = min(persistedIndex, index)
    handedIndex = min(handedIndex, index)
    for place in inFlight.indices {
      inFlight[place].lastIndex = min(inFlight[place].lastIndex, index)
    }
  }

  /// Takes note that the log begins anew behind a received snapshot.
  mutating func install(_ snapshot: RaftSnapshot) {
    truncate(after: 0)
    handedIndex = snapshot.head.index
    installed = snapshot
    taken = nil
    compacted = nil
  }

  /// The next write, if there is something to write.
  mutating func nextWrite(term: UInt64, vote: RaftID?, commit: UInt64, log: RaftLog) -> RaftWrite? {
    var write = RaftWrite(sequence: sequence)
    let isPromise = term != handedTerm || vote != handedVote
    write.installedSnapshot = installed
    if handedIndex < log.lastIndex {
      write.entries = Array(log.slice(handedIndex + 1, log.lastIndex))
    }
    write.takenSnapshot = taken
    write.compactedThrough = compacted
    if isPromise || !write.isEmpty {
      // Only what is already durable may be called committed: the parts of a step can be torn.
      write.hardState = RaftHardState(
        term: term, vote: vote, commit: min(commit, persistedIndex))
    }
    guard !write.isEmpty else { return nil }
    inFlight.append(
      InFlight(
        sequence: sequence, term: term, vote: vote, lastIndex: log.lastIndex,
        isInstall: installed != nil))
    sequence += 1
    (handedTerm, handedVote, handedIndex) = (term, vote, log.lastIndex)
    (installed, taken, compacted) = (nil, nil, nil)
    return write
  }

  /// Takes note that every write up to one is durable.
  mutating func markPersisted(through last: UInt64) {
    precondition(last < sequence, "R2: write \(last) is durable before write \(sequence) is made")
    while let first = inFlight.first, first.sequence <= last {
      inFlight.removeFirst()
      (term, vote) = (first.term, first.vote)
      persistedIndex = max(persistedIndex, first.lastIndex)
    }
  }
}
