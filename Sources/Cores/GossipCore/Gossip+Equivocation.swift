package import CoreKit
internal import Crypto
internal import Primitives
package import Records

extension Gossip {
  /// Compares a header with what is applied in its place.
  mutating func compare(
    _ other: SignedHeader, inLane index: Int, into effects: inout GossipEffects
  ) {
    let number = other.header.number
    precondition(number <= lanes[index].number, "nothing is applied at \(number)")
    let own = lanes[index].recentHeader(number)
    if lanes[index].holds(other.digest, at: number) {
      counters.duplicates += 1
    } else if let own {
      take(EquivocationProof(checking: own, against: other), into: &effects)
    } else {
      let position = LanePosition(lane: lanes[index].lane, number: number)
      effects.headersWanted.append(.init(position: position, conflicting: other))
    }
  }

  /// Takes a stored header that was wanted, with the one that contradicts it.
  package mutating func complete(
    _ stored: SignedHeader, against conflicting: SignedHeader, at now: Moment,
    into effects: inout GossipEffects
  ) {
    take(EquivocationProof(checking: stored, against: conflicting), into: &effects)
    applyParked(at: now, into: &effects)
  }

  /// Takes a proof of one's own or a peer's making: freezes the lane, stores and spreads it.
  mutating func take(_ proof: EquivocationProof?, into effects: inout GossipEffects) {
    // Anybody can make keys and let them contradict themselves: only members' lanes are listed.
    guard let proof, proof.first.header.swarm == swarm, isMember(proof.first.header.node)
    else { return }
    let index: Int
    if let known = laneIndexes[proof.lane] {
      index = known
    } else {
      guard lanes.count < limits.lanesMax else { return }
      index = lanes.count
      laneIndexes[proof.lane] = index
      let header = proof.first.header
      lanes.append(
        LaneState(
          lane: proof.lane, origin: .init(node: header.node, epoch: header.epoch)))
    }
    if lanes[index].isForked { return }
    counters.equivocations += 1
    freeze(index, .equivocation(proof))
    effects.proofs.append(proof)
    for peer in peers where peer.isConnected {
      effects.sends.append(.init(peer: peer.index, message: .proof(proof)))
    }
  }

  /// Asks a peer for its bundle in a place where its lane must differ from ours.
  mutating func seekEvidence(
    inLane index: Int, at number: UInt64, from peer: PeerIndex, _ now: Moment,
    into effects: inout GossipEffects
  ) {
    guard number > 0, lanes[index].fault == nil, lanes[index].pull == nil,
      lanes[index].pullNotBefore <= now.instant,
      Int(peer.value) < peers.count, peers[Int(peer.value)].isConnected,
      number > peers[Int(peer.value)].bases[lanes[index].lane] ?? 0
    else { return }
    lanes[index].pullNotBefore = now.instant + limits.pullBackoffMin
    startPull(ofLane: index, number...number, from: peer, now, into: &effects)
  }
}
