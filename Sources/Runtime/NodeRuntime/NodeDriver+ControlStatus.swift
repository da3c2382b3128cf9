internal import AgentAPI
internal import ControlCore
internal import CoordinatorCore
internal import CoreKit
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// What the control plane says about itself.
extension NodeDriver {
  var controlStatus: ControlStatus {
    let control = machine.control
    let raft = control.raft
    let now = moment
    return ControlStatus(
      role: "\(raft.role)", term: raft.term, leader: control.leaderNode, commit: raft.commit,
      applied: raft.applied, lastIndex: raft.lastIndex, revision: control.state.revision,
      staleMilliseconds: control.staleMilliseconds(at: now), members: logMembers,
      isChanging: raft.configuration.isJoint, coordination: coordination,
      coordinator: control.coordinator.status.coordinator,
      dissemination: "\(control.coordinator.mode)",
      view: control.membership.members.map { member in
        ControlStatus.MemberView(
          node: member.node, state: "\(member.state)",
          role: control.desiredRole(of: member.node).map { "\($0)" },
          incarnation: member.incarnation, region: member.attributes.region,
          zone: member.attributes.zone, load: member.load,
          sinceMilliseconds: now.instant.since(member.since).nanoseconds / 1_000_000)
      })
  }

  private var logMembers: [ControlStatus.Voter] {
    let raft = machine.control.raft
    let peers = raft.peers
    return raft.configuration.members.map { member in
      let match =
        member.id == raft.id
        ? raft.isLeader ? raft.lastIndex : nil : peers.first { $0.id == member.id }?.match
      return ControlStatus.Voter(
        node: member.node, life: member.life, isVoter: raft.configuration.isVoter(member.id),
        match: match)
    }
  }

  private var coordination: String {
    switch machine.control.coordinator.status {
    case .led: "led"
    case .partitioned: "partitioned"
    case .settling: "settling"
    }
  }
}
