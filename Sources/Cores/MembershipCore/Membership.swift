package import CoreKit
package import Primitives
package import Records

/// Finds out which members of a cluster are alive, and sees to it that all believe the same.
///
/// Purpose: every member learns within seconds that another is gone, nobody is called gone because
/// messages were lost or a node was busy, and after any partition, however long, all views are one.
/// It says who answers and decides nothing: quorums and admission are the control log's.
///
/// Design: SWIM (Das, Gupta and Motivala 2002). Once per period one member, in a shuffled round, is
/// asked; without an answer three others are asked to ask it; without any answer it is suspected,
/// and unless it objects under a higher incarnation it is down. News ride on these messages, each
/// a few times per node. Lifeguard (Dadgar, Phillips and Currey 2018): a node that gets no answers,
/// not even refusals from helpers, doubts itself and slows down (`health`); a suspicion is long
/// until others confirm it; a suspect is told first. As memberlist and foca do, the reliable
/// channel is tried before a suspicion, whole states are exchanged now and then, and members that
/// are down are spoken to for ever.
///
/// ```
///      did not answer, or its host refuses              not refuted in time
/// alive ────────────────────────────► suspect ─────────────────────────────► down ◄── start
///   ▲ ▲                                  │                                     │
///   │ └──────── higher incarnation ──────┘                                     │
///   ├───────────────────────── higher incarnation ─────────────────────────────┘
///   └─ higher incarnation ─ left ◄─ said so itself      removed ◄─ the owner's word, final
/// ```
///
/// Deviations, and why:
/// - Records are ordered by incarnation, then alive < suspect < down < left, for every pair. A
///   record is thus the maximum of what was heard, in whatever order; SWIM's rules agree except
///   that here a later suspicion also revives who is down.
/// - `health` stretches suspicions too, not only probes, and grows also when a suspect is heard:
///   that tells loss (others speak, answers go missing) from death (nothing comes any more).
/// - A suspicion that runs out although the member was heard since it began starts anew.
/// - Some members check a suspicion at once, so that confirmations come early; all of them check it
///   over the reliable channel in its first third.
/// - Who hears that a member is down believes it only after suspecting it for two periods, and
///   suspects it until then (memberlist does so in exchanged states), so that the sides of a healed
///   partition do not bury each other, and a liar no one.
/// - While there is news, it is also sent by itself to three members twice per period.
/// - A node that hears nobody for two seconds suspects all at once: it is cut off.
/// - A step that comes late, since the process was paused, moves all suspicions by the delay.
///
/// Invariants:
/// - M1: an incarnation is announced only after it is reserved on the disk, and is higher than any
///   of earlier runs.
/// - M2: what is known of a member, (incarnation, state), never falls while it is listed.
/// - M3: removed is final until the owner restores; a removed node is not asked, not answered and
///   not spoken of.
/// - M4: this node calls a member down by itself only after a whole suspicion without a sign of it.
/// - M5: there is a suspicion exactly while a member is suspected, with an accuser or a hint.
/// - M6: a round of probes names every present member exactly once.
/// - M7: queues, connections and members stay within `MembershipLimits`.
package struct Membership: ProtocolCore {
  /// The node whose view this is.
  package let node: NodeID
  /// The bounds and times.
  package let limits: MembershipLimits
  /// Everybody else, in ascending order of node.
  var entries: [MemberEntry] = []
  var connections: [NodeID] = []
  var random: Xoshiro256

  // What this node says of itself.
  /// The incarnation that is announced; 0 before the first one is durable: nothing is said then.
  var incarnation: UInt64 = 0
  var wantedIncarnation: UInt64
  var durableIncarnation: UInt64
  var requestedIncarnation: UInt64
  var attributes: MemberAttributes
  var wantedAttributes: MemberAttributes
  var load: UInt16 = 0
  var since = Instant.origin
  var hasLeft = false

  // Probing.
  var healthScore = 0
  var order: [NodeID] = []
  var orderPosition = 0
  /// Members to be asked before it is their turn.
  var urgent: [NodeID] = []
  var isUrgentTurn = false
  var probe: Probe?
  var nextProbe: Instant?
  /// Direct questions whose probe is over, for answers that measure a slow way.
  var lateQuestions: [(sequence: UInt64, node: NodeID, at: Instant)] = []
  var relays: [Relay] = []
  var nextSequence: UInt64 = 1
  var lastHeardAnybody = Instant.origin

  // Spreading.
  var queue: [QueuedUpdate] = []
  var nextOrder: UInt64 = 0
  var newsDue: Instant?
  var lastNews: Instant?
  var exchangeDue: Instant?

  var due: Instant?
  /// When a member last became present or ceased to be.
  package private(set) var stableSince = Instant.origin
  /// What was counted.
  package internal(set) var counters = MembershipCounters()

  /// Makes the membership of a node; `persistedIncarnation` is what its disk says was reserved, 0
  /// on a new one. The seed is for the choice of peers and the order of probes.
  package init(
    node: NodeID, attributes: MemberAttributes, persistedIncarnation: UInt64,
    limits: MembershipLimits = MembershipLimits(), seed: UInt64
  ) {
    precondition(
      persistedIncarnation < MembershipUpdate.incarnationMax / 2,
      "a disk cannot have reserved incarnation \(persistedIncarnation)")
    precondition(
      limits.incarnationReserve > 1 && limits.incarnationReserve <= 1 << 20,
      "\(limits.incarnationReserve) incarnations reserved at once")
    precondition(
      limits.incarnationJumpMax <= 1 << 40, "incarnations may jump by \(limits.incarnationJumpMax)")
    precondition(
      (0...16).contains(limits.confirmationsMax), "\(limits.confirmationsMax) confirmations")
    precondition((1...64).contains(limits.healthMax), "a health up to \(limits.healthMax)")
    self.node = node
    self.attributes = attributes
    self.limits = limits
    wantedAttributes = attributes
    wantedIncarnation = persistedIncarnation + 1
    durableIncarnation = persistedIncarnation
    requestedIncarnation = persistedIncarnation
    random = Xoshiro256(seed: seed, purpose: "membership")
  }

  package mutating func handle(
    _ event: consuming MembershipEvent, at now: Moment, into effects: inout MembershipEffects
  ) {
    let now = now.instant
    forgiveStall(at: now)
    switch event {
    case .setMembers(let members): setMembers(members, at: now)
    case .removed(let node): remove(node, at: now, into: &effects)
    case .restored(let node): restore(node, at: now, into: &effects)
    case .setAttributes(let attributes):
      wantedAttributes = attributes
      if incarnation > 0 { raise(above: max(incarnation, wantedIncarnation), at: now) }
    case .setLoad(let load): self.load = load
    case .connected(let peer): connect(peer, at: now, into: &effects)
    case .disconnected(let peer): disconnect(peer, at: now)
    case .crashHint(let peer): hint(peer, at: now, into: &effects)
    case .received(let message, let peer, let channel):
      receive(message, from: peer, over: channel, at: now, into: &effects)
    case .incarnationPersisted(let reserved):
      durableIncarnation = max(durableIncarnation, reserved)
      announceIncarnation(at: now, into: &effects)
    case .leave: leave(at: now, into: &effects)
    case .deadline: handleDeadline(at: now, into: &effects)
    }
    reserveIncarnations(into: &effects)
    due = earliestDeadline
  }

  package var nextDeadline: Instant? { due }

  private mutating func handleDeadline(at now: Instant, into effects: inout MembershipEffects) {
    guard isSpeaking else { return }
    expireRelays(at: now, into: &effects)
    advanceProbe(at: now, into: &effects)
    reviewSuspicions(at: now, into: &effects)
    if let newsDue, newsDue <= now { spreadNews(at: now, into: &effects) }
    announceToDown(at: now, into: &effects)
    if let exchangeDue, exchangeDue <= now {
      self.exchangeDue = now + limits.exchangePeriod
      if let index = pickReachable(1, where: { _ in true }).first {
        exchange(with: index, wantsReply: true, into: &effects)
      }
    }
  }

  private var earliestDeadline: Instant? {
    guard isSpeaking, !entries.isEmpty else { return nil }
    var next: Instant?
    func consider(_ instant: Instant?) {
      guard let instant else { return }
      next = next.map { min($0, instant) } ?? instant
    }
    consider(probeDeadline)
    consider(newsDue)
    consider(exchangeDue)
    for relay in relays { consider(relay.due) }
    var times: SuspicionTimes?
    for index in entries.indices {
      if let suspicion = entries[index].suspicion {
        let known = times ?? suspicionTimes
        times = known
        consider(known.deadline(of: suspicion))
      }
      if entries[index].isAnnouncedTo { consider(entries[index].announceDue) }
    }
    return next
  }

  /// Whether this node says anything.
  var isSpeaking: Bool { incarnation > 0 && !hasLeft }

  /// The place of a node among the others.
  func index(of node: NodeID) -> Int? {
    let index = position(of: node)
    return index < entries.count && entries[index].node == node ? index : nil
  }

  /// The first place whose node is not less than `node`.
  func position(of node: NodeID) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].node < node {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Changes what is believed of a member, and all that follows from it at once.
  mutating func setState(
    _ state: MemberState, at index: Int, _ now: Instant, into effects: inout MembershipEffects
  ) {
    let entry = entries[index]
    precondition(entry.state != .removed, "M3: \(entry.node.key.short) was removed")
    if state != .suspect { entries[index].suspicion = nil }
    guard entry.state != state else { return }
    entries[index].state = state
    entries[index].since = now
    effects.changes.append(
      MembershipEffects.Change(
        node: entry.node, old: entry.state, new: state, incarnation: entry.incarnation))
    guard entry.state.isPresent != state.isPresent else { return }
    noteViewChanged(at: now)
    if state.isPresent {
      enterRound(entry.node, at: now)
    } else {
      leaveRound(entry.node)
      entries[index].announcePause = limits.announceMin
      entries[index].announceDue = now + limits.announceMin
    }
  }

  /// Takes note that a member became present or ceased to be.
  mutating func noteViewChanged(at now: Instant) {
    stableSince = now
  }
}
