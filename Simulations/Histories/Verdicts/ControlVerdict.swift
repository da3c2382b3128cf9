/// The judgement on one run of the control plane, simulated or of real processes.
package struct ControlVerdict: Sendable {
  /// Whether the run kept all promises.
  package enum Outcome: String, Sendable {
    /// It did.
    case pass = "PASS"
    /// It broke one.
    case fail = "FAIL"
    /// None is known broken, but one could not be judged within the bounds.
    case undecided = "UNDECIDED"
  }

  /// A promise of the scenario itself, such as a bound on a gap.
  package struct Expectation: Equatable, Sendable {
    /// What was expected, such as `longest ordered gap at most 1 s`.
    package let text: String
    /// What was found, such as `312 ms`.
    package let found: String
    /// Whether that is what was expected.
    package let isMet: Bool

    /// Makes an expectation.
    package init(_ text: String, found: String, isMet: Bool) {
      self.text = text
      self.found = found
      self.isMet = isMet
    }
  }

  /// Two writes that did not know of each other, found when a partition healed.
  package struct Conflict: Equatable, Sendable {
    /// What was written twice.
    package let key: String
    /// The policy that decided.
    package let policy: String
    /// What became of it.
    package let detail: String

    /// Makes a conflict.
    package init(key: String, policy: String, detail: String) {
      self.key = key
      self.policy = policy
      self.detail = detail
    }
  }

  /// Losses and conflicts are kept up to this many each; the counts go on.
  package static let listedMax = 100

  /// The scenario's name.
  package let scenario: String
  /// The command that repeats the run.
  package let command: String
  /// The seed, when the run has one.
  package let seed: UInt64?
  /// How long the run took, in nanoseconds of its clock.
  package var nanoseconds: UInt64 = 0
  /// Figures and gaps of each tier that was tried.
  package var tiers: [WriteGaps] = []
  /// How often leadership changed.
  package var leaderChanges = 0
  /// From the end of the last fault until all nodes held the same; `nil` when that never happened.
  package var healNanoseconds: UInt64?
  /// Whether the run had a fault to heal from.
  package var hadFaults = false
  /// What the check of the control state's history found; `nil` when there was none to check.
  package var linearizability: Linearizability.Report?
  /// Promises of revisions, locks and watches that were broken.
  package var faults = HistoryFaults()
  /// Promises of the scenario.
  package var expectations: [Expectation] = []
  /// Acknowledged writes that are not there in the end.
  package private(set) var lostCount = 0
  /// The first of them, in words.
  package private(set) var lost: [String] = []
  /// Conflicts that were found.
  package private(set) var conflictCount = 0
  /// The first of them.
  package private(set) var conflicts: [Conflict] = []

  /// Starts a verdict on a run of which nothing is known yet.
  package init(scenario: String, command: String, seed: UInt64? = nil) {
    self.scenario = scenario
    self.command = command
    self.seed = seed
  }

  /// Notes an acknowledged write that is not there.
  package mutating func addLost(_ write: String) {
    lostCount += 1
    if lost.count < Self.listedMax { lost.append(write) }
  }

  /// Notes a conflict.
  package mutating func addConflict(_ conflict: Conflict) {
    conflictCount += 1
    if conflicts.count < Self.listedMax { conflicts.append(conflict) }
  }

  /// Judges the history of the control state: linearizability, revisions, locks and watches.
  package mutating func judge(
    _ history: History, limits: Linearizability.Limits = Linearizability.Limits()
  ) {
    linearizability = Linearizability.check(history, limits: limits)
    faults.add(RevisionCheck.check(history))
    faults.add(LockCheck.check(history))
    faults.add(WatchCheck.check(history))
  }

  /// Writes that were acknowledged, over all tiers.
  package var acknowledged: Int { tiers.reduce(0) { $0 + $1.acknowledged } }

  /// Whether the run kept all promises.
  package var outcome: Outcome {
    let isBroken =
      lostCount > 0 || !faults.isEmpty || expectations.contains { !$0.isMet }
      || linearizability?.outcome == .violated || (hadFaults && healNanoseconds == nil)
    if isBroken { return .fail }
    return linearizability?.outcome == .undecided ? .undecided : .pass
  }
}
