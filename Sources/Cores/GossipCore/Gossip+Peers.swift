package import CoreKit
package import Primitives
package import Records

extension Gossip {
  /// Takes note of a connection and greets the peer; its index is the next free one, or that of a
  /// node met before.
  package mutating func connect(
    _ peer: PeerIndex, _ node: NodeID, at now: Moment, into effects: inout GossipEffects
  ) {
    precondition(Int(peer.value) <= peers.count, "peer \(peer.value) of \(peers.count)")
    if Int(peer.value) == peers.count {
      peers.append(PeerState(index: peer, node: node))
      peerIndexes[node] = Int(peer.value)
    }
    let index = Int(peer.value)
    precondition(peers[index].node == node, "peer \(peer.value) is another node")
    peers[index].isConnected = true
    peers[index].isGreeted = false
    peers[index].isEager = true
    peers[index].told.removeAll()
    let progress = wholeProgress()
    for entry in progress { peers[index].told[entry.lane] = entry }
    let hello = GossipMessage.Hello(
      version: GossipMessage.version, cluster: cluster, swarm: swarm, progress: progress)
    effects.sends.append(.init(peer: peer, message: .hello(hello)))
    for lane in lanes {
      if case .equivocation(let proof) = lane.fault {
        effects.sends.append(.init(peer: peer, message: .proof(proof)))
      }
    }
  }

  /// Takes note that a connection is gone; pulls at the peer end with it.
  package mutating func disconnect(
    _ peer: PeerIndex, at now: Moment, into effects: inout GossipEffects
  ) {
    guard Int(peer.value) < peers.count else { return }
    peers[Int(peer.value)].isConnected = false
    peers[Int(peer.value)].isGreeted = false
    for index in lanes.indices {
      if let pull = lanes[index].pull, pull.peer == peer {
        end(pull.identifier, .failed, at: now, into: &effects)
      }
      noteLag(ofLane: index, at: now)
    }
  }

  /// Makes a peer pull-only because its push channel is full, or eager again.
  package mutating func setEager(_ isEager: Bool, _ peer: PeerIndex) {
    guard Int(peer.value) < peers.count else { return }
    if !isEager && peers[Int(peer.value)].isEager { counters.pushesBlocked += 1 }
    peers[Int(peer.value)].isEager = isEager
  }

  /// Takes a message of a connected peer.
  package mutating func receive(
    _ message: GossipMessage, from peer: PeerIndex, at now: Moment,
    into effects: inout GossipEffects
  ) {
    guard Int(peer.value) < peers.count, peers[Int(peer.value)].isConnected else { return }
    switch message {
    case .hello(let hello):
      guard hello.version == GossipMessage.version else {
        effects.disconnects.append((peer, "speaks another version of the protocol"))
        return
      }
      guard hello.cluster == cluster, hello.swarm == swarm else {
        effects.disconnects.append((peer, "belongs to another cluster"))
        return
      }
      peers[Int(peer.value)].isGreeted = true
      peers[Int(peer.value)].progress.removeAll()
      peers[Int(peer.value)].bases.removeAll()
      learn(hello.progress, from: peer, at: now, into: &effects)
      // What a greeting shows is not on its way: pull it at once.
      for entry in hello.progress {
        if let index = laneIndexes[entry.lane], lanes[index].behindSince != nil {
          lanes[index].behindSince = .origin
          lanes[index].pullNotBefore = min(lanes[index].pullNotBefore, now.instant)
        }
      }
    case .progress(let progress):
      guard peers[Int(peer.value)].isGreeted else { return }
      learn(progress, from: peer, at: now, into: &effects)
    case .proof(let proof):
      take(proof, into: &effects)
      applyParked(at: now, into: &effects)
    }
  }

  private mutating func learn(
    _ progress: [LaneProgress], from peer: PeerIndex, at now: Moment,
    into effects: inout GossipEffects
  ) {
    for entry in progress {
      guard let index = laneIndexes[entry.lane] ?? listStranger(entry.lane) else { continue }
      peers[Int(peer.value)].learn(entry)
      let number = lanes[index].number
      if entry.lane == ownLane && entry.applied > number {
        // Anybody can claim that: only a bundle with our own signature is reason to stop.
        seekEvidence(inLane: index, at: number + 1, from: peer, now, into: &effects)
      }
      if entry.applied <= number, let mark = lanes[index].mark(of: entry.applied),
        mark != entry.mark
      {
        seekEvidence(inLane: index, at: entry.applied, from: peer, now, into: &effects)
      }
      noteLag(ofLane: index, at: now)
    }
  }

  /// Lists a lane that is known by name only, within a small bound: names are not signed.
  private mutating func listStranger(_ lane: LaneID) -> Int? {
    let strangers = lanes.indices.count { lanes[$0].origin == nil }
    guard lanes.count < limits.lanesMax, strangers < 64 else { return nil }
    laneIndexes[lane] = lanes.count
    lanes.append(LaneState(lane: lane, origin: nil))
    return lanes.count - 1
  }

  /// Does what is due.
  package mutating func handleDeadline(at now: Moment, into effects: inout GossipEffects) {
    repair(at: now, into: &effects)
    if let due = digestDue, due <= now.instant {
      digestDue = nil
      announceDelta(at: now, into: &effects)
    }
    if fullDue <= now.instant {
      fullDue = now.instant + limits.fullPeriod
      announceAll(into: &effects)
    }
  }

  /// When `handleDeadline` is due.
  package var nextDeadline: Instant {
    var next = min(fullDue, digestDue ?? fullDue)
    for index in lanes.indices {
      if let due = pullDue(ofLane: index) { next = min(next, due) }
      if let due = evidenceDue(ofLane: index) { next = min(next, due) }
      if let pull = lanes[index].pull { next = min(next, pull.deadline) }
      if let retryAt = lanes[index].retryAt { next = min(next, retryAt) }
    }
    return next
  }
}
