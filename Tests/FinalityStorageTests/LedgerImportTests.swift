import Crypto
import FinalityStorage
import Primitives
import Records
import SQLiteStorage
import Testing
import Wire

/// Ledgers that begin with a snapshot.
@Suite struct `Ledgers made from snapshots` {
  /// A directory with a ledger that begins at height 7 and goes on to 12.
  private static func made(
    through last: UInt64 = 12
  ) throws -> (directory: TemporaryDirectory, maker: ChainMaker, blocks: [FinalBlock]) {
    let directory = try TemporaryDirectory()
    var maker = ChainMaker()
    var ends: [LaneID: CutAdvance] = [:]
    var block = maker.next()
    while true {
      for advance in block.block.body.advances { ends[advance.lane] = advance }
      if block.height == 7 { break }
      block = maker.next()
    }
    let made = try LedgerImport(
      directory: directory.path + "/ledger", chain: Owner.chain, tables: TestTables.all)
    let rows = [TestTables.tally("height", 7), TestTables.note(4, [0, 1], nil)]
    try made.add(rows.map(RowCoding.value))
    try made.finish(
      block: block.block,
      state: ExecutedState(
        height: 7, root: ChainMaker.root(7), rowsRoot: ChainMaker.root(7, 1),
        lanesRoot: ChainMaker.root(7, 2)),
      cut: ends.values.sorted { $0.lane < $1.lane }, epochs: [maker.firstEpoch])
    var blocks = [block]
    let database = try open(directory)
    while blocks.count + 6 < Int(last) {
      blocks.append(maker.next())
      try database.commit(.executing(blocks[blocks.count - 1]), durable: true)
    }
    try database.close()
    return (directory, maker, blocks)
  }

  @discardableResult
  private static func open(_ directory: TemporaryDirectory) throws -> LedgerDatabase {
    try LedgerDatabase.open(
      directory: directory.path + "/ledger", chain: Owner.chain, tables: TestTables.all)
  }

  @Test func `a ledger made from a snapshot goes on and is sound`() throws {
    let (directory, maker, blocks) = try Self.made()
    let database = try Self.open(directory)
    #expect(try database.reads.firstHeight() == 7)
    #expect(try database.reads.tip()?.height == 12)
    #expect(try database.reads.executedTip()?.height == 12)
    #expect(try database.reads.block(at: 6) == nil)
    #expect(try database.reads.row(table: 2, key: [.integer(4), .bytes([0, 1])]) != nil)
    #expect(try database.reads.cut().count == 3)
    var scrub = LedgerScrub()
    while scrub.passCount == 0 {
      #expect(try scrub.step(database.reads, limit: 3).findings == [])
    }
    try database.close()
    let report = try LedgerVerification.run(
      directory: directory.path + "/ledger", genesis: maker.committee.set, chain: Owner.chain,
      tables: TestTables.all)
    #expect(report.findings == [])
    #expect(report.firstHeight == 7 && report.height == 12 && report.certifiedHeight == 12)
    withExtendedLifetime(blocks) {}
  }

  @Test func `after an unclean stop missing blocks are noticed`() throws {
    let (directory, _, _) = try Self.made()
    let path = "\(directory.path)/ledger/ledger.db"
    let connection = try SQLiteConnection(path: path, mode: .create)
    try connection.execute("DELETE FROM meta WHERE name = '.clean'")
    _ = try Self.open(directory)
    try connection.execute("DELETE FROM blocks WHERE height = 9")
    #expect(throws: LedgerError.self) { _ = try Self.open(directory) }
  }

  @Test func `rows of other tables cannot be computed again`() throws {
    let (directory, _, _) = try Self.made()
    do throws(LedgerError) {
      _ = try LedgerDatabase.open(
        directory: directory.path + "/ledger", chain: Owner.chain, tables: [TestTables.notes])
      Issue.record("it was opened")
    } catch {
      #expect(error.isDamage)
    }
    _ = try Self.open(directory)
  }

  @Test func `a moment stays while later blocks are committed`() throws {
    let (directory, maker, _) = try Self.made()
    let database = try Self.open(directory)
    try look(directory.path + "/ledger", database, maker)
    // Closing waits for moments to end.
    try database.close()
  }

  private func look(_ path: String, _ database: LedgerDatabase, _ maker: ChainMaker) throws {
    var next = maker
    let moment = try #require(
      try LedgerMoment(directory: path, chain: Owner.chain, tables: TestTables.all))
    try database.commit(.executing(next.next()), durable: true)
    var seen: [(place: Int64, bytes: [UInt8])] = []
    try moment.forEachRow { seen.append(($0, $1)) }
    #expect(moment.executed.height == 12)
    #expect(try moment.reads.tip()?.height == 12)
    let rows = try seen.map { try RowCoding.row(decoding: $0.bytes, tables: TestTables.all) }
    #expect(rows.contains(TestTables.tally("height", 12)))
    #expect(!rows.contains(TestTables.tally("height", 13)))
    for entry in seen { #expect(try moment.row(at: entry.place) == entry.bytes) }
    #expect(throws: LedgerError.self) { try moment.row(at: 9_999) }
  }

  @Test func `bytes that are no row and keys that come twice are refused`() throws {
    let directory = try TemporaryDirectory()
    let made = try LedgerImport(
      directory: directory.path + "/ledger", chain: Owner.chain, tables: TestTables.all)
    #expect(throws: WireError.self) { try made.add([[9, 9, 9]]) }
    let row = RowCoding.value(TestTables.tally("a", 1))
    #expect(throws: SQLiteError.self) { try made.add([row, row]) }
  }
}
