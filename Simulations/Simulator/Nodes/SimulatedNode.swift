internal import CoreKit
internal import Crypto
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import Records

/// A node: its key, its disk, its clock and, while it runs, its core.
///
/// A class as the holder: a world asks its nodes for something all the time, and would copy them.
final class SimulatedNode {
  let index: Int
  let key: SigningKey
  let id: NodeID
  let epoch: Identifier<LaneEpoch>
  let coreSeed: UInt64
  var disk = SimulatedDisk()
  /// The disk of the control log.
  var controlDisk: SimulatedControlDisk
  /// The votes and the executed ledger; `nil` in a swarm without finality.
  var chain: SimulatedChain?

  /// The core; `nil` while the process is not running. Read it by `withMachine`: it is large.
  private var machine: NodeMachine?
  private(set) var isAlive = false
  /// Counts the starts of the process: what belongs to an earlier life is void.
  var life: UInt64 = 0

  // The wall clock.
  var clockOffsetMilliseconds: Int64
  let driftMillionths: Int64

  // The loop.
  /// Events at hand for the next turn.
  var inbox: [NodeEvent] = []
  var isTurnPlanned = false
  /// Nothing happens before this instant.
  var pausedUntil = Instant.origin
  var timerAt: Instant?
  /// Turns taken without time passing.
  var turnsAtOnce = 0
  var lastTurnAt = Instant.origin

  // Peers as the core knows them, by node.
  var peerIndexes: [PeerIndex?]
  var peersByIndex: [Int] = []
  /// Pulls under way: the driver's view.
  var pulls = SortedMap<UInt64, Int>()

  /// When each peer's host last said that nobody listens there.
  var hintedAt: [Instant]
  /// Whether the machine is gone with the process: then nobody hints.
  var isHostDown = false
  /// Whether the control log's disk is damaged: the next start finds that out.
  var isControlDamaged = false
  /// Whether the node only serves, and holds no control log.
  var isEdge = false

  // The disk's surroundings.
  var slowUntil = Instant.origin
  var slowLatency = TimeSpan.zero

  /// What the node has applied, restated from its batches.
  var view = AppliedView()
  /// Bundles that came by pulls in this life.
  var pulledBundles = 0
  /// Bundles that the core signed in this life.
  var bundlesSigned = 0

  /// The lane that the node writes.
  let lane: LaneID
  /// The heads that were last compared, with their leaves.
  var heads: [LaneHead] = []
  var leaves: [Digest] = []

  /// The member of the control log that the node is in the life of its control disk.
  var memberID: RaftID { controlDisk.member.id }

  /// Starts the process with a core, or ends it.
  func setMachine(_ machine: consuming NodeMachine?) {
    isAlive = machine != nil
    self.machine = machine
  }

  /// Lends the core to `body`; in place, since it is large.
  func withMachine<Result>(_ body: (inout NodeMachine) -> Result) -> Result? {
    machine?.lend(to: body)
  }

  init(
    _ index: Int, _ scenario: Scenario, swarm: SwarmID, seed: UInt64, clocks: inout Xoshiro256
  ) {
    self.index = index
    var random = Xoshiro256(seed: seed, purpose: "node \(index)")
    key = SigningKey(
      seed: Digest(words: random.next(), random.next(), random.next(), random.next()))
    id = NodeID(key: key.publicKey)
    controlDisk = SimulatedControlDisk(RaftMember(node: id, life: 0))
    epoch = Identifier(high: random.next(), low: random.next())
    lane = LaneID(node: id, epoch: epoch, swarm: swarm)
    coreSeed = random.next()
    peerIndexes = Array(repeating: nil, count: scenario.nodeCount)
    hintedAt = Array(repeating: .origin, count: scenario.nodeCount)
    let skew = scenario.clockSkew.nanoseconds / 1_000_000
    clockOffsetMilliseconds = Int64(clocks.next(in: 0...(2 * skew))) - Int64(skew)
    let drift = scenario.clockDriftMillionths
    driftMillionths = Int64(clocks.next(in: 0...(2 * drift))) - Int64(drift)
  }

  /// What the node says of itself to other members.
  var attributes: MemberAttributes {
    guard
      let attributes = MemberAttributes(
        address: "node \(index)", apiAddress: "", region: "", zone: "", role: .voter,
        protocolVersion: ControlHello.version)
    else { preconditionFailure("the name of node \(index) exceeds its limit") }
    return attributes
  }

  /// What the node's wall clock shows, in milliseconds since 1970.
  func wallMilliseconds(at now: Instant) -> UInt64 {
    let elapsed = Int64(now.nanoseconds / 1_000_000)
    let start: Int64 = 1_700_000_000_000
    return UInt64(
      start + elapsed + elapsed * driftMillionths / 1_000_000 + clockOffsetMilliseconds)
  }

  /// Both clocks.
  func moment(at now: Instant) -> Moment {
    Moment(instant: now, wallMilliseconds: wallMilliseconds(at: now))
  }
}

extension NodeMachine {
  /// Lends itself, in place: what optional chaining can do and unwrapping cannot.
  fileprivate mutating func lend<Result>(to body: (inout NodeMachine) -> Result) -> Result {
    body(&self)
  }
}

/// What a node has applied, kept apart from the core and fed by its batches: numbers, digests and
/// times per lane.
struct AppliedView {
  struct Lane {
    var lastTime = HybridTime.zero
    var lastSequence: UInt64 = 0
    var digest = Digest.zero
    var times: [HybridTime] = []

    var number: UInt64 { UInt64(times.count) }

    mutating func take(_ bundle: SignedBundle) {
      lastTime = bundle.header.lastTime
      lastSequence = bundle.header.lastSequence
      digest = bundle.digest
      times.append(bundle.header.lastTime)
    }
  }

  var lanes = SortedMap<LaneID, Lane>()
  var frozen: Set<LaneID> = []

  mutating func take(_ bundle: SignedBundle) {
    lanes[bundle.header.lane, default: Lane()].take(bundle)
  }
}
