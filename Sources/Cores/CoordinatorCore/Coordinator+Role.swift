internal import CoreKit
internal import Primitives
internal import Records

extension Coordinator {
  /// Whether there is a leader to follow: alive, and with a quorum.
  var hasLeader: Bool {
    guard let node = leader.node, leader.isQuorumAlive else { return false }
    return isAlive(node)
  }

  /// When a component without a leader has a coordinator, if nothing changes.
  var settlesAt: Instant {
    max(stableSince, leaderlessSince, yieldedAt) + settings.stableSpan
  }

  /// The member that coordinates a component without a leader: the greatest priority, then node.
  /// Members that only read do so among themselves alone.
  var greatest: NodeID {
    let able = members.filter { $0.role != .edge }
    let candidates = able.isEmpty ? members : able
    return candidates.reduce(candidates[0]) { best, member in
      (best.priority, best.node) < (member.priority, member.node) ? member : best
    }.node
  }

  private func judge(at now: Instant) -> CoordinatorStatus {
    if hasLeader, let node = leader.node { return .led(by: node) }
    return settlesAt <= now ? .partitioned(coordinator: greatest) : .settling
  }

  /// Brings the status up to date, and makes a round when one is due.
  mutating func settle(at now: Instant, into effects: inout CoordinatorEffects) {
    let judged = judge(at: now)
    if judged != status {
      if case .led = status, !hasLeader { leaderlessSince = now }
      status = judge(at: now)
      effects.notices.append(.status(status))
      changeTenure(into: &effects, at: now)
    }
    if tenure != nil, nextRoundAt <= now { makeRound(at: now, into: &effects) }
  }

  /// Begins or ends a tenure as the status says; one coordinator in another part is another tenure.
  private mutating func changeTenure(into effects: inout CoordinatorEffects, at now: Instant) {
    if let ended = tenure { effects.notices.append(.tenureEnded(ended)) }
    tenure = nil
    guard status.coordinator == node else { return }
    tenures += 1
    counters.tenures += 1
    let begun = CoordinatorIdentity(
      viewHash: viewHash, baseTerm: leader.term, baseCommitIndex: leader.commitIndex,
      sequence: tenures, node: node)
    tenure = begun
    nextRoundAt = now
    effects.notices.append(.tenureBegan(begun))
  }

  /// Takes a message of a member.
  mutating func receive(
    _ message: CoordinatorMessage, from sender: NodeID, at now: Instant,
    into effects: inout CoordinatorEffects
  ) {
    switch message {
    case .assignment(let assignment):
      guard assignment.identity.node == sender, sender != node else {
        counters.assignmentsIgnored += 1
        return
      }
      yield(to: assignment, at: now)
      follow(assignment, at: now, into: &effects)
    case .dissemination(let mode):
      note(mode, of: sender, at: now, into: &effects)
    }
  }

  /// Gives way to a greater partition coordinator that this node does not yet see among the members
  /// alive: after healing its greeting may come before the membership's news.
  private mutating func yield(to assignment: CoordinatorMessage.Assignment, at now: Instant) {
    let other = assignment.identity.node
    guard status == .partitioned(coordinator: node), !isAlive(other),
      let own = members.first(where: { $0.node == node })
    else { return }
    guard (own.priority, own.node) < (assignment.priority, other) else { return }
    counters.yields += 1
    yieldedAt = now
  }

  private mutating func follow(
    _ assignment: CoordinatorMessage.Assignment, at now: Instant,
    into effects: inout CoordinatorEffects
  ) {
    guard status.coordinator == assignment.identity.node else {
      counters.assignmentsIgnored += 1
      return
    }
    round = assignment.round
    guard let partner = assignment.partner else {
      counters.assignmentsFollowed += 1
      compare(with: .anyone, into: &effects)
      return
    }
    guard partner != node, isAlive(partner) else {
      counters.assignmentsIgnored += 1
      return
    }
    counters.assignmentsFollowed += 1
    compare(with: .node(partner), until: now + settings.assignmentSpan, into: &effects)
  }

  /// Makes the pairs of the next round and tells everybody (K2).
  private mutating func makeRound(at now: Instant, into effects: inout CoordinatorEffects) {
    guard let tenure, let own = members.first(where: { $0.node == node }) else { return }
    counters.rounds += 1
    round &+= 1
    nextRoundAt = now + settings.roundPeriod
    let partners = PairSchedule.partners(of: members.map(\.node), in: round)
    for (member, partner) in zip(members, partners) {
      guard member.node != node else {
        if let partner {
          compare(with: .node(partner), until: now + settings.assignmentSpan, into: &effects)
        } else {
          compare(with: .anyone, into: &effects)
        }
        continue
      }
      let assignment = CoordinatorMessage.Assignment(
        identity: tenure, priority: own.priority, round: round, partner: partner)
      effects.sends.append(.init(to: member.node, message: .assignment(assignment)))
    }
  }

  /// Sets with whom to compare frontiers; `until` is given with a node only.
  mutating func compare(
    with peer: ComparePeer, until: Instant? = nil, into effects: inout CoordinatorEffects
  ) {
    comparesUntil = until
    guard comparePeer != peer else { return }
    comparePeer = peer
    effects.comparePeer = peer
  }
}
