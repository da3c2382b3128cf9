package import ControlCore
package import CoordinatorCore
package import CoreKit
package import MembershipCore
package import Primitives
package import RaftCore
package import Records

/// The control plane of a node: who lives, who leads, and what the cluster has agreed on.
///
/// It composes membership (SWIM), the control log (Raft), the control state that the log leads to,
/// and the coordinator, and adds what none of them can do alone:
///
/// - Any node takes commands. Each gets a number in the node's session, goes to the leader, and
///   comes back with the log, which every member applies; a command whose leader is lost is sent to
///   the next one, and the state's sessions see to it that it counts once (Lee, Park, Kejriwal,
///   Matsushita and Ousterhout, "Implementing linearizability at large scale and low latency",
///   2015).
/// - The leader keeps the time of leases, and brings the voters in line with what members are to
///   be: newcomers learn, learners that have caught up vote, a life that lost its disk is replaced.
/// - Crash hints reach both detectors.
///
/// ```
/// submit ─► pending ─► proposed here, or forwarded to the leader ─► committed ─► applied ─► result
///              │  ▲                 │ leader lost, refused, too long
///              │  └─────────────────┘
///              └─ deadline ─► unknown (it may be in a log) or unavailable (it is in none)
/// ```
///
/// Invariants:
/// - C1: every request is answered once.
/// - C2: `unavailable` and `overloaded` are said only of commands that no log can hold.
/// - C3: the state is that of the applied prefix of the log, and nothing else.
/// - C4: steps are numbered without gaps; nothing that depends on one leaves before it is durable.
package struct ControlPlane: Sendable {
  let configuration: ControlPlaneConfiguration
  /// The member of the control log that this node is in this life.
  package let member: RaftMember
  /// The control log.
  package internal(set) var raft: Raft
  /// What the log has led to.
  package internal(set) var state: ControlState
  /// Who lives.
  package internal(set) var membership: Membership
  /// Who coordinates.
  package internal(set) var coordinator: Coordinator
  /// Who may be a member: founders and those that were announced, ascending.
  var known: [KnownMember] = []
  var peers: [ControlPeer] = []

  // Commands.
  var session: ControlSession
  var sessionRandom: Xoshiro256
  var nextSequence: UInt64 = 1
  var pending = SortedMap<UInt64, PendingCommand>()
  /// No pending command's deadline or next sending is earlier.
  var commandsDue: Instant?
  /// The leader and term to which pending commands were sent last.
  var sentTo: (leader: RaftID, term: UInt64)?
  /// Forwarded commands that were handed to the log in this turn, by ticket.
  var foreign = SortedMap<UInt64, (peer: PeerIndex, sequence: UInt64)>()

  // Reads.
  var reads = SortedMap<UInt64, PendingRead>()
  var nextTicket: UInt64 = 1
  /// No pending read's deadline or next try is earlier.
  var readsDue: Instant?
  /// When this node last knew that it had applied everything committed.
  var freshAt: Instant?
  /// When the leader was last heard.
  var leaderHeardAt: Instant?

  // The leader's duties.
  var leases = LeaseTimers()
  var reconcileDue: Instant?
  /// Whether the log has been asked for a change of its members and has not answered.
  var isReconfiguring = false

  // Steps.
  var nextStep: UInt64 = 1
  /// Steps handed out and not yet durable: what each means to the cores.
  var stepsInFlight: [StepInFlight] = []
  /// Since when the disk has finished none of them; `nil` when none waits.
  var diskWaitsSince: Instant?
  var incarnationWanted: UInt64?

  // Kept between steps for their memory.
  var raftEffects = RaftEffects()
  var spareRaftEffects = RaftEffects()
  var membershipEffects = MembershipEffects()
  var coordinatorEffects = CoordinatorEffects()
  var stateNotices: [ControlNotice] = []
  /// Bytes of own bundles per second, as the coordinator last heard.
  var demand: UInt64 = 0
  /// Whether something moved that the coordinator must hear of.
  var isViewStale = true
  /// Whether who votes or who is a member changed since the owner last looked.
  var hasMembersChanged = false
  /// What was counted.
  package internal(set) var counters = ControlPlaneCounters()

  /// Makes the control plane of a node from what its storage held; fails when that cannot be read.
  ///
  /// A life other than 0 knows nobody until a leader takes it in.
  package init(
    _ configuration: ControlPlaneConfiguration, recovery: ControlRecovery, at now: Moment
  ) throws {
    self.configuration = configuration
    member = RaftMember(node: configuration.node, life: recovery.life)
    state = ControlState(founders: configuration.founders)
    raft = try Raft(
      node: configuration.node, settings: configuration.raft, recovery: recovery,
      bootstrap: recovery.life == 0 ? configuration.bootstrap : nil)
    membership = Membership(
      node: configuration.node, attributes: configuration.attributes,
      persistedIncarnation: recovery.incarnation, limits: configuration.membership,
      seed: configuration.seed)
    coordinator = Coordinator(
      node: configuration.node, settings: configuration.coordinator, at: now)
    sessionRandom = Xoshiro256(seed: configuration.seed, purpose: "sessions")
    session = ControlSession(
      number: max(1, sessionRandom.next()), openedAt: recovery.snapshot?.head.index ?? 0)
  }
}

