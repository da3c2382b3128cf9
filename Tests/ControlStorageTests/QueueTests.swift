import ControlStorage
import Glibc
import Records
import Testing

@Suite struct QueueTests {
  @Test func `what waits is written as one group and reported in order`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let gate = Gate()
    let storage = try ControlStorage.open(
      directory.control, reports, interception: gate.interception
    ).storage
    try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...1, term: 1)))
    gate.arm()
    #expect(
      storage.submit(.step(2, term: 1, entries: RaftEntry.run(2...2, term: 1))) == .accepted)
    gate.waitForArrival()
    for index in UInt64(3)...50 {
      let entries = RaftEntry.run(index...index, term: 1)
      #expect(storage.submit(.step(index, term: 1, entries: entries)) == .accepted)
    }
    #expect(storage.statistics.queuedSteps >= 48)
    let before = storage.statistics
    gate.open()
    try storage.flush()
    try storage.close()
    let after = storage.statistics
    #expect(after.groups <= before.groups + 2)
    #expect(after.syncs <= before.syncs + 2 + 3, "two groups, and the slots at closing")
    #expect(after.steps == 50)
    #expect(reports.durable == reports.durable.sorted())
    #expect(reports.lastDurable == 50)
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries == RaftEntry.run(1...50, term: 1))
  }

  @Test func `a full queue refuses and the largest step fits when it is empty`() throws {
    let directory = try TemporaryDirectory()
    let gate = Gate()
    let storage = try ControlStorage.open(
      directory.control, interception: gate.interception
    ) { options in
      options.queuedStepsMax = 4
      options.queuedBytesMax = 1_000
    }.storage
    try storage.write(
      .step(1, term: 1, entries: RaftEntry.run(1...4, term: 1, byteCount: 9_000)))
    gate.arm()
    #expect(
      storage.submit(.step(2, term: 1, entries: RaftEntry.run(5...5, term: 1))) == .accepted)
    gate.waitForArrival()
    var sequence: UInt64 = 3
    while storage.submit(.step(sequence)) == .accepted { sequence += 1 }
    #expect(sequence <= 8)
    #expect(storage.isFull)
    #expect(storage.submit(.step(sequence)) == .busy)
    #expect(storage.statistics.refusals == 2)
    gate.open()
    try storage.flush()
    #expect(!storage.isFull)
    #expect(storage.submit(.step(sequence)) == .accepted)
    try storage.close()
    #expect(storage.submit(.step(sequence + 1)) == .stopped)
  }

  @Test func `a term is durable before its entries, in a group as well`() throws {
    let directory = try TemporaryDirectory()
    let crash = Crash(after: nil)
    let storage = try ControlStorage.open(
      directory.control, interception: crash.interception
    ).storage
    for term in UInt64(1)...40 {
      let entries = RaftEntry.run(term...term, term: term)
      #expect(storage.submit(.step(term, term: term, entries: entries)) == .accepted)
    }
    try storage.close()
    var writes = crash.operations.compactMap { operation -> String? in
      guard case .write(let file, _, _, let isDurable) = operation, isDurable else { return nil }
      return file
    }
    #expect(writes.first == "hard-state")
    while let place = writes.firstIndex(where: { $0.hasPrefix("log-") }) {
      #expect(writes[..<place].contains("hard-state"))
      writes.removeSubrange(...place)
    }
  }

  @Test func `a file gets its name when it is durable, and nothing else has to wait for a sync`()
    throws
  {
    let directory = try TemporaryDirectory()
    let crash = Crash(after: nil)
    let storage = try ControlStorage.open(
      directory.control, interception: crash.interception
    ).storage
    for index in UInt64(1)...80 {
      let entries = RaftEntry.run(index...index, term: 1)
      try storage.write(.step(index, term: 1, commit: index, entries: entries))
    }
    try storage.write(
      .step(81) {
        $0.takenSnapshot = .made(70, term: 1)
        $0.compactedThrough = 70
      },
      .step(82, term: 1, commit: 200) { $0.installedSnapshot = .made(200, term: 1) })
    try storage.close()
    var unsynced: Set<String> = []
    var renamed = 0
    for (place, operation) in crash.operations.enumerated() {
      switch operation {
      case .write(let file, _, _, let isDurable):
        #expect(isDurable != file.hasSuffix(".tmp"), "\(file)")
        if !isDurable { unsynced.insert(file) }
      case .sync(let file):
        unsynced.remove(file)
      case .rename(let from, _):
        #expect(!unsynced.contains(from))
        #expect(crash.operations[place + 1] == .syncDirectory)
        renamed += 1
      case .open, .reserve, .remove, .syncDirectory:
        break
      }
    }
    #expect(renamed >= 6, "the hard state, three segments and two snapshots")
  }

  static let operations = ["open", "reserve", "write", "sync", "rename", "remove", "directory"]

  @Test(arguments: operations)
  func `after a failed operation nothing is reported and nothing is written`(
    _ kind: String
  ) throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let failing = FailingOperation(kind)
    let storage = try ControlStorage.open(
      directory.control, reports, interception: failing.interception
    ).storage
    try storage.write(.step(1, term: 1, commit: 1, entries: RaftEntry.run(1...1, term: 1)))
    failing.arm()
    let install = ControlWrite.step(2, term: 2, vote: 1) {
      $0.installedSnapshot = .made(9, term: 1)
    }
    _ = storage.submit(install)
    var sequence: UInt64 = 3
    while storage.submit(
      .step(sequence, term: 2, entries: RaftEntry.run(sequence + 7...sequence + 7, term: 2)))
      != .stopped
    {
      sequence += 1
      // Either the step is durable or storage has failed.
      do { try storage.flush() } catch { break }
    }
    #expect(throws: ControlStorageFailure.self) { try storage.close() }
    #expect(reports.failures.count == 1)
    #expect(reports.failures.first == storage.failure)
    #expect(storage.failure?.code == EIO)
    #expect(failing.operationsAfterwards == 0)
    #expect(storage.submit(.step(sequence + 1)) == .stopped)
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries.last?.index ?? recovery.snapshot?.head.index ?? 0 >= 1)
  }

  @Test func `a full disk fails a write only when there is no room left in the segment`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let full = FileInterception { operation in
      if case .reserve(let file, _) = operation, file != "log-00000000000000000001.tmp" {
        return .fail(code: ENOSPC)
      }
      return .proceed
    }
    let storage = try ControlStorage.open(directory.control, reports, interception: full).storage
    // 34 blocks fit into a segment of the smallest size, one of them the header.
    let blocks = UInt64(ControlStorageOptions.segmentBytesMin / 4_096 - 1)
    for index in 1...blocks {
      try storage.write(.step(index, term: 1, entries: RaftEntry.run(index...index, term: 1)))
    }
    #expect(reports.failures.isEmpty)
    let next = RaftEntry.run(blocks + 1...blocks + 1, term: 1)
    #expect(storage.submit(.step(blocks + 1, term: 1, entries: next)) == .accepted)
    #expect(throws: ControlStorageFailure.self) { try storage.flush() }
    #expect(storage.failure?.code == ENOSPC)
    #expect(reports.lastDurable == blocks)
    #expect(throws: ControlStorageFailure.self) { try storage.close() }
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries == RaftEntry.run(1...blocks, term: 1))
  }
}
