package import Primitives

/// One answer as the decision sees it.
package struct WeighedAnswer: Hashable, Sendable {
  /// What it says.
  package var key: AnswerKey
  /// How many *other* questions of its agent are resolved.
  package var resolved: UInt32
  /// In how many of them the agent was right.
  package var correct: UInt32

  /// Describes an answer.
  package init(key: AnswerKey, resolved: UInt32, correct: UInt32) {
    self.key = key
    self.resolved = resolved
    self.correct = correct
  }
}

/// All answers that say the same.
package struct AnswerGroup: Hashable, Sendable {
  /// What they say.
  package let key: AnswerKey
  /// The index of the earliest of them among the answers that were decided on.
  package let representative: Int
  /// The sum of their weights.
  package let weight: FixedPoint
  /// How many they are.
  package let count: Int
  /// Their part of the whole weight, in millionths, rounded down.
  package let shareMillionths: UInt32

  /// Describes a group.
  package init(
    key: AnswerKey, representative: Int, weight: FixedPoint, count: Int, shareMillionths: UInt32
  ) {
    self.key = key
    self.representative = representative
    self.weight = weight
    self.count = count
    self.shareMillionths = shareMillionths
  }
}

/// What a set of answers amounts to: a pure function of them in integers.
///
/// A reputation-weighted plurality. Answers are given in the order of their stamps and grouped by
/// canonical key; each weighs what `AnswerWeight` says of its agent's *other* questions. When no
/// answer weighs anything, all weigh one. Groups are ordered by weight, then count, then the
/// earliest stamp, then the key, and the first of them wins once there are enough answers.
///
/// Deviation: what an agent says of its own confidence is left out. It costs nothing to claim the
/// most, so any factor for it rewards the claim and not the knowledge.
package struct TentativeOutcome: Hashable, Sendable {
  /// Whether there are enough answers.
  package enum State: Hashable, Sendable {
    /// There are `have` answers of the `need` that an outcome takes.
    case insufficient(have: Int, need: Int)
    /// There are enough.
    case decided
  }

  /// Whether there are enough answers.
  package let state: State
  /// The groups of equal answers, best first.
  package let groups: [AnswerGroup]
  /// The answer that wins; `nil` while there are not enough.
  package let winner: AnswerKey?
  /// The first group's lead over the second, in millionths of the whole weight, rounded down.
  package let marginMillionths: UInt32
  /// The answer with the most votes when every answer counts alike, for comparison; `nil` while
  /// there are not enough.
  package let plurality: AnswerKey?
  /// Whether nobody's record carried weight, so that every answer counted alike.
  package let usedEqualVotes: Bool

  /// Decides on `answers`, which must be in the order of their stamps. O(n log n).
  package static func decide(answers: [WeighedAnswer], minimumAnswers: Int) -> TentativeOutcome {
    precondition(minimumAnswers > 0, "an outcome of \(minimumAnswers) answers was asked for")
    let tallies = tally(answers)
    let total = tallies.reduce(FixedPoint.zero) { $0 + $1.weight }
    let usedEqualVotes = total == .zero
    let scale = usedEqualVotes ? FixedPoint(Int64(answers.count)) : total
    let weighted = tallies.map { tally in
      let weight = usedEqualVotes ? FixedPoint(Int64(tally.count)) : tally.weight
      return AnswerGroup(
        key: tally.key, representative: tally.first, weight: weight, count: tally.count,
        shareMillionths: millionths(weight, of: scale))
    }
    let groups = weighted.sorted { left, right in
      left.weight != right.weight ? left.weight > right.weight : hasMore(left, right)
    }
    let isDecided = answers.count >= minimumAnswers
    let lead = groups.first.map { $0.weight - (groups.dropFirst().first?.weight ?? .zero) }
    return TentativeOutcome(
      state: isDecided ? .decided : .insufficient(have: answers.count, need: minimumAnswers),
      groups: groups,
      winner: isDecided ? groups.first?.key : nil,
      marginMillionths: lead.map { millionths($0, of: scale) } ?? 0,
      plurality: isDecided ? groups.min(by: hasMore)?.key : nil,
      usedEqualVotes: usedEqualVotes && !answers.isEmpty)
  }

  private struct Tally {
    let key: AnswerKey
    let first: Int
    var count: Int
    var weight: FixedPoint
  }

  /// Sums weights and counts per key, in ascending order of key.
  private static func tally(_ answers: [WeighedAnswer]) -> [Tally] {
    let order = answers.indices.sorted { left, right in
      answers[left].key != answers[right].key
        ? answers[left].key < answers[right].key : left < right
    }
    var tallies: [Tally] = []
    for index in order where tallies.last?.key != answers[index].key {
      tallies.append(Tally(key: answers[index].key, first: index, count: 0, weight: .zero))
    }
    var place = 0
    for index in order {
      if tallies[place].key != answers[index].key { place += 1 }
      tallies[place].count += 1
      tallies[place].weight =
        tallies[place].weight
        + AnswerWeight.weight(
          correct: answers[index].correct, resolved: answers[index].resolved,
          distinctAnswers: tallies.count)
    }
    return tallies
  }

  /// The order of equal votes: more answers, then the earlier first one, then the smaller key.
  private static func hasMore(_ left: AnswerGroup, _ right: AnswerGroup) -> Bool {
    if left.count != right.count { return left.count > right.count }
    if left.representative != right.representative {
      return left.representative < right.representative
    }
    return left.key < right.key
  }

  private static func millionths(_ part: FixedPoint, of whole: FixedPoint) -> UInt32 {
    guard whole.raw > 0 else { return 0 }
    precondition(part <= whole, "\(part.raw) of \(whole.raw) is more than the whole")
    let product = part.raw.multipliedFullWidth(by: 1_000_000)
    return UInt32(whole.raw.dividingFullWidth(product).quotient)
  }
}
