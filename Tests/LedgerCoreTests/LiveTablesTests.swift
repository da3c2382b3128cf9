import AnswerCore
import LedgerCore
import Primitives
import Records
import Testing
import Wire

/// Tables with a short way to apply operations.
private struct Ledger {
  var tables = LiveTables()
  var rows: [Row] = []

  mutating func apply(_ operation: LedgerOperation, at milliseconds: UInt64, lane: UInt64 = 1) {
    rows.removeAll()
    tables.apply(
      operation.encoded, at: Samples.stamp(milliseconds, lane: lane), into: &rows)
  }

  var tableNumbers: [UInt16] { rows.map(\.table) }

  /// Alice who asks and answers, Bob who answers, a judge, and a question.
  static func prepared(choices: [String] = []) -> Ledger {
    var ledger = Ledger()
    ledger.apply(.register(Samples.registration()), at: 1)
    ledger.apply(
      .register(Samples.registration(Samples.bob, name: "Bob", capabilities: .answer)), at: 2)
    ledger.apply(
      .register(Samples.registration(Samples.judge, name: "Judge", capabilities: .all)), at: 3)
    ledger.apply(.ask(Samples.posting(choices: choices)), at: 4)
    return ledger
  }
}

@Suite struct LiveTablesTests {
  @Test func `an answer counts and writes one row`() {
    var ledger = Ledger.prepared()
    ledger.apply(.answer(Samples.answer()), at: 5)
    #expect(ledger.tableNumbers == [LiveTables.answerSchema.number])
    #expect(ledger.tables.answer(Samples.question, Samples.alice)?.isCounted == true)
    #expect(ledger.tables.question(Samples.question)?.answersCounted == 1)
    #expect(ledger.tables.score(Samples.alice)?.answersCounted == 1)
  }

