internal import CoreKit
internal import Primitives
internal import Records

extension Gossip {
  /// What may be told of a lane: of the own one only what is durable (G4).
  private func progress(ofLane index: Int) -> LaneProgress? {
    // Fields one by one: a copy of a lane's state costs more than all of them.
    let lane = lanes[index].lane
    let synced = lanes[index].synced
    let applied = lane == ownLane ? synced : lanes[index].number
    // An own lane that is not durable beyond its base cannot be: what is below was.
    guard applied > 0, let mark = lanes[index].mark(of: applied) else { return nil }
    return LaneProgress(
      lane: lane, applied: applied, synced: min(synced, applied),
      mark: mark)
  }

  /// The whole frontier, in ascending order of lane.
  func wholeProgress() -> [LaneProgress] {
    laneIndexes.entries.compactMap { progress(ofLane: $0.value) }
  }

  /// Plans a digest unless one is planned.
  mutating func scheduleDigest(at now: Moment) {
    if digestDue == nil { digestDue = now.instant + limits.digestPeriod }
  }

  /// Tells the nodes whose lanes became durable here, at once: their quorums wait for it.
  mutating func acknowledge(_ moved: [LaneID], into effects: inout GossipEffects) {
    let moved = moved.sorted()
    for peerIndex in peers.indices where peers[peerIndex].isConnected {
      var news: [LaneProgress] = []
      for lane in moved {
        guard let index = laneIndexes[lane], lanes[index].origin?.node == peers[peerIndex].node,
          let entry = progress(ofLane: index), peers[peerIndex].told[lane] != entry
        else { continue }
        if news.last?.lane == lane { continue }
        news.append(entry)
      }
      tell(news, peerIndex, into: &effects)
    }
  }

  /// Tells a few peers, by chance, what moved since they were last told.
  mutating func announceDelta(at now: Moment, into effects: inout GossipEffects) {
    var order = peers.indices.filter { peers[$0].isConnected }
    random.shuffle(&order)
    let whole = wholeProgress()
    var isAnyoneBehind = false
    for (rank, peerIndex) in order.enumerated() {
      let news = whole.filter { peers[peerIndex].told[$0.lane] != $0 }
      if rank < limits.digestFanout {
        tell(news, peerIndex, into: &effects)
      } else if !news.isEmpty {
        isAnyoneBehind = true
      }
    }
    if isAnyoneBehind { scheduleDigest(at: now) }
  }

  /// Tells one peer everything, the one named or one by chance: whatever was lost is made good.
  mutating func announceAll(into effects: inout GossipEffects) {
    let connected = peers.indices.filter { peers[$0].isConnected }
    guard !connected.isEmpty else { return }
    let named = comparePeer.flatMap { peerIndexes[$0] }.flatMap { peers[$0].isConnected ? $0 : nil }
    let peerIndex = named ?? connected[random.next(below: connected.count)]
    tell(wholeProgress(), peerIndex, into: &effects)
  }

  private mutating func tell(
    _ news: [LaneProgress], _ peerIndex: Int, into effects: inout GossipEffects
  ) {
    guard !news.isEmpty else { return }
    for entry in news { peers[peerIndex].told[entry.lane] = entry }
    effects.sends.append(.init(peer: peers[peerIndex].index, message: .progress(news)))
  }
}
