internal import CoreKit
internal import GossipCore
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

extension World {
  /// How many turns of one node may pass without time passing: more is a loop without an end.
  private static let turnsAtOnceMax = 1_000

  /// Starts a node from what its disk holds.
  func startNode(_ index: Int) {
    guard !nodes[index].isAlive else { return }
    let found: SimulatedDisk.Found
    do {
      guard let recovered = try nodes[index].disk.recover() else {
        report(.recoveryIsExact, index, "the rows on the disk miss their digest")
        return
      }
      found = recovered
    } catch {
      report(.recoveryIsExact, index, "the rows on the disk are no state: \(error)")
      return
    }
    if found.replayed > 0 { probes[.replayedAfterCrash] += 1 }
    var recovery = NodeRecovery()
    recovery.lanes = found.lanes
    recovery.proofs = found.proofs
    recovery.tables = found.tables
    recovery.nextBatch = found.replayed > 0 ? 2 : 1
    recovery.control = recoverControl(index)
    recovery.finality = recoverFinality(index)
    let configuration = coreConfiguration(of: index)
    nodes[index].life += 1
    do {
      nodes[index].setMachine(
        try NodeMachine(configuration, recovery: recovery, at: nodes[index].moment(at: now)))
    } catch {
      report(.recoveryIsExact, index, "the control log on the disk is none: \(error)")
      return
    }
    picture?.noteStart(index, at: now)
    resetDriver(of: index)
    rebuildView(of: index)
    audit.mix(0x5a, UInt64(index), nodes[index].life)
    note { "node \(index + 1) starts, life \(nodes[index].life), replays \(found.replayed)" }
    checkEqualFrontiers(index)
    if scenario.usesRelays { give(.routes(routes[index]), to: index) }
    plan(index)
    for pair in network.allPairs where pair.contains(index) {
      planDial(pair, within: .milliseconds(50))
    }
  }

  private func coreConfiguration(of index: Int) -> NodeCoreConfiguration {
    let seed = nodes[index].coreSeed &+ nodes[index].life
    var control = ControlPlaneConfiguration(
      node: nodes[index].id, cluster: cluster, founders: nodes.map(\.id),
      attributes: nodes[index].attributes, seed: seed)
    control.showsApplied = true
    control.raft.snapshotAfterEntries = 200
    control.raft.keepEntries = 50
    var configuration = NodeCoreConfiguration(
      key: nodes[index].key, epoch: nodes[index].epoch, swarm: swarm, control: control,
      seed: seed)
    configuration.waitersMax = 64
    configuration.finality = finalityConfiguration(of: index)
    return configuration
  }

  private func resetDriver(of index: Int) {
    nodes[index].inbox.removeAll()
    nodes[index].isTurnPlanned = false
    nodes[index].timerAt = nil
    nodes[index].peerIndexes = Array(repeating: nil, count: nodes.count)
    nodes[index].peersByIndex.removeAll()
    nodes[index].hintedAt = Array(repeating: .origin, count: nodes.count)
    nodes[index].pulls.removeAll()
    nodes[index].pulledBundles = 0
    nodes[index].bundlesSigned = 0
    nodes[index].pausedUntil = .origin
  }

  /// Ends a process and loses what its disk had not synced.
  func crashNode(_ index: Int) {
    guard nodes[index].isAlive else { return }
    collectProbes(of: index)
    nodes[index].setMachine(nil)
    picture?.noteCrash(index, at: now)
    let loss = nodes[index].disk.crash(&diskRandom)
    audit.mix(0x5b, UInt64(loss.stepsKept), UInt64(loss.stepsLost))
    if loss.stepsKept > 0 && loss.stepsLost > 0 { probes[.groupTorn] += 1 }
    note {
      "node \(index + 1) crashes: steps kept \(loss.stepsKept), lost \(loss.stepsLost), "
        + "rows lost \(loss.rowStepsLost)"
    }
    resetDriver(of: index)
    if nodes[index].controlDisk.crash(&controlDiskRandom) { probes[.controlStepTorn] += 1 }
    nodes[index].chain?.crash(&chainRandom)
    cutOffWrites(at: index)
    cutOffCommands(at: index)
    planDetection(of: index)
    dropLinks(of: index)
  }

  /// Gives a node an event: it takes part in the node's next turn.
  func give(_ event: NodeEvent, to index: Int) {
    nodes[index].inbox.append(event)
    plan(index)
  }

  /// Plans a turn soon, unless one is planned.
  func plan(_ index: Int) {
    guard !nodes[index].isTurnPlanned else { return }
    nodes[index].isTurnPlanned = true
    let delay = TimeSpan.microseconds(turnRandom.next(in: 0...300))
    queue.add(
      .turn(node: index, life: nodes[index].life), at: max(now + delay, nodes[index].pausedUntil))
  }

  /// A deadline has come, unless another was set since.
  func ring(_ index: Int, _ life: UInt64, _ due: Instant) {
    guard nodes[index].isAlive, nodes[index].life == life, nodes[index].timerAt == due else {
      return
    }
    if nodes[index].pausedUntil > now {
      queue.add(.timer(node: index, life: life, due), at: nodes[index].pausedUntil)
      return
    }
    nodes[index].timerAt = nil
    nodes[index].inbox.append(.deadline)
    takeTurn(index, life)
  }

