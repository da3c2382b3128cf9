internal import ControlCore
internal import CoordinatorCore
package import CoreKit
package import MembershipCore
internal import Primitives
internal import RaftCore
package import Records

/// Membership and coordination.
extension ControlPlane {
  /// Sets who may be a member: founders and announced nodes, this one included.
  package mutating func setKnown(
    _ members: [KnownMember], at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    let sorted = members.sorted { $0.node < $1.node }
    guard sorted != known else { return }
    known = sorted
    let admitted = known.filter { desiredRole(of: $0.node) != nil }
    membership.handle(.setMembers(admitted), at: now, into: &membershipEffects)
    isViewStale = true
    planReconciliation(at: now, after: .zero)
  }

  /// Whether a node may connect: one that was removed may not.
  package func isRemoved(_ node: NodeID) -> Bool {
    state.member(node).map { $0.role == nil } ?? false
  }

  /// Takes note of how many bytes of own bundles this node makes in a second.
  mutating func noteDemand(bytesPerSecond: UInt64, at now: Moment) {
    guard bytesPerSecond != demand else { return }
    demand = bytesPerSecond
    coordinator.handle(
      .demand(bytesPerSecond: bytesPerSecond), at: now, into: &coordinatorEffects)
  }

  /// Takes note of how many writes this node takes in a second: the load that members hear of.
  mutating func noteLoad(_ writesPerSecond: UInt64, at now: Moment) {
    let load = UInt16(clamping: writesPerSecond)
    guard load != membership.own.load else { return }
    membership.handle(.setLoad(load), at: now, into: &membershipEffects)
  }

  /// Carries out what membership asked for.
  mutating func takeMembership(into effects: inout ControlPlaneEffects) {
    for send in membershipEffects.sends {
      guard let peer = peer(of: send.node) else { continue }
      effects.sends.append(
        .init(
          peer: peer, message: .membership(send.message), isDatagram: send.channel == .datagram))
    }
    for change in membershipEffects.changes {
      isViewStale = true
      effects.notices.append(.member(change))
    }
    if let incarnation = membershipEffects.persistIncarnation { incarnationWanted = incarnation }
    membershipEffects.removeAll()
  }

  /// Tells the coordinator what it decides by, when that moved.
  mutating func updateCoordinator(at now: Moment) {
    guard isViewStale else { return }
    isViewStale = false
    var settings = configuration.coordinator
    settings.egressBytesPerSecond = state.settings.egressBytesPerSecond
    settings.protocolPeriod = configuration.membership.period
    if settings != coordinator.settings {
      coordinator.handle(.settings(settings), at: now, into: &coordinatorEffects)
    }
    // The node itself lives, also before it may say so under a durable incarnation.
    let alive = membership.members.filter { $0.state.isPresent || $0.node == member.node }
    coordinator.handle(
      .members(alive.map(coordinatorMember), stableSince: membership.stableSince), at: now,
      into: &coordinatorEffects)
    let nodes = alive.map(\.node)
    let isQuorumAlive = raft.configuration.isQuorum { id in
      node(of: id).map(nodes.contains) ?? false
    }
    coordinator.handle(
      .leader(
        CoordinatorLeader(
          node: leaderNode, isQuorumAlive: isQuorumAlive, term: raft.term,
          commitIndex: raft.commit)), at: now, into: &coordinatorEffects)
  }

  private func coordinatorMember(_ member: Member) -> CoordinatorMember {
    let role: CoordinatorMember.Role =
      switch desiredRole(of: member.node) {
      case .voter: .voter
      case .learner, nil: .learner
      case .edge: .edge
      }
    return CoordinatorMember(
      node: member.node, region: member.attributes.region, zone: member.attributes.zone,
      role: role, priority: member.node == self.member.node ? configuration.priority : 0)
  }

  /// Carries out what the coordinator asked for, but for gossip's part, which stays for the owner.
  mutating func takeCoordinator(into effects: inout ControlPlaneEffects) {
    for send in coordinatorEffects.sends {
      guard let peer = peer(of: send.to) else { continue }
      effects.sends.append(
        .init(peer: peer, message: .coordinator(send.message), isDatagram: true))
    }
    for notice in coordinatorEffects.notices { effects.notices.append(.coordination(notice)) }
    if let peer = coordinatorEffects.comparePeer { effects.comparePeer = peer }
    if let routes = coordinatorEffects.routes { effects.routes = routes }
    coordinatorEffects.removeAll()
  }
}
