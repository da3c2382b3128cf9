internal import AnswerCore
internal import Crypto
package import LedgerCore
package import Merkle
package import Primitives
package import Records
internal import Wire

/// The finalized state of a swarm, and how blocks change it.
///
/// A pure function of the blocks: bundles between two cuts are executed in the order of their
/// operations' stamps, and the first operation to be *executed* under a key wins, so an antedated
/// one changes nothing that is final.
///
/// Invariants, after every block:
/// - **E1** minted = available + locked + bonded + treasury.
/// - **E2** an account's locked units are the sum of its stakes in questions that are not settled.
/// - **E3** the root over rows covers exactly the newest row of every key.
/// - **E4** a question that is open or debating, and no other, is due once.
package struct Ledger: Sendable {
  /// The chain.
  package let chain: ChainID
  /// The last executed height.
  package internal(set) var height: UInt64 = 0
  /// The time of that block.
  package internal(set) var timestamp: UInt64 = 0
  /// Agents, questions, answers, members and records as executed.
  package internal(set) var tables = LiveTables(hashesRows: false)
  /// The root over all rows.
  package internal(set) var rowsRoot = Digest.zero
  /// The nodes of the tree over rows.
  package internal(set) var trie = MemoryTrieNodes(areChecked: false)
  /// What was ever minted, in millionths.
  package internal(set) var minted: Int64 = 0
  /// What was taken from those who lied, in millionths.
  package internal(set) var treasury: Int64 = 0

  var heads = SortedMap<LaneID, LaneHead>()
  var accounts: [Account] = []
  var questions: [QuestionState] = []
  // For lookup alone: their order reaches no result.
  var accountIndexes: [AgentID: Int] = [:]
  var questionIndexes: [QuestionID: Int] = [:]
  var due = SortedMap<Due, Bool>()
  var validators = SortedMap<NodeID, ValidatorEntry>()
  /// The sets of the current epoch and of the two before.
  var sets = SortedMap<UInt64, ValidatorSet>()
  /// What the block at work wrote.
  var written: [Row] = []
  /// Accounts whose rows are written when the block ends.
  var touchedAccounts: [Int] = []

  /// Begins a chain: each validator's bond is minted.
  package init(
    chain: ChainID, epoch: UInt64, validators set: ValidatorSet, timestamp: UInt64,
    into changes: inout LedgerChanges
  ) {
    self.chain = chain
    self.timestamp = timestamp
    for node in set.members { bond(node, as: .active) }
    install(set, epoch: epoch)
    writeChain()
    commit(into: &changes)
  }

  init(restoring chain: ChainID) {
    self.chain = chain
  }

  /// The heads of all lanes at the cut, in ascending order.
  package var laneHeads: [LaneHead] { heads.entries.map(\.value) }

  /// The head of one lane at the cut; `nil` when nothing of it is final.
  package func head(of lane: LaneID) -> LaneHead? { heads[lane] }

  /// The bundles that executing a block with this body takes, lane by lane in the order of numbers.
  package func bundles(below body: BlockBody) -> [LanePosition] {
    body.advances.flatMap { advance in
      let first = (heads[advance.lane]?.number ?? 0) + 1
      guard first <= advance.number else { return [LanePosition]() }
      return (first...advance.number).map { LanePosition(lane: advance.lane, number: $0) }
    }
  }

  /// The root over the heads of the lanes.
  package var lanesRoot: Digest { LanesTree.root(of: laneHeads) }

  /// The execution root.
  package var root: Digest {
    ExecutionRoot.root(height: height, rows: rowsRoot, lanes: lanesRoot)
  }

  /// The earliest block time at which a question changes by time alone.
  package var nextDue: UInt64? { due.entries.first.map { $0.key.time + 1 } }

  /// Executes the next block. When it throws, nothing has changed.
  package mutating func execute(
    _ block: BlockToExecute, into changes: inout LedgerChanges
  ) throws(ExecutionError) -> ExecutedBlock {
    let newHeads = try check(block)
    height = block.height
    timestamp = block.timestamp
    closeDueQuestions()
    let results = executeOperations(of: block.bundles)
    let transactionResults = block.body.transactions.map { execute($0, epoch: block.epoch) }
    for head in newHeads {
      changes.replacedHeads.append((head.lane, heads[head.lane]))
      heads[head.lane] = head
      put(Ledger.row(of: head))
    }
    let next = block.endsEpoch ? endEpoch(block.epoch) : nil
    writeChain()
    commit(into: &changes)
    return ExecutedBlock(
      height: height, rowsRoot: rowsRoot, lanesRoot: lanesRoot, root: root, results: results,
      transactionResults: transactionResults, nextDue: nextDue, nextValidators: next)
  }

  private mutating func executeOperations(of bundles: [SignedBundle]) -> [OperationResult] {
    var placed: [(stamp: OperationStamp, operation: [UInt8])] = []
    for bundle in bundles {
      for (index, operation) in bundle.operations.enumerated() {
        let header = bundle.header
        let stamp = OperationStamp(
          time: HybridTime(raw: header.firstTime.raw + UInt64(index)), lane: header.lane,
          number: header.number, index: index)
        placed.append((stamp, operation))
      }
    }
    placed.sort { $0.stamp < $1.stamp }
    return placed.map { stamp, operation in
      OperationResult(
        operation: OperationID(
          bundle: LanePosition(lane: stamp.lane, number: stamp.number), index: stamp.index),
        code: execute(operation, at: stamp))
    }
  }

  mutating func put(_ row: Row) { written.append(row) }

  /// Brings the tree over rows up to date (E3).
  mutating func commit(into changes: inout LedgerChanges) {
    tables.writeScores(into: &written)
    for index in touchedAccounts {
      accounts[index].isTouched = false
      put(Ledger.row(of: accounts[index]))
    }
    touchedAccounts.removeAll(keepingCapacity: true)
    var newest = ChangedRows(capacity: written.count)
    for row in written { newest.note(row) }
    do {
      let update = try SparseMerkleTrie.update(newest.edits, in: trie)
      changes.replaced += trie.replace(update.changes)
      rowsRoot = update.root
      changes.nodes += update.changes
      changes.areReplacing += newest.marks(of: update.found)
    } catch {
      preconditionFailure("the tree over rows of height \(height) is damaged: \(error)")
    }
    changes.rows += newest.rows
    // order: an array of keys in the order of their rows, no hash table.
    changes.rowKeys += newest.keys
    written = []
  }
}

