import AnswerCore
import Primitives
import Testing

private let paris = CanonicalAnswer.key(of: "Paris")
private let lyon = CanonicalAnswer.key(of: "Lyon")
private let nice = CanonicalAnswer.key(of: "Nice")

private func vote(_ key: AnswerKey, _ correct: UInt32 = 0, of resolved: UInt32 = 0) -> WeighedAnswer
{
  WeighedAnswer(key: key, resolved: resolved, correct: correct)
}

@Suite struct AnswerWeightTests {
  /// log2(p / (1 − p)) + log2(K − 1) held to 0...4, in 65,536ths with sixty decimal digits.
  static let exact: [(UInt32, UInt32, Int, Int64)] = [
    (0, 0, 2, 38_336), (0, 0, 3, 103_872), (0, 0, 8, 222_319), (0, 0, 20, 222_319),
    (10, 10, 2, 176_976), (100, 100, 2, 262_144), (1_000, 1_000, 2, 262_144), (0, 10, 2, 0),
    (0, 10, 8, 52_911), (0, 1_000, 8, 0), (5, 10, 2, 12_625), (7, 10, 4, 169_408),
    (1, 2, 2, 27_200), (20, 40, 3, 69_739), (3, 9, 2, 0), (3, 9, 5, 103_872),
  ]

  @Test(arguments: exact)
  func `a weight is the log-odds of being right`(
    correct: UInt32, resolved: UInt32, distinct: Int, raw: Int64
  ) {
    let weight = AnswerWeight.weight(
      correct: correct, resolved: resolved, distinctAnswers: distinct)
    // Three logarithms, each at most one unit low, two of them added and one taken away.
    #expect(abs(weight.raw - raw) <= 2)
  }

  @Test func `a better record never weighs less`() {
    for resolved in UInt32(1)...60 {
      for correct in 1...resolved {
        let worse = AnswerWeight.weight(
          correct: correct - 1, resolved: resolved, distinctAnswers: 2)
        let better = AnswerWeight.weight(correct: correct, resolved: resolved, distinctAnswers: 2)
        #expect(worse <= better)
        #expect(better >= .zero && better <= FixedPoint(4))
      }
    }
  }

  @Test func `the largest records do not overflow`() {
    let best = AnswerWeight.weight(correct: .max, resolved: .max, distinctAnswers: .max)
    let worst = AnswerWeight.weight(correct: 0, resolved: .max, distinctAnswers: 2)
    #expect(best == FixedPoint(4))
    #expect(worst == .zero)
  }

  @Test func `more right answers than answers are a programmer's error`() async {
    await #expect(processExitsWith: .failure) {
      _ = AnswerWeight.weight(correct: 2, resolved: 1, distinctAnswers: 2)
    }
  }
}

@Suite struct TentativeOutcomeTests {
  @Test func `no answers are insufficient and have no winner`() {
    let outcome = TentativeOutcome.decide(answers: [], minimumAnswers: 1)
    #expect(outcome.state == .insufficient(have: 0, need: 1))
    #expect(outcome.groups.isEmpty)
    #expect(outcome.winner == nil)
    #expect(outcome.plurality == nil)
    #expect(outcome.marginMillionths == 0)
    #expect(!outcome.usedEqualVotes)
  }

  @Test func `too few answers show their groups and decide nothing`() {
    let outcome = TentativeOutcome.decide(
      answers: [vote(paris), vote(lyon), vote(paris)], minimumAnswers: 4)
    #expect(outcome.state == .insufficient(have: 3, need: 4))
    #expect(outcome.winner == nil)
    #expect(outcome.groups.map(\.key) == [paris, lyon])
    #expect(outcome.groups.map(\.count) == [2, 1])
    #expect(outcome.groups.map(\.representative) == [0, 1])
  }

  @Test func `agents with equal records decide by number`() {
    let outcome = TentativeOutcome.decide(
      answers: [vote(lyon), vote(paris), vote(paris)], minimumAnswers: 3)
    #expect(outcome.state == .decided)
    #expect(outcome.winner == paris)
    #expect(outcome.plurality == paris)
    #expect(outcome.groups.map(\.shareMillionths) == [666_666, 333_333])
    #expect(outcome.marginMillionths == 333_333)
    #expect(!outcome.usedEqualVotes)
  }

