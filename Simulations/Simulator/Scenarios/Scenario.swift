package import Primitives

/// What a simulation is to do: a cluster, its surroundings, its clients and the faults it meets.
///
/// Nodes are counted from 0 here and from 1 in the text form; see `docs/simulation.md`.
package struct Scenario: Sendable {
  /// Messages between two nodes.
  package struct Network: Sendable {
    /// The shortest and longest time that a message takes.
    package var delay = TimeRange(.milliseconds(1), .milliseconds(10))
    /// How long a message takes at least between two nodes that the scenario names, the smaller
    /// first; up to a tenth more. Between others it takes `delay`.
    package var distances: [(low: Int, high: Int, delay: TimeSpan)] = []
    /// How many messages of a million are lost.
    package var lossMillionths: UInt64 = 0
    /// How many messages of a million arrive twice.
    package var duplicateMillionths: UInt64 = 0
    /// How many datagrams of a million are lost, when that is more.
    package var datagramLossMillionths: UInt64 = 0
    /// Whether the scenario says what the network is like; drills leave theirs alone otherwise.
    package var isStated = false
  }

  /// Programs that write.
  package struct Clients: Sendable {
    /// How many there are.
    package var count = 4
    /// Writes per second of all of them together.
    package var writesPerSecond: UInt64 = 40
    /// How many writes of a million ask for a quorum.
    package var quorumMillionths: UInt64 = 500_000
    /// How many writes of a million ask for `final`.
    package var finalMillionths: UInt64 = 0
    /// Whether every client waits for its write as long as it takes.
    package var isPatient = false
  }

  /// Programs that use the control state.
  package struct Commands: Sendable {
    /// How many there are.
    package var count = 0
    /// Operations per second of all of them together.
    package var perSecond: UInt64 = 50
    /// On how many keys.
    package var keys = 5
    /// How many other programs take locks, with leases.
    package var lockers = 0
    /// How many other programs watch the keys.
    package var watchers = 0
  }

  /// Faults whose time and place the seed chooses.
  package struct Chaos: Sendable {
    /// Nodes that crash and come back.
    package var crashes = 0
    /// Partitions that heal.
    package var partitions = 0
    /// One-way cuts that heal.
    package var cuts = 0
    /// Nodes that stop for a while.
    package var pauses = 0
    /// Disks that are slow for a while.
    package var slowDisks = 0
    /// Crashes of whoever leads.
    package var leaderCrashes = 0
    /// Isolations of whoever leads, that heal.
    package var leaderIsolations = 0
    /// Pauses of whoever leads.
    package var leaderPauses = 0
    /// Orders to hand over.
    package var transfers = 0
    /// Nodes that lose everything and come back.
    package var wipes = 0
    /// Control logs that are found damaged after a crash.
    package var damages = 0
    /// Syncs of control logs that fail.
    package var syncFailures = 0
    /// Voters that learn for a while.
    package var roles = 0
  }

  /// A fault at a time.
  package struct Step: Sendable {
    /// When, since the start.
    package var at: Instant
    /// What.
    package var fault: Fault
  }

  /// What the scenario is called.
  package var name: String
  /// How many nodes there are, 1 to `nodesMax`.
  package var nodeCount = 5
  /// How long clients write and faults happen.
  package var duration = TimeSpan.seconds(10)
  /// The network.
  package var network = Network()
  /// How long a group commit takes.
  package var diskLatency = TimeRange(.milliseconds(1), .milliseconds(5))
  /// Of how many of a million group commits of control logs the process dies around the end.
  package var crashPointMillionths: UInt64 = 0
  /// How far a node's wall clock may be off at the start, either way.
  package var clockSkew = TimeSpan.zero
  /// How much faster or slower a node's wall clock may run, in millionths.
  package var clockDriftMillionths: UInt64 = 0
  /// The heights of an epoch of blocks; `nil` for a swarm without finality.
  package var epochLength: UInt64?
  /// Whether every node spreads its bundles through relays.
  package var usesRelays = false
  /// The clients that write to lanes.
  package var clients = Clients()
  /// The clients of the control state.
  package var commands = Commands()
  /// How long no command may be confirmed; `nil` when that is left open.
  package var orderedGap: TimeSpan?
  /// How many terms may have a leader in the first phase; `nil` when that is left open.
  package var leadersMax: Int?
  /// Within what time all nodes must know of a crash; `nil` when that is left open.
  package var detection: TimeSpan?
  /// Whether nobody alive may be taken for down.
  package var forbidsFalseDown = false
  /// The faults, in order of time.
  package var steps: [Step] = []
  /// Faults that the seed places.
  package var chaos = Chaos()
  /// How long after the last fault is over every node must hold the same.
  package var convergence = TimeSpan.seconds(10)

  /// The largest number of nodes.
  package static let nodesMax = 32
  /// The longest duration.
  package static let durationMax = TimeSpan.seconds(3_600)

  /// A scenario of that name with nothing but defaults.
  package init(name: String) {
    self.name = name
  }
}

