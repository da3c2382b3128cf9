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
  /// A term of the control log has one leader.
  case electionSafety = "election-safety"
  /// No more terms have a leader than the scenario allows: who returns unseats nobody.
  case leadersStay = "leaders-stay"
  /// A member of the control log votes once in a term.
  case votesBind = "votes-bind"
  /// A vote, or that an entry is accepted, is said when it is durable.
  case saidIsDurable = "said-is-durable"
  /// Logs with an entry of one index and term agree up to there.
  case logMatching = "log-matching"
  /// Who leads has every entry that was committed before.
  case leaderCompleteness = "leader-completeness"
  /// Every node applies the same entry at an index.
  case stateMachineSafety = "state-machine-safety"
  /// What is applied is on the disks of a quorum.
  case durableCommit = "durable-commit"
  /// What clients of the control state saw is what one register per key could have shown them.
  case linearizability
  /// A lock has one holder at a time, and a later one a greater token.
  case locksExclude = "locks-exclude"
  /// No lease is ended for its time before that is over.
  case leasesLast = "leases-last"
  /// Watches deliver every change once, in order, and nothing else.
  case watchesAreWhole = "watches-are-whole"
  /// No two nodes execute different blocks of one height, and executing them gives all one root.
  case oneChain = "one-chain"
  /// What was reported as final is executed, durably, on the node that said so, and stays where it
  /// is on every node.
  case finalIsKept = "final-is-kept"
  /// No node halts, or finds itself at odds with what others vouch for.
  case agreementGoesOn = "agreement-goes-on"
  /// Every request to the control plane is answered once, and not long after its deadline.
  case requestsAreAnsweredOnce = "requests-are-answered-once"
  /// Commands are confirmed again within the stated time, whatever happens.
  case commandsGoOn = "commands-go-on"
  /// Every crash is known everywhere within the stated time.
  case crashesAreDetected = "crashes-are-detected"
  /// Nobody alive is taken for down.
  case nobodyIsBuriedAlive = "nobody-is-buried-alive"
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
