import FinalityStorage
import Primitives
import Records
import SQLiteStorage
import Testing

/// What the scrub finds.
@Suite struct LedgerScrubTests {
  private static func scrub(
    _ directory: TemporaryDirectory, limit: Int, proof: LedgerScrub.RowProof? = nil
  ) throws -> (findings: [LedgerFinding], records: Int) {
    let ledger = try LedgerDatabase.open(directory)
    var scrub = LedgerScrub()
    var findings: [LedgerFinding] = []
    var records = 0
    while scrub.passCount == 0 {
      let step = try scrub.step(ledger.reads, limit: limit, proof: proof)
      #expect(step.recordCount <= limit)
      findings += step.findings
      records += step.recordCount
    }
    try ledger.close()
    return (findings, records)
  }

  @Test(arguments: [1, 3, 1_000])
  func `a sound ledger is read whole and nothing is found`(limit: Int) throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 9)
    let (findings, records) = try LedgerScrubTests.scrub(directory, limit: limit)
    #expect(findings.isEmpty)
    let connection = try SQLiteConnection(
      path: "\(directory.ledger)/ledger.db", mode: .readOnly)
    var expected: Int64 = 0
    for table in ["blocks", "cut", "executed", "rows", "trie", "outcomes", "epochs", "meta"] {
      expected += try connection.integer("SELECT count(*) FROM \(table)") ?? 0
    }
    // The mark of an orderly close is gone while the ledger is open.
    #expect(Int64(records) == expected - 1)
  }

  @Test(
    arguments: [
      ("blocks", "hash"), ("blocks", "header"), ("blocks", "body"), ("blocks", "certificate"),
      ("blocks", "certificate_checksum"),
      ("cut", "digest"), ("executed", "root"), ("executed", "rows_root"),
      ("executed", "lanes_root"), ("executed", "checksum"), ("rows", "key"), ("rows", "value"),
      ("rows", "digest"), ("trie", "path"), ("trie", "node"), ("trie", "checksum"),
      ("outcomes", "codes"), ("outcomes", "checksum"), ("outcomes", "lane"),
      ("epochs", "parent"), ("epochs", "validators"), ("epochs", "checksum"),
      ("advances", "lane"), ("meta", "bytes"),
    ])
  func `a flipped bit is found in every table`(table: String, column: String) throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 5)
    let path = "\(directory.ledger)/ledger.db"
    do {
      let connection = try SQLiteConnection(path: path, mode: .create)
      let clause = table == "meta" ? " WHERE name = 'progress'" : ""
      let bytes = try #require(
        try connection.bytes("SELECT \(column) FROM \(table)\(clause) ORDER BY 1 DESC LIMIT 1"))
      var flipped = bytes
      flipped[bytes.count / 2] ^= 64
      try connection.cached("UPDATE \(table) SET \(column) = ? WHERE \(column) = ?").run([
        .bytes(flipped), .bytes(bytes),
      ])
      try connection.checkpointAndTruncate()
    }
    // The newest block is read when the file is opened.
    let findings: [LedgerFinding]
    do {
      findings = try LedgerScrubTests.scrub(directory, limit: 4).findings
    } catch let error as LedgerError {
      guard case .damaged(let found) = error.reason else { throw error }
      findings = found
    }
    #expect(findings.contains { $0.table == table }, "\(findings)")
  }

  @Test(
    arguments: [
      ("blocks", "epoch"), ("blocks", "view"), ("cut", "number"), ("advances", "height"),
      ("advances", "number"), ("outcomes", "number"), ("outcomes", "height"),
    ])
  func `a changed number is found`(table: String, column: String) throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 5)
    try spoil(directory, "UPDATE \(table) SET \(column) = \(column) + 1000")
    let findings = try LedgerScrubTests.scrub(directory, limit: 4).findings
    #expect(findings.contains { $0.table == table }, "\(findings)")
  }

  @Test(arguments: ["blocks", "executed"], [1, 2, 100])
  func `a height that is missing is found`(table: String, limit: Int) throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 5)
    try spoil(directory, "DELETE FROM \(table) WHERE height = 3")
    let findings = try LedgerScrubTests.scrub(directory, limit: limit).findings
    #expect(findings.contains { $0.table == table }, "\(findings)")
  }

  @Test func `a row in another table is found`() throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 2)
    try spoil(directory, "UPDATE rows SET table_number = 2 WHERE table_number = 1")
    let findings = try LedgerScrubTests.scrub(directory, limit: 4).findings
    #expect(findings.map(\.finding) == ["it stands in another table"])
  }

  @Test func `a row that the caller's proof refuses is found`() throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 5)
    let (findings, _) = try LedgerScrubTests.scrub(directory, limit: 4) {
      (row, reads) throws(LedgerError) in
      try reads.trieNode(at: [])?.count == 32 && row != TestTables.note(-2, [3, 0], "note 3")
    }
    #expect(findings.map(\.table) == ["rows"])
  }

  @Test func `a record that is read is checked too`() throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 5)
    try spoil(directory, "UPDATE trie SET node = x'00' WHERE path = x'0103'")
    try spoil(directory, "UPDATE executed SET root = rows_root WHERE height = 2")
    let ledger = try LedgerDatabase.open(directory)
    let trie = #expect(throws: LedgerError.self) { try ledger.reads.trieNode(at: [1, 3]) }
    let executed = #expect(throws: LedgerError.self) { try ledger.reads.executed(at: 2) }
    #expect(trie?.isDamage == true && executed?.isDamage == true)
    try ledger.close()
  }
}
