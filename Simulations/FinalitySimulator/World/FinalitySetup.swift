package import BFTCore
package import Primitives

/// What a run is made of. Everything else follows from the seed.
package struct FinalitySetup: Sendable {
  /// Something done to a node at an instant.
  package enum Action: Sendable {
    /// The node loses power.
    case crash(Int)
    /// The node starts again.
    case restart(Int)
    /// The node loses power and its journal.
    case wipe(Int)
    /// The node loses power and its executed chain, not its journal.
    case loseLedger(Int)
    /// The node's execution is wrong from now on.
    case corrupt(Int)
    /// A liar sends votes of views far ahead.
    case flood(from: Int, count: Int)
  }

  /// A crash at a step of a node's journal.
  package struct PlannedCrash: Sendable {
    let host: Int
    let point: CrashPoint
    let step: Int
    let downFor: TimeSpan
    /// Records of a step that was not yet durable which the disk has nevertheless.
    var torn = 0
    /// Whether all the others lose power at that moment, too.
    var isEverybodys = false

    /// Plans a crash at the `step`-th step that the node writes.
    package init(host: Int, point: CrashPoint, step: Int, downFor: TimeSpan) {
      self.host = host
      self.point = point
      self.step = step
      self.downFor = downFor
    }
  }

  /// How many validators.
  package var validators: Int
  /// Validators that lie.
  package var liars: [(index: Int, kind: Adversary)] = []
  /// The node that turncoats deceive.
  package var victim: Int?
  /// Validators of which two copies run.
  package var twins: [Int] = []
  /// The network.
  package var network = FinalityNetwork()
  /// What is done to nodes.
  package var actions: [(at: Instant, action: Action)] = []
  /// Crashes at steps of the journal.
  package var crashes: [PlannedCrash] = []
  /// Random crashes of honest nodes before the network is calm.
  package var randomCrashes = 0
  /// Blocks that every honest node must finalize once the network is calm.
  package var goal: UInt64 = 8
  /// How long after calm that may take.
  package var patience = TimeSpan.seconds(60)
  /// How long a journal step takes.
  package var diskDelay = TimeSpan.microseconds(300)
  /// How long executing a batch takes.
  package var executionDelay = TimeSpan.milliseconds(1)
  /// How long after a bundle is made the last node hears of it.
  package var bundleDelayMax = TimeSpan.milliseconds(20)
  /// How often a bundle is made.
  package var bundleInterval = TimeSpan.milliseconds(15)
  /// When the last bundle is made; `nil` for never.
  package var bundlesUntil: Instant?
  /// Nodes that hear of no bundle before the network is calm.
  package var lateLearners: [Int] = []
  /// Milliseconds by which nodes' wall clocks are wrong.
  package var clockErrors: [Int64] = []
  /// Heights of an epoch.
  package var epochLength: UInt64 = 1_000
  /// Records after which a node's journal is rewritten.
  package var checkpointRecords = 1_024
  /// For each epoch the validators by index; the last for all that follow, none for everybody.
  package var epochs: [[Int]] = []
  /// Whether a contradiction must be reported.
  package var expectsEvidence = false
  /// Whether nothing but statuses may be sent in the last seconds of the run, which lasts until
  /// then.
  package var quietFrom: Instant?
  /// Nodes whose execution goes wrong: judged apart from the others.
  package var divergent: [Int] = []
  /// Whether somebody might forge signatures: the observer then checks each by itself.
  package var hasForgers = true
  /// A bug planted in every engine.
  package var bug: BFTBug?

  /// An honest run on a network that is well.
  package init(validators: Int) {
    self.validators = validators
  }
}

/// What came of a run.
package struct FinalityRun: Sendable {
  /// The rules that were broken.
  package var violations: [FinalityViolation] = []
  /// The height that each node reached.
  package var heights: [UInt64] = []
  /// The longest that a node waited for its next final block in calm, in nanoseconds.
  package var slowestNanoseconds: UInt64 = 0
  /// A digest of everything that happened.
  package var traceHash: UInt64 = 0
  /// Events that happened.
  package var events = 0
  /// Virtual nanoseconds that passed.
  package var nanoseconds: UInt64 = 0

  /// Rules about safety that were broken.
  package var safetyViolations: [FinalityViolation] { violations.filter { $0.rule != .growth } }
  /// Whether the chain stood still.
  package var isStuck: Bool { violations.contains { $0.rule == .growth } }
}
