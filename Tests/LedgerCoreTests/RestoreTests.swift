import LedgerCore
import Primitives
import Records
import Testing
import Wire

@Suite struct RestoreTests {
  /// The rows of a small ledger, in order of their tables.
  static let rows: [Row] = {
    var tables = LiveTables()
    var rows: [Row] = []
    let operations: [LedgerOperation] =
      [.register(Samples.registration(Samples.judge, name: "Judge", capabilities: .all))]
      + Samples.all.filter { $0 != .ask(Samples.posting()) }
    for (index, operation) in operations.enumerated() {
      tables.apply(operation.encoded, at: Samples.stamp(UInt64(index) + 1), into: &rows)
    }
    var newest: [Row] = []
    for (index, row) in rows.enumerated() {
      let columns = LiveTables.schemas[Int(row.table) - 1].keyColumnCount
      let isReplaced = rows[(index + 1)...].contains {
        $0.table == row.table && $0.values.prefix(columns) == row.values.prefix(columns)
      }
      if !isReplaced { newest.append(row) }
    }
    return newest.sorted { $0.table < $1.table }
  }()

  static func restore(_ rows: [Row]) -> RestoreError? {
    var tables = LiveTables()
    do throws(RestoreError) {
      for row in rows { try tables.restore(row) }
      try tables.finishRestore()
      return nil
    } catch {
      return error
    }
  }

  @Test func `the rows of every table are restored`() {
    #expect(Set(RestoreTests.rows.map(\.table)).count == LiveTables.schemas.count)
    #expect(RestoreTests.restore(RestoreTests.rows) == nil)
    #expect(RestoreTests.restore([]) == nil)
  }

  @Test func `a row that comes twice is refused`() {
    // Writes of records are not kept in memory: storage has each once, or the set hash differs.
    for row in RestoreTests.rows where row.table != LiveTables.recordWriteSchema.number {
      let error = RestoreTests.restore(RestoreTests.rows + [row])
      #expect(error?.table == row.table)
      #expect(error?.reason == .repeatedKey)
    }
  }

  @Test func `a value of another type is refused by its column`() {
    for (place, row) in RestoreTests.rows.enumerated() {
      // A row with a null key cannot be made, so only the other columns can hold one.
      let keyCount = LiveTables.schemas[Int(row.table) - 1].keyColumnCount
      for column in row.values.indices.dropFirst(keyCount) {
        var values = row.values
        values[column] = .null
        var rows = RestoreTests.rows
        rows[place] = Row(LiveTables.schemas[Int(row.table) - 1], values)
        // Columns that the tables do not keep are storage's own business.
        guard let error = RestoreTests.restore(rows) else {
          #expect(!RestoreTests.isKept(row.table, column))
          continue
        }
        #expect(error.table == row.table)
        #expect(error.reason == .badValue(column: column))
      }
    }
  }

  private static func isKept(_ table: UInt16, _ column: Int) -> Bool {
    let schema = LiveTables.schemas[Int(table) - 1]
    let texts = ["description", "platform", "specialties", "text", "content", "reasoning", "stake"]
    let isAnswerValue = table == LiveTables.answerSchema.number && column == 3
    return !isAnswerValue && !texts.contains(schema.columns[column].name)
  }

  @Test func `numbers out of range are refused`() {
    for (place, row) in RestoreTests.rows.enumerated() {
      let schema = LiveTables.schemas[Int(row.table) - 1]
      for name in ["capabilities", "category", "minimum_answers", "confidence", "role", "idx"] {
        guard let column = schema.columns.firstIndex(where: { $0.name == name }) else { continue }
        var values = row.values
        values[column] = .integer(.max)
        var rows = RestoreTests.rows
        rows[place] = Row(schema, values)
        #expect(RestoreTests.restore(rows)?.reason == .badValue(column: column))
      }
    }
  }

  @Test func `scores that are not the sums are refused`() throws {
    let number = LiveTables.scoreSchema.number
    let place = try #require(
      RestoreTests.rows.firstIndex { $0.table == number && $0.values[2] == .integer(1) })
    let missing = RestoreTests.rows.filter { $0 != RestoreTests.rows[place] }
    #expect(RestoreTests.restore(missing)?.reason == .wrongScore)
    for column in 1...3 {
      var values = RestoreTests.rows[place].values
      values[column] = .integer(3)
      var rows = RestoreTests.rows
      rows[place] = Row(LiveTables.scoreSchema, values)
      #expect(RestoreTests.restore(rows)?.reason == .wrongScore)
    }
    let withoutAgents = RestoreTests.rows.filter { $0.table != LiveTables.agentSchema.number }
    #expect(RestoreTests.restore(withoutAgents)?.reason == .wrongScore)
  }

  @Test func `a table that is not ours is refused`() {
    let foreign = TableSchema(
      number: 77, name: "foreign", columns: [.init("key", .integer)], keyColumnCount: 1)
    let error = RestoreTests.restore([Row(foreign, [.integer(1)])])
    #expect(error?.reason == .unknownTable)
    let short = TableSchema(
      number: 1, name: "agent", columns: [.init("agent", .bytes)], keyColumnCount: 1)
    #expect(RestoreTests.restore([Row(short, [.bytes([])])])?.reason == .badValue(column: 1))
  }
}
