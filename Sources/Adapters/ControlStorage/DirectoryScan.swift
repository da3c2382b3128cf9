internal import Records

/// What the files of a control log hold, read without changing any.
struct DirectoryScan: Sendable {
  /// Whether no control log was ever begun here.
  private(set) var isNew = false
  /// The slots of the hard state; `nil` when both are torn.
  private(set) var slots: FoundSlots?
  private(set) var snapshot: SnapshotFile?
  private(set) var snapshotBytes = 0
  private(set) var log: LogScan?
  /// Files that are not needed: unfinished ones and older snapshots.
  private(set) var obsolete: [String] = []
  private(set) var damages: [ControlDamage] = []

  /// Reads a directory.
  init(_ directory: Directory) throws(ControlStorageFailure) {
    let names = try directory.names()
    let segments = names.compactMap(SegmentHeader.number(of:))
    let snapshots = names.compactMap(SnapshotFile.index(of:))
    obsolete = names.filter { $0.hasSuffix(FileName.unfinished) }
    obsolete += snapshots.dropLast().map(SnapshotFile.file)
    guard names.contains(HardStateSlot.file) else {
      isNew = segments.isEmpty && snapshots.isEmpty
      if !isNew {
        damages.append(ControlDamage(HardStateSlot.file, "is missing, but a log is there"))
      }
      return
    }
    readSlots(try directory.read(HardStateSlot.file))
    guard let slot = slots?.newest else { return }
    if let index = snapshots.last {
      readSnapshot(index, try directory.read(SnapshotFile.file(index)), slot.life)
    }
    var log = LogScan(life: slot.life, voidFrames: snapshot?.voidFrames ?? 0)
    for number in segments {
      log.add(number, try directory.read(SegmentHeader.file(number)))
    }
    self.log = log
    if let damage = log.damage {
      damages.append(damage)
    } else if damages.isEmpty {
      compare(slot, log)
    }
  }

  /// What a node starts from; `nil` when the directory is new or damaged.
  var recovery: ControlRecovery? {
    guard damages.isEmpty, let slot = slots?.newest, let log else { return nil }
    var recovery = ControlRecovery(life: slot.life)
    recovery.incarnation = slot.incarnation
    recovery.hardState = slot.state
    recovery.hardState.commit = max(slot.state.commit, log.commit, snapshot?.index ?? 0)
    recovery.snapshot = snapshot?.snapshot
    recovery.entries = log.entries
    return recovery
  }

  private mutating func readSlots(_ bytes: [UInt8]) {
    slots = FoundSlots(bytes)
    guard let slots else {
      damages.append(
        ControlDamage(HardStateSlot.file, "both slots fail their checksums: the vote is lost"))
      return
    }
    if slots.areForeign {
      damages.append(ControlDamage(HardStateSlot.file, "two slots of different files"))
    }
  }

  private mutating func readSnapshot(_ index: UInt64, _ bytes: [UInt8], _ life: UInt64) {
    let name = SnapshotFile.file(index)
    guard let file = SnapshotFile(bytes), file.index == index else {
      damages.append(ControlDamage(name, "is not as it was written"))
      return
    }
    if file.life != life {
      damages.append(ControlDamage(name, "belongs to another life of the log"))
    }
    snapshot = file
    snapshotBytes = bytes.count
  }

  /// Compares the files with each other: each shows what the others have lost at their ends, which
  /// by itself looks like a write that a crash has torn.
  private mutating func compare(_ slot: HardStateSlot, _ log: LogScan) {
    let reflected = snapshot?.index ?? 0
    let last = log.entries.last?.index ?? reflected
    let end = log.activeIndex.map { log.segments[$0] }
    let file = end?.file ?? SegmentHeader.file(1)
    let place = end?.end ?? 0
    func require(_ holds: Bool, _ file: String, _ place: Int, _ finding: @autoclosure () -> String)
    {
      if !holds { damages.append(ControlDamage(file, at: place, finding())) }
    }
    require(
      log.hardCounter <= slot.counter, HardStateSlot.file, 0,
      "write \(slot.counter) is the newest, but the log has seen write \(log.hardCounter)")
    require(
      log.entries.last.map { $0.term <= slot.state.term } ?? true, HardStateSlot.file, 0,
      "term \(slot.state.term) is older than the log's last entry")
    require(
      slot.durableFrame <= log.lastFrame, file, place,
      "the log ends after frame \(log.lastFrame), but \(slot.durableFrame) frames were durable")
    require(
      (snapshot?.voidFrames ?? 0) <= log.lastFrame, file, place,
      "the log ends after frame \(log.lastFrame), before what the snapshot replaced")
    require(
      !log.segments.isEmpty || snapshot == nil, file, place, "the log is missing")
    require(
      (log.entries.first?.index ?? 0) <= reflected + 1, file, place,
      "the log begins at entry \(log.entries.first?.index ?? 0), the snapshot ends at \(reflected)")
    require(
      max(slot.state.commit, log.commit) <= max(last, reflected), file, place,
      "the log ends at entry \(last), but more was committed")
    require(
      last >= reflected, file, place,
      "the log ends at entry \(last), before its own snapshot's \(reflected)")
  }
}
