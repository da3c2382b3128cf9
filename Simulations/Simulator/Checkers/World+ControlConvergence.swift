internal import ControlCore
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// Whether the control planes are one, once everything is well again.
extension World {
  /// What a node's control plane has come to.
  private struct ControlView {
    let isJoint: Bool
    let applied: UInt64
    let lastIndex: UInt64
    let digest: UInt64
    let leases: Int
    /// Nodes that it does not take for alive.
    let missing: [Int]
    let brokenInvariant: String?
  }

  /// What still keeps the control planes from being one.
  func findControlDifference() -> (node: Int?, text: String)? {
    let isLed = nodes.contains { node in
      node.withMachine { $0.control.raft.isTermEstablished } == true
    }
    if !isLed { return (nil, "nobody leads the control log") }
    var reference: ControlView?
    for node in nodes where !removed.contains(node.index) && !node.isEdge {
      guard let view = view(of: node) else { return (node.index, "is not running") }
      if view.isJoint { return (node.index, "is still changing voters") }
      if view.applied != view.lastIndex {
        return (node.index, "has applied \(view.applied) of \(view.lastIndex)")
      }
      if let other = view.missing.first {
        return (node.index, "does not take node \(other + 1) for alive")
      }
      if view.leases > 0 { return (node.index, "holds \(view.leases) leases that nobody renews") }
      if let broken = view.brokenInvariant {
        report(.coreInvariants, node.index, broken)
      }
      if let reference, (reference.applied, reference.digest) != (view.applied, view.digest) {
        return (node.index, "is at entry \(view.applied) with another state")
      }
      reference = reference ?? view
    }
    let open = commands.clients.count { $0.open != nil } + commands.abandoned.count
    return open == 0 ? nil : (nil, "\(open) requests are not answered")
  }

  private func view(of node: SimulatedNode) -> ControlView? {
    let others = nodes.filter { !removed.contains($0.index) }
    return node.withMachine { machine in
      ControlView(
        isJoint: machine.control.raft.configuration.isJoint,
        applied: machine.control.raft.applied, lastIndex: machine.control.raft.lastIndex,
        digest: machine.control.state.digest.words.0, leases: machine.control.state.leases.count,
        missing: others.filter { machine.control.membership.member($0.id)?.state != .alive }
          .map(\.index),
        brokenInvariant: machine.control.state.brokenInvariant)
    }
  }
}
