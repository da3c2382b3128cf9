import Crypto
import ExecutionCore
import LedgerCore
import Merkle
import Primitives
import Records
import Testing

@Suite struct LedgerTests {
  /// Four agents and a judge, and a question until 10,000.
  private func begun() throws -> History {
    var history = try History()
    let codes = try history.run(
      at: 2_000,
      [
        Make.register(1), Make.register(2), Make.register(3), Make.register(4),
        Make.register(9, [.resolve, .answer]), Make.ask(1, deadline: 10_000),
      ])
    #expect(codes == Array(repeating: .accepted, count: 6))
    return history
  }

  @Test func `two thirds of the weight make a consensus and give stakes back`() throws {
    var history = try begun()
    #expect(history.ledger.nextDue == 10_001)
    _ = try history.run(
      at: 3_000,
      [
        Make.answer(1, by: 1, "Paris"), Make.answer(1, by: 2, "paris"),
        Make.answer(1, by: 3, "PARIS"), Make.answer(1, by: 4, "Rome"),
      ])
    #expect(history.ledger.account(Make.agent(1))?.locked == 1_000_000)
    _ = try history.run(history.block(at: 10_000))
    #expect(history.ledger.question(Make.question(1))?.phase == .open)
    let result = try history.run(history.block(at: 10_001))
    #expect(history.ledger.question(Make.question(1))?.phase == .consensus)
    #expect(result.nextDue == nil)
    let winner = try #require(history.ledger.account(Make.agent(1)))
    let loser = try #require(history.ledger.account(Make.agent(4)))
    #expect(winner.locked == 0 && winner.available == ExecutionLimits.grantMillionths)
    #expect(winner.right == 1 << 14 && winner.wrong == 0)
    #expect(loser.right == 0 && loser.wrong == 1 << 14)
    #expect(try history.run(at: 10_002, [Make.answer(1, by: 9, "Rome")]) == [.closed])
    #expect(history.ledger.brokenInvariant == nil)
  }

  @Test func `a split vote is debated three times and then closed`() throws {
    var history = try begun()
    _ = try history.run(at: 3_000, [Make.answer(1, by: 1, "yes"), Make.answer(1, by: 2, "no")])
    var time: UInt64 = 10_001
    for round in 1...3 as ClosedRange<UInt8> {
      _ = try history.run(history.block(at: time))
      let state = try #require(history.ledger.question(Make.question(1)))
      #expect(state.phase == .debating && state.round == round)
      #expect(state.ends == time + 8_000)
      time = state.ends + 1
      #expect(history.ledger.nextDue == time)
    }
    _ = try history.run(history.block(at: time))
    #expect(history.ledger.question(Make.question(1))?.phase == .closed)
    #expect(history.ledger.account(Make.agent(1))?.locked == 0)
    #expect(history.ledger.brokenInvariant == nil)
  }

  @Test func `an answer during the debate can settle it`() throws {
    var history = try begun()
    _ = try history.run(at: 3_000, [Make.answer(1, by: 1, "yes"), Make.answer(1, by: 2, "no")])
    _ = try history.run(history.block(at: 10_001))
    let more = [Make.answer(1, by: 3, "yes"), Make.answer(1, by: 4, "yes")]
    #expect(try history.run(at: 11_000, more) == [.accepted, .accepted])
    _ = try history.run(history.block(at: 30_000))
    #expect(history.ledger.question(Make.question(1))?.phase == .consensus)
  }

