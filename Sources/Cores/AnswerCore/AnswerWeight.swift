internal import ConsensusMath
package import Primitives

/// How much an agent's answer weighs: the log-odds that it is right.
///
/// The agent's chance of being right is the mean of a Beta distribution with the prior (3, 2) after
/// its resolved answers, p = (3 + correct) / (5 + resolved), clipped to [1/64, 63/64]. Among K
/// distinct answers the vote that maximises the chance of a right outcome weighs each answer by
/// log2(p / (1 − p)) + log2(K − 1) (Nitzan and Paroush 1982; Shapley and Grofman 1984). It is held
/// to 0...4, because a negative weight could be farmed by being wrong on purpose, and a large one
/// would make an agent a dictator.
package enum AnswerWeight {
  /// The weight of an agent that was right in `correct` of `resolved` other questions, among
  /// `distinctAnswers`, which is held to 2...8.
  package static func weight(correct: UInt32, resolved: UInt32, distinctAnswers: Int) -> FixedPoint
  {
    precondition(correct <= resolved, "\(correct) right answers of \(resolved)")
    let right = UInt64(correct) + 3
    let wrong = UInt64(resolved - correct) + 2
    let odds =
      if right >= wrong * 63 {
        Logarithm.base2(63)
      } else if wrong >= right * 63 {
        FixedPoint.zero - Logarithm.base2(63)
      } else {
        Logarithm.base2(right, over: wrong)
      }
    let alternatives = UInt64(min(max(distinctAnswers, 2), 8) - 1)
    return min(max(odds + Logarithm.base2(alternatives), .zero), FixedPoint(4))
  }
}
