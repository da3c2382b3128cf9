import Glibc
import Primitives
import Records
import SQLiteStorage
import Telemetry
import Testing

/// What a repair keeps, and that it can be interrupted anywhere.
struct RepairTests {
  /// A closed directory of one lane of 40 bundles and another one of 12, with rows.
  private func directory() throws -> (TemporaryDirectory, [LaneAuthor]) {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    try storage.setMeta("node.cluster", [1, 2, 3])
    try storage.setMeta("node.epoch", [UInt8](repeating: 7, count: 16))
    var authors = [LaneAuthor(1), LaneAuthor(2)]
    var model = RowModel()
    for sequence in 1...52 as ClosedRange<UInt64> {
      var batch = StorageBatch(sequence: sequence)
      authors[sequence <= 40 ? 0 : 1].append([[UInt8(sequence), 1, 2, 3]], to: &batch)
      model.put(
        TestTables.notes, [.bytes([UInt8(sequence)]), .text("t"), .integer(1)], to: &batch)
      try #require(storage.submit(batch) == .accepted)
    }
    try storage.close()
    return (directory, authors)
  }

  private func note(_ file: DatabaseFile, in directory: TemporaryDirectory) throws {
    try RepairBooks(directory: directory.path).note(
      StorageDamage(file, ["a test says so\nover two lines"]), atMilliseconds: 1_000)
  }

  private func repair(
    _ directory: TemporaryDirectory,
    _ didReach: @escaping (DirectoryRepair.Step) throws -> Void = { _ in }
  ) throws -> RepairReport? {
    try DirectoryRepair(
      directory: directory.path, droppedMeta: ["node.epoch"], didReach: didReach
    ).run()
  }

  @Test func `a directory without a marker is left alone`() throws {
    let (directory, _) = try directory()
    let before = TestFiles.names(in: directory.path)
    #expect(try repair(directory) == nil)
    #expect(TestFiles.names(in: directory.path) == before)
  }

  @Test func `damaged rows are set aside and replayed from the lanes`() throws {
    let (directory, authors) = try directory()
    let image = TestFiles.read("\(directory.path)/state.db")
    try note(.state, in: directory)
    let report = try #require(try repair(directory))
    #expect(report.damage.findings == ["a test says so over two lines"])
    #expect(report.salvage == nil)
    #expect(report.setAside.count == 1)
    #expect(TestFiles.read(report.setAside[0]) == image)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.applied == Frontier())
    #expect(recovery.content.heads[authors[0].lane] == 40)
    #expect(try storage.meta("node.epoch") != nil)
    try storage.close()
    #expect(try repair(directory) == nil)
  }

  @Test func `of damaged lanes everything sound is kept, and what follows a gap waits`() throws {
    let (directory, authors) = try directory()
    try RawDatabase.execute(
      "UPDATE bundles SET body = x'0401ff0102' WHERE lane_index = 1 AND number = 17",
      on: "\(directory.path)/log.db")
    try note(.log, in: directory)
    let report = try #require(try repair(directory))
    #expect(report.salvage?.kept == 16 + 12)
    #expect(report.salvage?.rescued == 23)
    #expect(report.salvage?.rejected == 1)
    #expect(report.setAside.count == 2)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads[authors[0].lane] == 16)
    #expect(recovery.content.heads[authors[1].lane] == 12)
    #expect(try storage.meta("node.cluster") == [1, 2, 3])
    #expect(try storage.meta("node.epoch") == nil)
    try storage.close()
    let verified = try Verification.run(directory: directory.path, tables: TestTables.all)
    #expect(verified.findings == [])
    let rescued = try #require(try RescuedBundles(directory: directory.path))
    #expect(try rescued.count() == 23)
    #expect(try rescued.next(holding: recovery.content.heads, limit: 100).isEmpty)
    var held = recovery.content.heads
    held[authors[0].lane] = 17
    let due = try rescued.next(holding: held, limit: 10)
    #expect(due.count == 10)
    held[authors[0].lane] = 40
    #expect(try rescued.next(holding: held, limit: 10).isEmpty)
    #expect(try rescued.removeIfEmpty())
    #expect(!TestFiles.exists("\(directory.path)/rescued.db"))
  }