  @Test func `what was executed first stays, however early a later one is stamped`() throws {
    var history = try begun()
    _ = try history.run(at: 5_000, [Make.answer(1, by: 1, "first")])
    let before = history.ledger.tables.answer(Make.question(1), Make.agent(1))
    let late = [
      Make.register(1, [.resolve]), Make.answer(1, by: 1, "second"),
      Make.ask(1, by: 2, deadline: 99_999),
    ]
    let codes = try history.run(at: 6_000, lane: 1, stamped: 1, late)
    #expect(codes == [.exists, .exists, .exists])
    #expect(history.ledger.tables.answer(Make.question(1), Make.agent(1)) == before)
    _ = try history.run(at: 7_000, [Make.resolve(1, by: 9, "first")])
    #expect(
      try history.run(at: 8_000, lane: 1, stamped: 2, [Make.resolve(1, by: 9, "other")])
        == [.closed])
  }

  @Test func `a resolution updates everybody's record but the judge's`() throws {
    var history = try begun()
    let answers = [
      Make.answer(1, by: 1, "yes"), Make.answer(1, by: 2, "no"), Make.answer(1, by: 9, "yes"),
    ]
    _ = try history.run(at: 3_000, answers)
    #expect(try history.run(at: 3_500, [Make.resolve(1, by: 1, "yes")]) == [.notAllowed])
    #expect(try history.run(at: 4_000, [Make.resolve(1, by: 9, "yes")]) == [.accepted])
    #expect(history.ledger.account(Make.agent(1))?.right == 1 << 16)
    #expect(history.ledger.account(Make.agent(2))?.wrong == 1 << 16)
    #expect(history.ledger.account(Make.agent(9))?.right == 0)
    #expect(history.ledger.nextDue == nil)
    #expect(history.ledger.brokenInvariant == nil)
  }

  @Test func `operations that break a rule change no account`() throws {
    var history = try begun()
    let codes = try history.run(
      at: 3_000,
      [
        Make.answer(1, by: 1, "yes", stake: 1_000_000_001), Make.answer(1, by: 77, "yes"),
        Make.answer(5, by: 1, "yes"), Make.ask(2, by: 9, deadline: 9_000),
        Make.resolve(5, by: 9, "yes"), Make.answer(1, by: 1, "yes", stake: 1_000_000_000),
      ])
    #expect(
      codes == [
        .insufficientStake, .unknownAgent, .unknownQuestion, .notAllowed, .unknownQuestion,
        .accepted,
      ])
    #expect(history.ledger.account(Make.agent(1))?.available == 0)
    #expect(history.ledger.brokenInvariant == nil)
  }

  @Test func `a block that does not fit is refused and changes nothing`() throws {
    var history = try begun()
    let first = history.bundle(lane: 1, at: 3_000, [Make.register(20)])
    let second = history.bundle(lane: 1, at: 3_100, [Make.register(21)])
    let far = LanePosition(lane: first.header.lane, number: 2)
    let root = history.ledger.root
    let whole = history.block(at: 3_000, [first, second])
    func broken(
      _ bundles: [SignedBundle], _ advances: [CutAdvance]? = nil, height: UInt64 = 2,
      time: UInt64 = 3_000
    ) -> BlockToExecute {
      BlockToExecute(
        epoch: 0, height: height, timestamp: time, endsEpoch: false,
        body: BlockBody(advances: advances ?? whole.body.advances), bundles: bundles)
    }
    let lie = CutAdvance(lane: first.header.lane, number: 2, digest: first.digest)
    let one = LanePosition(lane: first.header.lane, number: 1)
    let cases: [(BlockToExecute, ExecutionError)] = [
      (broken([first]), .missing(far)), (broken([second]), .missing(one)),
      (broken([first, first, second]), .stray(one)),
      (broken([first, second], [lie]), .mismatch(far)),
      (broken([first, second], height: 3), .notNext(height: 3)),
      (broken([first, second], time: 2_000), .notNext(height: 2)),
      (broken([first], []), .stray(one)),
    ]
    for (block, error) in cases {
      #expect(throws: error) { try history.run(block) }
      #expect(history.ledger.root == root)
    }
    _ = try history.run(whole)
    #expect(throws: ExecutionError.noAdvance(far.lane)) {
      try history.run(history.block(at: 4_000, [first, second]))
    }
  }

  @Test func `evidence takes a validator's bond once and its place when the epoch ends`() throws {
    var history = try History()
    let members = History.validators.members
    let key = try #require(History.keys.first { $0.publicKey == members[2].key })
    func vote(_ hash: UInt64) -> Vote {
      let statement = Statement(
        kind: .notarize, chain: History.chain, epoch: 0, view: 3,
        hash: Digest(words: hash, 0, 0, 0))
      return Vote(signing: statement, as: 2, with: key)
    }
    let evidence = try #require(VoteEvidence(vote(1), vote(2)))
    let forgedVote = Vote(statement: vote(2).statement, signer: 1, signature: vote(2).signature)
    let otherVote = Vote(statement: vote(1).statement, signer: 1, signature: vote(1).signature)
    let forged = try #require(VoteEvidence(otherVote, forgedVote))
    let result = try history.run(
      history.block(
        at: 2_000,
        transactions: [
          .evidence(forged, epoch: 0), .evidence(evidence, epoch: 0),
          .evidence(evidence, epoch: 0),
        ], endsEpoch: true))
    #expect(result.transactionResults == [.invalid, .accepted, .exists])
    #expect(history.ledger.treasury == ExecutionLimits.bondMillionths)
    #expect(history.ledger.validator(members[2])?.status == .jailed)
    #expect(result.nextValidators == History.validators)
    #expect(history.ledger.brokenInvariant == nil)
    #expect(try history.restored().root == history.ledger.root)
  }
}
