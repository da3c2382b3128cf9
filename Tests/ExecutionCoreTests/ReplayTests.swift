import Crypto
import ExecutionCore
import LedgerCore
import Merkle
import Primitives
import Records
import Testing

@Suite struct ReplayTests {
  static func operation(_ random: inout Xoshiro256, _ time: UInt64) -> LedgerOperation {
    let agent = 1 + random.next() % 8
    let question = 1 + random.next() % 10
    let value = random.next() % 3 == 0 ? "no" : "yes"
    switch random.next() % 8 {
    case 0, 1:
      return Make.register(agent, agent < 3 ? [.ask, .answer, .resolve] : [.ask, .answer])
    case 2, 3:
      return Make.ask(question, by: agent, deadline: time + 1 + random.next() % 40)
    case 4: return Make.resolve(question, by: agent, value)
    default:
      return Make.answer(question, by: agent, value, stake: random.next() % 400_000_000)
    }
  }

  /// A random history; `each` sees it after every block.
  private static func history(
    seed: UInt64, each: (inout History) throws -> Void = { _ in }
  ) throws -> History {
    var random = Xoshiro256(seed: seed)
    var history = try History()
    var time: UInt64 = 2_000
    for _ in 0..<25 {
      time += 1 + random.next() % 20
      var bundles: [SignedBundle] = []
      for lane in 0..<4 where random.next() % 3 != 0 {
        let count = 1 + Int(random.next() % 4)
        let operations = (0..<count).map { _ in operation(&random, time) }
        let stamp = time - random.next() % 500
        bundles.append(history.bundle(lane: lane, at: stamp, operations))
      }
      _ = try history.run(history.block(at: time, bundles))
      try each(&history)
    }
    return history
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `units are conserved and a restart after any block changes nothing`(seed: UInt64) throws {
    let plain = try ReplayTests.history(seed: seed) { history in
      #expect(history.ledger.brokenInvariant == nil)
    }
    let restarted = try ReplayTests.history(seed: seed) { history in
      let root = history.ledger.root
      history.ledger = try history.restored()
      #expect(history.ledger.root == root)
      #expect(history.ledger.brokenInvariant == nil)
    }
    #expect(plain.ledger.root == restarted.ledger.root)
    #expect(plain.ledger.nextDue == restarted.ledger.nextDue)
    #expect(plain.ledger.tables.rowsDigest == restarted.ledger.tables.rowsDigest)
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `replaying the blocks in another order of bundles gives the same root`(
    seed: UInt64
  ) throws {
    let history = try ReplayTests.history(seed: seed)
    var again = try History()
    for block in history.blocks {
      let shuffled = BlockToExecute(
        epoch: block.epoch, height: block.height, timestamp: block.timestamp,
        endsEpoch: block.endsEpoch, body: block.body, bundles: block.bundles.reversed())
      _ = try again.run(shuffled)
    }
    #expect(again.ledger.root == history.ledger.root)
  }

  @Test func `rows are shown under the execution root, and their absence`() throws {
    let history = try ReplayTests.history(seed: 1)
    let ledger = history.ledger
    let other = Digest(words: 1, 1, 1, 1)
    func proof(_ key: Digest) throws -> RowProof {
      RowProof(
        height: ledger.height, rowsRoot: ledger.rowsRoot, lanesRoot: ledger.lanesRoot,
        path: try SparseMerkleTrie.proof(of: key, in: ledger.trie))
    }
    for row in history.stored.entries.map(\.value) {
      let schema = try #require(Ledger.schemas.first { $0.number == row.table })
      let proof = try proof(row.trieKey(schema))
      #expect(proof.shows(row, of: schema, under: ledger.root))
      #expect(!proof.shows(row, of: schema, under: other))
    }
    let nobody: [ColumnValue] = [.bytes(Make.agent(999).bytes)]
    let table = Ledger.accountSchema.number
    let absence = try proof(Row.trieKey(table: table, nobody))
    #expect(absence.showsNone(table: table, keyColumns: nobody, under: ledger.root))
    let somebody: [ColumnValue] = [.bytes(Make.agent(1).bytes)]
    #expect(!absence.showsNone(table: table, keyColumns: somebody, under: ledger.root))
  }

  @Test func `a fixed history has a fixed root`() throws {
    let root = try ReplayTests.history(seed: 1).ledger.root.hexadecimal
    #expect(root == "7d64b9857f80055a963a9c79b9f64b1aafb86729bb80142a420fc8290295671e")
  }
}
