package import CoreKit
internal import Crypto
package import Primitives
package import Records

/// Decides who coordinates the nodes that reach each other, who compares frontiers with whom, and
/// which way bundles go.
///
/// Purpose: every connected component, down to one node, has a coordinator that makes anti-entropy
/// systematic; and an origin whose bundles exceed its egress budget is helped by relays.
///
/// Design: the coordinator is the leader of the control log where there is one with a quorum. A
/// component without has a *partition coordinator*: of the members that have been alive unchanged
/// for three protocol periods the one with the greatest priority, then node. Nobody votes on it,
/// so two may hold the role for a moment while views differ; what they do is advice (whom to
/// compare with), and two pieces of advice do no harm. The role has no term, appends nothing,
/// changes no membership and grants nothing: this type has no way to.
///
/// ```
///                members or leader changed
///      ┌───────────────────────────────────────────────┐
///      ▼            same for 3 periods                 │
///  settling ───────────────────────────► partitioned ──┤ greatest: makes the pairs
///      │ ▲                                    │ a greater one speaks: yields
///      │ └────────────────────────────────────┘        │
///      └──► led ◄── leader known, alive, with a quorum ┘ leader: makes the pairs
/// ```
///
/// Dissemination is each origin's own choice, which it announces: direct while the first hops fit
/// its budget, through gateways when members name regions, through relays when the budget is
/// exceeded; back only when the demand has stayed below three quarters of the budget for a while.
///
/// Invariants:
/// - K1: a node holds a tenure exactly when its status names it as the coordinator.
/// - K2: in one round a node has one partner, who is told to compare with that node.
/// - K3: the routes are those of the members alive and of the modes that they announced.
/// - K4: nothing is planned further than the next deadline says.
package struct Coordinator: ProtocolCore {
  /// This node.
  package let node: NodeID
  /// What an operator may set, and the periods.
  package internal(set) var settings: CoordinatorSettings

  // What the owner said.
  var members: [CoordinatorMember]
  var stableSince: Instant
  var leader = CoordinatorLeader(node: nil, isQuorumAlive: false, term: 0, commitIndex: 0)
  var leaderlessSince: Instant
  var demand: UInt64 = 0

  // The role.
  /// Who coordinates.
  package internal(set) var status = CoordinatorStatus.settling
  /// The tenure of this node; `nil` when it does not coordinate.
  package internal(set) var tenure: CoordinatorIdentity?
  var tenures: UInt64 = 0
  /// When this node last gave way.
  var yieldedAt = Instant.origin

  // Pairs.
  var round: UInt64 = 0
  var nextRoundAt = Instant.origin
  /// With whom to compare frontiers.
  package internal(set) var comparePeer = ComparePeer.anyone
  var comparesUntil: Instant?

  // Dissemination.
  /// How this node spreads its own bundles.
  package internal(set) var mode = DisseminationMode.direct
  /// Since when the demand has been small enough to do without relays.
  var calmSince: Instant?
  /// What others said about theirs, when it is not direct, and until when that holds.
  var announced = SortedMap<NodeID, (mode: DisseminationMode, until: Instant)>()
  var refreshAt: Instant?
  /// Which way bundles go.
  package internal(set) var routes = RelayRoutes.direct
  /// What was counted.
  package internal(set) var counters = CoordinatorCounters()

  /// Makes the coordinator of a node that is alone so far.
  package init(node: NodeID, settings: CoordinatorSettings = .init(), at now: Moment) {
    self.node = node
    self.settings = settings
    members = [CoordinatorMember(node: node)]
    stableSince = now.instant
    leaderlessSince = now.instant
  }

  /// A hash over the members alive: equal where the same members are seen in the same parts.
  package var viewHash: UInt64 { Coordinator.hash(members) }

  static func hash(_ members: [CoordinatorMember]) -> UInt64 {
    var hash = Blake2b(.coordinatorView)
    for member in members {
      hash.update(member.node.key)
      hash.update(UInt64(member.role.rawValue) << 32 | UInt64(member.priority))
      for name in [member.region, member.zone] {
        hash.update(UInt64(name.count))
        hash.update(name)
      }
    }
    return hash.finalize().words.0
  }

  package mutating func handle(
    _ event: consuming CoordinatorEvent, at now: Moment, into effects: inout CoordinatorEffects
  ) {
    switch event {
    case .members(let members, let stableSince):
      take(members, stableSince: stableSince, at: now.instant, into: &effects)
    case .leader(let leader):
      self.leader = leader
    case .demand(let bytesPerSecond):
      demand = bytesPerSecond
      chooseMode(at: now.instant, into: &effects)
    case .settings(let settings):
      self.settings = settings
      chooseMode(at: now.instant, into: &effects)
    case .received(let message, let sender):
      receive(message, from: sender, at: now.instant, into: &effects)
    case .deadline:
      expire(at: now.instant, into: &effects)
    }
    settle(at: now.instant, into: &effects)
  }

  private mutating func take(
    _ members: [CoordinatorMember], stableSince: Instant, at now: Instant,
    into effects: inout CoordinatorEffects
  ) {
    let sorted = members.sorted { $0.node < $1.node }
    precondition(
      zip(sorted, sorted.dropFirst()).allSatisfy { $0.node < $1.node }
        && sorted.contains { $0.node == node },
      "of \(members.count) members alive one is named twice, or this node is none of them")
    self.stableSince = stableSince
    guard sorted != self.members else { return }
    let known = self.members
    self.members = sorted
    for entry in announced.entries where !isAlive(entry.key) { announced[entry.key] = nil }
    if case .node(let peer) = comparePeer, !isAlive(peer) { compare(with: .anyone, into: &effects) }
    let before = mode
    chooseMode(at: now, into: &effects)
    if mode == before, mode != .direct {
      let fresh = sorted.map(\.node).filter { one in !known.contains { $0.node == one } }
      announceMode(to: fresh, into: &effects)
    }
    reroute(into: &effects)
  }

  /// Whether a node is among the members alive.
  func isAlive(_ node: NodeID) -> Bool { members.contains { $0.node == node } }

  package var nextDeadline: Instant? {
    var next: Instant?
    func consider(_ instant: Instant?) {
      if let instant { next = min(next ?? instant, instant) }
    }
    switch status {
    case .settling: consider(settlesAt)
    case .led, .partitioned: if tenure != nil { consider(nextRoundAt) }
    }
    consider(comparesUntil)
    consider(refreshAt)
    consider(calmSince.map { $0 + settings.calmPeriod })
    for entry in announced.entries { consider(entry.value.until) }
    return next
  }

  /// Does what is due, besides what `settle` does.
  private mutating func expire(at now: Instant, into effects: inout CoordinatorEffects) {
    if let until = comparesUntil, until <= now { compare(with: .anyone, into: &effects) }
    let gone = announced.entries.filter { $0.value.until <= now }.map(\.key)
    for origin in gone { announced[origin] = nil }
    if !gone.isEmpty { reroute(into: &effects) }
    chooseMode(at: now, into: &effects)
    if let due = refreshAt, due <= now {
      refreshAt = now + settings.refreshPeriod
      announceMode(to: members.map(\.node), into: &effects)
    }
  }

  /// The first numbered invariant that does not hold; for the simulator, after every step.
  package var brokenInvariant: String? {
    let isCoordinator = status.coordinator == node
    if isCoordinator != (tenure != nil) {
      return "K1: \(status) with \(tenure == nil ? "no tenure" : "a tenure")"
    }
    if let tenure, tenure.node != node { return "K1: a tenure of another node" }
    if case .node(let peer) = comparePeer, peer == node || !isAlive(peer) {
      return "K2: compares with itself or with nobody alive"
    }
    if (comparePeer == .anyone) != (comparesUntil == nil) {
      return "K2: an assignment without an end, or an end without one"
    }
    if (routes.own == nil) != (mode == .direct) { return "K3: own routes in mode \(mode)" }
    for entry in routes.duties.entries where announced[entry.key] == nil || !isAlive(entry.key) {
      return "K3: a duty for who announced nothing or is not alive"
    }
    if (mode == .direct) != (refreshAt == nil) {
      return "K4: mode \(mode) is \(refreshAt == nil ? "never" : "to be") announced again"
    }
    return nil
  }
}