/// From one length of time to another, both included.
package struct TimeRange: Hashable, Sendable {
  /// The shortest.
  package let shortest: TimeSpan
  /// The longest.
  package let longest: TimeSpan

  /// Joins the ends, in order.
  package init(_ shortest: TimeSpan, _ longest: TimeSpan) {
    precondition(shortest <= longest, "a range of time that ends before it starts")
    self.shortest = shortest
    self.longest = longest
  }

  /// A length within the range, each equally likely.
  func pick(_ random: inout Xoshiro256) -> TimeSpan {
    TimeSpan(nanoseconds: random.next(in: shortest.nanoseconds...longest.nanoseconds))
  }
}

/// Something that goes wrong, or ends.
package enum Fault: Hashable, Sendable {
  /// Nodes of different groups cannot reach each other; nodes in no group are not affected.
  case partition([[Int]])
  /// A node can reach nobody and nobody can reach it.
  case isolate(Int)
  /// The leader of the control log can reach nobody and nobody can reach it.
  case isolateLeader
  /// A node that does not lead, of the seed's choosing, can reach nobody.
  case isolateFollower
  /// The process of the leader of the control log is gone, and comes back after the time.
  case crashLeader(TimeSpan)
  /// The leader's process stands still.
  case pauseLeader(TimeSpan)
  /// Everything of the leader but its key is gone; it comes back after the time, in another life.
  case wipeLeader(TimeSpan)
  /// Messages from the leader to everybody are lost, or those from everybody to it.
  case cutLeader(isFromIt: Bool)
  /// Messages from the leader to everybody are held back, or those from everybody to it.
  case clogLeader(isFromIt: Bool, TimeSpan)
  /// The node's data is gone with its process; it comes back after the time, in another life.
  case wipe(Int, TimeSpan)
  /// A stored record of the control log is no longer what was written: the node's next start finds
  /// it, and it comes back in another life.
  case damage(Int)
  /// A sync of the control log fails: the node stops, and comes back after the time.
  case failSync(Int, TimeSpan)
  /// An operator says what a node is to be.
  case setRole(Int, String)
  /// An operator removes a node.
  case remove(Int)
  /// An operator has the leader hand over.
  case transfer
  /// Messages one way are lost.
  case cut(from: Int, to: Int)
  /// Messages one way are held back until the time is over.
  case clog(from: Int, to: Int, TimeSpan)
  /// Every partition, isolation and cut ends.
  case heal
  /// The process and what its disk had not yet synced are gone.
  case crash(Int)
  /// The same, and it comes back after the time.
  case crashFor(Int, TimeSpan)
  /// A crashed node comes back with its disk.
  case start(Int)
  /// The process stands still, as after SIGSTOP.
  case pause(Int, TimeSpan)
  /// Every group commit takes that much longer, until the second time is over.
  case slowDisk(Int, latency: TimeSpan, TimeSpan)
  /// The wall clock jumps.
  case clockJump(Int, milliseconds: Int64)
  /// The node's key signs two different bundles for one place and shows them to different peers.
  case equivocate(Int, only: Int?)
  /// The node is sent everything a hostile peer could make up.
  case forge(Int)
}