  @Test func `the end of a lane of which another version is final is taken out`() throws {
    let (directory, authors) = try directory()
    let books = RepairBooks(directory: directory.path)
    let place = LanePosition(lane: authors[0].lane, number: 30)
    try note(.state, in: directory)
    let damage = try books.note(withdrawalAfter: place)
    #expect(damage.file == .log)
    #expect(try books.marker()?.withdrawal == place)
    #expect(try books.marker()?.damage == damage)
    // Told again, it stays.
    #expect(try books.note(withdrawalAfter: place) == damage)
    let report = try #require(try repair(directory))
    #expect(report.salvage?.kept == 30 + 12)
    #expect(report.salvage?.withdrawn == 10)
    #expect(report.salvage?.rescued == 0)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads[authors[0].lane] == 30)
    #expect(recovery.content.heads[authors[1].lane] == 12)
    #expect(recovery.content.applied == Frontier())
    try storage.close()
    let verified = try Verification.run(directory: directory.path, tables: TestTables.all)
    #expect(verified.findings == [])
    // Only the damage that a test noted counts: the host is not at fault for what others sign.
    #expect(try books.history().map(\.file) == [.state])
    #expect(try books.marker() == nil)
  }

  @Test func `a lane can be taken out as a whole, and with it what was rescued of it`() throws {
    let (directory, authors) = try directory()
    try RawDatabase.execute(
      "UPDATE bundles SET body = x'0401ff0102' WHERE lane_index = 1 AND number = 17",
      on: "\(directory.path)/log.db")
    try note(.log, in: directory)
    #expect(try repair(directory)?.salvage?.rescued == 23)
    let books = RepairBooks(directory: directory.path)
    _ = try books.note(withdrawalAfter: LanePosition(lane: authors[0].lane, number: 0))
    let report = try #require(try repair(directory))
    #expect(report.salvage?.kept == 12)
    #expect(report.salvage?.withdrawn == 16)
    #expect(report.salvage?.rescued == 0)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads[authors[0].lane] == 0)
    try storage.close()
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func `a salvage survives a torn page anywhere`(seed: UInt64) throws {
    let (directory, _) = try directory()
    var random = Xoshiro256(seed: seed)
    let path = "\(directory.path)/log.db"
    let pages = TestFiles.read(path).count / 4_096
    let page = random.next(below: pages)
    for offset in 0..<64 { try TestFiles.flip(path, at: page * 4_096 + offset * 64, by: 0x5a) }
    try note(.log, in: directory)
    let report = try #require(try repair(directory)?.salvage)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.lanes.reduce(0) { $0 + $1.head.number } == report.kept)
    try storage.close()
    let verified = try Verification.run(directory: directory.path, tables: TestTables.all)
    #expect(verified.findings == [])
    #expect(report.kept + report.rescued > 20, "page \(page) took \(report)")
  }

  @Test(arguments: ["the first page", "the root of the tree of bundles"])
  func `rows outlive the pages that lead to them`(what: String) throws {
    let (directory, authors) = try directory()
    let path = "\(directory.path)/log.db"
    let root = try RawDatabase.integer(
      "SELECT rootpage FROM sqlite_schema WHERE name = 'bundles'", on: path)
    let page = what == "the first page" ? 0 : Int(root) - 1
    for offset in 0..<4_096 { try TestFiles.flip(path, at: page * 4_096 + offset, by: 0x5a) }
    try note(.log, in: directory)
    let report = try #require(try repair(directory)?.salvage)
    #expect(report.kept == 52)
    #expect(report.rescued == 0)
    #expect(report.rejected == 0)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads[authors[0].lane] == 40)
    #expect(recovery.content.heads[authors[1].lane] == 12)
    try storage.close()
    let verified = try Verification.run(directory: directory.path, tables: TestTables.all)
    #expect(verified.findings == [])
  }

  @Test func `lanes that are no database at all are begun anew`() throws {
    let (directory, _) = try directory()
    let bytes = [UInt8](repeating: 0x41, count: 20_000)
    try TestFiles.write(bytes, to: "\(directory.path)/log.db")
    try note(.log, in: directory)
    let report = try #require(try repair(directory))
    #expect(report.salvage?.kept == 0)
    #expect(report.setAside.contains { TestFiles.read($0) == bytes })
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.lanes.isEmpty)
    try storage.close()
  }

