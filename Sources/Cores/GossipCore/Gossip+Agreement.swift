package import CoreKit
internal import Crypto
package import Primitives
package import Records

/// How far a lane that forked goes on: to the bundle that validators have made final.
struct AgreedEnd: Hashable, Sendable {
  let number: UInt64
  let digest: Digest
  /// Whether what is parked leads from the head to that bundle.
  var isChained = false
}

/// A lane that forked stands still on every node, wherever each happened to be when it learned of
/// the fork. What has become final of it every node needs, and the digest of the last final bundle
/// says which of the versions that is.
extension Gossip {
  /// Bundles of one lane that are kept until they lead to an agreed end.
  static let agreedBundlesMax = 1_024

  /// Takes note that a bundle is final, and with it everything before it in its lane: a forked lane
  /// goes on up to there, and no further.
  package mutating func agree(on end: LanePosition, digest: Digest, at now: Moment) {
    guard let index = laneIndexes[end.lane], lanes[index].isForked,
      lanes[index].number < end.number,
      lanes[index].agreed?.number != end.number || lanes[index].agreed?.digest != digest
    else { return }
    dropParked(ofLane: index)
    lanes[index].agreed = AgreedEnd(number: end.number, digest: digest)
    lanes[index].pullNotBefore = now.instant
    noteLag(ofLane: index, at: now)
  }

  /// Takes note that another bundle than the one applied at a place is final: its lane forks, and
  /// the other half of the proof is fetched from whoever holds it.
  package mutating func doubt(_ position: LanePosition, at now: Moment) {
    guard let index = laneIndexes[position.lane], lanes[index].fault == nil,
      position.number <= lanes[index].number, lanes[index].doubted == nil
    else { return }
    lanes[index].doubted = position.number
    lanes[index].pullNotBefore = now.instant
  }

  /// Whether a lane is proven to fork.
  package func isForked(_ lane: LaneID) -> Bool {
    laneIndexes[lane].map { lanes[$0].isForked } ?? false
  }

  /// When somebody is to be asked for evidence against a lane; `nil` when none is looked for, or
  /// nobody is there to ask.
  func evidenceDue(ofLane index: Int) -> Instant? {
    guard lanes[index].isDoubted, lanes[index].pull == nil, !witnesses(ofLane: index).isEmpty
    else { return nil }
    return lanes[index].pullNotBefore
  }

  /// Asks a peer for what it holds at a doubted place.
  mutating func fetchEvidence(ofLane index: Int, at now: Moment, into effects: inout GossipEffects)
  {
    guard let due = evidenceDue(ofLane: index), due <= now.instant,
      let number = lanes[index].doubted
    else { return }
    let candidates = witnesses(ofLane: index)
    let peer = candidates[random.next(below: candidates.count)]
    startPull(ofLane: index, number...number, from: peer, now, into: &effects)
  }

  /// Connected peers with room for a pull that hold a doubted place.
  private func witnesses(ofLane index: Int) -> [PeerIndex] {
    guard let number = lanes[index].doubted else { return [] }
    let lane = lanes[index].lane
    return peers.filter { peer in
      peer.isConnected && peer.pullCount < limits.pullsPerPeerMax
        && (peer.progress[lane]?.applied ?? 0) >= number && (peer.bases[lane] ?? 0) < number
    }.map(\.index)
  }

  /// Takes a bundle of a forked lane that may lead to its agreed end; `nil` when it is no such
  /// bundle, otherwise whether the lane can move now.
  ///
  /// Only what was asked for: the lane's node could otherwise push versions without end over what
  /// is here already.
  mutating func admitAgreed(
    _ bundle: Verified<SignedBundle>, _ arrival: BundleArrival, inLane index: Int
  ) -> Bool? {
    let number = bundle.value.header.number
    guard arrival == .pulled, let agreed = lanes[index].agreed, !agreed.isChained,
      number > lanes[index].number, number <= agreed.number,
      number - lanes[index].number <= UInt64(Gossip.agreedBundlesMax)
    else { return nil }
    let byteCount = bundle.value.header.bodyByteCount + 512
    unpark(number, inLane: index)
    guard agreedBytes + byteCount <= limits.agreedBytesMax else {
      counters.parkedDropped += 1
      return false
    }
    agreedBytes += byteCount
    lanes[index].gained += 1
    lanes[index].parked[number] = ParkedBundle(
      bundle: bundle, byteCount: byteCount, isAgreed: true)
    guard UInt64(lanes[index].parked.count) == agreed.number - lanes[index].number else {
      return false
    }
    if leadsToAgreedEnd(index) {
      lanes[index].agreed?.isChained = true
      return true
    }
    // Some of it is of another version: all of it is asked for again, from whomever chance picks.
    dropParked(ofLane: index)
    return false
  }

  /// Whether the parked bundles follow each other from the head to the agreed end.
  private func leadsToAgreedEnd(_ index: Int) -> Bool {
    var digest = lanes[index].digest
    for entry in lanes[index].parked.entries {
      guard entry.value.bundle.value.header.previous == digest else { return false }
      digest = entry.value.bundle.value.digest
    }
    return digest == lanes[index].agreed?.digest
  }

  /// Ends the way to an agreed end once it is reached, or cannot be.
  mutating func settleAgreed(_ index: Int) {
    guard let agreed = lanes[index].agreed, lanes[index].number >= agreed.number else { return }
    lanes[index].agreed = nil
    lanes[index].behindSince = nil
  }

  mutating func release(_ parked: ParkedBundle) {
    if parked.isAgreed {
      agreedBytes -= parked.byteCount
    } else {
      parkedBytes -= parked.byteCount
    }
  }

  mutating func dropParked(ofLane index: Int) {
    for entry in lanes[index].parked.entries { release(entry.value) }
    lanes[index].parked.removeAll()
  }
}
