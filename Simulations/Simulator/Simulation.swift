package import Primitives

/// One run of one scenario: a whole cluster in one process, in virtual time, from one seed.
///
/// The nodes are the product's own `NodeMachine`; network, disks, clocks and clients are made up
/// here. Everything that happens by chance is drawn from generators seeded by the run's seed and
/// named by their purpose, so the same seed of the same scenario is the same run, to the bit.
///
/// A run has two phases. In the first, for the scenario's duration, clients write and faults happen
/// and only safety is demanded. Then everything is healed and started, clients fall silent, and all
/// nodes must come to hold the same within the scenario's bound.
package enum Simulation {
  /// How a run is made, besides scenario and seed.
  package struct Options: Sendable {
    /// A bug to plant.
    package var mutant: Mutant?
    /// Whether the verdict is to hold every event as text.
    package var isTraced = false
    /// Whether the verdict is to hold what clients of the control state did and saw.
    package var keepsHistory = false
    /// Whether the verdict is to hold a picture of the run.
    package var isDrawn = false

    /// No bug, and nothing kept but the verdict.
    package init() {}
  }

  /// Runs a scenario from a seed.
  package static func run(_ scenario: Scenario, seed: UInt64, options: Options = Options())
    -> Verdict
  {
    let world = World(scenario, seed: seed, options: options)
    world.run()
    return world.verdict
  }
}

/// What came of a run.
package struct Verdict: Sendable {
  /// What clients saw.
  package struct Writes: Sendable, Hashable {
    /// Writes that were submitted.
    package var submitted = 0
    /// Writes acknowledged at the level `local`.
    package var local = 0
    /// Writes acknowledged at the level `quorum`.
    package var quorum = 0
    /// Writes acknowledged at the level `final`.
    package var final = 0
    /// Writes whose deadline passed first.
    package var undecided = 0
    /// Writes that were refused.
    package var overloaded = 0
    /// Writes whose node crashed before it answered.
    package var cutOff = 0
  }

  /// What clients of the control state saw.
  package struct Commands: Sendable, Hashable {
    /// Commands whose outcome was told.
    package var confirmed = 0
    /// Reads that were answered.
    package var read = 0
    /// Operations whose outcome their client does not know.
    package var unknown = 0
    /// Operations that certainly did nothing.
    package var refused = 0
    /// The longest time in the first phase without a confirmed command.
    package var longestGap = TimeSpan.zero
  }

  /// How bundles came to those who did not make them.
  package struct Spread: Sendable, Hashable {
    /// Bundles that nodes applied of others' lanes.
    package var deliveries: UInt64 = 0
    /// Bundles that came and were held already.
    package var duplicates: UInt64 = 0
    /// Copies that were pushed on by relays.
    package var handedOn: UInt64 = 0
    /// The most hops of pushes that a bundle's first copy took; counted when relays are used.
    package var hopsMax = 0
  }

  /// The scenario's name.
  package let scenario: String
  /// The seed.
  package let seed: UInt64
  /// The first broken rule; `nil` when all were kept.
  package let violation: Violation?
  /// The hash over every event and effect.
  package let audit: String
  /// How much time passed inside.
  package let simulated: TimeSpan
  /// How many events happened.
  package let events: UInt64
  /// How many bundles all lanes hold in the end.
  package let bundles: UInt64
  /// What clients saw.
  package let writes: Writes
  /// How long after the last fault all nodes held the same; `nil` when they never did.
  package let convergedAfter: TimeSpan?
  /// How bundles came to those who did not make them.
  package let spread: Spread
  /// What clients of the control state saw.
  package let commands: Commands
  /// Rare things that happened.
  package let probes: ProbeCounts
  /// Every event as text, when asked for.
  package let trace: [String]
  /// What clients of the control state did and saw, as JSON lines, when asked for.
  package let history: [UInt8]
  /// How long each write took that became final, ascending.
  package let finalDelays: [TimeSpan]
  /// The run as a page to look at, when asked for.
  package internal(set) var picture: String?
}
