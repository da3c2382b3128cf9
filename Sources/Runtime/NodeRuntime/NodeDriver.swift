internal import AgentAPI
internal import Configuration
internal import ControlStorage
internal import CoreKit
internal import Crypto
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import StorageThreads
internal import Telemetry

/// Runs a `NodeMachine` against the real world: one loop thread that owns everything here.
///
/// A turn of the loop gathers events in the machine; at its end the machine is told so, and what it
/// asks for is done: messages, pushes and pulls go to the transport, the batch to the storage
/// thread, outcomes to those who wait. What other threads find out comes back through mailboxes.
///
/// ```
/// transport ──► verifier thread ──┐
/// HTTP ─────────────────────────► machine ──► transport, storage thread, HTTP
/// storage thread ── durable ──────┘
/// ```
final class NodeDriver {
  /// Bytes of unverified or undurable input at which peers' credit is withheld.
  static let inputBytesMax = 32 << 20
  /// Nodes that one run of this node may meet; a core numbers them with sixteen bits.
  static let peersMax = 4_096

  let configuration: NodeConfiguration
  let loop: EventLoop
  let logger: Logger
  let storage: SwarmStorage
  let controlStorage: ControlStorage
  let finality: FinalityParts
  var machine: NodeMachine
  var effects = NodeEffects()
  let verifier = BundleVerifier()
  var verifierThread: WorkerThread?
  private(set) var transportOrNone: QUICTransport?
  private var timer: TimerToken?

  // Peers.
  var indexes: [NodeID: PeerIndex] = [:]
  var peers: [PeerRecord] = []
  var dialled = SortedMap<NodeID, String>()
  var guests = SortedMap<NodeID, Guest>()
  var isInputPaused = false

  // What is under way.
  var pulls: [RequestID: (pull: PullID, peer: PeerIndex)] = [:]
  var answers: [RequestID: PendingAnswer] = [:]
  var writes: [WriteID: (WriteOutcome) -> Void] = [:]
  private var nextWrite: UInt64 = 1

  // The control plane.
  var controlRequests: [ControlRequestID: (ControlReply) -> Void] = [:]
  var nextControlRequest: UInt64 = 1
  /// Steps that the control log's storage had no room for, oldest first.
  var controlWritesHeld: [ControlWrite] = []
  /// Encodes the control state.
  var encoder: WorkerThread?
  /// Who is told what the control state did.
  weak var controlWatch: (any ControlWatching)?
  private var watchTimer: TimerToken?

  /// Peers whose packets the operator has disturbed.
  var faultsInForce = 0

  /// Bundles that a repair found behind damage, until all of them are held.
  var rescue: Rescue?

  var counters = DriverCounters()
  /// The heads of all lanes as they are on the disk.
  var durableHeads = SortedMap<LaneID, LaneHead>()
  /// Called at the end of every turn, after everything else.
  var onTurnEnd: (() -> Void)?
  private var headsInFlight: [(sequence: UInt64, heads: [LaneHead])] = []
  /// Steps that storage had no room for, oldest first: handed over when it has.
  private var stepsHeld: [StorageBatch] = []
  let startedMilliseconds = WallClock.milliseconds()
  /// What was found of a damaged ledger; set once.
  var ledgerDamage: LedgerDamage?
  /// Why the node is to join again by a snapshot, once it is.
  var rejoinNeeded: RejoinNeeded?
  /// Looks in a row that found lanes out of reach.
  var looksOutOfReach = 0
  /// What the repair that takes out the end of a lane is for, once it is to be made.
  var withdrawal: StorageDamage?
  /// Why the node must stop; set once.
  private(set) var fatal: String?

  init(
    configuration: NodeConfiguration, loop: EventLoop, logger: Logger, storage: SwarmStorage,
    controlStorage: ControlStorage, finality: FinalityParts, machine: NodeMachine
  ) {
    self.configuration = configuration
    self.loop = loop
    self.logger = logger
    self.storage = storage
    self.controlStorage = controlStorage
    self.finality = finality
    self.machine = machine
    for head in machine.gossip.heads { durableHeads[head.lane] = head }
  }

  var transport: QUICTransport {
    guard let transportOrNone else { preconditionFailure("the transport is not up yet") }
    return transportOrNone
  }

  /// Starts timers and hooks; the transport's own hook must come after, to flush what is sent here.
  func start() {
    timer = loop.makeTimer { [unowned self] in
      step(.deadline)
    }
    watchTimer = loop.makeTimer { [unowned self] in controlWatch?.timeReached() }
    loop.onTurnEnd { [unowned self] in
      endTurn()
    }
  }

  func wakeControlWatch(at instant: Instant) {
    if let watchTimer { loop.arm(watchTimer, at: instant.nanoseconds) }
  }

  /// Takes the transport that this driver is the delegate of, and dials.
  func attach(_ transport: QUICTransport) {
    transportOrNone = transport
    followMembers()
  }

  /// Both clocks at the start of this turn.
  var moment: Moment {
    Moment(
      instant: Instant(nanoseconds: loop.now()), wallMilliseconds: WallClock.milliseconds())
  }

  /// Gives the machine one event; what it asks for is done at the end of the turn.
  func step(_ event: consuming NodeEvent) {
    machine.handle(event, at: moment, into: &effects)
    loop.requestTurnEnd()
  }

  /// A fresh name for a write.
  func makeWriteID() -> WriteID {
    defer { nextWrite += 1 }
    return WriteID(nextWrite)
  }

