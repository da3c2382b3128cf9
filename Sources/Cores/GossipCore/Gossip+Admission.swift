package import CoreKit
package import Crypto
internal import Primitives
package import Records

extension Gossip {
  /// Takes bundles that a peer sent.
  package mutating func receive(
    _ bundles: [Verified<SignedBundle>], from peer: PeerIndex, _ arrival: BundleArrival,
    at now: Moment, into effects: inout GossipEffects
  ) {
    var mayUnblock = false
    for bundle in bundles {
      mayUnblock = admit(bundle, from: peer, arrival, at: now, into: &effects) || mayUnblock
    }
    if mayUnblock { applyParked(at: now, into: &effects) }
  }

  /// Judges one bundle; true when a lane moved or froze: others may have waited for that.
  private mutating func admit(
    _ bundle: Verified<SignedBundle>, from peer: PeerIndex, _ arrival: BundleArrival,
    at now: Moment, into effects: inout GossipEffects
  ) -> Bool {
    let header = bundle.value.header
    guard header.swarm == swarm, isMember(header.node) else {
      counters.foreign += 1
      return false
    }
    guard let index = lane(of: header) else { return false }
    if lanes[index].fault != nil {
      if let mayMove = admitAgreed(bundle, arrival, inLane: index) { return mayMove }
      return contradict(lanes[index].refused, with: bundle, inLane: index, into: &effects)
    }
    if header.number <= lanes[index].number {
      compare(bundle.value.signedHeader, inLane: index, into: &effects)
      return lanes[index].fault != nil
    }
    if header.lane == ownLane {
      effects.ownLaneAhead = LanePosition(lane: header.lane, number: header.number)
      return false
    }
    if header.number == lanes[index].number + 1, header.previous != lanes[index].digest {
      seekEvidence(inLane: index, at: lanes[index].number, from: peer, now, into: &effects)
      return false
    }
    if header.number == lanes[index].number + 1,
      tryApply(bundle, inLane: index, at: now, into: &effects)
    {
      handOn(bundle, from: peer, arrival, into: &effects)
      return true
    }
    guard lanes[index].fault == nil else { return false }
    let parked = lanes[index].parked[header.number]?.bundle.value.signedHeader
    if contradict(parked, with: bundle, inLane: index, into: &effects) { return true }
    if park(bundle, inLane: index) { handOn(bundle, from: peer, arrival, into: &effects) }
    return false
  }

  /// Freezes a lane of which two bundles for one place came, of which neither is applied; false
  /// when they are no such two.
  ///
  /// Without this a node could be given a bundle that never becomes due, and everybody else another
  /// one that honest lanes then build on: it would wait for those lanes for ever.
  private mutating func contradict(
    _ present: SignedHeader?, with bundle: Verified<SignedBundle>, inLane index: Int,
    into effects: inout GossipEffects
  ) -> Bool {
    guard let present, present.header.number == bundle.value.header.number,
      present.digest != bundle.value.digest
    else { return false }
    take(
      EquivocationProof(checking: present, against: bundle.value.signedHeader), into: &effects)
    return lanes[index].isForked
  }

