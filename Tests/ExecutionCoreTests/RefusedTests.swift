import Crypto
import ExecutionCore
import LedgerCore
import Merkle
import Primitives
import Records
import Testing

/// The live tables that a final state leads to, beside those that its bundles lead to.
@Suite struct RefusedTests {
  private static func operation(
    _ random: inout Xoshiro256, _ time: UInt64, _ lanes: [SignedBundle]
  ) -> LedgerOperation {
    let agent = 1 + random.next() % 8
    let question = 1 + random.next() % 6
    let value = ["yes", "no", "perhaps"][random.next(below: 3)]
    let name = RecordName(collection: "c\(random.next() % 2)", key: "k\(random.next() % 3)")
    let seen = lanes.filter { _ in random.next() % 2 == 0 }
      .map { RecordDot(lane: $0.header.lane, time: $0.header.lastTime) }.sorted()
    let request = random.next() % 2 == 0 ? nil : RecordRequestID(high: 1, low: random.next() % 9)
    func change(_ action: RecordAction) -> LedgerOperation {
      .change(
        RecordChange(name: name, agent: Make.agent(agent), request: request, action: action))
    }
    switch random.next() % 14 {
    case 0:
      return Make.register(
        agent, [[.ask, .answer, .resolve], [.ask], [.answer]][random.next(below: 3)])
    case 1, 2: return Make.ask(question, by: agent, deadline: time + 1 + random.next() % 60)
    case 3, 4: return Make.resolve(question, by: agent, value)
    case 5:
      return .define(
        CollectionDefinition(
          name: name.collection, policy: CollectionPolicy.allCases[random.next(below: 2)],
          agent: Make.agent(agent)))
    case 6: return change(.put(value: "1", priority: 1, seen: seen))
    case 7: return change(.delete(priority: 0, seen: seen))
    case 8: return change(.add(delta: Int64(random.next() % 100)))
    case 9: return change(.insert(element: "e\(random.next() % 3)", seen: seen))
    case 10: return change(.remove(element: "e\(random.next() % 3)", seen: seen))
    default: return Make.answer(question, by: agent, value, stake: random.next() % 600_000_000)
    }
  }

  /// A history of which many operations are refused; the codes that came.
  private static func history(
    seed: UInt64, blocks: Int = 30
  ) throws -> (history: History, bundles: [SignedBundle], codes: [ResultCode]) {
    var random = Xoshiro256(seed: seed, purpose: "refused")
    var history = try History()
    var bundles: [SignedBundle] = []
    var codes: [ResultCode] = []
    var last: [SignedBundle] = []
    var time: UInt64 = 2_000
    for _ in 0..<blocks {
      time += 1 + random.next() % 20
      var some: [SignedBundle] = []
      for lane in 0..<4 where random.next() % 3 != 0 {
        let operations = (0..<(1 + random.next(below: 4))).map { _ in
          operation(&random, time, last)
        }
        some.append(history.bundle(lane: lane, at: time - random.next() % 500, operations))
      }
      let executed = try history.run(history.block(at: time, some))
      codes += executed.results.map(\.code)
      last = some
      bundles += some
    }
    return (history, bundles, codes)
  }

  /// The live tables that the bundles lead to, lanes interleaved by chance.
  private static func live(_ bundles: [SignedBundle], seed: UInt64) -> (LiveTables, [Digest: Row]) {
    var random = Xoshiro256(seed: seed, purpose: "arrival")
    var waiting = Dictionary(grouping: bundles, by: \.header.lane).values
      .map { Array($0) }.sorted { $0[0].header.lane < $1[0].header.lane }
    var tables = LiveTables()
    var rows: [Row] = []
    while !waiting.isEmpty {
      let index = random.next(below: waiting.count)
      tables.apply(waiting[index].removeFirst(), into: &rows)
      if waiting[index].isEmpty { waiting.remove(at: index) }
    }
    return (tables, keyed(rows))
  }

