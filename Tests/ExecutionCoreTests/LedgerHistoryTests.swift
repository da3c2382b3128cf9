import ExecutionCore
import LedgerCore
import Merkle
import Primitives
import Records
import Testing

/// The memory of the last heights, against ledgers that stopped at each of them.
@Suite struct LedgerHistoryTests {
  /// A ledger as it was after a block, with its rows.
  private struct Stop {
    let ledger: Ledger
    let stored: SortedMap<Digest, Row>
  }

  /// A random chain, its memory, and a stop after each block, the beginning included.
  private struct Run {
    var random: Xoshiro256
    var history: History
    var memory: LedgerHistory
    var stops: [Stop]
    var asked = 0
    private var time: UInt64 = 2_000

    init(seed: UInt64) throws {
      random = Xoshiro256(seed: seed)
      history = try History()
      memory = LedgerHistory(at: history.ledger)
      stops = [Stop(ledger: history.ledger, stored: history.stored)]
    }

    mutating func step(isEmpty: Bool = false) throws {
      time += 1 + random.next() % 20
      var bundles: [SignedBundle] = []
      for lane in 0..<4 where !isEmpty && random.next() % 3 != 0 {
        let operations = (0..<(1 + Int(random.next() % 4))).map { _ in
          ReplayTests.operation(&random, time)
        }
        bundles.append(history.bundle(lane: lane, at: time, operations))
      }
      let before = history.stored
      let executed = try history.run(history.block(at: time, bundles))
      memory.note(executed, history.lastChanges, of: history.ledger) { table, key in
        asked += 1
        let row = before[Row.trieKey(table: table, key)]
        #expect(row != nil, "a row that did not exist is asked for")
        return row
      }
      stops.append(Stop(ledger: history.ledger, stored: history.stored))
    }

    /// A key of some row that any height has, or one that none has.
    mutating func key() -> (table: UInt16, columns: [ColumnValue]) {
      let rows = history.stored.entries
      if random.next() % 8 == 0 {
        return (Ledger.accountSchema.number, [.bytes(Make.agent(random.next()).bytes)])
      }
      let row = rows[Int(random.next() % UInt64(rows.count))].value
      let count = Ledger.schemas.first { $0.number == row.table }?.keyColumnCount ?? 0
      return (row.table, Array(row.values.prefix(count)))
    }

    func prove(
      _ key: (table: UInt16, columns: [ColumnValue]), at height: UInt64
    ) throws -> FinalRowPath? {
      try memory.prove(
        table: key.table, key: key.columns, atHeight: height, in: history.ledger
      ) { history.stored[Row.trieKey(table: key.table, key.columns)] }
    }

    /// Compares a proof of the past with one of the ledger that stopped there.
    mutating func check(height: UInt64) throws {
      let key = key()
      let stop = stops[Int(height)]
      let trieKey = Row.trieKey(table: key.table, key.columns)
      let path = try #require(try prove(key, at: height))
      #expect(path.values == stop.stored[trieKey]?.values)
      #expect(path.path == (try SparseMerkleTrie.proof(of: trieKey, in: stop.ledger.trie)))
      try path.check(under: stop.ledger.rowsRoot)
    }
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `every remembered height proves what a ledger that stopped there proves`(
    seed: UInt64
  ) throws {
    var run = try Run(seed: seed)
    for _ in 0..<30 {
      try run.step()
      for _ in 0..<6 {
        try run.check(height: run.random.next() % (run.history.ledger.height + 1))
      }
    }
    for (height, stop) in run.stops.enumerated() {
      let height = UInt64(height)
      let heads = run.memory.laneHeads(atHeight: height, in: run.history.ledger)
      #expect(heads == stop.ledger.laneHeads)
      #expect(run.memory.roots(at: height)?.rows == stop.ledger.rowsRoot)
      #expect(run.memory.roots(at: height)?.lanes == stop.ledger.lanesRoot)
    }
  }

  @Test func `the oldest heights are forgotten, and no height is made up`() throws {
    var run = try Run(seed: 99)
    let extra = 9
    for _ in 0..<(LedgerHistory.heightsMax + extra) {
      try run.step(isEmpty: run.random.next() % 2 == 0)
      run.memory.trim()
    }
    #expect(run.memory.first == UInt64(extra))
    let last = run.history.ledger.height
    for _ in 0..<100 {
      try run.check(height: UInt64(extra) + run.random.next() % (last - UInt64(extra) + 1))
    }
    for height in [0, UInt64(extra) - 1, last + 1, .max] {
      #expect(try run.prove(run.key(), at: height) == nil)
      #expect(run.memory.laneHeads(atHeight: height, in: run.history.ledger) == nil)
      #expect(run.memory.roots(at: height) == nil)
    }
    run.memory.forget(at: run.history.ledger)
    #expect(run.memory.partCount == 0)
    #expect(run.memory.first == last)
    try run.check(height: last)
  }

  @Test func `rows that a kept block wrote are not looked up again`() throws {
    var run = try Run(seed: 5)
    for _ in 0..<20 { try run.step() }
    let rows = run.history.stored.count
    #expect(run.asked < rows, "\(run.asked) look-ups")
    let asked = run.asked
    try run.step(isEmpty: true)
    #expect(run.asked == asked)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `a ledger at rest goes back over blocks without content and no further`(
    seed: UInt64
  ) throws {
    var run = try Run(seed: seed)
    for _ in 0..<10 { try run.step() }
    // What is due by time changes rows too: first let everything become due.
    for _ in 0..<200 where run.history.ledger.nextDue != nil { try run.step(isEmpty: true) }
    let rest = run.history.ledger.height
    for _ in 0..<5 { try run.step(isEmpty: true) }
    let last = run.history.ledger.height
    run.memory.forget(at: run.history.ledger)
    var height = last
    while height > 0 {
      let ledger = run.stops[Int(height) - 1].ledger
      let roots = LedgerHistory.Roots(
        height: ledger.height, rows: ledger.rowsRoot, lanes: ledger.lanesRoot)
      guard
        try run.memory.resume(roots, timestamp: ledger.timestamp, in: run.history.ledger)
      else { break }
      height -= 1
    }
    #expect(run.memory.first <= rest)
    #expect(run.memory.first > 0)
    for _ in 0..<50 {
      try run.check(height: run.memory.first + run.random.next() % (last - run.memory.first + 1))
    }
  }

  @Test func `a stored row that is not the ledger's is no proof`() throws {
    var run = try Run(seed: 3)
    try run.step()
    run.memory.forget(at: run.history.ledger)
    let row = try #require(
      run.history.stored.entries.map(\.value).first { $0.table == Ledger.validatorSchema.number })
    var values = row.values
    values[2] = .integer(7)
    let forged = Row(Ledger.validatorSchema, values)
    #expect(throws: HistoryError.self) {
      try run.memory.prove(
        table: row.table, key: Array(values.prefix(1)), atHeight: run.history.ledger.height,
        in: run.history.ledger
      ) { forged }
    }
    #expect(throws: HistoryError.self) {
      try run.memory.prove(
        table: row.table, key: Array(values.prefix(1)), atHeight: run.history.ledger.height,
        in: run.history.ledger
      ) { nil }
    }
  }
}
