internal import NodeCore
internal import Primitives

extension World {
  func inflict(_ fault: Fault) {
    guard !isHealing else { return }
    note { "fault: \(fault.label)" }
    picture?.note(fault, at: now)
    switch fault {
    case .partition(let groups): partition(groups)
    case .isolate(let node): isolate(node)
    case .isolateLeader: if let leader { isolate(leader) }
    case .isolateFollower:
      let followers = nodes.indices.filter { $0 != leader }
      if !followers.isEmpty { isolate(followers[faultRandom.next(below: followers.count)]) }
    case .crashLeader(let span): if let leader { crash(leader, for: span) }
    case .pauseLeader(let span):
      if let leader {
        nodes[leader].pausedUntil = max(nodes[leader].pausedUntil, now + span)
        picture?.note(.pause(leader, span), at: now)
      }
    case .wipe(let node, let span): wipe(node, for: span)
    case .wipeLeader(let span): if let leader { wipe(leader, for: span) }
    case .cutLeader(let isFromIt):
      forLeaderWays(isFromIt) { network.cut($0, $1) }
      noticeCuts()
    case .clogLeader(let isFromIt, let span):
      forLeaderWays(isFromIt) { network.clog($0, $1, until: now + span) }
    case .damage(let node): nodes[node].isControlDamaged = true
    case .failSync(let node, let span): crash(node, for: span)
    case .setRole(let node, let role): setRole(node, role)
    case .remove(let node): remove(node)
    case .transfer:
      if let leader { give(.control(.transferLeadership(nil)), to: leader) }
    case .cut(let from, let to):
      network.cut(from, to)
      noticeCuts()
    case .clog(let from, let to, let span): network.clog(from, to, until: now + span)
    case .heal: network.heal()
    case .crash(let node): crashNode(node)
    case .crashFor(let node, let span): crash(node, for: span)
    case .start(let node): startNode(node)
    case .pause(let node, let span):
      nodes[node].pausedUntil = max(nodes[node].pausedUntil, now + span)
    case .slowDisk(let node, let latency, let span):
      nodes[node].slowLatency = latency
      nodes[node].slowUntil = now + span
    case .clockJump(let node, let milliseconds):
      nodes[node].clockOffsetMilliseconds += milliseconds
    case .equivocate(let node, let only): equivocate(node, only)
    case .forge(let node): forge(node)
    }
  }

  private func isolate(_ node: Int) {
    for other in nodes.indices where other != node {
      network.cut(node, other)
      network.cut(other, node)
    }
    noticeCuts()
  }

  private func forLeaderWays(_ isFromIt: Bool, _ body: (_ from: Int, _ to: Int) -> Void) {
    guard let leader else { return }
    for other in nodes.indices where other != leader {
      if isFromIt { body(leader, other) } else { body(other, leader) }
    }
  }

  private func partition(_ groups: [[Int]]) {
    for (left, group) in groups.enumerated() {
      for (right, other) in groups.enumerated() where left != right {
        for from in group {
          for to in other { network.cut(from, to) }
        }
      }
    }
    noticeCuts()
  }

  /// Ends the first phase: everything is healed, started and quick again, and clients fall silent.
  func healAll() {
    note { "everything is healed" }
    checkCommandGap()
    isHealing = true
    picture?.endPartitions(at: now)
    network.heal()
    for index in nodes.indices {
      nodes[index].slowUntil = .origin
      nodes[index].pausedUntil = .origin
      startNode(index)
    }
    queue.add(.check, at: now + .milliseconds(10))
  }

  /// Places the faults that the scenario leaves to the seed, all within the middle of the run.
  func planChaos() {
    let chaos = scenario.chaos
    for _ in 0..<chaos.crashes {
      let node = faultRandom.next(below: nodes.count)
      let (start, end) = pickTimes()
      queue.add(.fault(.crash(node)), at: start)
      queue.add(.fault(.start(node)), at: end)
    }
    for _ in 0..<chaos.partitions {
      let (start, end) = pickTimes()
      var order = Array(nodes.indices)
      faultRandom.shuffle(&order)
      let split = 1 + faultRandom.next(below: max(1, nodes.count - 1))
      queue.add(
        .fault(.partition([Array(order.prefix(split)), Array(order.dropFirst(split))])), at: start)
      queue.add(.fault(.heal), at: end)
    }
    for _ in 0..<chaos.cuts where nodes.count > 1 {
      let (start, end) = pickTimes()
      let from = faultRandom.next(below: nodes.count)
      let to = (from + 1 + faultRandom.next(below: nodes.count - 1)) % nodes.count
      queue.add(.fault(.cut(from: from, to: to)), at: start)
      queue.add(.fault(.heal), at: end)
    }
    for _ in 0..<chaos.pauses {
      let (start, end) = pickTimes()
      queue.add(.fault(.pause(faultRandom.next(below: nodes.count), end.since(start))), at: start)
    }
    for _ in 0..<chaos.slowDisks {
      let (start, end) = pickTimes()
      let latency = TimeSpan.milliseconds(faultRandom.next(in: 20...500))
      queue.add(
        .fault(
          .slowDisk(faultRandom.next(below: nodes.count), latency: latency, end.since(start))),
        at: start)
    }
    planControlChaos()
  }

  /// When a fault starts and ends: up to a quarter of the run apart.
  func pickTimes() -> (start: Instant, end: Instant) {
    let length = scenario.duration.nanoseconds
    let start = faultRandom.next(in: length / 20...length * 3 / 4)
    let span = faultRandom.next(in: min(50_000_000, length / 10)...length / 4)
    return (Instant(nanoseconds: start), Instant(nanoseconds: min(start + span, length)))
  }
}
