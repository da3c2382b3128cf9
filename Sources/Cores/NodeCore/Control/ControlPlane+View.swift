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
    admitKnown(at: now)
    isViewStale = true
    planReconciliation(at: now, after: .zero)
  }

  /// Tells membership who may be a member.
  mutating func admitKnown(at now: Moment) {
    let admitted = known.filter { desiredRole(of: $0.node) != nil }
    membership.handle(.setMembers(admitted), at: now, into: &membershipEffects)
  }

  /// Brings membership and connections in line with who is removed and who is not any more.
  mutating func followRemovals(at now: Moment, into effects: inout ControlPlaneEffects) {
    for member in state.members { follow(member, at: now) }
    admitKnown(at: now)
    dropRemoved(into: &effects)
  }

  /// Tells membership whether a node is removed.
  mutating func follow(_ member: ControlMember, at now: Moment) {
    membership.handle(
      member.role == nil ? .removed(member.node) : .restored(member.node), at: now,
      into: &membershipEffects)
  }

  /// Ends the connections of removed nodes that the log has let go of: until then the log may need
  /// them.
  mutating func dropRemoved(into effects: inout ControlPlaneEffects) {
    for (index, peer) in peers.enumerated()
    where peer.isConnected && isRemoved(peer.node)
      && raft.configuration.members(of: peer.node).isEmpty
    {
      effects.disconnects.append((PeerIndex(UInt16(index)), "was removed from the cluster"))
    }
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
      guard let peer = peers.place(of: send.node) else { continue }
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
      guard let peer = peers.place(of: send.to) else { continue }
      // An assignment is repeated each round; how a member's bundles spread must arrive in order.
      let isDatagram = if case .assignment = send.message { true } else { false }
      effects.sends.append(
        .init(peer: peer, message: .coordinator(send.message), isDatagram: isDatagram))
    }
    for notice in coordinatorEffects.notices { effects.notices.append(.coordination(notice)) }
    if let peer = coordinatorEffects.comparePeer { effects.comparePeer = peer }
    if let routes = coordinatorEffects.routes { effects.routes = routes }
    coordinatorEffects.removeAll()
  }
}
