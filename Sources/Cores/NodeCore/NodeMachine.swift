internal import BFTCore
internal import CausalClocks
internal import ControlCore
internal import CoordinatorCore
package import CoreKit
internal import Crypto
package import GossipCore
package import LedgerCore
internal import MembershipCore
package import Primitives
internal import RaftCore
internal import Records
internal import Wire

/// The one machine that a node and the simulator drive: lanes, live tables, quorums and the group
/// commit of its own operations.
///
/// An operation's life here: `submit` queues it; at the end of the turn everything queued becomes
/// one bundle, stamped, signed, applied to the tables and put into the turn's batch; when the batch
/// is durable the bundle is pushed, `local` is reached, and peers' acknowledgements raise it to
/// `quorum`. While a bundle is on its way to the disk others queue: the disk's pace sets the size
/// of the groups, no timer does.
///
/// ```
/// submit ─► queued ─► bundle in a batch ─► durable: local ─► on a majority's disks: quorum
///              │ full                          │ deadline
///              ▼                               ▼
///          overloaded                      undecided
/// ```
///
/// Invariants:
/// - N1: an own bundle is pushed, and a write reported, only after its batch is durable.
/// - N2: `quorum` is reported only when a majority of voters said that it is synced.
/// - N3: batches are numbered without gaps and hold whole bundles with all their rows.
/// - N4: every write is reported exactly once.
/// - N5: the tables are those of the applied frontier.
///
/// What is final is `finality`'s business; it has invariants of its own.
package struct NodeMachine: ProtocolCore {
  let configuration: NodeCoreConfiguration
  /// The lanes and what peers hold of them.
  package internal(set) var gossip: Gossip
  /// The live tables at the applied frontier.
  package internal(set) var tables: LiveTables
  /// Who lives, who leads, and what the cluster has agreed on.
  package internal(set) var control: ControlPlane
  /// What is final; `nil` in a swarm without finality.
  package internal(set) var finality: FinalityPlane?
  var clock: HybridClock
  var gossipEffects = GossipEffects()

  // Own writes.
  var queue: [QueuedWrite] = []
  var queuedOperations = 0
  var queuedBytes = 0
  /// What the own lane's contexts add up to in this run.
  var ownContext = Frontier()
  /// Own bundles made and not yet durable, oldest first.
  var ownInFlight: [Verified<SignedBundle>] = []
  /// When to try again to stamp, after the clock refused.
  var stampAt: Instant?

  // Batches.
  var batch: StorageBatch
  /// Batches handed out and not yet durable: what each makes durable.
  var batchesInFlight: [(sequence: UInt64, positions: [LanePosition])] = []

  // Waiting writes.
  var waiters: [Waiter] = []
  /// No write's deadline is earlier; `nil` when none waits.
  var nextExpiry: Instant?
  /// Whether something moved that may end a wait.
  var waitersDue = false
  /// How many own operations were written in this run.
  package internal(set) var operationsWritten: UInt64 = 0

  /// Bytes of own bundles made durable since the coordinator was last told of them, and when.
  var bytesMade: UInt64 = 0
  var demandToldAt: Instant?
  /// Operations and commands taken in this run until then.
  var takenBefore: UInt64 = 0

  /// The voters that count toward quorums, by half of the control log's configuration.
  var voterSets: [[NodeID]] = []

  /// Makes the core of a node from what storage held; fails when the stored control state cannot be
  /// read.
  package init(
    _ configuration: NodeCoreConfiguration, recovery: consuming NodeRecovery, at now: Moment
  ) throws {
    self.configuration = configuration
    gossip = Gossip(
      node: NodeID(key: configuration.key.publicKey), epoch: configuration.epoch,
      cluster: configuration.cluster, swarm: configuration.swarm, lanes: recovery.lanes,
      proofs: recovery.proofs, limits: configuration.gossipLimits, seed: configuration.seed)
    tables = recovery.tables
    clock = HybridClock()
    for lane in recovery.lanes { clock.observe(lane.head.lastTime) }
    batch = StorageBatch(sequence: recovery.nextBatch)
    control = try ControlPlane(configuration.control, recovery: recovery.control, at: now)
    if let settings = configuration.finality {
      guard let stored = recovery.finality else {
        preconditionFailure("a node with finality starts without what was stored of it")
      }
      finality = try FinalityPlane(settings, recovery: stored, at: now)
    }
    var effects = ControlPlaneEffects()
    updateMembers(at: now, into: &effects)
    updateVoters()
  }

  package mutating func handle(
    _ event: consuming NodeEvent, at now: Moment, into effects: inout NodeEffects
  ) {
    switch event {
    case .connected(let peer, let node): connect(peer, node, at: now, into: &effects)
    case .disconnected(let peer): disconnect(peer, at: now, into: &effects)
    case .received(let message, let peer):
      gossip.receive(message, from: peer, at: now, into: &gossipEffects)
      waitersDue = true
    case .bundles(let bundles, let peer, let arrival):
      gossip.receive(bundles, from: peer, arrival, at: now, into: &gossipEffects)
    case .pullEnded(let pull, let outcome):
      gossip.end(pull, outcome, at: now, into: &gossipEffects)
    case .pushBlocked(let peer):
      gossip.setEager(false, peer)
    case .pushReady(let peer):
      gossip.setEager(true, peer)
    case .routes(let routes):
      gossip.setRoutes(routes)
    case .comparePeer(let node):
      gossip.setComparePeer(node)
    case .submit(let write, let operations, let level, let deadline):
      submit(write, operations, level, deadline, into: &effects)
    case .follow(let write, let position, let level, let deadline):
      wait(write, position, level, deadline, into: &effects)
    case .durable(let sequence):
      markDurable(through: sequence, at: now, into: &effects)
    case .headerLoaded(let stored, let conflicting):
      gossip.complete(stored, against: conflicting, at: now, into: &gossipEffects)
    case .control(let event):
      control.handle(event, at: now, into: &effects.control)
    case .finality(let event):
      if case .executed = event { waitersDue = true }
      finality?.handle(event, at: now)
    case .deadline:
      handleDeadline(at: now, into: &effects)
    case .turnEnded:
      writeOwn(at: now)
      takeGossip(at: now, into: &effects)
      emitBatch(into: &effects)
      endFinalityTurn(at: now, into: &effects.finality)
      tellDemand(at: now)
      control.endTurn(at: now, into: &effects.control)
    }
    takeGossip(at: now, into: &effects)
    takeControl(at: now, into: &effects)
    if waitersDue { settleWaiters(into: &effects) }
  }

  private mutating func connect(
    _ peer: PeerIndex, _ node: NodeID, at now: Moment, into effects: inout NodeEffects
  ) {
    gossip.connect(peer, node, at: now, into: &gossipEffects)
    control.connect(peer, node, at: now, into: &effects.control)
    control.settle(at: now, into: &effects.control)
    finality?.connect(peer, node, at: now)
  }

  private mutating func disconnect(
    _ peer: PeerIndex, at now: Moment, into effects: inout NodeEffects
  ) {
    gossip.disconnect(peer, at: now, into: &gossipEffects)
    control.disconnect(peer, at: now)
    control.settle(at: now, into: &effects.control)
    finality?.disconnect(peer, at: now)
  }

  private mutating func endFinalityTurn(
    at now: Moment, into effects: inout FinalityPlaneEffects
  ) {
    guard finality != nil else { return }
    finality?.endTurn(gossip, at: now, into: &effects)
    for end in finality?.lacking ?? [] {
      gossip.agree(
        on: LanePosition(lane: end.lane, number: end.number), digest: end.digest, at: now)
    }
    guard let found = finality?.contradiction else { return }
    gossip.doubt(found.position, at: now)
    // Not without the proof: lanes that build on what is taken out could never go on.
    guard gossip.isForked(found.position.lane) else { return }
    effects.withdrawal = LanePosition(lane: found.position.lane, number: found.after)
  }

  package var nextDeadline: Instant? {
    var next = gossip.nextDeadline
    if let due = control.nextDeadline { next = min(next, due) }
    if let due = finality?.nextDeadline { next = min(next, due) }
    if let stampAt { next = min(next, stampAt) }
    if let nextExpiry { next = min(next, nextExpiry) }
    return next
  }

  private mutating func handleDeadline(at now: Moment, into effects: inout NodeEffects) {
    if let due = stampAt, due <= now.instant { stampAt = nil }
    gossip.handleDeadline(at: now, into: &gossipEffects)
    control.handleDeadline(at: now, into: &effects.control)
    finality?.handleDeadline(at: now)
    expireWrites(at: now, into: &effects)
  }

  /// Moves what gossip asked for into the node's effects, and applies what it delivered.
  mutating func takeGossip(at now: Moment, into effects: inout NodeEffects) {
    effects.sends.append(contentsOf: gossipEffects.sends)
    effects.disconnects.append(contentsOf: gossipEffects.disconnects)
    effects.pulls.append(contentsOf: gossipEffects.pulls)
    for handed in gossipEffects.handedOn {
      effects.pushes.append(.init(peers: handed.peers, bytes: handed.bundle.value.encoded))
    }
    effects.headersWanted.append(contentsOf: gossipEffects.headersWanted)
    if let position = gossipEffects.ownLaneAhead {
      effects.notices.append(.ownLaneAhead(position))
    }
    if !gossipEffects.proofs.isEmpty { finality?.noteLanesMoved() }
    for proof in gossipEffects.proofs {
      batch.proofs.append(proof)
      effects.notices.append(.laneForked(proof))
    }
    batch.tiles.append(contentsOf: gossipEffects.tiles)
    var announced = false
    for bundle in gossipEffects.delivered {
      announced = apply(bundle.value) || announced
    }
    gossipEffects.removeAll()
    if announced {
      updateMembers(at: now, into: &effects.control)
      effects.notices.append(.membersChanged)
    }
  }

  /// Applies a bundle's operations to the tables; true when a member row changed.
  private mutating func apply(_ bundle: SignedBundle) -> Bool {
    let before = batch.rows.count
    tables.apply(bundle, into: &batch.rows)
    finality?.take(bundle)
    clock.observe(bundle.header.lastTime)
    batch.bundles.append(bundle)
    return batch.rows[before...].contains { $0.table == LiveTables.memberSchema.number }
  }

  /// Hands out the turn's batch.
  private mutating func emitBatch(into effects: inout NodeEffects) {
    guard !batch.isEmpty else { return }
    precondition(effects.batch == nil, "N3: a batch is handed out before the last one was taken")
    var positions: [LanePosition] = []
    for bundle in batch.bundles {
      let position = LanePosition(lane: bundle.header.lane, number: bundle.header.number)
      if let index = positions.firstIndex(where: { $0.lane == position.lane }) {
        positions[index] = position
      } else {
        positions.append(position)
      }
    }
    batch.heads = positions.compactMap { gossip.head(of: $0.lane) }
    if !batch.rows.isEmpty { batch.rowSet = tables.rowSet.bytes }
    batchesInFlight.append((batch.sequence, positions))
    let next = batch.sequence + 1
    effects.batch = batch
    batch = StorageBatch(sequence: next)
  }

  /// The first numbered invariant that does not hold; for the simulator, after every step.
  package var brokenInvariant: String? {
    // One by one: what `??` leaves for later would hold a copy of everything.
    if let broken = gossip.brokenInvariant { return broken }
    if let broken = control.brokenInvariant { return broken }
    if let broken = finality?.brokenInvariant { return broken }
    if ownInFlight.count > configuration.ownBundlesInFlightMax {
      return "\(ownInFlight.count) own bundles in flight"
    }
    let queued = queue.reduce(0) { $0 + $1.operations.count }
    if queued != queuedOperations { return "\(queued) queued counted as \(queuedOperations)" }
    for pair in zip(batchesInFlight, batchesInFlight.dropFirst())
    where pair.0.sequence + 1 != pair.1.sequence {
      return "N3: batch \(pair.1.sequence) after \(pair.0.sequence)"
    }
    return nil
  }
}