  /// A crash of the test's.
  private struct Crash: Error {}

  @Test(arguments: [DatabaseFile.log, .state])
  func `a crash after any step is carried on from`(file: DatabaseFile) throws {
    var stop = 0
    while true {
      let (directory, authors) = try directory()
      if file == .log {
        try RawDatabase.execute(
          "UPDATE bundles SET signature = zeroblob(64) WHERE lane_index = 2 AND number = 7",
          on: "\(directory.path)/log.db")
      }
      try note(file, in: directory)
      var steps = 0
      do {
        _ = try repair(directory) { _ in
          steps += 1
          if steps > stop { throw Crash() }
        }
      } catch is Crash {}
      let wasInterrupted = steps > stop
      _ = try repair(directory)
      #expect(try RepairBooks(directory: directory.path).marker() == nil)
      let (storage, recovery) = try Reports().open(directory.path)
      #expect(recovery.content.heads[authors[0].lane] == 40)
      #expect(recovery.content.heads[authors[1].lane] == (file == .log ? 6 : 12))
      #expect(recovery.content.applied == Frontier())
      try storage.close()
      let verified = try Verification.run(directory: directory.path, tables: TestTables.all)
      #expect(verified.findings == [], "stopped after \(stop) steps")
      let kept = TestFiles.names(in: directory.path)
      #expect(
        kept.count { $0.contains(".db.damaged-") && $0.hasSuffix("Z") } == (file == .log ? 2 : 1))
      #expect(!kept.contains("log.db.new"))
      if !wasInterrupted { break }
      stop += 1
    }
    #expect(stop >= (file == .log ? 8 : 3))
  }

  @Test func `damage of lanes takes the place of damage of rows, not the other way round`() throws {
    let (directory, _) = try directory()
    let books = RepairBooks(directory: directory.path)
    try note(.state, in: directory)
    try note(.log, in: directory)
    #expect(try books.marker()?.damage.file == .log)
    try note(.state, in: directory)
    #expect(try books.marker()?.damage.file == .log)
    #expect(try books.history().map(\.file) == [.state, .log])
  }

  @Test func `repairs are counted within an hour`() throws {
    let directory = try TemporaryDirectory()
    let books = RepairBooks(directory: directory.path)
    for number in 1...4 as ClosedRange<UInt64> {
      #expect(try books.isExhausted(atMilliseconds: number * 1_000) == false)
      try books.note(StorageDamage(.state, []), atMilliseconds: number * 1_000)
      unlink("\(directory.path)/damage")
    }
    #expect(try books.isExhausted(atMilliseconds: 5_000))
    #expect(try books.isExhausted(atMilliseconds: 3_602_000) == false)
  }

  @Test func `a book with a flipped byte is refused with advice`() throws {
    let directory = try TemporaryDirectory()
    let books = RepairBooks(directory: directory.path)
    try books.note(StorageDamage(.log, ["found"]), atMilliseconds: 9)
    let path = "\(directory.path)/damage"
    for offset in TestFiles.read(path).indices {
      try TestFiles.flip(path, at: offset, by: 1)
      #expect(throws: RepairBooks.Failure.self) { try books.marker() }
      try TestFiles.flip(path, at: offset, by: 1)
    }
    #expect(try books.marker()?.damage.file == .log)
  }
}