extension ControlPlane {
  mutating func handle(
    _ event: consuming ControlPlaneEvent, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    switch event {
    case .submit(let request, let operation, let name, let deadline):
      submit(request, operation, name: name, deadline: deadline, at: now, into: &effects)
    case .read(let request, let query, let level, let deadline):
      read(request, query, level, deadline: deadline, at: now, into: &effects)
    case .received(let message, let peer, let isDatagram):
      receive(message, from: peer, isDatagram: isDatagram, at: now, into: &effects)
    case .refused(let peer):
      suspect(peer, at: now)
    case .persisted(let sequence):
      markPersisted(through: sequence, at: now)
    case .snapshotEncoded(let index, let bytes):
      raft.handle(.snapshotTaken(index: index, bytes: bytes), at: now, into: &raftEffects)
    case .transferLeadership(let node):
      // No closure: one that refers to the log copies all of this value when called in a step.
      var heir: RaftID?
      if let node { heir = raft.configuration.members(of: node).first?.id }
      raft.handle(.transferLeadership(heir), at: now, into: &raftEffects)
    case .leaving:
      raft.handle(.transferLeadership(nil), at: now, into: &raftEffects)
      membership.handle(.leave, at: now, into: &membershipEffects)
    }
    settle(at: now, into: &effects)
  }

  /// Takes what the cores asked for since the last step.
  mutating func settle(at now: Moment, into effects: inout ControlPlaneEffects) {
    takeRaft(at: now, into: &effects)
    takeMembership(into: &effects)
    updateCoordinator(at: now)
    takeCoordinator(into: &effects)
  }

  mutating func handleDeadline(at now: Moment, into effects: inout ControlPlaneEffects) {
    if let due = raft.nextDeadline, due <= now.instant {
      raft.handle(.deadline, at: now, into: &raftEffects)
    }
    if let due = membership.nextDeadline, due <= now.instant {
      membership.handle(.deadline, at: now, into: &membershipEffects)
    }
    if let due = coordinator.nextDeadline, due <= now.instant {
      coordinator.handle(.deadline, at: now, into: &coordinatorEffects)
    }
    takeRaft(at: now, into: &effects)
    expireCommands(at: now, into: &effects)
    expireReads(at: now, into: &effects)
    expireLeases(at: now, into: &effects)
    reconcile(at: now, into: &effects)
    settle(at: now, into: &effects)
  }

  mutating func endTurn(at now: Moment, into effects: inout ControlPlaneEffects) {
    raft.handle(.turnEnded, at: now, into: &raftEffects)
    settle(at: now, into: &effects)
    flushIncarnation(into: &effects)
    if diskWaitsSince == nil, !stepsInFlight.isEmpty { diskWaitsSince = now.instant }
  }

  /// The next instant at which time must be told.
  package var nextDeadline: Instant? {
    var next = earliest(raft.nextDeadline, membership.nextDeadline)
    next = earliest(next, coordinator.nextDeadline)
    next = earliest(next, earliest(commandsDue, readsDue))
    if raft.role == .leader {
      next = earliest(next, earliest(leases.nextDue, reconcileDue))
    }
    return next
  }

  private func earliest(_ one: Instant?, _ other: Instant?) -> Instant? {
    guard let one else { return other }
    guard let other else { return one }
    return min(one, other)
  }

  /// The first numbered invariant that does not hold; for the simulator, after every step.
  package var brokenInvariant: String? {
    // One by one: what `??` leaves for later would hold a copy of everything.
    if let broken = raft.brokenInvariant { return broken }
    if let broken = membership.brokenInvariant { return broken }
    if let broken = coordinator.brokenInvariant { return broken }
    if state.appliedIndex > raft.applied {
      return "C3: the state is at \(state.appliedIndex), the log at \(raft.applied)"
    }
    if pending.count > configuration.commandsMax { return "\(pending.count) commands pending" }
    for pair in zip(stepsInFlight, stepsInFlight.dropFirst())
    where pair.0.sequence + 1 != pair.1.sequence {
      return "C4: step \(pair.1.sequence) after \(pair.0.sequence)"
    }
    return nil
  }
}

/// A peer as the control plane knows it.
struct ControlPeer: Sendable {
  let node: NodeID
  var isConnected = false
  /// The member of the control log that the peer said it is, on this connection.
  var member: RaftMember?

  init(node: NodeID) {
    self.node = node
  }
}

/// What a step that is on its way to the disk means to the cores.
struct StepInFlight: Sendable {
  let sequence: UInt64
  /// The last write of the control log that it holds.
  let raft: UInt64?
  /// The incarnation that it reserves.
  let incarnation: UInt64?
}

/// What the control plane counted since it was made; for metrics.
package struct ControlPlaneCounters: Hashable, Sendable {
  /// Commands submitted here.
  package var submitted: UInt64 = 0
  /// Commands sent again after their leader was lost or silent.
  package var resent: UInt64 = 0
  /// Commands that others forwarded to this node.
  package var forwarded: UInt64 = 0
  /// Forwarded commands that were turned down.
  package var forwardsRefused: UInt64 = 0
  /// Commands whose deadline passed with an unknown outcome.
  package var unknown: UInt64 = 0
  /// Commands and reads that never reached a leader in time.
  package var unavailable: UInt64 = 0
  /// Requests refused because too much was pending.
  package var overloaded: UInt64 = 0
  /// Entries applied.
  package var applied: UInt64 = 0
  /// Committed entries that are no command.
  package var malformed: UInt64 = 0
  /// Messages that were not meant for this life of this node, or came before a greeting.
  package var misdirected: UInt64 = 0
  /// Leases that this node let expire as leader.
  package var leasesExpired: UInt64 = 0
  /// Changes of members that this node began as leader.
  package var reconfigurations: UInt64 = 0
  /// Times that this node, leading, handed over because its disk stood still.
  package var diskHandovers: UInt64 = 0
  /// Sessions opened after the first.
  package var sessionsReopened: UInt64 = 0

  /// Nothing counted.
  package init() {}
}