  @Test func `a resolution settles the answers before it`() {
    var ledger = Ledger.prepared()
    ledger.apply(.answer(Samples.answer()), at: 5)
    ledger.apply(.answer(Samples.answer(Samples.bob, value: "Lyon")), at: 6)
    ledger.apply(.answer(Samples.answer(Samples.judge, value: "Paris")), at: 7)
    ledger.apply(.resolve(Samples.resolution()), at: 8)
    #expect(ledger.tableNumbers.count { $0 == LiveTables.scoreSchema.number } == 2)
    let tables = ledger.tables
    #expect(
      tables.score(Samples.alice) == Score(answersCounted: 1, resolvedAnswers: 1, correct: 1))
    #expect(tables.score(Samples.bob) == Score(answersCounted: 1, resolvedAnswers: 1, correct: 0))
    #expect(tables.score(Samples.judge) == Score(answersCounted: 1, resolvedAnswers: 0, correct: 0))
    #expect(tables.question(Samples.question)?.resolution?.value == "paris")
    #expect(tables.answer(Samples.question, Samples.judge)?.isCorrect == nil)
  }

  @Test func `an answer after the deadline or the resolution does not count`() {
    var ledger = Ledger.prepared()
    ledger.apply(.answer(Samples.answer()), at: Samples.deadline)
    #expect(ledger.tables.answer(Samples.question, Samples.alice)?.isCounted == true)
    ledger.apply(.answer(Samples.answer(Samples.bob)), at: Samples.deadline + 1)
    #expect(ledger.tables.answer(Samples.question, Samples.bob)?.isCounted == false)
    ledger.apply(.resolve(Samples.resolution()), at: Samples.deadline - 1)
    #expect(ledger.tables.answer(Samples.question, Samples.alice)?.isCounted == false)
    #expect(ledger.tables.score(Samples.alice)?.answersCounted == 0)
  }

  @Test func `orphans count as soon as everything they need is there`() {
    var ledger = Ledger()
    ledger.apply(.answer(Samples.answer(Samples.bob)), at: 10)
    ledger.apply(.resolve(Samples.resolution()), at: 20)
    ledger.apply(.ask(Samples.posting()), at: 5)
    #expect(ledger.tables.answer(Samples.question, Samples.bob)?.isCounted == false)
    #expect(ledger.tables.score(Samples.bob) == nil)
    ledger.apply(.register(Samples.registration(Samples.bob, name: "Bob")), at: 6)
    #expect(ledger.tables.question(Samples.question)?.askerMayAsk == false)
    ledger.apply(.register(Samples.registration()), at: 7)
    #expect(ledger.tables.answer(Samples.question, Samples.bob)?.isCounted == true)
    #expect(ledger.tables.question(Samples.question)?.resolution == nil)
    ledger.apply(
      .register(Samples.registration(Samples.judge, name: "Judge", capabilities: .resolve)), at: 8)
    #expect(ledger.tables.answer(Samples.question, Samples.bob)?.isCorrect == true)
  }

  @Test func `a resolver without the capability blocks nobody`() {
    var ledger = Ledger.prepared()
    ledger.apply(.answer(Samples.answer()), at: 5)
    ledger.apply(.resolve(Samples.resolution(Samples.bob, value: "Lyon")), at: 6)
    #expect(ledger.tables.question(Samples.question)?.resolution == nil)
    ledger.apply(.resolve(Samples.resolution()), at: 7)
    #expect(ledger.tables.question(Samples.question)?.resolution?.resolver == Samples.judge)
    #expect(ledger.tables.answer(Samples.question, Samples.alice)?.isCorrect == true)
  }

  @Test func `an earlier registration takes a capability away again`() {
    var ledger = Ledger.prepared()
    ledger.apply(.answer(Samples.answer(Samples.bob)), at: 5)
    ledger.apply(.resolve(Samples.resolution()), at: 6)
    #expect(ledger.tables.score(Samples.bob)?.correct == 1)
    ledger.apply(
      .register(Samples.registration(Samples.judge, name: "Earlier", capabilities: [])), at: 1,
      lane: 2)
    #expect(ledger.tables.agent(Samples.judge)?.name == "Earlier")
    #expect(ledger.tables.score(Samples.bob)?.correct == 0)
    #expect(ledger.tables.score(Samples.bob)?.answersCounted == 1)
  }

  @Test func `only choices count where choices are offered`() {
    var ledger = Ledger.prepared(choices: ["Paris", "Lyon"])
    ledger.apply(.answer(Samples.answer(value: " PARIS. ")), at: 5)
    ledger.apply(.answer(Samples.answer(Samples.bob, value: "Nice")), at: 6)
    ledger.apply(.resolve(Samples.resolution(value: "Nice")), at: 7)
    #expect(ledger.tables.answer(Samples.question, Samples.alice)?.isCounted == true)
    #expect(ledger.tables.answer(Samples.question, Samples.bob)?.isCounted == false)
    #expect(ledger.tables.question(Samples.question)?.resolution == nil)
  }

  @Test func `of agents with one token the earliest has it`() {
    var ledger = Ledger()
    let token = Digest(words: 5, 5, 5, 5)
    for (agent, time) in [(Samples.bob, UInt64(9)), (Samples.judge, 7), (Samples.alice, 8)] {
      var registration = Samples.registration(agent)
      registration.tokenDigest = token
      ledger.apply(.register(registration), at: time)
    }
    #expect(ledger.tables.agent(forTokenDigest: token)?.agent == Samples.judge)
    // An earlier registration gives the judge another token: the next in line has this one.
    ledger.apply(.register(Samples.registration(Samples.judge)), at: 1)
    #expect(ledger.tables.agent(forTokenDigest: token)?.agent == Samples.alice)
    #expect(ledger.tables.agent(forTokenDigest: .zero) == nil)
  }

  @Test func `a node keeps its first role and its last addresses`() {
    var ledger = Ledger()
    ledger.apply(.announce(Samples.announcement(2, role: .learner, transport: "a:1")), at: 10)
    ledger.apply(.announce(Samples.announcement(2, role: .voter, transport: "b:2")), at: 20)
    ledger.apply(.announce(Samples.announcement(2, role: .voter, transport: "c:3")), at: 15)
    #expect(ledger.rows.isEmpty)
    ledger.apply(.announce(Samples.announcement(1)), at: 30)
    #expect(ledger.tables.members.map(\.node.key.words.3) == [1, 2])
    #expect(ledger.tables.members.last?.role == .learner)
    #expect(ledger.tables.members.last?.transportAddress == "b:2")
    #expect(ledger.tables.members.last?.firstStamp == Samples.stamp(10))
    ledger.apply(.announce(Samples.announcement(2, role: .voter, transport: "d:4")), at: 5)
    #expect(ledger.tables.members.last?.role == .voter)
    #expect(ledger.tables.members.last?.transportAddress == "b:2")
  }

  @Test func `an agent's score without the question weighs its answer`() throws {
    var ledger = Ledger.prepared()
    ledger.apply(.answer(Samples.answer()), at: 5)
    ledger.apply(.answer(Samples.answer(Samples.bob, value: "Lyon")), at: 6)
    let before = try #require(ledger.tables.outcome(Samples.question))
    ledger.apply(.resolve(Samples.resolution()), at: 7)
    let after = try #require(ledger.tables.outcome(Samples.question))
    #expect(before == after)
    #expect(after.outcome.state == .decided)
    #expect(
      after.outcome.groups.map { after.representative(of: $0) } == [Samples.alice, Samples.bob])
    // In another question the resolved one tells.
    let other = QuestionID(high: 1, low: 1)
    ledger.apply(.ask(Samples.posting(other)), at: 8)
    ledger.apply(.answer(Samples.answer(Samples.bob, to: other, value: "A")), at: 9)
    ledger.apply(.answer(Samples.answer(to: other, value: "B")), at: 10)
    let outcome = try #require(ledger.tables.outcome(other)?.outcome)
    #expect(outcome.winner == CanonicalAnswer.key(of: "B"))
    #expect(
      outcome.groups.map(\.weight) == [
        AnswerWeight.weight(correct: 1, resolved: 1, distinctAnswers: 2),
        AnswerWeight.weight(correct: 0, resolved: 1, distinctAnswers: 2),
      ])
  }

  @Test func `broken operations are counted and change nothing`() {
    var ledger = Ledger.prepared()
    let digest = ledger.tables.rowsDigest
    ledger.apply(.answer(Samples.answer(content: "short")), at: 5)
    var rows: [Row] = []
    ledger.tables.apply([], at: Samples.stamp(6), into: &rows)
    ledger.tables.apply([99, 1, 2], at: Samples.stamp(7), into: &rows)
    #expect(ledger.rows.isEmpty && rows.isEmpty)
    #expect(ledger.tables.counts.ignored == 3)
    #expect(ledger.tables.counts.operations == 7)
    #expect(ledger.tables.rowsDigest == digest)
  }

  @Test func `what is not there reads as nothing`() {
    var ledger = Ledger()
    ledger.apply(.answer(Samples.answer()), at: 5)
    #expect(ledger.tables.agent(Samples.alice) == nil)
    #expect(ledger.tables.score(Samples.alice) == nil)
    #expect(ledger.tables.question(Samples.question) == nil)
    #expect(ledger.tables.outcome(Samples.question) == nil)
    #expect(ledger.tables.answer(Samples.question, Samples.bob) == nil)
    #expect(ledger.tables.members.isEmpty)
    #expect(ledger.tables.counts.agents == 0 && ledger.tables.counts.questions == 0)
    #expect(ledger.tables.counts.answers == 1)
  }

  @Test func `tables are numbered in order and keyed by their first columns`() {
    #expect(LiveTables.schemas.map(\.number) == Array(1...11))
    #expect(
      LiveTables.schemas.map(\.name)
        == [
          "agent", "question", "answer", "resolution", "score", "member", "collection", "record",
          "record_write", "set_element", "record_request",
        ])
    for schema in LiveTables.schemas {
      let names = schema.columns.map(\.name)
      #expect(Set(names).count == names.count)
      #expect(schema.indexes.joined().allSatisfy { names.contains($0) })
    }
  }

  @Test func `an operation before the end of a restore is a programmer's error`() async {
    await #expect(processExitsWith: .failure) {
      var ledger = Ledger.prepared()
      let rows = ledger.rows
      ledger = Ledger()
      for row in rows { try ledger.tables.restore(row) }
      ledger.apply(.ask(Samples.posting()), at: 1)
    }
  }

  @Test func `a restore after an operation is a programmer's error`() async {
    await #expect(processExitsWith: .failure) {
      // The row is sound by itself, so that nothing but the order can fail.
      var ledger = Ledger()
      ledger.apply(.announce(Samples.announcement()), at: 1)
      try ledger.tables.restore(RestoreTests.rows[0])
    }
  }
}
