internal import ControlCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// Faults that concern the control plane.
extension World {
  /// The node that leads the latest term, if anybody does.
  var leader: Int? {
    nodes.filter { $0.machine?.control.raft.isLeader == true }
      .max { ($0.machine?.control.raft.term ?? 0) < ($1.machine?.control.raft.term ?? 0) }?.index
  }

  /// Ends a process, and plans its return.
  func crash(_ node: Int, for span: TimeSpan) {
    crashNode(node)
    queue.add(.fault(.start(node)), at: now + span)
  }

  /// Everything of a node but its key is gone: lanes and control log begin another life.
  func wipe(_ node: Int, for span: TimeSpan) {
    crashNode(node)
    probes[.nodeWiped] += 1
    nodes[node].controlDisk.wipe(life: max(1, faultRandom.next()))
    queue.add(.fault(.start(node)), at: now + span)
  }

  /// What a node's control log starts from; one that is damaged is moved away, as its error says.
  func recoverControl(_ index: Int) -> ControlRecovery {
    if nodes[index].isControlDamaged {
      probes[.controlLogDamaged] += 1
      nodes[index].isControlDamaged = false
      nodes[index].controlDisk.wipe(life: max(1, faultRandom.next()))
    }
    var recovery = nodes[index].controlDisk.recovery
    switch options.mutant {
    case .forgetVote: recovery.hardState.vote = nil
    case .forgetTail: recovery.entries.removeLast(min(3, recovery.entries.count))
    default: break
    }
    return recovery
  }

  /// Plans the look at whether everybody knows of a crash.
  func planDetection(of index: Int) {
    guard let bound = scenario.detection else { return }
    queue.add(.detection(node: index, life: nodes[index].life), at: now + bound)
  }

  func setRole(_ node: Int, _ role: String) {
    let roles: [String: ControlRole] = ["voter": .voter, "learner": .learner, "edge": .edge]
    guard let role = roles[role] else { return }
    nodes[node].isEdge = role == .edge
    operate(.setMember(nodes[node].id, role: role))
  }

  func remove(_ node: Int) {
    removed.append(node)
    operate(.removeMember(nodes[node].id))
  }

  /// An operator's command, through whatever node runs; nobody waits for it but the log.
  private func operate(_ operation: ControlOperation) {
    guard let node = nodes.firstIndex(where: { $0.isAlive && !removed.contains($0.index) }) else {
      return
    }
    let request = commands.makeRequest()
    operators.append(request)
    give(
      .control(.submit(request, operation, name: nil, deadline: now + .seconds(10))), to: node)
  }
}
