import Crypto
import LedgerCore
import Primitives
import Records
import Testing

@Suite struct RecordPropertyTests {
  @Test(arguments: UInt64(0)..<40)
  func `every interleaving of lanes gives the same records`(seed: UInt64) {
    let workload = RecordWorkload(seed: seed)
    let first = Run(workload.interleaved(seed: 0))
    let reading = RecordReading(of: first.tables)
    for order in UInt64(1)...3 {
      let other = Run(workload.interleaved(seed: order))
      let isSame = RecordReading(of: other.tables) == reading
      #expect(isSame)
      let isStoredSame = other.stored == first.stored
      #expect(isStoredSame)
      #expect(other.tables.rowSet == first.tables.rowSet)
      #expect(other.tables.counts == first.tables.counts)
    }
    #expect(first.storedHash == first.tables.rowSet)
  }

  @Test(arguments: UInt64(0)..<40)
  func `records are what the rules say of the whole history`(seed: UInt64) {
    var run = Run([])
    let operations = RecordWorkload(seed: seed).interleaved(seed: 1)
    for (count, placed) in operations.enumerated() {
      run.apply(placed)
      guard count % 31 == 30 || count == operations.count - 1 else { continue }
      let oracle = RecordOracle(Array(operations[...count]))
      let isSame = RecordReading(of: run.tables) == oracle.reading
      #expect(isSame, "after \(count + 1) operations")
    }
  }

  @Test(arguments: UInt64(0)..<12)
  func `changes that come twice change nothing`(seed: UInt64) {
    let workload = RecordWorkload(seed: seed)
    var run = Run(workload.interleaved(seed: 0))
    let before = run.tables.rowsDigest
    for placed in workload.interleaved(seed: 1) {
      var rows: [Row] = []
      run.tables.apply(placed.bytes, at: placed.stamp, into: &rows)
      #expect(rows.isEmpty)
    }
    #expect(run.tables.rowsDigest == before)
  }

  @Test(arguments: UInt64(0)..<20)
  func `records restored from their rows go on as if never stopped`(seed: UInt64) throws {
    let operations = RecordWorkload(seed: seed).interleaved(seed: 2)
    let half = operations.count / 2
    var run = Run(Array(operations.prefix(half)))
    var rows = run.stored.values.sorted { $0.digest < $1.digest }
    var generator = Xoshiro256(seed: seed, purpose: "record rows")
    generator.shuffle(&rows)
    var restored = LiveTables()
    for row in rows { try restored.restore(row) }
    try restored.finishRestore()
    #expect(RecordReading(of: restored) == RecordReading(of: run.tables))
    #expect(restored.rowSet == run.tables.rowSet)
    for placed in operations.suffix(operations.count - half) {
      var expected: [Row] = []
      run.tables.apply(placed.bytes, at: placed.stamp, into: &expected)
      var rows: [Row] = []
      restored.apply(placed.bytes, at: placed.stamp, into: &rows)
      #expect(rows == expected)
    }
    #expect(RecordReading(of: restored) == RecordReading(of: run.tables))
    #expect(restored.rowSet == run.tables.rowSet)
  }

  @Test func `the workload reaches every rule`() {
    var conflicts = 0
    var resolutions = 0
    var floors = 0
    var repeated = 0
    var present = 0
    var crowded = 0
    for seed in UInt64(0)..<60 {
      let run = Run(RecordWorkload(seed: seed).interleaved(seed: 0))
      let reading = RecordReading(of: run.tables)
      conflicts += reading.records.count { $0?.isConflict == true }
      present += reading.records.count { ($0?.elements ?? 0) > 0 }
      for row in run.stored.values {
        if row.table == LiveTables.recordWriteSchema.number, row.values.last != .integer(0) {
          resolutions += 1
        }
        // A clock starts with its floor.
        if row.table == LiveTables.recordSchema.number, case .bytes(let clock)? = row.values.last,
          clock.first != 0
        {
          floors += 1
        }
        if row.table == LiveTables.recordRequestSchema.number { repeated += 1 }
      }
      crowded += reading.records.count { record in
        Dictionary(grouping: record?.writes ?? [], by: \.stamp.lane).values
          .contains { $0.count == LedgerLimits.siblingsPerLane }
      }
    }
    #expect(conflicts > 100)
    #expect(resolutions > 100)
    #expect(floors > 10)
    #expect(repeated > 100)
    #expect(present > 100)
    #expect(crowded > 5)
  }
}
