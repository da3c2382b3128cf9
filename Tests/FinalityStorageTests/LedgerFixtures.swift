import Crypto
import FinalityStorage
import Primitives
import Records
import SQLiteStorage
import Wire

/// Validators with their keys.
struct Committee {
  let keys: [SigningKey]
  let set: ValidatorSet

  init(_ count: Int, seed: UInt64) {
    let made = (0..<count).map { place in
      SigningKey(seed: Blake2b.hash([UInt8(seed), UInt8(place)], .seed))
    }
    let nodes = made.map { NodeID(key: $0.publicKey) }
    guard let set = ValidatorSet(nodes) else { preconditionFailure("validators named twice") }
    self.set = set
    keys = set.members.compactMap { member in made.first { $0.publicKey == member.key } }
  }

  /// A quorum's signatures under a statement.
  func certificate(_ statement: Statement) -> Certificate {
    let signers = (0..<set.quorum).map { UInt16($0) }
    return Certificate(
      statement: statement, signers: signers,
      signatures: signers.map { keys[Int($0)].signRaw(statement.preimage) })
  }
}

/// Makes a chain of blocks, with whatever a test wants to be wrong in it.
struct ChainMaker {
  static let lanes = (0..<3).map { LaneID(digest: Blake2b.hash([UInt8($0)], .lane)) }

  let chain = Owner.chain
  var committee: Committee
  var epoch: UInt64 = 0
  var last: BlockHeader?
  var numbers = [UInt64](repeating: 0, count: 3)

  init(_ committee: Committee = Committee(4, seed: 1)) {
    self.committee = committee
  }

  /// The execution root that headers name for a height.
  static func root(_ height: UInt64, _ part: UInt8 = 0) -> Digest {
    Blake2b.hash([part] + (0..<8).map { UInt8(truncatingIfNeeded: height >> (8 * $0)) }, .execution)
  }

  /// The next block, which moves one or two lanes.
  mutating func next(
    isCertified: Bool = true, change: (inout BlockHeader) -> Void = { _ in }
  ) -> FinalBlock {
    let height = (last?.height ?? 0) + 1
    let moved = Set([Int(height % 3), Int(height / 2 % 3)])
    for lane in moved { numbers[lane] += 1 + height % 4 }
    let advances = moved.map { lane in
      CutAdvance(
        lane: ChainMaker.lanes[lane], number: numbers[lane],
        digest: ChainMaker.root(numbers[lane], UInt8(lane + 1)))
    }
    let body = BlockBody(advances: advances.sorted { $0.lane < $1.lane })
    let begins = last.map { $0.epoch != epoch } ?? true
    let executedHeight = height < 3 ? 0 : height - 2
    var header = BlockHeader(
      chain: chain, epoch: epoch, height: height, view: begins ? 1 : (last?.view ?? 0) + 1,
      parentView: begins ? 0 : last?.view ?? 0,
      parentHash: last?.hash ?? chain.digest, proposer: UInt16(height % 4),
      timestamp: 1_700_000_000_000 + height * 10, bodyRoot: body.root,
      bodyByteCount: UInt32(body.encoded.count), entryCount: UInt32(body.entryCount),
      executedHeight: executedHeight, executedRoot: ChainMaker.root(executedHeight),
      validatorSetHash: committee.set.hash)
    change(&header)
    last = header
    let block = Block(header: header, body: body)
    return FinalBlock(block: block, certificate: isCertified ? certificate(block) : nil)
  }

  /// A quorum's `finalize` for a block.
  func certificate(_ block: Block) -> Certificate {
    committee.certificate(
      Statement(
        kind: .finalize, chain: block.header.chain, epoch: block.header.epoch,
        view: block.header.view, hash: block.hash))
  }

  /// The epoch that the maker is in before its first block.
  var firstEpoch: LedgerEpoch {
    LedgerEpoch(
      epoch: epoch, parent: BlockReference(epoch: epoch, view: 0, height: 0, hash: chain.digest),
      validators: committee.set, handover: nil)
  }

  /// Ends the epoch after the last block.
  mutating func handOver(to next: Committee) -> LedgerEpoch {
    guard let boundary = last?.reference else { preconditionFailure("an epoch without a block") }
    let statement = Handover.statement(chain: chain, boundary: boundary, next: next.set)
    let certificate = committee.certificate(statement)
    epoch += 1
    committee = next
    return LedgerEpoch(
      epoch: epoch,
      parent: BlockReference(
        epoch: epoch, view: 0, height: boundary.height, hash: boundary.hash),
      validators: next.set, handover: certificate)
  }
}

/// The tables of the tests.
enum TestTables {
  static let tallies = TableSchema(
    number: 1, name: "tallies",
    columns: [.init("name", .text), .init("height", .integer)], keyColumnCount: 1)
  static let notes = TableSchema(
    number: 2, name: "notes",
    columns: [.init("place", .integer), .init("tag", .bytes), .init("note", .text)],
    keyColumnCount: 2)
  static let all = [tallies, notes]

  static func tally(_ name: String, _ height: UInt64) -> Row {
    Row(tallies, [.text(name), .integer(Int64(height))])
  }

  static func note(_ place: Int64, _ tag: [UInt8], _ note: String?) -> Row {
    Row(notes, [.integer(place), .bytes(tag), note.map { .text($0) } ?? .null])
  }
}

extension LedgerTransaction {
  /// A block with everything that executing it might lead to.
  static func executing(_ block: FinalBlock) -> LedgerTransaction {
    var transaction = LedgerTransaction()
    transaction.add(block)
    return transaction
  }

  mutating func add(_ block: FinalBlock) {
    let height = block.height
    blocks.append(block)
    executed.append(
      ExecutedState(
        height: height, root: ChainMaker.root(height), rowsRoot: ChainMaker.root(height, 1),
        lanesRoot: ChainMaker.root(height, 2)))
    rows.append(TestTables.tally("height", height))
    rows.append(TestTables.note(Int64(height) - 5, [UInt8(height), 0], "note \(height)"))
    trieNodes.append(TrieChange(path: [], node: ChainMaker.root(height, 9).bytes))
    trieNodes.append(TrieChange(path: [1, UInt8(height)], node: [UInt8(height)]))
    outcomes += block.block.body.advances.map { advance in
      BundleOutcome(
        lane: advance.lane, number: advance.number, height: height,
        codes: [0, UInt32(height), UInt32.max])
    }
    values.append(("progress", [UInt8(height)]))
  }
}

extension LedgerDatabase {
  static func open(
    _ directory: TemporaryDirectory, chain: ChainID = Owner.chain,
    tables: [TableSchema] = TestTables.all
  ) throws(LedgerError) -> LedgerDatabase {
    try open(directory: directory.ledger, chain: chain, tables: tables)
  }

  /// A closed ledger of blocks that are executed, one transaction each.
  @discardableResult static func make(
    _ directory: TemporaryDirectory, blocks count: Int, maker: ChainMaker = ChainMaker()
  ) throws -> ChainMaker {
    var maker = maker
    let ledger = try open(directory)
    var first = LedgerTransaction()
    first.epochs = [maker.firstEpoch]
    try ledger.commit(first, durable: false)
    for _ in 0..<count {
      try ledger.commit(.executing(maker.next()), durable: false)
    }
    try ledger.close()
    return maker
  }
}

/// Changes a ledger behind its back.
func spoil(_ directory: TemporaryDirectory, _ sql: String, _ values: [ColumnValue] = []) throws {
  let connection = try SQLiteConnection(path: "\(directory.ledger)/ledger.db", mode: .create)
  try connection.cached(sql).run(values)
  try connection.checkpointAndTruncate()
}