  @Test func `one agent that is usually right outweighs two that are not`() {
    let outcome = TentativeOutcome.decide(
      answers: [vote(lyon, 10, of: 20), vote(paris, 19, of: 20), vote(lyon, 10, of: 20)],
      minimumAnswers: 3)
    #expect(outcome.winner == paris)
    #expect(outcome.plurality == lyon)
    #expect(outcome.groups[0].count == 1)
    #expect(outcome.groups[0].representative == 1)
  }

  @Test func `an agent that is usually wrong weighs nothing and not less`() {
    let outcome = TentativeOutcome.decide(
      answers: [vote(lyon, 0, of: 50), vote(lyon, 0, of: 50), vote(paris)], minimumAnswers: 1)
    #expect(outcome.winner == paris)
    #expect(outcome.groups.map(\.shareMillionths) == [1_000_000, 0])
    #expect(outcome.marginMillionths == 1_000_000)
  }

  @Test func `when nobody weighs anything every answer counts alike`() {
    let bad = UInt32(1_000)
    let outcome = TentativeOutcome.decide(
      answers: [vote(lyon, 0, of: bad), vote(paris, 0, of: bad), vote(paris, 0, of: bad)],
      minimumAnswers: 1)
    #expect(outcome.usedEqualVotes)
    #expect(outcome.winner == paris)
    #expect(outcome.groups.map(\.weight) == [FixedPoint(2), FixedPoint(1)])
  }

  @Test func `a tie of weights goes to more answers`() {
    // Four units from one agent at the upper bound, or one each from two that are worth two.
    let strong = vote(lyon, 1_000, of: 1_000)
    let outcome = TentativeOutcome.decide(
      answers: [strong, vote(paris, 1_000, of: 1_000), vote(paris, 0, of: 1_000)],
      minimumAnswers: 1)
    #expect(outcome.groups[0].weight == outcome.groups[1].weight)
    #expect(outcome.winner == paris)
    #expect(outcome.marginMillionths == 0)
  }

  @Test func `a tie of weights and numbers goes to the earlier answer`() {
    #expect(
      TentativeOutcome.decide(answers: [vote(lyon), vote(paris)], minimumAnswers: 1).winner == lyon)
    #expect(
      TentativeOutcome.decide(answers: [vote(paris), vote(lyon)], minimumAnswers: 1).winner
        == paris)
  }

  @Test(arguments: UInt64(0)..<100)
  func `shares and groups agree with a recount`(seed: UInt64) {
    var generator = Xoshiro256(seed: seed)
    let keys = [paris, lyon, nice]
    let answers = (0..<generator.next(below: 40)).map { _ in
      let resolved = UInt32(generator.next(below: 30))
      return vote(
        keys[generator.next(below: keys.count)],
        UInt32(generator.next(below: Int(resolved) + 1)), of: resolved)
    }
    let outcome = TentativeOutcome.decide(answers: answers, minimumAnswers: 5)
    let distinct = keys.filter { key in answers.contains { $0.key == key } }.count
    #expect(outcome.groups.count == distinct)
    #expect(outcome.groups.reduce(0) { $0 + $1.count } == answers.count)
    #expect(outcome.groups.reduce(0) { $0 + Int($1.shareMillionths) } <= 1_000_000)
    for group in outcome.groups {
      let same = answers.filter { $0.key == group.key }
      #expect(same.count == group.count)
      #expect(answers.firstIndex { $0.key == group.key } == group.representative)
      let weight = same.reduce(FixedPoint.zero) {
        $0
          + AnswerWeight.weight(
            correct: $1.correct, resolved: $1.resolved, distinctAnswers: distinct)
      }
      #expect(outcome.usedEqualVotes || weight == group.weight)
    }
    for (left, right) in zip(outcome.groups, outcome.groups.dropFirst()) {
      #expect(left.weight >= right.weight)
    }
    let isDecided = answers.count >= 5
    #expect(outcome.winner == (isDecided ? outcome.groups.first?.key : nil))
    #expect((outcome.plurality != nil) == isDecided)
    if let plurality = outcome.groups.first(where: { $0.key == outcome.plurality }) {
      #expect(outcome.groups.allSatisfy { $0.count <= plurality.count })
    }
  }

  @Test func `an outcome of no answers is a programmer's error`() async {
    await #expect(processExitsWith: .failure) {
      _ = TentativeOutcome.decide(answers: [], minimumAnswers: 0)
    }
  }
}