  private func endTurn() {
    var hasEvents = true
    var rounds = 0
    // Doing what the machine asks can make events; the bound only keeps a turn finite.
    while hasEvents, rounds < 8, fatal == nil {
      machine.handle(.turnEnded, at: moment, into: &effects)
      hasEvents = carryOut()
      rounds += 1
    }
    guard fatal == nil else { return }
    if hasEvents { loop.requestTurnEnd() }
    relieve()
    if let deadline = machine.nextDeadline, let timer {
      loop.arm(timer, at: deadline.nanoseconds)
    }
    onTurnEnd?()
  }

  /// Does what the machine asked for; true when that gave it new events. Once the node has failed
  /// nothing leaves it any more.
  private func carryOut() -> Bool {
    var taken = NodeEffects()
    swap(&taken, &effects)
    var hasEvents = false
    if let batch = taken.batch { hand(batch) }
    guard fatal == nil else { return false }
    for send in taken.sends { self.send(send) }
    for push in taken.pushes { hasEvents = self.push(push) || hasEvents }
    for pull in taken.pulls { hasEvents = start(pull) || hasEvents }
    for wanted in taken.headersWanted { load(wanted) }
    for disconnect in taken.disconnects { drop(disconnect.peer, disconnect.reason) }
    carryOut(taken.control)
    carryOut(taken.finality)
    for notice in taken.notices where fatal == nil { hear(notice) }
    return hasEvents
  }

  /// Takes note that every batch up to `sequence` is on the disk.
  func markDurable(through sequence: UInt64) {
    while let first = headsInFlight.first, first.sequence <= sequence {
      for head in first.heads { durableHeads[head.lane] = head }
      headsInFlight.removeFirst()
    }
    handHeld()
    step(.durable(through: sequence))
  }

  private func hand(_ batch: StorageBatch) {
    headsInFlight.append((batch.sequence, batch.heads))
    stepsHeld.append(batch)
    handHeld()
  }

  /// Hands over what storage has room for. A full queue ends in a durable step, which calls again.
  ///
  /// One operation can change as many rows as a question has answers, so that a single turn fills
  /// the queue whatever is held back at the door.
  private func handHeld() {
    while let batch = stepsHeld.first {
      switch storage.submit(batch) {
      case .accepted: stepsHeld.removeFirst()
      case .busy: return
      case .stopped: return fail("storage has stopped")
      }
    }
  }

  /// Holds peers back while too much of what they sent is not yet verified or durable.
  private func relieve() {
    let isLoaded = verifier.pendingBytes > NodeDriver.inputBytesMax || isStorageLoaded
    guard isLoaded != isInputPaused else { return }
    isInputPaused = isLoaded
    counters.inputPauses += isLoaded ? 1 : 0
    for peer in peers {
      guard let connection = peer.connection else { continue }
      if isLoaded {
        transport.pauseBundles(connection)
      } else {
        transport.resumeBundles(connection)
      }
    }
  }

  /// Whether storage holds so much that more must wait; well below where it refuses.
  var isStorageLoaded: Bool {
    guard stepsHeld.isEmpty else { return true }
    let statistics = storage.statistics
    return statistics.pendingBatches > storage.options.queuedBatchesMax / 4
      || statistics.pendingBytes > storage.options.queuedBytesMax / 2
  }

  private func hear(_ notice: NodeNotice) {
    switch notice {
    case .write(let write, let outcome):
      writes.removeValue(forKey: write)?(outcome)
    case .membersChanged:
      followMembers()
    case .laneForked(let proof):
      logger.log(
        .error, "a lane forked: its node signed two bundles for one place",
        [
          LogField("lane", proof.lane.digest.hexadecimal),
          LogField("node", proof.first.header.node.key.hexadecimal),
          LogField("number", "\(proof.number)"),
        ])
      if proof.lane == machine.gossip.ownLane {
        fail(
          "this node's own lane forked: another process signs with this key, or the data went "
            + "back in time; remove the data directory, so that the node returns with a new lane")
      }
    case .ownLaneAhead(let position):
      fail(
        "a peer holds bundle \(position.number) of this node's own lane, which this node has "
          + "lost: run swarmoracle recover DIR --new-lane --apply, so that it goes on in a new lane"
      )
    }
  }

  /// Stops the node: nothing is acknowledged from here on.
  func fail(_ reason: String) {
    guard fatal == nil else { return }
    fatal = reason
    logger.log(.error, "the node stops", [LogField("reason", reason)])
    loop.stop()
  }
}

/// What the driver counted since it started; for metrics.
struct DriverCounters {
  /// Bundles refused at the door: undecodable, forged or inconsistent.
  var bundlesRefused: UInt64 = 0
  /// Messages refused at the door.
  var messagesRefused: UInt64 = 0
  /// Requests refused at the door.
  var requestsRefused: UInt64 = 0
  /// Frames from connections that were let in with a ticket only.
  var guestFramesRefused: UInt64 = 0
  /// Pull requests served.
  var pullsServed: UInt64 = 0
  /// Times that peers were held back because input piled up.
  var inputPauses: UInt64 = 0
  /// Messages of the control plane for which a peer's channel had no room.
  var consensusFramesDropped: UInt64 = 0
  /// Times that a peer's host said that nobody listens there.
  var crashHints: UInt64 = 0
  /// Messages of members that break the rules of the control log.
  var controlBreaches: UInt64 = 0
  /// Frames of agreement that came while too many waited to be judged.
  var finalityFramesDropped: UInt64 = 0
  /// Messages of agreement of an epoch whose validators are not known here.
  var finalityUnknownEpoch: UInt64 = 0
  /// Wishes of peers for final blocks that came while too many waited.
  var finalityReadsDropped: UInt64 = 0
  /// Validators found to have signed votes that contradict each other.
  var finalityEvidence: UInt64 = 0
}
