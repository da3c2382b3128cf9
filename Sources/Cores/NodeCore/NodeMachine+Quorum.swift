internal import CoreKit
internal import Crypto
internal import GossipCore
internal import Primitives
package import Records

extension NodeMachine {
  /// How far `lane` is durable on a majority of voters, as far as this node knows (N2).
  package func quorumSynced(_ lane: LaneID) -> UInt64 {
    let own = configuration.control.node
    var least = UInt64.max
    var numbers: [UInt64] = []
    for voters in voterSets {
      numbers.removeAll(keepingCapacity: true)
      // No closure: one that refers to the gossip copies all of this value when called in a step.
      for voter in voters {
        numbers.append(voter == own ? gossip.synced(lane) : gossip.synced(lane, at: voter))
      }
      numbers.sort(by: >)
      least = min(least, numbers[numbers.count / 2])
    }
    return least
  }

  private func reached(_ position: LanePosition, _ quorum: UInt64) -> WriteLevel? {
    if let finality, finality.executed(position.lane) >= position.number { return .final }
    if quorum >= position.number { return .quorum }
    return gossip.synced(position.lane) >= position.number ? .local : nil
  }

  /// Reports the writes whose level is reached.
  mutating func settleWaiters(into effects: inout NodeEffects) {
    waitersDue = false
    guard !waiters.isEmpty else { return }
    var quorums = SortedMap<LaneID, UInt64>()
    var kept = 0
    for index in waiters.indices {
      let lane = waiters[index].position.lane
      let quorum = quorums[lane] ?? quorumSynced(lane)
      quorums[lane] = quorum
      if let level = reached(waiters[index].position, quorum), level >= waiters[index].level {
        effects.notices.append(
          .write(
            waiters[index].identifier, .reached(waiters[index].level, waiters[index].operations)))
      } else {
        waiters.swapAt(kept, index)
        kept += 1
      }
    }
    waiters.removeSubrange(kept...)
  }

  /// Reports the writes whose deadline has passed: what becomes of them is not known, unless they
  /// are not yet part of a bundle and now never will be.
  mutating func expireWrites(at now: Moment, into effects: inout NodeEffects) {
    settleWaiters(into: &effects)
    expireQueue(at: now, into: &effects)
    expireWaiters(at: now, into: &effects)
    let queued = queue.lazy.map(\.deadline).min()
    let waiting = waiters.lazy.map(\.deadline).min()
    nextExpiry = [queued, waiting].compactMap(\.self).min()
  }

  private mutating func expireQueue(at now: Moment, into effects: inout NodeEffects) {
    guard queue.contains(where: { $0.deadline <= now.instant }) else { return }
    var kept: [QueuedWrite] = []
    for write in queue {
      if write.deadline > now.instant {
        kept.append(write)
        continue
      }
      queuedOperations -= write.operations.count
      queuedBytes -= write.operations.reduce(0) { $0 + $1.count }
      effects.notices.append(.write(write.identifier, .overloaded))
    }
    queue = kept
  }

  private mutating func expireWaiters(at now: Moment, into effects: inout NodeEffects) {
    var kept = 0
    for index in waiters.indices {
      let waiter = waiters[index]
      if waiter.deadline <= now.instant {
        let level = reached(waiter.position, quorumSynced(waiter.position.lane))
        effects.notices.append(
          .write(waiter.identifier, .undecided(reached: level, waiter.operations)))
      } else {
        waiters.swapAt(kept, index)
        kept += 1
      }
    }
    waiters.removeSubrange(kept...)
  }
}
