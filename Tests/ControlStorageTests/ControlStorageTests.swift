import ControlStorage
import Glibc
import Primitives
import Records
import Testing

@Suite struct ControlStorageTests {
  @Test func `a new directory keeps the life that it was given first`() throws {
    let directory = try TemporaryDirectory()
    let first = try ControlStorage.open(directory.control, life: 11)
    #expect(first.isNew)
    #expect(first.recovery.life == 11)
    #expect(first.recovery.hardState == RaftHardState())
    try first.storage.close()
    let second = try ControlStorage.open(directory.control, life: 12)
    #expect(!second.isNew)
    #expect(second.recovery.life == 11)
  }

  @Test func `everything in a step comes back`() throws {
    let directory = try TemporaryDirectory()
    let entries = RaftEntry.run(1...5, term: 3) + RaftEntry.run(6...7, term: 4)
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(
      .step(1, term: 4, vote: 99, commit: 5, entries: entries) { $0.incarnation = 8 },
      .step(2) { $0.takenSnapshot = .made(5, term: 3) })
    try storage.close()
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.incarnation == 8)
    #expect(recovery.hardState == RaftHardState(term: 4, vote: RaftID(99), commit: 5))
    #expect(recovery.entries == entries)
    #expect(recovery.snapshot == .made(5, term: 3))
  }

  @Test func `a commit alone costs no sync and is there after closing`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let storage = try ControlStorage.open(directory.control, reports).storage
    try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...9, term: 1)))
    let gate = storage.statistics
    try storage.write(.step(2, term: 1, commit: 4), .step(3, term: 1, commit: 9), .step(4))
    #expect(storage.statistics.syncs <= gate.syncs + 1, "only the second copy of the vote")
    #expect(reports.lastDurable == 4)
    try storage.close()
    #expect(try ControlStorage.open(directory.control).recovery.hardState.commit == 9)
  }

  @Test func `a commit goes to the disk with the entries after it`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...3, term: 1)))
    try storage.write(.step(2, term: 1, commit: 3))
    try storage.write(.step(3, term: 1, commit: 3, entries: RaftEntry.run(4...4, term: 1)))
    try TestFiles.copyTree(from: directory.control, to: "\(directory.path)/image")
    let image = try ControlStorage.open("\(directory.path)/image").recovery
    #expect(image.hardState.commit == 3)
  }

  @Test func `entries void what was stored from their first index on`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...9, term: 1)))
    try storage.write(.step(2, term: 2, entries: RaftEntry.run(4...5, term: 2)))
    try storage.close()
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries == RaftEntry.run(1...3, term: 1) + RaftEntry.run(4...5, term: 2))
  }

  @Test func `an installed snapshot makes the log void and entries go on after it`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...9, term: 1)))
    try storage.write(
      .step(2, term: 3, commit: 30, entries: RaftEntry.run(31...32, term: 3)) {
        $0.installedSnapshot = .made(30, term: 2)
      })
    try storage.close()
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries == RaftEntry.run(31...32, term: 3))
    #expect(recovery.snapshot == .made(30, term: 2))
    #expect(recovery.hardState.commit == 30)
    #expect(!recovery.entries.isEmpty)
  }

  @Test func `compaction removes whole segments and keeps the rest readable`() throws {
    let directory = try TemporaryDirectory()
    let opened = try ControlStorage.open(directory.control)
    var sequence: UInt64 = 0
    for index in UInt64(1)...120 {
      sequence += 1
      let entries = RaftEntry.run(index...index, term: 1)
      try opened.storage.write(.step(sequence, term: 1, commit: index, entries: entries))
    }
    let before = opened.storage.statistics
    #expect(before.segments == 4)
    try opened.storage.write(
      .step(sequence + 1) {
        $0.takenSnapshot = .made(100, term: 1)
        $0.compactedThrough = 90
      })
    let after = opened.storage.statistics
    #expect(after.segments == 2)
    #expect(after.logBytes == before.logBytes / 2)
    try opened.storage.close()
    let recovery = try ControlStorage.open(directory.control).recovery
    let first = try #require(recovery.entries.first?.index)
    #expect(first > 1 && first <= 91)
    #expect(recovery.entries == RaftEntry.run(first...120, term: 1))
  }

  @Test func `entries that no snapshot covers are never dropped`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    for index in UInt64(1)...80 {
      let entries = RaftEntry.run(index...index, term: 1)
      try storage.write(.step(index, term: 1, commit: index, entries: entries))
    }
    try storage.write(.step(81) { $0.compactedThrough = 80 })
    try storage.close()
    #expect(try ControlStorage.open(directory.control).recovery.entries.count == 80)
  }

  @Test func `the largest entries and snapshots of several chunks come back`() throws {
    let directory = try TemporaryDirectory()
    let entries = RaftEntry.run(1...20, term: 1, byteCount: RaftEntry.payloadBytesMax)
    let snapshot = RaftSnapshot.made(20, term: 1, byteCount: RaftSnapshotHead.chunkBytes * 2 + 9)
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(
      .step(1, term: 1, commit: 20, entries: entries) { $0.takenSnapshot = snapshot })
    try storage.close()
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries == entries)
    #expect(recovery.snapshot == snapshot)
  }

  @Test func `older snapshots and unfinished files are removed`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(.step(1, term: 1, commit: 9, entries: RaftEntry.run(1...9, term: 1)))
    try storage.write(.step(2) { $0.takenSnapshot = .made(4, term: 1) })
    let image = TestFiles.read("\(directory.control)/snapshot-00000000000000000004")
    try storage.write(.step(3) { $0.takenSnapshot = .made(8, term: 1) })
    try storage.close()
    let names = TestFiles.names(in: directory.control)
    #expect(names.filter { $0.hasPrefix("snapshot") } == ["snapshot-00000000000000000008"])
    try TestFiles.write(image, to: "\(directory.control)/snapshot-00000000000000000004")
    try TestFiles.write([1], to: "\(directory.control)/snapshot-00000000000000000009.tmp")
    let opened = try ControlStorage.open(directory.control)
    #expect(opened.recovery.snapshot == .made(8, term: 1))
    #expect(
      TestFiles.names(in: directory.control).filter { $0.hasPrefix("snapshot") }
        == ["snapshot-00000000000000000008"])
  }

  @Test func `a directory belongs to one process`() throws {
    let directory = try TemporaryDirectory()
    let opened = try ControlStorage.open(directory.control)
    #expect(throws: OpenControlStorageError.self) { try ControlStorage.open(directory.control) }
    #expect(try flockFromOutside(directory.control) == 1)
    do {
      _ = try ControlStorage.open(directory.control)
    } catch {
      #expect(error.reason == .locked(processIdentifier: getpid()))
    }
    try opened.storage.close()
    #expect(try flockFromOutside(directory.control) == 0)
    try ControlStorage.open(directory.control).storage.close()
  }

  /// Tries to take the lock in another process and returns its exit status.
  private func flockFromOutside(_ directory: String) throws -> Int32 {
    let words = ["flock", "--nonblock", "\(directory)/lock", "true"]
    var arguments: [UnsafeMutablePointer<CChar>?] = []
    for word in words { arguments.append(strdup(word)) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let started = posix_spawnp(&process, "flock", nil, nil, arguments, environ)
    try #require(started == 0)
    var status: Int32 = 0
    let ended = waitpid(process, &status, 0)
    try #require(ended == process)
    return status >> 8
  }

  @Test func `inspecting reports what is there and changes nothing`() throws {
    let directory = try TemporaryDirectory()
    mkdir(directory.control, 0o700)
    #expect(try ControlStorage.inspect(directory.control).isNew)
    let storage = try ControlStorage.open(directory.control).storage
    let entries = RaftEntry.run(1...3, term: 2) + RaftEntry.run(4...6, term: 5)
    try storage.write(
      .step(1, term: 5, vote: 3, commit: 4, entries: entries) {
        $0.incarnation = 2
        $0.takenSnapshot = .made(2, term: 2)
      })
    try storage.close()
    let before = TestFiles.names(in: directory.control).map {
      TestFiles.read("\(directory.control)/\($0)")
    }
    let report = try ControlStorage.inspect(directory.control)
    #expect(!report.isNew)
    #expect(report.life == 7)
    #expect(report.incarnation == 2)
    #expect(report.hardState == RaftHardState(term: 5, vote: RaftID(3), commit: 4))
    #expect(report.snapshot == RaftSnapshot.made(2, term: 2).head)
    #expect(report.entries == 1...6)
    #expect(report.terms == 2...5)
    #expect(report.tornWrite == nil)
    #expect(report.damages.isEmpty)
    let after = TestFiles.names(in: directory.control).map {
      TestFiles.read("\(directory.control)/\($0)")
    }
    #expect(before == after)
  }

  @Test func `rules of the owner are checked before anything is written`() async {
    await #expect(processExitsWith: .failure) {
      let directory = try TemporaryDirectory()
      let storage = try ControlStorage.open(directory.control).storage
      try storage.write(.step(1, term: 1, entries: RaftEntry.run(2...2, term: 1)))
    }
    await #expect(processExitsWith: .failure) {
      let directory = try TemporaryDirectory()
      let storage = try ControlStorage.open(directory.control).storage
      try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...1, term: 2)))
    }
    await #expect(processExitsWith: .failure) {
      let directory = try TemporaryDirectory()
      let storage = try ControlStorage.open(directory.control).storage
      try storage.write(.step(1, term: 2, vote: 1))
      try storage.write(.step(2, term: 2, vote: 3))
    }
  }
}
