internal import ControlCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// Faults that concern the control plane.
extension World {
  /// The node that leads the latest term, if anybody does.
  var leader: Int? {
    var latest: (node: Int, term: UInt64)?
    for node in nodes {
      let term = node.withMachine { $0.control.raft.isLeader ? $0.control.raft.term : 0 } ?? 0
      if term > latest?.term ?? 0 { latest = (node.index, term) }
    }
    return latest?.node
  }

  /// Ends a process, and plans its return.
  func crash(_ node: Int, for span: TimeSpan) {
    guard nodes[node].isAlive else { return }
    crashNode(node)
    queue.add(.fault(.start(node)), at: now + span)
  }

  /// Everything of a node but its key is gone: lanes and control log begin another life.
  func wipe(_ node: Int, for span: TimeSpan) {
    crashNode(node)
    probes[.nodeWiped] += 1
    loseControlDisk(of: node)
    nodes[node].chain?.lose()
    queue.add(.fault(.start(node)), at: now + span)
  }

  private func loseControlDisk(of node: Int) {
    control.lostDisks.append(nodes[node].controlDisk)
    nodes[node].controlDisk.wipe(life: max(1, faultRandom.next()))
  }

  /// What a node's control log starts from; one that is damaged is moved away, as its error says.
  func recoverControl(_ index: Int) -> ControlRecovery {
    if nodes[index].isControlDamaged {
      probes[.controlLogDamaged] += 1
      nodes[index].isControlDamaged = false
      loseControlDisk(of: index)
    }
    var recovery = nodes[index].controlDisk.recovery
    distort(&recovery)
    return recovery
  }

  /// Places the faults of the control plane that the scenario leaves to the seed.
  func planControlChaos() {
    let chaos = scenario.chaos
    func plan(_ count: Int, _ make: (_ span: TimeSpan) -> Fault, isHealed: Bool = false) {
      for _ in 0..<count {
        let (start, end) = pickTimes()
        queue.add(.fault(make(end.since(start))), at: start)
        if isHealed { queue.add(.fault(.heal), at: end) }
      }
    }
    func pick() -> Int { faultRandom.next(below: nodes.count) }
    plan(chaos.leaderCrashes) { .crashLeader($0) }
    plan(chaos.leaderIsolations, { _ in .isolateLeader }, isHealed: true)
    plan(chaos.leaderPauses) { .pauseLeader($0) }
    plan(chaos.transfers) { _ in .transfer }
    plan(chaos.wipes) { .wipe(pick(), $0) }
    plan(chaos.syncFailures) { .failSync(pick(), $0) }
    for _ in 0..<chaos.damages {
      let (start, end) = pickTimes()
      let node = pick()
      queue.add(.fault(.damage(node)), at: start)
      queue.add(.fault(.crash(node)), at: start)
      queue.add(.fault(.start(node)), at: end)
    }
    for _ in 0..<chaos.roles {
      let (start, end) = pickTimes()
      let node = pick()
      queue.add(.fault(.setRole(node, "learner")), at: start)
      queue.add(.fault(.setRole(node, "voter")), at: end)
    }
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
