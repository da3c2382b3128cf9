internal import Records

/// The files of a control log, as the one thread that writes holds them.
///
/// Invariants:
/// - D1: a term is durable before any entry of it.
/// - D2: what the files say is committed is in them too, in entries or a snapshot.
/// - D3: a slot of the hard state names the last frame before it, a frame the last slot before it:
///   what either file has lost at its end shows in the other.
/// - D4: a file gets its final name when it is whole and durable.
struct ControlDisk: Sendable {
  private let directory: Directory
  private let life: UInt64
  private let buffer: AlignedBuffer
  private var hard: HardStateFile
  private(set) var log: LogWriter
  /// Frames up to this one do not count.
  private var voidFrames: UInt64
  /// What the stored snapshot reflects; zero when there is none.
  private var snapshotIndex: UInt64
  private(set) var snapshotBytes: Int
  /// The newest commit that the owner named.
  private var commit: UInt64
  /// How long the disk took.
  private(set) var meter = SyncMeter()

  /// Opens what a scan has found sound; `recovery` is what it led to.
  init(
    _ directory: Directory, _ scan: DirectoryScan, _ slots: FoundSlots, log found: LogScan,
    _ recovery: ControlRecovery, segmentBytes: Int
  ) throws(ControlStorageFailure) {
    self.directory = directory
    life = slots.newest.life
    buffer = AlignedBuffer(byteCount: Frame.byteCountMax)
    voidFrames = scan.snapshot?.voidFrames ?? 0
    snapshotIndex = scan.snapshot?.index ?? 0
    snapshotBytes = scan.snapshotBytes
    commit = recovery.hardState.commit
    hard = try HardStateFile(directory, buffer, slots)
    log = try LogWriter(
      directory, found, life: life, segmentBytes: segmentBytes,
      lastIndex: recovery.entries.last?.index ?? snapshotIndex, buffer)
    for name in scan.obsolete { try directory.remove(name) }
    // Names that a killed process has given may not be durable yet.
    try directory.sync()
  }

  /// Carries out the steps of a run; all of it is durable when this returns.
  mutating func write(_ run: WriteRun) throws(ControlStorageFailure) {
    try writeHardState(run)
    if let snapshot = run.installedSnapshot { try install(snapshot) }
    if let first = run.entries.first, let last = run.entries.last {
      precondition(
        first.index > max(commit, snapshotIndex),
        "entry \(first.index) is committed and cannot be replaced")
      precondition(
        last.term <= hard.slot.state.term,
        "D1: an entry of term \(last.term) in term \(hard.slot.state.term)")
      let newCommit = max(commit, run.hardState?.commit ?? 0)
      try log.append(run.entries, hardCounter: hard.slot.counter, commit: newCommit, &meter)
    }
    commit = max(commit, run.hardState?.commit ?? 0)
    if let snapshot = run.takenSnapshot { try take(snapshot) }
    if let through = run.compactedThrough { try log.drop(through: min(through, snapshotIndex)) }
  }

  /// Writes a slot when term, vote or incarnation changed. A commit alone waits for the next write:
  /// it may lag behind (`RaftHardState`), and each would cost a sync.
  private mutating func writeHardState(_ run: WriteRun) throws(ControlStorageFailure) {
    let old = hard.slot
    let new = run.hardState ?? old.state
    precondition(new.term >= old.state.term, "term \(new.term) after \(old.state.term)")
    precondition(
      new.term > old.state.term || old.state.vote == nil || new.vote == old.state.vote,
      "a second vote in term \(new.term)")
    let incarnation = max(run.incarnation ?? 0, old.incarnation)
    let isChanged =
      new.term != old.state.term || new.vote != old.state.vote || incarnation != old.incarnation
    guard isChanged else { return }
    try writeSlot { slot in
      slot.incarnation = incarnation
      slot.state.term = new.term
      slot.state.vote = new.vote
    }
  }

  /// Writes a slot with the commit of the steps before. That of this run may be about entries that
  /// are not written yet, in the place of which others may still stand: they would be taken for
  /// committed.
  private mutating func writeSlot(
    _ change: (inout HardStateSlot) -> Void
  ) throws(ControlStorageFailure) {
    let (commit, frame) = (min(commit, log.lastIndex), log.lastFrame)
    try hard.write(
      { slot in
        slot.state.commit = max(slot.state.commit, commit)
        slot.durableFrame = frame
        change(&slot)
      }, &meter)
  }

  /// Puts a leader's snapshot in the place of everything. The moment is the renaming of its file,
  /// which says how many frames it makes void.
  private mutating func install(_ snapshot: RaftSnapshot) throws(ControlStorageFailure) {
    precondition(
      snapshot.head.index >= snapshotIndex,
      "a snapshot of \(snapshot.head.index) after \(snapshotIndex)")
    voidFrames = log.lastFrame
    try store(snapshot)
    try log.voidEntries(before: snapshot.head.index)
  }

  /// Stores a snapshot that this node made; the log stays.
  private mutating func take(_ snapshot: RaftSnapshot) throws(ControlStorageFailure) {
    precondition(
      snapshot.head.index <= log.lastIndex,
      "a snapshot of \(snapshot.head.index) while the log ends at \(log.lastIndex)")
    guard snapshot.head.index > snapshotIndex else { return }
    try store(snapshot)
  }

  private mutating func store(_ snapshot: RaftSnapshot) throws(ControlStorageFailure) {
    let file = SnapshotFile(life: life, voidFrames: voidFrames, snapshot: snapshot)
    snapshotBytes = try meter.measure { () throws(ControlStorageFailure) in
      try file.write(in: directory, buffer)
    }
    if snapshotIndex > 0 && snapshotIndex != file.index {
      try directory.remove(SnapshotFile.file(snapshotIndex))
    }
    snapshotIndex = file.index
  }

  /// Whether there is something to do while no step waits.
  var hasIdleWork: Bool { !hard.isMirrored || log.wantsPreparation }

  /// Does one such thing: a second copy of the newest slot before everything else, then a step of
  /// preparing the next segment.
  mutating func idle() throws(ControlStorageFailure) {
    if hard.isMirrored {
      try log.prepare()
    } else {
      try hard.mirror(&meter)
    }
  }

  /// Does a step of preparing the next segment if it must not wait for an idle moment.
  mutating func prepareInTime() throws(ControlStorageFailure) {
    if log.needsPreparation { try log.prepare() }
  }

  /// Writes last slots, so that the next opening knows how far the log went.
  mutating func finish() throws(ControlStorageFailure) {
    let slot = hard.slot
    let reached = min(commit, log.lastIndex)
    if slot.durableFrame != log.lastFrame || slot.state.commit < reached {
      try writeSlot { _ in }
    }
    if !hard.isMirrored { try hard.mirror(&meter) }
  }
}
