import Crypto
import FinalityStorage
import Glibc
import Primitives
import Records
import SQLiteStorage
import Testing

@Suite struct LedgerDatabaseTests {
  @Test(arguments: [true, false])
  func `everything comes back after closing and after a crash`(isClosed: Bool) throws {
    let directory = try TemporaryDirectory()
    var maker = ChainMaker()
    var blocks: [FinalBlock] = []
    do {
      let ledger = try LedgerDatabase.open(directory)
      #expect(try ledger.reads.tip() == nil && ledger.reads.executedTip() == nil)
      var transaction = LedgerTransaction()
      transaction.epochs = [maker.firstEpoch]
      for height in 1...10 {
        let block = maker.next(isCertified: height.isMultiple(of: 3))
        blocks.append(block)
        transaction.add(block)
        guard height.isMultiple(of: 2) else { continue }
        try ledger.commit(transaction, durable: height.isMultiple(of: 4))
        transaction = LedgerTransaction()
      }
      if isClosed { try ledger.close() }
    }
    let ledger = try LedgerDatabase.open(directory)
    let reads = ledger.reads
    #expect(!ledger.wasReset)
    #expect(try reads.tip() == blocks.last)
    #expect(try reads.block(at: 4) == blocks[3] && reads.block(at: 11) == nil)
    #expect(try reads.block(named: blocks[6].block.hash) == blocks[6])
    #expect(try reads.blocks(from: 3, count: 4) == Array(blocks[2...5]))
    #expect(try reads.certifiedBlock(atOrAbove: 4) == blocks[5])
    #expect(try reads.certifiedBlock(atOrAbove: 10) == nil)
    #expect(try reads.header(at: 4) == blocks[3].block.header && reads.header(at: 11) == nil)
    #expect(try reads.executedTip()?.height == 10)
    #expect(try reads.executed(at: 7)?.root == ChainMaker.root(7))
    #expect(try reads.epochs() == [ChainMaker().firstEpoch])
    #expect(try reads.epoch(0)?.validators == maker.committee.set && reads.epoch(1) == nil)
    #expect(try reads.value("progress") == [10] && reads.value("other") == nil)
    #expect(
      try reads.row(table: 1, key: [.text("height")]) == TestTables.tally("height", 10))
    #expect(try reads.row(table: 1, key: [.text("depth")]) == nil)
    #expect(try reads.trieNode(at: []) == ChainMaker.root(10, 9).bytes)
    #expect(try reads.trieNode(at: [1, 4]) == [4] && reads.trieNode(at: [2]) == nil)
    try ledger.close()
  }

  @Test func `a bundle's block is found by the first cut that reaches it`() throws {
    let directory = try TemporaryDirectory()
    var maker = ChainMaker()
    let ledger = try LedgerDatabase.open(directory)
    var reached = [[UInt64]](repeating: [], count: 3)
    for _ in 0..<12 {
      let block = maker.next()
      for (lane, name) in ChainMaker.lanes.enumerated() {
        guard let advance = block.block.body.advances.first(where: { $0.lane == name }) else {
          continue
        }
        while UInt64(reached[lane].count) < advance.number { reached[lane].append(block.height) }
        #expect(
          try ledger.reads.outcome(ofLane: name, number: advance.number) == nil)
      }
      try ledger.commit(.executing(block), durable: false)
    }
    for (lane, name) in ChainMaker.lanes.enumerated() {
      for (index, height) in reached[lane].enumerated() {
        #expect(try ledger.reads.height(ofLane: name, number: UInt64(index + 1)) == height)
      }
      let last = UInt64(reached[lane].count)
      #expect(try ledger.reads.height(ofLane: name, number: last + 1) == nil)
      #expect(
        try ledger.reads.outcome(ofLane: name, number: last)
          == BundleOutcome(
            lane: name, number: last, height: reached[lane][Int(last) - 1],
            codes: [0, UInt32(reached[lane][Int(last) - 1]), UInt32.max]))
    }
    let cut = try ledger.reads.cut()
    #expect(cut.map(\.lane) == ChainMaker.lanes.sorted())
    #expect(Set(cut.map(\.number)) == Set(reached.map { UInt64($0.count) }))
    try ledger.close()
  }

  @Test func `rows and trie nodes are read page by page in the order of their keys`() throws {
    let directory = try TemporaryDirectory()
    let ledger = try LedgerDatabase.open(directory)
    var transaction = LedgerTransaction()
    let places: [Int64] = [-300, -1, 0, 1, 255, 256, .max, .min]
    let tags: [[UInt8]] = [[], [0], [0, 0], [0, 1], [1], [255]]
    for place in places.reversed() {
      for tag in tags.reversed() {
        transaction.rows.append(TestTables.note(place, tag, tag.isEmpty ? nil : "é"))
        transaction.trieNodes.append(TrieChange(path: tag, node: tag))
      }
    }
    transaction.trieNodes.append(TrieChange(path: [1], node: nil))
    try ledger.commit(transaction, durable: false)
    var found: [Row] = []
    while true {
      let after = found.last.map { Array($0.values.prefix(2)) } ?? []
      let page = try ledger.reads.rows(table: 2, after: after, limit: 7)
      found += page
      if page.count < 7 { break }
    }
    let expected = places.sorted().flatMap { place in
      tags.map { TestTables.note(place, $0, $0.isEmpty ? nil : "é") }
    }
    #expect(found == expected)
    let first = try ledger.reads.trieNodes(limit: 2)
    #expect(first.map(\.path) == [[], [0]])
    let rest = try ledger.reads.trieNodes(after: [0], limit: 10)
    #expect(rest.map(\.path) == [[0, 0], [0, 1], [255]])
    try ledger.close()
  }

  @Test func `a stored row has the digest of the row`() throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 1)
    let connection = try SQLiteConnection(
      path: "\(directory.ledger)/ledger.db", mode: .readOnly)
    let digest = try connection.bytes("SELECT digest FROM rows WHERE table_number = 1")
    #expect(digest == TestTables.tally("height", 1).digest.bytes)
  }

  @Test func `a certificate may come after its block`() throws {
    let directory = try TemporaryDirectory()
    var maker = ChainMaker()
    let ledger = try LedgerDatabase.open(directory)
    let block = maker.next(isCertified: false)
    try ledger.commit(.executing(block), durable: false)
    #expect(try ledger.reads.certifiedBlock(atOrAbove: 1) == nil)
    var late = LedgerTransaction()
    late.certificates = [maker.certificate(block.block)]
    try ledger.commit(late, durable: true)
    #expect(
      try ledger.reads.certifiedBlock(atOrAbove: 1)
        == FinalBlock(block: block.block, certificate: late.certificates[0]))
    try ledger.close()
  }

  @Test func `a transaction that fails in the middle leaves nothing and ends it all`() throws {
    let directory = try TemporaryDirectory()
    var maker = ChainMaker()
    let ledger = try LedgerDatabase.open(directory)
    try ledger.commit(.executing(maker.next()), durable: false)
    var broken = LedgerTransaction.executing(maker.next())
    broken.outcomes.append(broken.outcomes[0])
    let error = #expect(throws: LedgerError.self) { try ledger.commit(broken, durable: true) }
    guard case .database? = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try ledger.reads.tip()?.height == 1 && ledger.reads.executedTip()?.height == 1)
    #expect(
      try ledger.reads.row(table: 1, key: [.text("height")]) == TestTables.tally("height", 1))
    let stopped = #expect(throws: LedgerError.self) {
      try ledger.commit(LedgerTransaction(), durable: true)
    }
    #expect(stopped?.reason == .stopped)
    try ledger.close()
  }

  @Test func `whatever a crash leaves of the log is the state after some block`() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.ledger)/ledger.db"
    var maker = ChainMaker()
    let ledger = try LedgerDatabase.open(directory)
    var previous: UInt64 = 0
    for _ in 0..<3 { try ledger.commit(.executing(maker.next()), durable: true) }
    let (database, log) = (TestFiles.read(path), TestFiles.read("\(path)-wal"))
    try ledger.close()
    let frames = (log.count - 32) / 4_120
    #expect(frames > 20)
    for frame in stride(from: 0, through: frames, by: 1) {
      let torn = try TemporaryDirectory()
      mkdir(torn.ledger, 0o700)
      try TestFiles.write(database, to: "\(torn.ledger)/ledger.db")
      let count = min(32 + frame * 4_120 + frame * 37 % 4_120, log.count)
      try TestFiles.write(Array(log.prefix(count)), to: "\(torn.ledger)/ledger.db-wal")
      let reopened = try LedgerDatabase.open(torn)
      let height = try reopened.reads.tip()?.height ?? 0
      #expect(try reopened.reads.executedTip()?.height ?? 0 == height)
      #expect(
        try reopened.reads.row(table: 1, key: [.text("height")])
          == (height == 0 ? nil : TestTables.tally("height", height)))
      #expect(try reopened.reads.value("progress") == (height == 0 ? nil : [UInt8(height)]))
      #expect(height >= previous)
      previous = height
      try reopened.close()
    }
    #expect(previous == 3)
  }

  @Test func `a reader sees the ledger after one commit while others follow`() throws {
    let directory = try TemporaryDirectory()
    var maker = ChainMaker()
    let ledger = try LedgerDatabase.open(directory)
    try ledger.commit(.executing(maker.next()), durable: false)
    let reader = try LedgerReader(
      directory: directory.ledger, chain: Owner.chain, tables: TestTables.all)
    let second = try LedgerReader(
      directory: directory.ledger, chain: Owner.chain, tables: TestTables.all)
    let heights = try reader.snapshot { (reads) throws(LedgerError) in
      let before = try reads.executedTip()?.height
      let newer = try second.snapshot { (reads) throws(LedgerError) in
        try reads.executedTip()?.height
      }
      return [before, newer, try reads.tip()?.height]
    }
    #expect(heights == [1, 1, 1])
    try ledger.commit(.executing(maker.next()), durable: false)
    let height = try reader.snapshot { (reads) throws(LedgerError) in try reads.tip()?.height }
    #expect(height == 2)
    try ledger.close()
  }

  @Test func `a second opening, another chain and a newer version are refused`() throws {
    let directory = try TemporaryDirectory()
    let ledger = try LedgerDatabase.open(directory)
    let locked = #expect(throws: LedgerError.self) { try LedgerDatabase.open(directory) }
    #expect(locked?.reason == .locked(processIdentifier: getpid()))
    try ledger.close()
    let other = #expect(throws: LedgerError.self) {
      try LedgerDatabase.open(directory, chain: ChainID(digest: .zero))
    }
    #expect(other?.reason == .otherChain(found: Owner.chain) && other?.isDamage == false)
    try spoil(directory, "PRAGMA user_version=9")
    let newer = #expect(throws: LedgerError.self) { try LedgerDatabase.open(directory) }
    #expect(newer?.reason == .newerVersion(found: 9, known: 1))
  }

  @Test func `rows of other tables are dropped with all that was executed, blocks stay`() throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 4)
    let ledger = try LedgerDatabase.open(directory, tables: [TestTables.tallies])
    #expect(ledger.wasReset)
    #expect(try ledger.reads.tip()?.height == 4 && ledger.reads.executedTip() == nil)
    #expect(try ledger.reads.rows(table: 1, limit: 9).isEmpty)
    #expect(try ledger.reads.trieNodes(limit: 9).isEmpty && ledger.reads.cut().count == 3)
    var again = LedgerTransaction()
    again.executed = [
      ExecutedState(height: 1, root: .zero, rowsRoot: .zero, lanesRoot: .zero)
    ]
    try ledger.commit(again, durable: false)
    try ledger.close()
    let reopened = try LedgerDatabase.open(directory, tables: [TestTables.tallies])
    #expect(!reopened.wasReset)
    try reopened.close()
  }

  @Test func `a damaged file is refused after a crash, set aside, and begun anew`() throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 6)
    try spoil(directory, "DELETE FROM meta WHERE name = '.clean'")
    let path = "\(directory.ledger)/ledger.db"
    var bytes = TestFiles.read(path)
    for page in 2..<bytes.count / 4_096 { bytes[page * 4_096 + 1] = 0xff }
    try TestFiles.write(bytes, to: path)
    let error = #expect(throws: LedgerError.self) { try LedgerDatabase.open(directory) }
    #expect(error?.isDamage == true)
    let kept = try LedgerDatabase.setAside(directory.ledger)
    #expect(kept.hasPrefix("\(path).damaged-"))
    #expect(TestFiles.read(kept) == bytes)
    let ledger = try LedgerDatabase.open(directory)
    #expect(try ledger.reads.tip() == nil)
    try ledger.close()
  }

  @Test(arguments: ["blocks", "executed"])
  func `a height that is missing after a crash is damage`(table: String) throws {
    let directory = try TemporaryDirectory()
    try LedgerDatabase.make(directory, blocks: 5)
    try spoil(directory, "DELETE FROM \(table) WHERE height = 3")
    try spoil(directory, "DELETE FROM meta WHERE name = '.clean'")
    let error = #expect(throws: LedgerError.self) { try LedgerDatabase.open(directory) }
    #expect(error?.isDamage == true && error?.description.contains("missing") == true)
  }

  @Test func `blocks that do not follow and heights that are not final are bugs`() async {
    await #expect(processExitsWith: .failure) {
      let directory = try TemporaryDirectory()
      var maker = ChainMaker()
      _ = maker.next()
      try LedgerDatabase.open(directory).commit(.executing(maker.next()), durable: false)
    }
    await #expect(processExitsWith: .failure) {
      let directory = try TemporaryDirectory()
      var transaction = LedgerTransaction()
      transaction.executed = [
        ExecutedState(height: 1, root: .zero, rowsRoot: .zero, lanesRoot: .zero)
      ]
      try LedgerDatabase.open(directory).commit(transaction, durable: false)
    }
  }
}
