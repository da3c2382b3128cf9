import Crypto
import Glibc
import Primitives
import Records
import SQLiteStorage
import Testing

/// What is refused, what is set aside and what is noticed when a directory is opened.
struct OpeningTests {
  /// A closed directory with some steps in it.
  private func closedDirectory(
    steps: Int = 20
  ) throws -> (directory: TemporaryDirectory, maker: StepMaker) {
    let directory = try TemporaryDirectory()
    var maker = StepMaker(seed: 3)
    let (storage, _) = try Reports().open(directory.path)
    for _ in 0..<steps {
      #expect(storage.submit(maker.next()) == .accepted)
    }
    try storage.close()
    return (directory, maker)
  }

  private func refusal(_ path: String) -> OpenStorageError.Reason? {
    do throws(OpenStorageError) {
      _ = try Reports().open(path)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func `a directory in use is refused and its holder named`() throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    #expect(refusal(directory.path) == .locked(processIdentifier: getpid()))
    try storage.close()
    #expect(refusal(directory.path) == nil)
  }

  @Test func `another process is refused too`() async throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    await #expect(processExitsWith: .success) {
      [path = directory.path as String, holder = getpid() as Int32] in
      do throws(OpenStorageError) {
        _ = try Reports().open(path)
        exit(1)
      } catch {
        exit(error.reason == .locked(processIdentifier: holder) ? 0 : 2)
      }
    }
    try storage.close()
  }

  @Test(arguments: [("log.db", 3), ("state.db", 2)])
  func `a newer database is refused and left alone`(file: String, known: Int64) throws {
    let (directory, _) = try closedDirectory()
    let path = "\(directory.path)/\(file)"
    try RawDatabase.execute("PRAGMA user_version = 99", on: path)
    #expect(refusal(directory.path) == .newerVersion(file: file, found: 99, known: known))
    #expect(try RawDatabase.integer("SELECT count(*) > 0 FROM sqlite_schema", on: path) == 1)
    try RawDatabase.execute("PRAGMA user_version = \(known)", on: path)
    #expect(refusal(directory.path) == nil)
  }

  @Test func `only an orderly close leaves the mark`() throws {
    let directory = try TemporaryDirectory()
    do {
      let (_, recovery) = try Reports().open(directory.path)
      #expect(recovery.content.wasClosed)
    }
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(!recovery.content.wasClosed)
    try storage.close()
    let (again, closed) = try Reports().open(directory.path)
    #expect(closed.content.wasClosed)
    try again.close()
  }

  @Test func `storage dropped without a close keeps what was durable`() throws {
    let directory = try TemporaryDirectory()
    var maker = StepMaker(seed: 8)
    do {
      let (storage, _) = try Reports().open(directory.path)
      for _ in 0..<30 {
        #expect(storage.submit(maker.next()) == .accepted)
      }
      try storage.flush()
    }
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads == maker.frontiers[29])
    #expect(try recovery.computedRowSet() == maker.rowSets[29])
    try storage.close()
  }

  @Test func `damaged rows are set aside and all bundles come back for replay`() throws {
    let (directory, maker) = try closedDirectory()
    let path = "\(directory.path)/state.db"
    let image = [UInt8](repeating: 0x5a, count: 8_192)
    try TestFiles.write(image, to: path)
    let (storage, recovery) = try Reports().open(directory.path)
    guard case .damaged = recovery.content.stateOrigin else {
      Issue.record("rows are \(recovery.content.stateOrigin)")
      return
    }
    #expect(recovery.content.applied == Frontier())
    #expect(recovery.content.rowSet.isEmpty)
    let kept = TestFiles.names(in: directory.path).filter { $0.hasPrefix("state.db.damaged-") }
    #expect(kept.contains { TestFiles.read("\(directory.path)/\($0)") == image })
    try expectReplay(recovery, reaches: maker.frontiers[19])
    try storage.close()
  }

  @Test(arguments: ["DROP TABLE applied", "UPDATE row_set SET state = x'00'"])
  func `rows whose bookkeeping is broken are set aside`(sql: String) throws {
    let (directory, maker) = try closedDirectory()
    try RawDatabase.execute(sql, on: "\(directory.path)/state.db")
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.applied == Frontier())
    try expectReplay(recovery, reaches: maker.frontiers[19])
    try storage.close()
  }

  @Test func `rows of other tables are dropped and replayed`() throws {
    let (directory, maker) = try closedDirectory()
    let (storage, recovery) = try Reports().open(directory.path, tables: [TestTables.notes])
    #expect(recovery.content.stateOrigin == .schemaChanged)
    #expect(recovery.content.applied == Frontier())
    try expectReplay(recovery, reaches: maker.frontiers[19])
    try storage.close()
  }

  @Test func `replayed rows are kept with the frontier they reach`() throws {
    let (directory, maker) = try closedDirectory()
    unlink("\(directory.path)/state.db")
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.stateOrigin == .created)
    var sequence: UInt64 = 0
    var applied = Frontier()
    var model = RowModel()
    try recovery.forEachUnappliedBundle { bundle in
      sequence += 1
      applied[bundle.header.lane] = bundle.header.number
      var batch = StorageBatch(sequence: sequence)
      model.put(TestTables.marks, [.text("\(sequence)")], to: &batch)
      #expect(storage.submitReplay(batch, applied: applied) == .accepted)
    }
    try storage.close()
    let (again, replayed) = try Reports().open(directory.path)
    #expect(replayed.content.applied == maker.frontiers[19])
    #expect(replayed.content.rowSet == model.hash.bytes)
    #expect(try replayed.computedRowSet() == model.hash.bytes)
    try again.close()
  }

  @Test func `a replay beyond the lanes is a broken rule`() async throws {
    let directory = try TemporaryDirectory()
    await #expect(processExitsWith: .failure) {
      [path = directory.path as String] in
      let (storage, _) = try Reports().open(path)
      var applied = Frontier()
      applied[LaneAuthor(1).lane] = 1
      _ = storage.submitReplay(StorageBatch(sequence: 1), applied: applied)
      try storage.flush()
    }
  }

  @Test func `a gap in a lane is a broken rule`() async throws {
    let directory = try TemporaryDirectory()
    await #expect(processExitsWith: .failure) {
      [path = directory.path as String] in
      let (storage, _) = try Reports().open(path)
      var author = LaneAuthor(1)
      var skipped = StorageBatch(sequence: 1)
      author.append([[1]], to: &skipped)
      var batch = StorageBatch(sequence: 2)
      author.append([[2]], to: &batch)
      _ = storage.submit(batch)
      try storage.flush()
    }
  }

  @Test(arguments: [
    "DELETE FROM bundles WHERE id = 3", "UPDATE lanes SET number = number + 1",
    "UPDATE lanes SET peaks = x''", "UPDATE lanes SET digest = zeroblob(32)",
    "UPDATE lanes SET number = -1", "UPDATE bundles SET lane_index = 77 WHERE id = 2",
    "DROP TABLE proofs",
  ])
  func `damaged lanes are refused with advice`(sql: String) throws {
    let (directory, _) = try closedDirectory(steps: 3)
    try RawDatabase.execute(sql, on: "\(directory.path)/log.db")
    do throws(OpenStorageError) {
      _ = try Reports().open(directory.path)
      Issue.record("opened")
    } catch {
      guard case .logCorrupt(let findings) = error.reason else {
        Issue.record("refused for \(error.reason)")
        return
      }
      #expect(!findings.isEmpty)
      #expect(error.description.contains("new lane epoch"))
    }
  }

  @Test func `lanes that lost what the rows reflect are refused`() throws {
    let (directory, maker) = try closedDirectory()
    unlink("\(directory.path)/log.db")
    guard case .logBehindState(_, held: 0, let applied) = refusal(directory.path) else {
      Issue.record("opened")
      return
    }
    #expect(maker.frontiers[19].entries.contains { $0.number == applied })
  }

  @Test func `named values are durable and removable`() throws {
    let directory = try TemporaryDirectory()
    do {
      let (storage, _) = try Reports().open(directory.path)
      #expect(try storage.meta("epoch") == nil)
      try storage.setMeta("epoch", [1, 2, 3])
      try storage.setMeta("empty", [])
    }
    let (storage, _) = try Reports().open(directory.path)
    #expect(try storage.meta("epoch") == [1, 2, 3])
    #expect(try storage.meta("empty") == [])
    try storage.setMeta("epoch", nil)
    #expect(try storage.meta("epoch") == nil)
    try storage.close()
    #expect(throws: StorageFailure.self) { try storage.setMeta("epoch", [4]) }
    #expect(storage.failure == nil)
  }

  @Test func `a reserved name is a broken rule`() async throws {
    let directory = try TemporaryDirectory()
    await #expect(processExitsWith: .failure) {
      [path = directory.path as String] in
      let (storage, _) = try Reports().open(path)
      try storage.setMeta("storage.clean", [1])
    }
  }
}

/// Checks that the bundles for replay are those between the rows and `heads`, each lane ascending.
func expectReplay(_ recovery: Recovery, reaches heads: Frontier) throws {
  var reached = recovery.content.applied
  try recovery.forEachUnappliedBundle { bundle in
    #expect(bundle.header.number == reached[bundle.header.lane] + 1)
    #expect(bundle.isConsistent)
    reached[bundle.header.lane] = bundle.header.number
  }
  #expect(reached == heads)
}