  private static func made(_ rows: [Row], _ changes: inout [Row]) throws -> LiveTables {
    var made = LiveTablesAtCut()
    for row in rows { try made.add(row) }
    return try made.finish(into: &changes)
  }

  private static func keyed(_ rows: [Row]) -> [Digest: Row] {
    var result: [Digest: Row] = [:]
    for row in rows {
      guard let schema = Ledger.schemas.first(where: { $0.number == row.table }) else { continue }
      result[row.trieKey(schema)] = row
    }
    return result
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `the final state leads to the live tables that its bundles lead to`(seed: UInt64) throws {
    let (history, bundles, _) = try RefusedTests.history(seed: seed)
    let (live, rows) = RefusedTests.live(bundles, seed: seed)
    let final = history.stored.entries.map(\.value)
    var changes: [Row] = []
    let made = try RefusedTests.made(final, &changes)
    #expect(made.rowSet == live.rowSet)
    let same = final.filter { $0.table < Ledger.accountSchema.number }
    #expect(RefusedTests.keyed(same + changes) == rows)
    // What comes next leads on alike.
    var (one, other, ignored) = (live, made, [Row]())
    let next = try RefusedTests.history(seed: seed, blocks: 40).bundles.dropFirst(bundles.count)
    for bundle in next {
      one.apply(bundle, into: &ignored)
      other.apply(bundle, into: &ignored)
    }
    #expect(one.rowSet == other.rowSet)
  }

  @Test func `such histories are refused for every reason`() throws {
    var codes: Set<ResultCode> = []
    for seed in 1...12 as ClosedRange<UInt64> {
      codes.formUnion(try RefusedTests.history(seed: seed).codes)
    }
    let all: Set<ResultCode> = [
      .accepted, .exists, .unknownAgent, .notAllowed, .unknownQuestion, .closed,
      .insufficientStake,
    ]
    #expect(codes.isSuperset(of: all))
  }

  @Test func `without the refused operations the live tables differ`() throws {
    let (history, bundles, _) = try RefusedTests.history(seed: 1)
    let (live, _) = RefusedTests.live(bundles, seed: 1)
    let accepted = history.stored.entries.map(\.value)
      .filter { $0.table != Ledger.refusedSchema.number }
    var ignored: [Row] = []
    let made = try RefusedTests.made(accepted, &ignored)
    #expect(made.rowSet != live.rowSet)
  }

  @Test func `a refusal is a row under the root, with its code`() throws {
    var history = try History()
    let codes = try history.run(at: 3_000, [Make.answer(9, by: 1, "yes")])
    #expect(codes == [.unknownQuestion])
    let rows = history.stored.entries.map(\.value)
      .filter { $0.table == Ledger.refusedSchema.number }
    #expect(rows.count == 1)
    #expect(rows.first?.values[4] == .integer(Int64(ResultCode.unknownQuestion.rawValue)))
    let proof = RowProof(
      height: history.ledger.height, rowsRoot: history.ledger.rowsRoot,
      lanesRoot: history.ledger.lanesRoot,
      path: try SparseMerkleTrie.proof(
        of: try #require(rows.first).trieKey(Ledger.refusedSchema), in: history.ledger.trie))
    #expect(
      proof.shows(
        try #require(rows.first), of: Ledger.refusedSchema, under: history.ledger.root))
  }

  @Test func `rows that no ledger wrote are refused`() throws {
    let (history, _, _) = try RefusedTests.history(seed: 2)
    let row = try #require(
      history.stored.entries.map(\.value).first { $0.table == Ledger.refusedSchema.number })
    let bad: [(Int, ColumnValue)] = [
      (0, .bytes([1])), (1, .integer(-1)), (2, .integer(-1)), (4, .integer(0)), (4, .integer(1)),
      (4, .integer(99)), (4, .integer(300)),
    ]
    for (column, value) in bad {
      var values = row.values
      values[column] = value
      let wrong = Row(Ledger.refusedSchema, values)
      var ignored: [Row] = []
      #expect(throws: RestoreError.self) {
        try RefusedTests.made([wrong], &ignored)
      }
    }
  }
}