  func isMember(_ node: NodeID) -> Bool {
    var low = 0
    var high = members.count
    while low < high {
      let middle = (low + high) / 2
      if members[middle] < node {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < members.count && members[low] == node
  }

  /// The index of a member's lane, which is listed now if it was not.
  private mutating func lane(of header: BundleHeader) -> Int? {
    let origin = LaneState.Origin(node: header.node, epoch: header.epoch)
    if let index = laneIndexes[header.lane] {
      if lanes[index].origin == nil { lanes[index].origin = origin }
      return index
    }
    guard lanes.count < limits.lanesMax else { return nil }
    laneIndexes[header.lane] = lanes.count
    lanes.append(LaneState(lane: header.lane, origin: origin))
    return lanes.count - 1
  }

  /// What stands between a bundle and its lane.
  private enum Verdict {
    case apply
    case wait
    case waitForClock(Instant)
    case invalid
  }

  private func judge(_ header: BundleHeader, inLane index: Int, at now: Moment) -> Verdict {
    guard header.firstSequence == lanes[index].lastSequence + 1,
      header.firstTime > lanes[index].lastTime
    else { return .invalid }
    for position in header.context {
      guard let other = laneIndexes[position.lane] else { return .wait }
      // Nodes may hold different bundles of a lane that forked: what depends on it need not wait
      // for the one version that will never come here.
      if lanes[other].isForked { continue }
      guard lanes[other].number >= position.number else { return .wait }
      // Never a reason to freeze this lane: the other one may have forked without our knowing.
      // Below its base only the number is known: the cut that the base is of names it as final, and
      // a bundle that stamps itself before what it names harms its own lane alone.
      if let time = lanes[other].time(of: position.number), time >= header.firstTime {
        return .wait
      }
    }
    let limit = now.wallMilliseconds + limits.futureMillisecondsMax
    if header.lastTime.milliseconds > limit {
      let wait = TimeSpan.milliseconds(header.lastTime.milliseconds - limit)
      return .waitForClock(now.instant + wait)
    }
    return .apply
  }

  /// Applies the bundle that follows the head, or freezes the lane, or leaves both as they are.
  private mutating func tryApply(
    _ bundle: Verified<SignedBundle>, inLane index: Int, at now: Moment,
    into effects: inout GossipEffects
  ) -> Bool {
    let verdict = judge(bundle.value.header, inLane: index, at: now)
    lanes[index].heldUpSince = lanes[index].heldUpSince ?? now.instant
    switch verdict {
    case .wait:
      return false
    case .waitForClock(let instant):
      if lanes[index].retryAt == nil { counters.future += 1 }
      lanes[index].retryAt = instant
      return false
    case .invalid:
      counters.invalid += 1
      // Proof against its node is there already.
      if lanes[index].isForked { return false }
      freeze(index, .invalidBundle(number: bundle.value.header.number))
      lanes[index].refused = bundle.value.signedHeader
      return false
    case .apply:
      lanes[index].advance(
        with: bundle.value, keepingHeaders: limits.recentHeadersMax, tiles: &effects.tiles)
      lanes[index].retryAt = nil
      lanes[index].heldUpSince = nil
      lanes[index].fruitlessPulls = 0
      lanes[index].pullNotBefore = min(lanes[index].pullNotBefore, now.instant)
      counters.applied += 1
      effects.delivered.append(bundle)
      noteLag(ofLane: index, at: now)
      scheduleDigest(at: now)
      return true
    }
  }

  /// Applies parked bundles until none is due.
  mutating func applyParked(at now: Moment, into effects: inout GossipEffects) {
    var progressed = true
    while progressed {
      progressed = false
      for index in lanes.indices {
        while let next = lanes[index].parked.entries.first,
          next.key <= lanes[index].number + 1, lanes[index].canMove
        {
          if next.key <= lanes[index].number {
            unpark(next.key, inLane: index)
            compare(next.value.bundle.value.signedHeader, inLane: index, into: &effects)
            progressed = progressed || lanes[index].fault != nil
          } else if next.value.bundle.value.header.previous != lanes[index].digest {
            unpark(next.key, inLane: index)
          } else if tryApply(next.value.bundle, inLane: index, at: now, into: &effects) {
            unpark(next.key, inLane: index)
            settleAgreed(index)
            progressed = true
          } else {
            break
          }
        }
      }
    }
  }

  /// Keeps a bundle that is not due; false when it was kept already or there is no room.
  private mutating func park(_ bundle: Verified<SignedBundle>, inLane index: Int) -> Bool {
    let number = bundle.value.header.number
    guard lanes[index].parked[number] == nil else {
      counters.duplicates += 1
      return false
    }
    let byteCount = bundle.value.header.bodyByteCount + 512
    let isNext = number == lanes[index].number + 1
    let hasRoom =
      lanes[index].parked.count < limits.parkedPerLaneMax
      && parkedBytes + byteCount <= limits.parkedBytesMax
    if !hasRoom {
      // The next bundle of a lane is worth more than one further on: it may be what others need.
      guard isNext, let last = lanes[index].parked.entries.last, last.value.byteCount >= byteCount
      else {
        counters.parkedDropped += 1
        return false
      }
      counters.parkedDropped += 1
      unpark(last.key, inLane: index)
    }
    counters.parked += 1
    parkedBytes += byteCount
    lanes[index].gained += 1
    lanes[index].parked[number] = ParkedBundle(bundle: bundle, byteCount: byteCount)
    return true
  }

  mutating func unpark(_ number: UInt64, inLane index: Int) {
    guard let entry = lanes[index].parked[number] else { return }
    release(entry)
    lanes[index].parked[number] = nil
  }

  /// Stops a lane for good and lets go of what it had parked.
  mutating func freeze(_ index: Int, _ fault: LaneFault) {
    lanes[index].fault = fault
    lanes[index].refused = nil
    lanes[index].retryAt = nil
    lanes[index].behindSince = nil
    dropParked(ofLane: index)
  }
}
