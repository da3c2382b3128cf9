internal import AnswerCore
package import LedgerCore
internal import Merkle
internal import Primitives
package import Records
internal import Wire

/// Loading: the newest row of every key, in any order, give the state that wrote them.
extension Ledger {
  /// Restores a stored state; compare `root` with the one that was certified.
  package init(chain: ChainID, restoring rows: [Row]) throws(RestoreError) {
    self.init(restoring: chain)
    var stakes: [RestoredStake] = []
    for row in rows {
      if row.table < Ledger.accountSchema.number {
        try tables.restore(row)
      } else {
        try restore(row, &stakes)
      }
    }
    try tables.finishRestore()
    try attach(stakes)
    while sets.count > 3, let oldest = sets.entries.first?.key { sets[oldest] = nil }
    written = rows
    var ignored = LedgerChanges()
    commit(into: &ignored)
  }

  private mutating func restore(
    _ row: Row, _ stakes: inout [RestoredStake]
  ) throws(RestoreError) {
    let columns = FinalColumns(row: row)
    switch row.table {
    case Ledger.accountSchema.number: try restoreAccount(columns)
    case Ledger.questionStateSchema.number: try restoreQuestion(columns)
    case Ledger.stakeSchema.number:
      try columns.expect(Ledger.stakeSchema)
      stakes.append(
        RestoredStake(
          question: try columns.identifier(0), place: Int(try columns.count(2)),
          answer: AcceptedAnswer(
            agent: try columns.identifier(1), key: try columns.identifier(3),
            stake: try columns.count(4))))
    case Ledger.validatorSchema.number:
      try columns.expect(Ledger.validatorSchema)
      guard let raw = UInt8(exactly: try columns.count(1)),
        let status = ValidatorStatus(rawValue: raw)
      else { throw columns.bad(1) }
      validators[NodeID(key: try columns.digest(0))] = ValidatorEntry(
        status: status, bond: try columns.count(2))
    case Ledger.epochSchema.number:
      try columns.expect(Ledger.epochSchema)
      guard let set = try? ValidatorSet(decoding: try columns.bytes(1)) else {
        throw columns.bad(1)
      }
      sets[UInt64(try columns.count(0))] = set
    case Ledger.supplySchema.number:
      try columns.expect(Ledger.supplySchema)
      height = UInt64(try columns.count(1))
      timestamp = UInt64(try columns.count(2))
      minted = try columns.count(3)
      treasury = try columns.count(4)
    case Ledger.laneSchema.number: try restoreLane(columns)
    case Ledger.refusedSchema.number: _ = try Ledger.refused(columns)
    // open set: numbers of tables come from storage.
    default: throw RestoreError(row.table, .unknownTable)
    }
  }

  private mutating func restoreAccount(_ columns: FinalColumns) throws(RestoreError) {
    try columns.expect(Ledger.accountSchema)
    var account = Account(agent: try columns.identifier(0))
    guard accountIndexes[account.agent] == nil else { throw columns.repeated }
    account.available = try columns.count(1)
    account.locked = try columns.count(2)
    account.right = try columns.count(3, limit: 1 << 40)
    account.wrong = try columns.count(4, limit: 1 << 40)
    account.stream = try columns.range(count: try columns.count(5), peaks: 7)
    accountIndexes[account.agent] = accounts.count
    accounts.append(account)
  }

  private mutating func restoreQuestion(_ columns: FinalColumns) throws(RestoreError) {
    try columns.expect(Ledger.questionStateSchema)
    guard let raw = UInt8(exactly: try columns.count(1)), let phase = QuestionPhase(rawValue: raw)
    else { throw columns.bad(1) }
    var state = QuestionState(
      question: try columns.identifier(0), ends: UInt64(try columns.count(3, limit: 1 << 60)),
      window: UInt64(try columns.count(4, limit: 1 << 48)))
    guard questionIndexes[state.question] == nil else { throw columns.repeated }
    state.phase = phase
    state.round = UInt8(try columns.count(2, limit: 255))
    state.winner = try columns.optionalBytes(5)
    state.marginMillionths = UInt32(try columns.count(6, limit: 1_000_000))
    state.isSettled = try columns.count(7, limit: 1) == 1
    questionIndexes[state.question] = questions.count
    questions.append(state)
    switch phase {
    case .open, .debating: due[Due(time: state.ends, question: state.question)] = true
    case .consensus, .closed, .verified: break
    }
  }

