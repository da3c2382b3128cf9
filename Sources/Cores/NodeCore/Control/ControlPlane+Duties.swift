package import ControlCore
internal import CoreKit
internal import MembershipCore
internal import Primitives
internal import RaftCore
package import Records

/// What a leader does besides the log: the time of leases, and who votes.
extension ControlPlane {
  /// How long the leader's own commands may take; then they are made anew.
  private static let dutySpan = TimeSpan.seconds(10)
  /// How long a leader's disk may finish nothing before it hands its office over.
  private static let diskPatience = TimeSpan.seconds(1)
  /// How often a leader looks whether somebody has caught up.
  private static let reconcilePeriod = TimeSpan.milliseconds(500)
  /// Entries that a learner may lack to be let vote.
  private static let promotionLag: UInt64 = 64
  /// Places in a configuration that newcomers leave free: for lives that replace others, and for
  /// voters that stay listed while they leave.
  private static let spareMembers = 16

  /// This node leads: every lease starts anew, so that none ends early for want of a clock that
  /// both leaders share.
  mutating func beginTerm(at now: Moment) {
    leases.removeAll()
    for lease in state.leases {
      leases.arm(
        lease.id, renewals: lease.renewals,
        at: now.instant + .milliseconds(UInt64(lease.ttlMilliseconds)))
    }
    planReconciliation(at: now, after: .zero)
    isViewStale = true
  }

  mutating func endTerm() {
    leases.removeAll()
    reconcileDue = nil
    isViewStale = true
  }

  /// Proposes the end of leases whose time is over. The number of renewals guards the race with a
  /// renewal that is in the log already.
  mutating func expireLeases(at now: Moment, into effects: inout ControlPlaneEffects) {
    guard raft.role == .leader else { return }
    while pending.count < configuration.commandsMax,
      let (lease, renewals) = leases.takeDue(at: now.instant)
    {
      counters.leasesExpired += 1
      // Should this command be lost, the next look at the same lease makes another.
      leases.arm(lease, renewals: renewals, at: now.instant + ControlPlane.dutySpan)
      submit(
        nil, .expireLease(lease, renewals: renewals), name: nil,
        deadline: now.instant + ControlPlane.dutySpan, at: now, into: &effects)
    }
  }

  // MARK: Who votes

  mutating func planReconciliation(at now: Moment, after span: TimeSpan) {
    guard raft.role == .leader else { return }
    let due = now.instant + span
    reconcileDue = min(reconcileDue ?? due, due)
  }

  /// Brings the members of the log in line with what they are to be, one change at a time.
  mutating func reconcile(at now: Moment, into effects: inout ControlPlaneEffects) {
    guard let due = reconcileDue, due <= now.instant else { return }
    reconcileDue = nil
    guard raft.role == .leader else { return }
    reconcileDue = now.instant + ControlPlane.reconcilePeriod
    if let since = diskWaitsSince, now.instant.since(since) >= ControlPlane.diskPatience {
      // Others can commit without this disk, and this node cannot: it should not lead them.
      counters.diskHandovers += 1
      raft.handle(.transferLeadership(nil), at: now, into: &raftEffects)
      return
    }
    guard !isReconfiguring, !raft.configuration.isJoint, let target = targetMembers() else {
      return
    }
    guard target.target.voters.contains(member.id) else {
      // Whoever is to leave office hands it over first, and to somebody who stays: two leaders that
      // are both to go would hand it to each other for ever.
      if let heir = heir(among: target.target.voters) {
        raft.handle(.transferLeadership(heir), at: now, into: &raftEffects)
      }
      return
    }
    isReconfiguring = true
    counters.reconfigurations += 1
    raft.handle(
      .changeConfiguration(target, ticket: Ticket.reconfiguration.value), at: now,
      into: &raftEffects)
  }

  /// The voter in reach that has most of the log, of those that are to vote on.
  private func heir(among staying: [RaftID]) -> RaftID? {
    raft.peers.filter { other in
      staying.contains(other.id) && raft.configuration.voters.contains(other.id)
        && peers.place(of: other.id) != nil
    }.max { $0.match < $1.match }?.id
  }

