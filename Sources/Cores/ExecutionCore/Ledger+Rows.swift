internal import AnswerCore
internal import LedgerCore
internal import Merkle
internal import Primitives
package import Records
internal import Wire

/// The tables of the ledger beside those of `LiveTables`, from number 32 on.
extension Ledger {
  /// Accounts of agents; `right` and `wrong` in 65,536ths, `peaks` of the stream in order.
  package static let accountSchema = TableSchema(
    number: 32, name: "account",
    columns: [
      .init("agent", .bytes), .init("available", .integer), .init("locked", .integer),
      .init("right", .integer), .init("wrong", .integer), .init("stream_count", .integer),
      .init("stream_root", .bytes), .init("stream_peaks", .bytes),
    ], keyColumnCount: 1)

  /// Where questions stand.
  package static let questionStateSchema = TableSchema(
    number: 33, name: "question_state",
    columns: [
      .init("question", .bytes), .init("phase", .integer), .init("round", .integer),
      .init("ends", .integer), .init("window", .integer), .init("winner", .bytes),
      .init("margin", .integer), .init("settled", .integer),
    ], keyColumnCount: 1)

  /// Accepted answers and what they stake, `place` in the order of execution.
  package static let stakeSchema = TableSchema(
    number: 34, name: "stake",
    columns: [
      .init("question", .bytes), .init("agent", .bytes), .init("place", .integer),
      .init("answer_key", .bytes), .init("amount", .integer), .init("locked", .integer),
    ], keyColumnCount: 2)

  /// Validators and their bonds.
  package static let validatorSchema = TableSchema(
    number: 35, name: "validator",
    columns: [.init("node", .bytes), .init("status", .integer), .init("bond", .integer)],
    keyColumnCount: 1)

  /// The validators of each epoch, in the form of `ValidatorSet`.
  package static let epochSchema = TableSchema(
    number: 36, name: "epoch_validators",
    columns: [.init("epoch", .integer), .init("validators", .bytes)], keyColumnCount: 1)

  /// One row, 0: the last block, and what was minted and taken.
  package static let supplySchema = TableSchema(
    number: 37, name: "supply",
    columns: [
      .init("id", .integer), .init("height", .integer), .init("timestamp", .integer),
      .init("minted", .integer), .init("treasury", .integer),
    ], keyColumnCount: 1)

  /// The head of each lane at the cut.
  package static let laneSchema = TableSchema(
    number: 38, name: "final_lane",
    columns: [
      .init("lane", .bytes), .init("node", .bytes), .init("epoch", .bytes),
      .init("number", .integer), .init("last_sequence", .integer), .init("last_time", .integer),
      .init("digest", .bytes), .init("peaks", .bytes),
    ], keyColumnCount: 1)

  /// Every table of the final state, in the order of their numbers.
  package static let schemas: [TableSchema] =
    LiveTables.schemas + [
      accountSchema, questionStateSchema, stakeSchema, validatorSchema, epochSchema, supplySchema,
      laneSchema, refusedSchema,
    ]

  static func keyColumnCount(of table: UInt16) -> Int {
    guard let schema = schemas.first(where: { $0.number == table }) else {
      preconditionFailure("no table \(table) in the final state")
    }
    return schema.keyColumnCount
  }

  static func row(of account: Account) -> Row {
    Row(
      accountSchema,
      [
        .bytes(account.agent.bytes), .integer(account.available), .integer(account.locked),
        .integer(account.right), .integer(account.wrong),
        .integer(Int64(account.stream.count)), .bytes(account.stream.root.bytes),
        .bytes(account.stream.peaks.flatMap(\.bytes)),
      ])
  }

  static func row(of state: QuestionState) -> Row {
    Row(
      questionStateSchema,
      [
        .bytes(state.question.bytes), .integer(Int64(state.phase.rawValue)),
        .integer(Int64(state.round)), .integer(Int64(state.ends)), .integer(Int64(state.window)),
        state.winner.map { .bytes($0) } ?? .null, .integer(Int64(state.marginMillionths)),
        .integer(state.isSettled ? 1 : 0),
      ])
  }

  static func row(of answer: AcceptedAnswer, _ state: QuestionState, at place: Int) -> Row {
    Row(
      stakeSchema,
      [
        .bytes(state.question.bytes), .bytes(answer.agent.bytes), .integer(Int64(place)),
        .bytes(answer.key.bytes), .integer(answer.stake), .integer(state.isSettled ? 0 : 1),
      ])
  }

  static func row(of entry: ValidatorEntry, _ node: NodeID) -> Row {
    Row(
      validatorSchema,
      [
        .bytes(node.key.bytes), .integer(Int64(entry.status.rawValue)), .integer(entry.bond),
      ])
  }

  static func row(of set: ValidatorSet, epoch: UInt64) -> Row {
    Row(epochSchema, [.integer(Int64(bitPattern: epoch)), .bytes(set.encoded)])
  }

  static func row(of head: LaneHead) -> Row {
    Row(
      laneSchema,
      [
        .bytes(head.lane.digest.bytes), .bytes(head.node.key.bytes), .bytes(head.epoch.bytes),
        .integer(Int64(bitPattern: head.number)), .integer(Int64(bitPattern: head.lastSequence)),
        .integer(Int64(bitPattern: head.lastTime.raw)), .bytes(head.digest.bytes),
        .bytes(head.range.peaks.flatMap(\.bytes)),
      ])
  }

  mutating func writeChain() {
    put(
      Ledger.supplyRow(height: height, timestamp: timestamp, minted: minted, treasury: treasury))
  }

  static func supplyRow(
    height: UInt64, timestamp: UInt64, minted: Int64, treasury: Int64
  ) -> Row {
    Row(
      supplySchema,
      [
        .integer(0), .integer(Int64(bitPattern: height)),
        .integer(Int64(bitPattern: timestamp)), .integer(minted), .integer(treasury),
      ])
  }

  /// The broken invariant E1, E2 or E4, if any. O(accounts + questions).
  package var brokenInvariant: String? {
    let available = accounts.reduce(Int64(0)) { $0 + $1.available }
    let locked = accounts.reduce(Int64(0)) { $0 + $1.locked }
    let bonded = validators.entries.reduce(Int64(0)) { $0 + $1.value.bond }
    guard minted == available + locked + bonded + treasury else {
      return "E1: minted \(minted), held \(available) + \(locked) + \(bonded) + \(treasury)"
    }
    let staked = questions.filter { !$0.isSettled }.flatMap(\.answers)
      .reduce(Int64(0)) { $0 + $1.stake }
    guard staked == locked else { return "E2: \(locked) locked, \(staked) at stake" }
    let waiting = questions.filter { $0.phase == .open || $0.phase == .debating }
    guard waiting.count == due.count,
      waiting.allSatisfy({ due[Due(time: $0.ends, question: $0.question)] != nil })
    else { return "E4: \(waiting.count) questions wait, \(due.count) are due" }
    return nil
  }
}
