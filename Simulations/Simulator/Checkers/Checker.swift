package import Primitives

/// A rule that every run is held to.
package enum Checker: String, CaseIterable, Sendable {
  /// The numbered invariants of the cores hold after every step.
  case coreInvariants = "core-invariants"
  /// What a write was acknowledged for is durable where it was promised at that moment.
  case acknowledgedIsDurable = "acknowledged-is-durable"
  /// What was acknowledged is at its place, byte for byte, on every node in the end.
  case nothingAcknowledgedIsLost = "nothing-acknowledged-is-lost"
  /// A bundle is seen outside its node only when it is durable there.
  case shownIsDurable = "shown-is-durable"
  /// No two nodes apply different bundles for one place, unless its node lied, and then all end
  /// with the proof.
  case lanesDoNotFork = "lanes-do-not-fork"
  /// Every applied bundle was signed by the node that it names.
  case authorship = "authorship"
  /// Bundles are applied in causal order: chain, context and time.
  case causalOrder = "causal-order"
  /// Equal frontiers have equal roots and rows.
  case equalFrontiersAreEqual = "equal-frontiers-are-equal"
  /// Every write is reported once, and not long after its deadline.
  case writesAreReportedOnce = "writes-are-reported-once"
  /// What a crash leaves is what recovery finds, and rows match their digest.
  case recoveryIsExact = "recovery-is-exact"
  /// No node works without time passing.
  case timeMovesOn = "time-moves-on"
  /// A node is never brought down by what others claim.
  case nobodyIsTalkedDown = "nobody-is-talked-down"
  /// All nodes hold the same within the stated time after the last fault.
  case convergence = "convergence"
}

/// A rule that was broken.
package struct Violation: Sendable {
  /// The rule.
  package let checker: Checker
  /// When.
  package let at: Instant
  /// Where, counting from 0; `nil` when it is not one node's doing.
  package let node: Int?
  /// What was found.
  package let detail: String
}