  /// One turn of a node's loop: all events at hand, then the end of the turn, then the effects.
  func takeTurn(_ index: Int, _ life: UInt64) {
    guard nodes[index].isAlive, nodes[index].life == life else { return }
    if nodes[index].pausedUntil > now {
      queue.add(.turn(node: index, life: life), at: nodes[index].pausedUntil)
      return
    }
    nodes[index].isTurnPlanned = false
    guard timeMovesOn(index) else { return }
    var events: [NodeEvent] = []
    swap(&events, &spareInbox)
    swap(&events, &nodes[index].inbox)
    for event in events { step(index, event) }
    events.removeAll(keepingCapacity: true)
    swap(&events, &spareInbox)
    // Doing what the core asks can make events; as in the node, the bound keeps a turn finite.
    for _ in 0..<8 {
      endTurn(index)
      guard violation == nil, carryOut(index) else { break }
    }
    setTimer(of: index)
  }

  private func timeMovesOn(_ index: Int) -> Bool {
    nodes[index].turnsAtOnce =
      now.since(nodes[index].lastTurnAt) > .microseconds(1) ? 0 : nodes[index].turnsAtOnce + 1
    nodes[index].lastTurnAt = now
    guard nodes[index].turnsAtOnce < World.turnsAtOnceMax else {
      report(.timeMovesOn, index, "the core asks to be called again and again at one instant")
      return false
    }
    return true
  }

  private func setTimer(of index: Int) {
    guard let due = nodes[index].withMachine({ $0.nextDeadline }) ?? nil,
      nodes[index].timerAt != due
    else { return }
    nodes[index].timerAt = due
    queue.add(
      .timer(node: index, life: nodes[index].life, due), at: max(due, now + .microseconds(1)))
  }

  /// Gives the core one event.
  func step(_ index: Int, _ event: NodeEvent) {
    guard violation == nil else { return }
    audit.mix(now.nanoseconds, UInt64(index), event.auditTag)
    note { "node \(index + 1) \(event.traceText)" }
    let moment = nodes[index].moment(at: now)
    _ = nodes[index].withMachine { $0.handle(event, at: moment, into: &effects.value) }
  }

  /// Ends the turn and checks the core's invariants.
  private func endTurn(_ index: Int) {
    step(index, .turnEnded)
    let broken = nodes[index].withMachine { $0.brokenInvariant }
    if let broken, let broken { report(.coreInvariants, index, broken) }
  }

  /// Does what the core asked for; true when that gave it new events.
  private func carryOut(_ index: Int) -> Bool {
    let taken = effects
    effects = spareEffects
    defer {
      taken.value.removeAll()
      spareEffects = taken
    }
    var hasEvents = false
    if let batch = taken.value.batch { hand(batch, of: index) }
    carryOutControl(taken, of: index)
    if scenario.epochLength != nil { carryOutFinality(taken, of: index) }
    for send in taken.value.sends { self.send(send, from: index) }
    for push in taken.value.pushes { hasEvents = self.push(push, from: index) || hasEvents }
    for pull in taken.value.pulls { hasEvents = start(pull, from: index) || hasEvents }
    for wanted in taken.value.headersWanted { load(wanted, at: index) }
    for disconnect in taken.value.disconnects {
      note { "node \(index + 1) disconnects: \(disconnect.reason)" }
      breakLink(index, nodes[index].peersByIndex[Int(disconnect.peer.value)])
    }
    for notice in taken.value.notices { hear(notice, at: index) }
    return hasEvents
  }

  private func load(_ wanted: GossipEffects.HeaderWanted, at index: Int) {
    guard let stored = nodes[index].disk.bundle(wanted.position) else { return }
    probes[.headerLoaded] += 1
    let delay = TimeSpan.microseconds(diskRandom.next(in: 50...2_000))
    queue.add(
      .own(
        node: index, life: nodes[index].life,
        .headerLoaded(stored.signedHeader, conflicting: wanted.conflicting)),
      at: now + delay)
  }

  private func hear(_ notice: NodeNotice, at index: Int) {
    switch notice {
    case .write(let write, let outcome):
      take(outcome, of: write, at: index)
    case .membersChanged:
      note { "node \(index + 1) hears that the members changed" }
    case .laneForked(let proof):
      audit.mix(proof.lane.digest)
      probes[.equivocationProven] += 1
      nodes[index].view.frozen.insert(proof.lane)
      note { "node \(index + 1) has proof that lane \(proof.lane.digest.short) forks" }
      checkBlame(proof, at: index)
    case .ownLaneAhead(let position):
      note { "node \(index + 1) hears of its own lane at \(position.number)" }
      if liars[index] == nil {
        report(
          .nobodyIsTalkedDown, index,
          "the node must stop: somebody holds bundle \(position.number) of its own lane, "
            + "which it lost or never made")
      }
    }
  }
}
