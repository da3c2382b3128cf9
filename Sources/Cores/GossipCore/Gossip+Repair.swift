package import CoreKit
internal import Primitives
internal import Records

extension Gossip {
  /// Notes whether some connected peer is ahead of us in a lane.
  mutating func noteLag(ofLane index: Int, at now: Moment) {
    let lane = lanes[index].lane
    let isBehind = isAnyone(aheadInLane: index, withRoom: false)
    if !isBehind || lanes[index].isStopped || lane == ownLane && lanes[index].agreed == nil {
      lanes[index].behindSince = nil
    } else if lanes[index].behindSince == nil {
      lanes[index].behindSince = now.instant
    }
  }

  /// Starts the pulls that are due and gives up those that take too long.
  mutating func repair(at now: Moment, into effects: inout GossipEffects) {
    for index in lanes.indices {
      if let pull = lanes[index].pull, pull.deadline <= now.instant {
        end(pull.identifier, .failed, at: now, into: &effects)
      }
      if let retryAt = lanes[index].retryAt, retryAt <= now.instant {
        lanes[index].retryAt = nil
        applyParked(at: now, into: &effects)
      }
    }
    for index in lanes.indices {
      fetchEvidence(ofLane: index, at: now, into: &effects)
      guard let due = pullDue(ofLane: index), due <= now.instant,
        let peer = choosePeer(forLane: index)
      else { continue }
      let range = missingRange(ofLane: index, upTo: peer)
      startPull(ofLane: index, range, from: peer, now, into: &effects)
    }
  }

  /// From the first missing bundle to the last missing one that the peer holds. What is parked in
  /// between comes again: that costs bytes, a pull per gap would cost a round trip each.
  private func missingRange(ofLane index: Int, upTo peer: PeerIndex) -> ClosedRange<UInt64> {
    let lane = lanes[index]
    var first = lane.number + 1
    if let agreed = lane.agreed {
      while first < agreed.number, lane.parked[first] != nil { first += 1 }
      return first...min(agreed.number, first + limits.pullBundlesMax - 1)
    }
    if lane.isHeldUp { return first...first }
    let held = peers[Int(peer.value)].progress[lane.lane]?.applied ?? first
    var last = min(max(held, first), first + limits.pullBundlesMax - 1)
    for parked in lane.parked.entries.reversed() where parked.key == last && last > first {
      last -= 1
    }
    return first...last
  }

  /// When a lane is to be pulled; `nil` when it is not behind, forked, is being pulled, or when all
  /// who are ahead are busy with other pulls: the end of one of those is reason to look again.
  func pullDue(ofLane index: Int) -> Instant? {
    guard let since = lanes[index].behindSince, lanes[index].pull == nil, !lanes[index].isStopped
    else { return nil }
    guard isAnyone(aheadInLane: index, withRoom: true) else { return nil }
    // The next bundle is here and waits for another lane or the clock, or breaks a rule. Pulling it
    // again brings nothing, unless its author gave others another one: seldom is often enough.
    let notBefore = lanes[index].pullNotBefore
    if lanes[index].isHeldUp && lanes[index].agreed == nil {
      return max((lanes[index].heldUpSince ?? since) + limits.pullBackoffMax, notBefore)
    }
    return max(since + limits.pullDelay, notBefore)
  }

  /// A connected peer that is ahead in the lane and has room for a pull, by chance.
  private mutating func choosePeer(forLane index: Int) -> PeerIndex? {
    let candidates = peers.indices.filter { isPeer($0, aheadInLane: index, withRoom: true) }
    return candidates.isEmpty ? nil : peers[candidates[random.next(below: candidates.count)]].index
  }

  private func isAnyone(aheadInLane index: Int, withRoom: Bool) -> Bool {
    for peer in peers.indices where isPeer(peer, aheadInLane: index, withRoom: withRoom) {
      return true
    }
    return false
  }

  /// Whether a connected peer is ahead in a lane and, if asked, can be pulled from: it has room and
  /// holds what comes next here (G8).
  private func isPeer(_ peer: Int, aheadInLane index: Int, withRoom: Bool) -> Bool {
    guard peers[peer].isConnected,
      !withRoom || peers[peer].pullCount < limits.pullsPerPeerMax
    else { return false }
    let lane = lanes[index].lane
    return (peers[peer].progress[lane]?.applied ?? 0) > lanes[index].number
      && (!withRoom || (peers[peer].bases[lane] ?? 0) <= lanes[index].number)
  }

  /// Whether peers are ahead, and all of them have let go of what comes next here.
  func isOutOfReach(_ index: Int) -> Bool {
    guard lanes[index].behindSince != nil, !lanes[index].isForked else { return false }
    let lane = lanes[index].lane
    for peer in peers.indices where isPeer(peer, aheadInLane: index, withRoom: false) {
      if (peers[peer].bases[lane] ?? 0) <= lanes[index].number { return false }
    }
    return true
  }

  mutating func startPull(
    ofLane index: Int, _ range: ClosedRange<UInt64>, from peer: PeerIndex, _ now: Moment,
    into effects: inout GossipEffects
  ) {
    let identifier = PullID(nextPull)
    nextPull += 1
    counters.pulls += 1
    lanes[index].pull = (identifier, peer, now.instant + limits.pullTimeout)
    peers[Int(peer.value)].pullCount += 1
    effects.pulls.append(
      .init(
        identifier: identifier, peer: peer,
        request: PullRequest(
          swarm: swarm, lane: lanes[index].lane, first: range.lowerBound, last: range.upperBound,
          bytesMax: UInt32(limits.pullBytesMax))))
    pullStart[identifier] = lanes[index].gained
  }

  /// Takes note that a pull is over; its bundles have been received before.
  package mutating func end(
    _ pull: PullID, _ outcome: PullOutcome, at now: Moment, into effects: inout GossipEffects
  ) {
    guard let index = lanes.firstIndex(where: { $0.pull?.identifier == pull }),
      let state = lanes[index].pull
    else { return }
    lanes[index].pull = nil
    peers[Int(state.peer.value)].pullCount -= 1
    let before = pullStart[pull] ?? 0
    pullStart[pull] = nil
    if case .refused(let base) = outcome {
      // Others are asked at once; it says so itself, so it harms nobody by lying.
      counters.pullsRefused += 1
      let lane = lanes[index].lane
      let known = peers[Int(state.peer.value)].bases[lane] ?? 0
      peers[Int(state.peer.value)].bases[lane] = max(known, base)
    }
    if outcome == .complete && lanes[index].gained > before {
      lanes[index].fruitlessPulls = 0
      lanes[index].pullNotBefore = now.instant
    } else if case .refused(let base) = outcome, base > lanes[index].number {
      lanes[index].pullNotBefore = now.instant
    } else {
      counters.pullsFruitless += 1
      let doublings = min(lanes[index].fruitlessPulls, 16)
      lanes[index].fruitlessPulls += 1
      let pause = limits.pullBackoffMin * (1 << UInt64(doublings))
      lanes[index].pullNotBefore = now.instant + min(pause, limits.pullBackoffMax)
    }
    noteLag(ofLane: index, at: now)
    if lanes[index].behindSince != nil && lanes[index].gained > before {
      // A lane far behind goes on at once: the delay is for pushes that may still come.
      lanes[index].behindSince = .origin
    }
  }
}
