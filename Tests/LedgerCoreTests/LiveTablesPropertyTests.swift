import AnswerCore
import Crypto
import LedgerCore
import Primitives
import Records
import Testing

/// The tables after some operations, with every row as storage would hold it.
struct Run {
  var tables = LiveTables()
  var stored: [[ColumnValue]: Row] = [:]

  init(_ operations: [Placed]) {
    for placed in operations { apply(placed) }
  }

  mutating func apply(_ placed: Placed) {
    var rows: [Row] = []
    tables.apply(placed.bytes, at: placed.stamp, into: &rows)
    for row in rows {
      let columns = LiveTables.schemas[Int(row.table) - 1].keyColumnCount
      stored[[.integer(Int64(row.table))] + row.values.prefix(columns)] = row
    }
  }

  /// The hash of the stored rows, built anew.
  var storedHash: LatticeHash {
    var hash = LatticeHash()
    for row in stored.values { hash.insert(row.digest) }
    return hash
  }
}

@Suite struct LiveTablesPropertyTests {
  @Test(arguments: UInt64(0)..<240)
  func `every interleaving of the lanes gives the same state`(seed: UInt64) throws {
    let workload = Workload(seed: seed)
    let first = Run(workload.interleaved(seed: 0))
    let reading = Reading(of: first.tables)
    for order in UInt64(1)...5 {
      let other = Run(workload.interleaved(seed: order))
      #expect(Reading(of: other.tables) == reading)
      #expect(other.stored == first.stored)
      #expect(other.tables.rowSet == first.tables.rowSet)
      #expect(other.tables.counts == first.tables.counts)
    }
    #expect(first.storedHash == first.tables.rowSet)
  }

  @Test(arguments: UInt64(0)..<60)
  func `even lanes that are torn apart give the same state`(seed: UInt64) {
    let workload = Workload(seed: seed)
    let first = Run(workload.all)
    var shuffled = workload.all
    var generator = Xoshiro256(seed: seed, purpose: "shuffle")
    generator.shuffle(&shuffled)
    let second = Run(shuffled)
    #expect(Reading(of: second.tables) == Reading(of: first.tables))
    #expect(second.tables.rowsDigest == first.tables.rowsDigest)
    #expect(second.stored == first.stored)
  }

  @Test(arguments: UInt64(0)..<240)
  func `the tables say what the rules say of the whole set`(seed: UInt64) {
    let workload = Workload(seed: seed)
    var run = Run([])
    let operations = workload.interleaved(seed: 1)
    for (count, placed) in operations.enumerated() {
      run.apply(placed)
      // Halfway too: what counts so far is a function of what was applied so far.
      guard count == operations.count / 2 || count == operations.count - 1 else { continue }
      let oracle = Oracle(Array(operations[...count]))
      #expect(Reading(of: run.tables) == oracle.reading)
    }
  }

  @Test(arguments: UInt64(0)..<60)
  func `applying everything twice changes nothing`(seed: UInt64) {
    let workload = Workload(seed: seed)
    var run = Run(workload.interleaved(seed: 0))
    let before = (Reading(of: run.tables), run.tables.rowsDigest)
    for placed in workload.interleaved(seed: 1) {
      var rows: [Row] = []
      run.tables.apply(placed.bytes, at: placed.stamp, into: &rows)
      #expect(rows.isEmpty)
    }
    #expect(Reading(of: run.tables) == before.0)
    #expect(run.tables.rowsDigest == before.1)
  }

  @Test(arguments: UInt64(0)..<60)
  func `tables restored from their rows go on as if never stopped`(seed: UInt64) throws {
    let operations = Workload(seed: seed).interleaved(seed: 2)
    var run = Run(Array(operations.prefix(operations.count * 2 / 3)))
    var rows = run.stored.values.sorted { $0.digest < $1.digest }
    var generator = Xoshiro256(seed: seed, purpose: "rows")
    generator.shuffle(&rows)
    var restored = LiveTables()
    for row in rows { try restored.restore(row) }
    try restored.finishRestore()
    #expect(Reading(of: restored) == Reading(of: run.tables))
    #expect(restored.rowSet == run.tables.rowSet)
    for placed in operations.suffix(operations.count - operations.count * 2 / 3) {
      run.apply(placed)
      var rows: [Row] = []
      restored.apply(placed.bytes, at: placed.stamp, into: &rows)
    }
    #expect(Reading(of: restored) == Reading(of: run.tables))
    #expect(restored.rowSet == run.tables.rowSet)
  }

  @Test func `the workload reaches every rule`() {
    var rightAnswers = 0
    var wrongAnswers = 0
    var uncountedAnswers = 0
    var ignored = 0
    var decided = 0
    for seed in UInt64(0)..<240 {
      let run = Run(Workload(seed: seed).interleaved(seed: 0))
      let reading = Reading(of: run.tables)
      rightAnswers += reading.answers.count { $0?.isCorrect == true }
      wrongAnswers += reading.answers.count { $0?.isCorrect == false }
      uncountedAnswers += reading.answers.count { $0?.isCounted == false }
      ignored += run.tables.counts.ignored
      decided += reading.outcomes.count { $0?.outcome.winner != nil }
    }
    #expect(rightAnswers > 100)
    #expect(wrongAnswers > 100)
    #expect(uncountedAnswers > 100)
    #expect(ignored > 100)
    #expect(decided > 100)
  }
}
