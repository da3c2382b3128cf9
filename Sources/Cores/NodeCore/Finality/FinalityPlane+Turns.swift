internal import BFTCore
package import CoreKit
package import GossipCore
internal import Primitives
internal import Records

/// What a turn does: answers the engine, and hands out what is final.
extension FinalityPlane {
  /// Does what the turn's events call for; `out` gets what is for the driver.
  package mutating func endTurn(
    _ gossip: borrowing Gossip, at now: Moment, into out: inout FinalityPlaneEffects
  ) {
    if lanesMoved || isRefillDue { refill(gossip, into: &out) }
    if lanesMoved {
      lanesMoved = false
      hasAdvance = CutBuilder.hasAdvance(windows, gossip)
      let blocks = awaited
      awaited.removeAll(keepingCapacity: true)
      for wanted in blocks { judge(wanted, gossip, at: now) }
    }
    offerDeferred(gossip, at: now)
    engine.handle(.work(hasWork(at: now)), at: now, into: &effects)
    // What the engine asks is answered at once, and the answers can make it ask again.
    var rounds = 0
    while rounds < 16, answer(gossip, at: now) { rounds += 1 }
    if rounds > 0 { engine.handle(.work(hasWork(at: now)), at: now, into: &effects) }
    engine.handle(.turnEnded, at: now, into: &effects)
    handOut(gossip, into: &out)
    out.sends.append(contentsOf: effects.sends)
    out.blocksWanted.append(contentsOf: effects.blocksWanted)
    out.notices.append(contentsOf: effects.notices)
    if let step = effects.journal {
      precondition(out.journal == nil, "a journal step is made before the last one was taken")
      out.journal = step
    }
    effects.sends.removeAll(keepingCapacity: true)
    effects.blocksWanted.removeAll(keepingCapacity: true)
    effects.notices.removeAll(keepingCapacity: true)
    effects.journal = nil
    unansweredAt =
      effects.checkWanted.isEmpty && effects.bodyWanted.isEmpty && effects.finalized.isEmpty
      ? nil : now.instant
    armDue(at: now)
  }

  /// Asks for the outlines that memory lacks.
  private mutating func refill(
    _ gossip: borrowing Gossip, into out: inout FinalityPlaneEffects
  ) {
    isRefillDue = false
    for (lane, number) in gossip.syncedFrontier.entries {
      if windows[lane] == nil { windows[lane] = LaneWindow() }
      guard let window = windows[lane], !window.isLoading, window.last < number,
        window.count < LaneWindow.countMax / 2
      else { continue }
      windows[lane]?.isLoading = true
      out.outlinesWanted.append(
        .init(lane: lane, first: window.last + 1, count: LaneWindow.countMax / 2))
    }
  }

  /// Answers what the engine wants to know; true when it wanted something.
  private mutating func answer(_ gossip: borrowing Gossip, at now: Moment) -> Bool {
    let checks = effects.checkWanted
    let bodies = effects.bodyWanted
    let finalized = effects.finalized
    effects.checkWanted.removeAll(keepingCapacity: true)
    effects.bodyWanted.removeAll(keepingCapacity: true)
    effects.finalized.removeAll(keepingCapacity: true)
    for block in finalized { take(block, at: now) }
    if !finalized.isEmpty { hasAdvance = CutBuilder.hasAdvance(windows, gossip) }
    for wanted in checks { judge(wanted, gossip, at: now) }
    for wanted in bodies { propose(wanted, gossip, at: now) }
    return !(checks.isEmpty && bodies.isEmpty && finalized.isEmpty)
  }

  private mutating func take(_ block: FinalizedBlock, at now: Moment) {
    let change = lastChange
    for advance in block.block.body.advances {
      let before = windows[advance.lane]?.final ?? 0
      counters.bundlesFinalized += advance.number - min(advance.number, before)
      if windows[advance.lane] == nil { windows[advance.lane] = LaneWindow() }
      windows[advance.lane]?.finalize(through: advance.number)
    }
    if !block.block.body.isEmpty { lastChange = block.block.header.height }
    if let due = nextDue, block.block.header.timestamp > due {
      // Until it is executed: the block does what was due.
      lastChange = block.block.header.height
      nextDue = nil
    }
    if lastChange > change { vouchAt = now.instant + configuration.vouchDelay }
    isRefillDue = true
    counters.blocksFinalized += 1
    unexecuted.append(block)
  }