  /// What a node is to be; founders vote unless something else was agreed on.
  package func desiredRole(of node: NodeID) -> ControlRole? {
    if let member = state.member(node) { return member.role }
    return configuration.founders.contains(node) ? .voter : .learner
  }

  /// The lives by which nodes are known at present: what they said on their connections.
  private func presentLife(of node: NodeID) -> RaftMember? {
    if node == member.node { return member }
    return peers.first { $0.node == node && $0.isConnected }?.member
  }

  /// The members that the log should have next; `nil` when it has them.
  private func targetMembers() -> RaftChange? {
    let current = raft.configuration
    var members = SortedMap<RaftID, RaftMember>()
    var voters: [RaftID] = []
    for old in current.members {
      guard desiredRole(of: old.node) != nil else { continue }
      members[old.id] = old
      if current.isVoter(old.id) { voters.append(old.id) }
    }
    for node in known.map(\.node) {
      guard let role = desiredRole(of: node), role != .edge, let present = presentLife(of: node)
      else { continue }
      // A life more of a node that takes part may replace one; others come while there is room.
      let isKnown = current.members.contains { $0.node == node }
      let room = isKnown ? ControlPlane.spareMembers / 2 : ControlPlane.spareMembers
      guard members[present.id] != nil || members.count < RaftConfiguration.membersMax - room
      else { continue }
      members[present.id] = present
    }
    demote(&voters, members)
    promote(&voters, members)
    dropReplaced(&members, voters)
    guard !voters.isEmpty else { return nil }
    let learners = members.entries.map(\.key).filter { !voters.contains($0) }
    let isSame =
      voters.sorted() == current.voters && learners == current.learners
      && members.entries.map(\.value) == current.members
    guard !isSame else { return nil }
    return RaftChange(
      members: members.entries.map(\.value), voters: voters, learners: learners)
  }

  /// Takes the vote from those who are not to have it, as long as somebody keeps one.
  private func demote(_ voters: inout [RaftID], _ members: SortedMap<RaftID, RaftMember>) {
    let kept = voters.filter { id in
      members[id].flatMap { desiredRole(of: $0.node) } == .voter
    }
    let isHeir = kept.contains { $0 == member.id || peers.place(of: $0) != nil }
    if isHeir { voters = kept }
  }

  /// Lets learners vote that are to and have caught up: in place of an earlier life of the same
  /// node, or while there is room.
  private func promote(_ voters: inout [RaftID], _ members: SortedMap<RaftID, RaftMember>) {
    let votersMax = Int(state.settings.votersMax)
    for candidate in members.entries.map(\.value) where !voters.contains(candidate.id) {
      guard desiredRole(of: candidate.node) == .voter, hasCaughtUp(candidate.id),
        presentLife(of: candidate.node) == candidate
      else { continue }
      let earlier = voters.firstIndex { members[$0]?.node == candidate.node }
      if let earlier {
        voters[earlier] = candidate.id
      } else if voters.count < votersMax {
        voters.append(candidate.id)
      }
    }
    // A smaller limit takes votes back, from the last in order and never from this leader.
    while voters.count > max(1, votersMax), let last = voters.last(where: { $0 != member.id }) {
      voters.removeAll { $0 == last }
    }
  }

  private func hasCaughtUp(_ id: RaftID) -> Bool {
    guard let progress = raft.peers.first(where: { $0.id == id }) else { return false }
    return progress.match > 0 && progress.match + ControlPlane.promotionLag >= raft.commit
  }

  /// Forgets learners that are earlier lives of a node that is here in another one.
  private func dropReplaced(_ members: inout SortedMap<RaftID, RaftMember>, _ voters: [RaftID]) {
    for old in members.entries.map(\.value) where !voters.contains(old.id) {
      let isEdge = desiredRole(of: old.node) == .edge
      let isReplaced = presentLife(of: old.node).map { $0 != old } ?? false
      if isEdge || isReplaced { members[old.id] = nil }
    }
  }
}
