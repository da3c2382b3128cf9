package import Primitives

/// A rule that holds in every run, whatever f validators do.
package enum FinalityRule: String, CaseIterable, Sendable {
  /// No two honest nodes have different final blocks at a height.
  case agreement
  /// No view is finalized and nullified, and at most one block of a view is notarized.
  case exclusiveCertificates
  /// A certificate holds the signatures of a quorum of different validators.
  case certificateValidity
  /// Honest validators notarize blocks of the view's leader only.
  case leadership
  /// A notarized block skips only views that were nullified.
  case justification
  /// An honest key signs one block per view, and never both to nullify and to finalize.
  case voteExclusivity
  /// Final blocks follow each other without gaps.
  case hashChain
  /// Equal heights have equal roots.
  case execution
  /// What is final and durable stays so.
  case monotoneFloor
  /// Evidence names no honest validator.
  case evidenceIsTrue
  /// Validators that sign both are reported.
  case evidenceIsFound
  /// Blocks become final once the network is well.
  case growth
  /// Without work nodes say only where they stand.
  case quiescence
  /// A node whose execution differs stops and says so.
  case divergenceIsFound
  /// The engine's own invariants.
  case engine
  /// A seed is one run.
  case determinism
}

/// A broken rule.
package struct FinalityViolation: Hashable, Sendable, CustomStringConvertible {
  /// The rule.
  package let rule: FinalityRule
  /// When, in virtual time.
  package let instant: Instant
  /// What was seen.
  package let detail: String

  package var description: String {
    "\(rule.rawValue) at \(instant.nanoseconds / 1_000_000) ms: \(detail)"
  }
}
