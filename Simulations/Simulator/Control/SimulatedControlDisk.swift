internal import Primitives
internal import Records

/// The disk of one node's control log: steps are durable in order, a group at a time.
///
/// Like the node's control storage: of the group that a crash interrupts a prefix survives, and of
/// the step at its end a prefix of its parts, in the order in which `ControlWrite` declares them.
struct SimulatedControlDisk {
  /// The member of the control log whose disk it is.
  private(set) var member: RaftMember

  // Durable.
  private(set) var recovery: ControlRecovery

  // Lost in a crash.
  private(set) var queued: [ControlWrite] = []
  private(set) var inFlight: [ControlWrite] = []

  init(_ member: RaftMember) {
    self.member = member
    recovery = ControlRecovery(life: member.life)
  }

  /// The last entry that is durable.
  var lastIndex: UInt64 { recovery.entries.last?.index ?? recovery.snapshot?.head.index ?? 0 }

  /// The durable entry at an index.
  func entry(_ index: UInt64) -> RaftEntry? {
    guard let first = recovery.entries.first, index >= first.index, index <= lastIndex else {
      return nil
    }
    return recovery.entries[Int(index - first.index)]
  }

  /// Whether an entry is durable, by itself or as part of a snapshot.
  func holds(_ entry: RaftEntry) -> Bool {
    if let head = recovery.snapshot?.head, head.index >= entry.index { return true }
    return self.entry(entry.index) == entry
  }

  /// Takes a step; true when the disk was idle and a group is to be started.
  mutating func submit(_ write: ControlWrite) -> Bool {
    queued.append(write)
    return inFlight.isEmpty
  }

  /// Starts a commit of everything queued; false when there is nothing.
  mutating func startGroup() -> Bool {
    precondition(inFlight.isEmpty, "a group is started while one is under way")
    guard !queued.isEmpty else { return false }
    swap(&queued, &inFlight)
    return true
  }

  /// Ends the commit: the group is durable. Returns the number of its last step.
  mutating func finishGroup() -> UInt64 {
    guard let last = inFlight.last else { preconditionFailure("no group is under way") }
    // Swapped out, so that the disk is not copied while it is written.
    var group: [ControlWrite] = []
    swap(&group, &inFlight)
    for write in group { store(write, parts: .max, entries: .max) }
    group.removeAll(keepingCapacity: true)
    swap(&group, &inFlight)
    return last.sequence
  }

  /// Loses what was not synced; true when a step was torn.
  mutating func crash(_ random: inout Xoshiro256) -> Bool {
    let kept = random.next(below: inFlight.count + 1)
    for write in inFlight.prefix(kept) { store(write, parts: .max, entries: .max) }
    var isTorn = false
    if kept < inFlight.count {
      let write = inFlight[kept]
      let parts = random.next(below: 4)
      let entries = random.next(below: write.entries.count + 1)
      isTorn = parts > 0
      store(write, parts: parts, entries: entries)
    }
    inFlight.removeAll()
    queued.removeAll()
    return isTorn
  }

  /// Loses everything and begins another life.
  mutating func wipe(life: UInt64) {
    self = SimulatedControlDisk(RaftMember(node: member.node, life: life))
  }

  private mutating func store(_ write: ControlWrite, parts: Int, entries: Int) {
    guard parts > 0 else { return }
    if let incarnation = write.incarnation { recovery.incarnation = incarnation }
    if let hardState = write.hardState { recovery.hardState = hardState }
    guard parts > 1 else { return }
    if let snapshot = write.installedSnapshot {
      recovery.snapshot = snapshot
      recovery.entries.removeAll()
    }
    guard parts > 2 else { return }
    append(write.entries.prefix(entries))
    guard parts > 3 else { return }
    if let snapshot = write.takenSnapshot { recovery.snapshot = snapshot }
    if let index = write.compactedThrough {
      recovery.entries.removeAll { $0.index <= index }
    }
  }

  private mutating func append(_ entries: some Collection<RaftEntry>) {
    guard let first = entries.first else { return }
    while let last = recovery.entries.last, last.index >= first.index {
      recovery.entries.removeLast()
    }
    recovery.entries.append(contentsOf: entries)
  }
}