  private mutating func restoreLane(_ columns: FinalColumns) throws(RestoreError) {
    let head = try Ledger.head(columns)
    heads[head.lane] = head
  }

  /// The head of a lane that a row of the final state holds; `nil` for rows of other tables.
  package static func laneHead(_ row: Row) throws(RestoreError) -> LaneHead? {
    row.table == laneSchema.number ? try head(FinalColumns(row: row)) : nil
  }

  private static func head(_ columns: FinalColumns) throws(RestoreError) -> LaneHead {
    try columns.expect(Ledger.laneSchema)
    let number = try columns.count(3)
    return LaneHead(
      lane: LaneID(digest: try columns.digest(0)), node: NodeID(key: try columns.digest(1)),
      epoch: try columns.identifier(2), number: UInt64(number),
      lastSequence: UInt64(try columns.count(4)),
      lastTime: HybridTime(raw: UInt64(try columns.count(5))), digest: try columns.digest(6),
      range: try columns.range(count: number, peaks: 7))
  }

  /// Puts the stakes into their questions in the order of execution.
  private mutating func attach(_ stakes: [RestoredStake]) throws(RestoreError) {
    for stake in stakes.sorted(by: { $0.place < $1.place }) {
      guard let index = questionIndexes[stake.question],
        stake.place == questions[index].answers.count
      else { throw RestoreError(Ledger.stakeSchema.number, .badValue(column: 2)) }
      questions[index].answers.append(stake.answer)
    }
  }
}

private struct RestoredStake {
  let question: QuestionID
  let place: Int
  let answer: AcceptedAnswer
}

/// The columns of a stored row.
struct FinalColumns {
  let row: Row

  var repeated: RestoreError { RestoreError(row.table, .repeatedKey) }

  func bad(_ column: Int) -> RestoreError { RestoreError(row.table, .badValue(column: column)) }

  func expect(_ schema: TableSchema) throws(RestoreError) {
    guard row.values.count == schema.columns.count else { throw bad(row.values.count) }
  }

  func count(_ column: Int, limit: Int64 = .max) throws(RestoreError) -> Int64 {
    guard case .integer(let number) = row.values[column], (0...limit).contains(number) else {
      throw bad(column)
    }
    return number
  }

  /// A number of 64 bits that is stored by its bit pattern.
  func pattern(_ column: Int) throws(RestoreError) -> UInt64 {
    // order: an array of columns, no hash table.
    guard case .integer(let number) = row.values[column] else { throw bad(column) }
    return UInt64(bitPattern: number)
  }

  func bytes(_ column: Int) throws(RestoreError) -> [UInt8] {
    // order: an array of columns, no hash table.
    guard case .bytes(let bytes) = row.values[column] else { throw bad(column) }
    return bytes
  }

  func optionalBytes(_ column: Int) throws(RestoreError) -> [UInt8]? {
    // order: an array of columns, no hash table.
    row.values[column] == .null ? nil : try bytes(column)
  }

  func identifier<Kind>(_ column: Int) throws(RestoreError) -> Identifier<Kind> {
    guard let value = Identifier<Kind>(try bytes(column)) else { throw bad(column) }
    return value
  }

  func digest(_ column: Int) throws(RestoreError) -> Digest {
    guard let value = Digest(try bytes(column)) else { throw bad(column) }
    return value
  }

  func range(count: Int64, peaks column: Int) throws(RestoreError) -> MountainRange {
    let bytes = try bytes(column)
    guard bytes.count.isMultiple(of: 32) else { throw bad(column) }
    let peaks = stride(from: 0, to: bytes.count, by: 32).compactMap {
      Digest(bytes[$0..<($0 + 32)])
    }
    guard let range = MountainRange(count: UInt64(count), peaks: peaks) else { throw bad(column) }
    return range
  }
}