/// The newest row of each key among several.
private struct ChangedRows {
  // For lookup alone: its order reaches no result.
  private var places: [Digest: Int] = [:]
  private(set) var rows: [Row] = []
  private(set) var keys: [Digest] = []

  init(capacity: Int) {
    places.reserveCapacity(capacity)
    rows.reserveCapacity(capacity)
    keys.reserveCapacity(capacity)
  }

  mutating func note(_ row: Row) {
    let key = Row.trieKey(
      // order: an array of columns, no hash table.
      table: row.table, Array(row.values.prefix(Ledger.keyColumnCount(of: row.table))))
    if let place = places[key] {
      rows[place] = row
    } else {
      places[key] = rows.count
      rows.append(row)
      keys.append(key)
    }
  }

  /// Which of the rows have one of these keys.
  func marks(of found: [Digest]) -> [Bool] {
    var marks = Array(repeating: false, count: rows.count)
    for key in found {
      guard let place = places[key] else { preconditionFailure("no row of the key \(key)") }
      marks[place] = true
    }
    return marks
  }

  var edits: [TrieEdit] {
    zip(keys, rows).map { TrieEdit(key: $0, value: $1.digest) }.sorted { $0.key < $1.key }
  }
}

extension Ledger {
  /// Checks that the block is next, and its bundles whole; gives the heads after it.
  private func check(_ block: BlockToExecute) throws(ExecutionError) -> [LaneHead] {
    guard block.height == height + 1, block.timestamp > timestamp else {
      throw .notNext(height: block.height)
    }
    let ordered = block.bundles.map(\.signedHeader).sorted { left, right in
      left.header.lane != right.header.lane
        ? left.header.lane < right.header.lane : left.header.number < right.header.number
    }
    var place = 0
    var result: [LaneHead] = []
    for advance in block.body.advances {
      var head = heads[advance.lane]
      guard advance.number > head?.number ?? 0 else { throw .noAdvance(advance.lane) }
      while (head?.number ?? 0) < advance.number {
        let wanted = LanePosition(lane: advance.lane, number: (head?.number ?? 0) + 1)
        guard place < ordered.count else { throw .missing(wanted) }
        let header = ordered[place].header
        let given = LanePosition(lane: header.lane, number: header.number)
        guard given == wanted else {
          let isStray =
            header.lane < wanted.lane
            || (header.lane == wanted.lane && header.number < wanted.number)
          throw isStray ? .stray(given) : .missing(wanted)
        }
        head = try next(after: head, ordered[place])
        place += 1
      }
      guard let head, head.digest == advance.digest else {
        throw .mismatch(LanePosition(lane: advance.lane, number: advance.number))
      }
      result.append(head)
    }
    if place < ordered.count {
      let header = ordered[place].header
      throw .stray(LanePosition(lane: header.lane, number: header.number))
    }
    return result
  }

  private func next(
    after head: LaneHead?, _ signed: SignedHeader
  ) throws(ExecutionError) -> LaneHead {
    let header = signed.header
    guard header.previous == head?.digest ?? .zero,
      header.firstSequence == (head?.lastSequence ?? 0) + 1,
      header.firstTime > head?.lastTime ?? .zero
    else { throw .mismatch(LanePosition(lane: header.lane, number: header.number)) }
    var range = head?.range ?? MountainRange()
    range.append(signed.digest)
    return LaneHead(
      lane: header.lane, node: header.node, epoch: header.epoch, number: header.number,
      lastSequence: header.lastSequence, lastTime: header.lastTime, digest: signed.digest,
      range: range)
  }
}