  private mutating func judge(_ wanted: CheckWanted, _ gossip: borrowing Gossip, at now: Moment) {
    // Meanwhile something of that height became final: there is nothing left to judge by.
    guard wanted.block.header.height > engine.finalized.height else { return }
    let base = CutBase(after: wanted.parentChain)
    let judgement = CutBuilder.judge(wanted.block, over: base, windows, gossip)
    switch judgement {
    case .held:
      engine.handle(.verdict(wanted.block.hash, .valid), at: now, into: &effects)
    case .wrong(let reason):
      engine.handle(.verdict(wanted.block.hash, .invalid(reason)), at: now, into: &effects)
    case .missing:
      counters.cutsAwaited += 1
      awaited.removeAll { $0.block.header.view < engine.finalized.view }
      // Each once: the engine asks about as many as it holds.
      if awaited.count < BFT.blocksMax { awaited.append(wanted) }
      engine.handle(.verdict(wanted.block.hash, .missing), at: now, into: &effects)
    }
  }

  private mutating func propose(
    _ wanted: BodyWanted, _ gossip: borrowing Gossip, at now: Moment
  ) {
    deferred = nil
    deferredUntil = nil
    let advances = advances(wanted, gossip)
    guard advances.isEmpty, isBehind(wanted) || !isDue(at: now, after: wanted.parentChain) else {
      return offer(wanted, advances, at: now)
    }
    // Blocks without content would only be more to agree on and to execute: wait for execution or
    // for bundles, but not until others lose patience.
    deferred = wanted
    deferredUntil = now.instant + configuration.emptyDelay
  }

  /// Whether execution is so far behind that a block after this parent must be empty
  /// (back-pressure).
  private func isBehind(_ wanted: BodyWanted) -> Bool {
    wanted.parent.height > executedHeight + BFTConfiguration.executionLagMax
  }

  /// What a block after this parent can move.
  private func advances(_ wanted: BodyWanted, _ gossip: borrowing Gossip) -> [CutAdvance] {
    if isBehind(wanted) { return [] }
    // Once a view was lost, bundles that others lack may have been the reason.
    let isCautious = wanted.parent.view + 1 < wanted.view
    return CutBuilder.advances(
      over: CutBase(after: wanted.parentChain), windows, gossip,
      validators: isCautious ? engine.validators : nil)
  }

  private mutating func offer(_ wanted: BodyWanted, _ advances: [CutAdvance], at now: Moment) {
    engine.handle(
      .body(BlockBody(advances: advances), parent: wanted.parent.hash, view: wanted.view), at: now,
      into: &effects)
  }

  /// Offers the body that was put off when it has something to carry, or the time is over and there
  /// still is something to agree on.
  private mutating func offerDeferred(_ gossip: borrowing Gossip, at now: Moment) {
    guard let wanted = deferred else { return }
    if let until = deferredUntil, until <= now.instant { deferredUntil = nil }
    let isOver = deferredUntil == nil && (hasWork(at: now) || engine.hasUnfinalized)
    // Nothing is looked up while no lane is above the final cut.
    let advances = hasAdvance ? advances(wanted, gossip) : []
    let isDue = !isBehind(wanted) && isDue(at: now, after: wanted.parentChain)
    guard isOver || !advances.isEmpty || isDue else { return }
    deferred = nil
    deferredUntil = nil
    offer(wanted, advances, at: now)
  }

  /// Whether there is something to finalize: bundles above the cut, changes whose outcome no final
  /// header vouches for, or something due by time.
  private func hasWork(at now: Moment) -> Bool {
    hasAdvance || isDue(at: now)
  }

  /// Whether a block without content says something: it vouches for what was executed and has
  /// waited for that long enough, or does what is due by time.
  ///
  /// Not when `chain`, blocks on top of the final one, does so already.
  private func isDue(at now: Moment, after chain: [Block] = []) -> Bool {
    let last = chain.last?.header
    let vouched = max(engine.finalizedExecutedHeight, last?.executedHeight ?? 0)
    let isWaiting = vouched < min(lastChange, executedHeight)
    if isWaiting, vouchAt.map({ $0 <= now.instant }) ?? true { return true }
    guard let nextDue else { return false }
    return nextDue < now.wallMilliseconds && (last?.timestamp ?? 0) <= nextDue
  }

  private mutating func armDue(at now: Moment) {
    guard let nextDue, dueAt == nil, nextDue >= now.wallMilliseconds else { return }
    let wait = min(nextDue - now.wallMilliseconds + 1, 1_000)
    dueAt = now.instant + .milliseconds(wait)
  }

  /// Hands out finalized blocks up to the last certified one of which everything is held.
  private mutating func handOut(
    _ gossip: borrowing Gossip, into out: inout FinalityPlaneEffects
  ) {
    lacking = []
    var end = handedOut
    for index in unexecuted.indices.dropFirst(handedOut) {
      if index >= FinalityPlane.executingMax, end > 0 { break }
      lacking = unexecuted[index].block.body.advances.filter {
        gossip.synced($0.lane) < $0.number
      }
      guard lacking.isEmpty else { break }
      if unexecuted[index].certificate != nil { end = index + 1 }
    }
    guard end > handedOut else { return }
    out.execute.append(contentsOf: unexecuted[handedOut..<end])
    handedOut = end
  }
}
