import Crypto
import Primitives
import Records
import SQLiteStorage
import Testing

/// The offline check: silent on sound directories, exact on damaged ones.
struct VerificationTests {
  /// A closed directory with a lane of 300 bundles, rows and a proof of equivocation.
  private func closedDirectory() throws -> (directory: TemporaryDirectory, author: LaneAuthor) {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    var author = LaneAuthor(11)
    var model = RowModel()
    var batch = StorageBatch(sequence: 1)
    for number in 0..<300 {
      author.append([[1, UInt8(number & 0xff)], [2]], to: &batch)
    }
    for id in 0..<20 {
      model.put(
        TestTables.notes, [.bytes([UInt8(id)]), .text("n"), .integer(Int64(id))], to: &batch)
    }
    #expect(storage.submit(batch) == .accepted)
    var fork = LaneAuthor(11)
    var other = StorageBatch(sequence: 2)
    fork.append([[9]], to: &other)
    var proofs = StorageBatch(sequence: 2)
    proofs.proofs = [
      try #require(
        EquivocationProof(
          checking: batch.bundles[0].signedHeader, against: other.bundles[0].signedHeader))
    ]
    #expect(storage.submit(proofs) == .accepted)
    try storage.close()
    return (directory, author)
  }

  @Test(arguments: [1, 3])
  func `a sound directory has no findings`(threads: Int) throws {
    let (directory, _) = try closedDirectory()
    let report = try Verification.run(
      directory: directory.path, tables: TestTables.all, threadCount: threads)
    #expect(report.findings == [])
    #expect(report.isSound)
    #expect(report.lanes == 1)
    #expect(report.bundles == 300)
    #expect(report.operations == 600)
    #expect(report.rows == 20)
    #expect(report.proofs == 1)
    #expect(report.bytes > 300 * 64)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.proofs.count == 1)
    try storage.close()
  }

  @Test func `a directory in use can be verified`() throws {
    let directory = try TemporaryDirectory()
    var maker = StepMaker(seed: 2)
    let (storage, _) = try Reports().open(directory.path)
    for _ in 0..<200 {
      #expect(storage.submit(maker.next()) == .accepted)
      if maker.sequence.isMultiple(of: 50) {
        let report = try Verification.run(directory: directory.path, tables: TestTables.all)
        #expect(report.findings == [])
      }
    }
    try storage.close()
  }

  /// A change that storage would never make, and what must be said about it.
  struct Damage: Sendable, CustomTestStringConvertible {
    let file: String
    let sql: String
    let kind: VerificationReport.Kind
    var number: UInt64?
    var table: String?
    var testDescription: String { sql }
  }

  @Test(arguments: [
    Damage(
      file: "log.db", sql: "UPDATE bundles SET body = x'0201ff0102' WHERE number = 7",
      kind: .operations, number: 7),
    Damage(
      file: "log.db", sql: "UPDATE bundles SET body = x'ff' WHERE number = 8", kind: .operations,
      number: 8),
    Damage(
      file: "log.db", sql: "UPDATE bundles SET signature = zeroblob(64) WHERE number = 260",
      kind: .signature, number: 260),
    Damage(
      file: "log.db", sql: "UPDATE bundles SET signature = x'00' WHERE number = 5",
      kind: .signature, number: 5),
    Damage(
      file: "log.db", sql: "UPDATE bundles SET header = zeroblob(90) WHERE number = 9",
      kind: .header, number: 9),
    Damage(
      file: "log.db",
      sql: """
        UPDATE bundles SET header = (SELECT header FROM bundles WHERE number = 20)
        WHERE number = 21
        """, kind: .header, number: 21),
    Damage(
      file: "log.db", sql: "UPDATE bundles SET last_time = 1 WHERE number = 12", kind: .header,
      number: 12),
    Damage(
      file: "log.db", sql: "DELETE FROM bundles WHERE number = 150", kind: .gap, number: 150),
    Damage(
      file: "log.db", sql: "DELETE FROM bundles WHERE number = 300", kind: .gap, number: 300),
    Damage(
      file: "log.db",
      sql: """
        CREATE TEMP TABLE copy AS SELECT * FROM bundles WHERE number = 300;
        UPDATE copy SET id = 900, number = 301;
        INSERT INTO bundles SELECT * FROM copy
        """, kind: .gap, number: 301),
    Damage(file: "log.db", sql: "UPDATE tiles SET hash = zeroblob(32)", kind: .tile),
    Damage(file: "log.db", sql: "DELETE FROM tiles", kind: .tile),
    Damage(file: "log.db", sql: "INSERT INTO tiles VALUES (1, 8, 1, zeroblob(32))", kind: .tile),
    Damage(file: "log.db", sql: "UPDATE lanes SET digest = zeroblob(32)", kind: .head),
    Damage(file: "log.db", sql: "UPDATE lanes SET peaks = zeroblob(128)", kind: .head),
    Damage(file: "log.db", sql: "UPDATE proofs SET proof = x'00'", kind: .proof),
    Damage(file: "state.db", sql: "UPDATE notes SET score = 77 WHERE id = x'03'", kind: .rows),
    Damage(file: "state.db", sql: "DELETE FROM notes WHERE id = x'03'", kind: .rows),
    Damage(file: "state.db", sql: "INSERT INTO marks VALUES ('new')", kind: .rows),
    Damage(file: "state.db", sql: "UPDATE row_set SET state = zeroblob(2048)", kind: .rows),
    Damage(file: "state.db", sql: "UPDATE applied SET number = 301", kind: .applied, number: 301),
    Damage(file: "state.db", sql: "DROP TABLE notes", kind: .file, table: "notes"),
  ])
  func `planted damage is found and named`(damage: Damage) throws {
    let (directory, author) = try closedDirectory()
    try RawDatabase.execute(damage.sql, on: "\(directory.path)/\(damage.file)")
    let report = try Verification.run(directory: directory.path, tables: TestTables.all)
    #expect(!report.isSound)
    let finding = report.findings.first {
      $0.kind == damage.kind && $0.number == damage.number && $0.table == damage.table
    }
    #expect(finding != nil, "\(report.findings)")
    if damage.number != nil { #expect(finding?.lane == author.lane) }
  }

  @Test(arguments: 0..<24 as Range<UInt64>)
  func `the hash over rows does not depend on their order`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed)
    var rows = (0..<60).map { number in
      [ColumnValue.bytes([UInt8(number)]), .text("t\(number)"), .integer(Int64(number) - 30)]
    }
    var hashes: [[UInt8]] = []
    for _ in 0..<2 {
      let directory = try TemporaryDirectory()
      let (storage, _) = try Reports().open(directory.path)
      var model = RowModel()
      random.shuffle(&rows)
      for (index, row) in rows.enumerated() {
        var batch = StorageBatch(sequence: UInt64(index + 1))
        // Overwritten at once: only the last value of a key may count.
        model.put(TestTables.notes, [row[0], .text("old"), .null], to: &batch)
        model.put(TestTables.notes, row, to: &batch)
        #expect(storage.submit(batch) == .accepted)
      }
      try storage.close()
      let (again, recovery) = try Reports().open(directory.path)
      hashes.append(recovery.content.rowSet)
      #expect(try recovery.computedRowSet() == recovery.content.rowSet)
      try again.close()
    }
    #expect(hashes[0] == hashes[1])
  }

  @Test func `a directory without files is an error, not a finding`() throws {
    let directory = try TemporaryDirectory()
    #expect(throws: SQLiteError.self) {
      try Verification.run(directory: directory.path, tables: TestTables.all)
    }
  }

  @Test func `the ingest benchmark writes what it counts and cleans up`() throws {
    let directory = try TemporaryDirectory()
    let benchmark = IngestBenchmark(operationCount: 100, operationBytes: 300, groupSize: 16)
    let result = try benchmark.run(directory: directory.path)
    #expect(result.operations == 100)
    #expect(result.operationsPerSecond > 0)
    #expect(TestFiles.names(in: directory.path).isEmpty)
  }
}
