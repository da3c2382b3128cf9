package import CoreKit
package import Crypto
internal import Merkle
package import Primitives
package import Records

/// Spreads signed lanes to every member and repairs what is missing.
///
/// Purpose: every node ends with every bundle of every lane, whatever is lost on the way, and no
/// node ever takes two different bundles for one place of a lane.
///
/// Design: an own bundle is pushed once to every connected peer (direct dissemination: with full
/// membership it costs no redundant copy), or to the first hops of a tree that the owner plans;
/// whoever has a duty in an origin's tree hands its bundles on. What pushes miss is repaired from
/// *progress* messages, the vector clock of a node in pieces: after every sync to the origins of
/// what was synced (an acknowledgement), every 50 ms to three random peers (the lazy half of
/// Plumtree, Leitão, Pereira and Rodrigues 2007), once a second in full to one: to the partner that
/// the owner names, or to one by chance. A node that sees a peer ahead for longer than a push takes
/// pulls the range. There is no Merkle walk: lanes are contiguous, so numbers say all.
///
/// Delivery is causal: a bundle is applied when the previous one of its lane and everything in its
/// context is; until then it is parked, within bounds, and pulled again when dropped.
///
/// ```
///            forged, foreign            wrong number     context missing, ahead of the clock
/// received ─────────────────► refused ┌──────────────► parked ──────────┐
///     │                               │                  ▲              │ what it waited for came
///     └──► verified ──► next of lane? ┴─► rules kept? ───┘              ▼
///                            │                 │ no                 applied ──► synced
///                            │ same place,     ▼
///                            │ other digest   lane frozen (invalid bundle)
///                            └──────────────► lane frozen (equivocation, with proof)
/// ```
///
/// Invariants:
/// - G1: the applied part of a lane is a chain: numbers without gaps from 1, or from where the
///   lane's base ends, each naming the digest before.
/// - G2: whatever is applied has its whole context applied, and a later time than all of it;
///   lanes that are proven to fork are left out of this.
/// - G3: a lane's applied part never shrinks or changes; a frozen lane never moves, but a forked
///   one up to an end that others agreed on.
/// - G4: of its own lane a node tells and sends only what is durable.
/// - G5: `synced <= number` for every lane.
/// - G6: parked bundles stay within `GossipLimits`.
/// - G7: a bundle of another node is handed on when it is first applied or parked, and only when
///   its origin or this node's parent in the origin's tree pushed it.
/// - G8: nobody is asked for what it said to have let go of.
package struct Gossip: Sendable {
  /// This node.
  package let node: NodeID
  let cluster: ClusterID
  /// The swarm whose lanes these are.
  package let swarm: SwarmID
  /// The bounds and periods.
  package let limits: GossipLimits
  /// The lane this node writes.
  package let ownLane: LaneID
  var lanes: [LaneState]
  var laneIndexes: SortedMap<LaneID, Int>
  var peers: [PeerState] = []
  /// The index of each peer met, by node.
  var peerIndexes = SortedMap<NodeID, Int>()
  /// Which way bundles go.
  var routes = RelayRoutes.direct
  /// Who hears the whole frontier next; by chance when nobody is named.
  var comparePeer: NodeID?
  var members: [NodeID] = []
  var random: Xoshiro256
  /// Bytes that are parked, and of those kept for agreed ends.
  var parkedBytes = 0
  var agreedBytes = 0
  var nextPull: UInt64 = 1
  /// Per pull under way: what the lane had gained when it began, to tell whether it was worth it.
  var pullStart = SortedMap<PullID, UInt64>()
  var digestDue: Instant?
  var fullDue: Instant
  /// What was counted.
  package internal(set) var counters = GossipCounters()

  /// Makes the gossip of a node from what storage holds: every lane, and the proofs, whose lanes
  /// stay frozen. The seed is for the choice of peers.
  package init(
    node: NodeID, epoch: Identifier<LaneEpoch>, cluster: ClusterID, swarm: SwarmID,
    lanes stored: [RestoredLane],
    proofs: [EquivocationProof], limits: GossipLimits, seed: UInt64
  ) {
    self.node = node
    self.cluster = cluster
    self.swarm = swarm
    self.limits = limits
    ownLane = LaneID(node: node, epoch: epoch, swarm: swarm)
    lanes = stored.map { LaneState(restoring: $0) }
    laneIndexes = SortedMap()
    for (index, lane) in lanes.enumerated() { laneIndexes[lane.lane] = index }
    if laneIndexes[ownLane] == nil {
      laneIndexes[ownLane] = lanes.count
      lanes.append(LaneState(lane: ownLane, origin: .init(node: node, epoch: epoch)))
    }
    random = Xoshiro256(seed: seed, purpose: "gossip")
    fullDue = .origin
    for proof in proofs {
      let index = laneIndexes[proof.lane] ?? lanes.count
      if index == lanes.count {
        // The proof may have come before any bundle of the lane.
        let header = proof.first.header
        laneIndexes[proof.lane] = index
        lanes.append(
          LaneState(lane: proof.lane, origin: .init(node: header.node, epoch: header.epoch)))
      }
      lanes[index].fault = .equivocation(proof)
    }
  }

  /// Sets whose lanes are accepted: every member, this node included.
  package mutating func setMembers(_ nodes: [NodeID]) {
    members = nodes.sorted()
  }

  // MARK: Reading

  /// How far every lane is applied.
  package var frontier: Frontier {
    var frontier = Frontier()
    for index in lanes.indices { frontier[lanes[index].lane] = lanes[index].number }
    return frontier
  }

  /// How far every lane survives a crash of this node.
  package var syncedFrontier: Frontier {
    var frontier = Frontier()
    for index in lanes.indices { frontier[lanes[index].lane] = lanes[index].synced }
    return frontier
  }

  /// The ends of all lanes that hold something, in ascending order of lane.
  package var heads: [LaneHead] {
    laneIndexes.entries.compactMap { lanes[$0.value].head }
  }

  /// Why `lane` is frozen; `nil` when it is not.
  package func fault(of lane: LaneID) -> LaneFault? {
    laneIndexes[lane].flatMap { lanes[$0].fault }
  }

  /// The head of one lane; `nil` when nothing of it is held.
  package func head(of lane: LaneID) -> LaneHead? {
    laneIndexes[lane].flatMap { lanes[$0].head }
  }

  /// How far `lane` survives a crash of this node.
  package func synced(_ lane: LaneID) -> UInt64 {
    laneIndexes[lane].map { lanes[$0].synced } ?? 0
  }

  /// How far `lane` survives a crash of the peer `node`, as it last said; 0 when what it said is of
  /// other bundles than those held here.
  ///
  /// Of the own lane a peer cannot hold more than this node does, unless this node's database went
  /// back in time: numbers alone would then vouch for bundles that the peer never saw.
  package func synced(_ lane: LaneID, at node: NodeID) -> UInt64 {
    guard let peer = peerIndexes[node], let said = peers[peer].progress[lane],
      let index = laneIndexes[lane], said.applied > 0
    else { return 0 }
    guard said.applied <= lanes[index].number else { return lane == ownLane ? 0 : said.synced }
    return lanes[index].mark(of: said.applied) == said.mark ? said.synced : 0
  }

  /// The peers that are connected now, in order of index.
  package var connectedPeers: [PeerIndex] {
    peers.filter(\.isConnected).map(\.index)
  }

  /// Connected peers to which own bundles are pushed.
  package var eagerPeers: [PeerIndex] {
    peers.indices.filter { peers[$0].isConnected && peers[$0].isGreeted && peers[$0].isEager }
      .map { peers[$0].index }
  }

  /// The number after which a lane is held: what lies at or below it is final and was let go of, or
  /// never came here. 0 when the lane is held from its beginning.
  package func base(of lane: LaneID) -> UInt64 {
    laneIndexes[lane].map { lanes[$0].base.number } ?? 0
  }

  /// Lanes of which every connected peer that is ahead has let go of what comes next here: only a
  /// snapshot leads on.
  package var lanesOutOfReach: [LaneID] {
    lanes.indices.filter { isOutOfReach($0) }.map { lanes[$0].lane }
  }

  /// Takes note that storage has let go of a lane's bundles up to `head`.
  package mutating func moveBase(to head: LaneHead) {
    guard let index = laneIndexes[head.lane] else {
      preconditionFailure("an unknown lane \(head.lane.digest.short) is to begin later")
    }
    lanes[index].moveBase(to: head)
  }

  /// Bundles parked in all lanes.
  package var parkedCount: Int {
    lanes.reduce(0) { $0 + $1.parked.count }
  }

  /// The context of the next own bundle: the lanes that moved since `told`, which is what the
  /// contexts of earlier own bundles add up to, and how far they are applied.
  package func contextDelta(since told: Frontier) -> [LanePosition] {
    var context: [LanePosition] = []
    for (lane, index) in laneIndexes.entries where lane != ownLane {
      if lanes[index].number > told[lane] {
        context.append(LanePosition(lane: lane, number: lanes[index].number))
      }
    }
    return Array(context.prefix(BundleLimits.contextMax))
  }

  // MARK: Own lane and durability

  /// Applies a bundle that this node has just made; it becomes known to others once durable.
  package mutating func appendOwn(
    _ bundle: Verified<SignedBundle>, at now: Moment, into effects: inout GossipEffects
  ) {
    guard let index = laneIndexes[ownLane] else {
      preconditionFailure("the own lane is not listed")
    }
    lanes[index].advance(
      with: bundle.value, keepingHeaders: limits.recentHeadersMax, tiles: &effects.tiles)
    effects.delivered.append(bundle)
  }

  /// Takes note that lanes are durable up to these places, and acknowledges them.
  package mutating func markSynced(
    _ positions: [LanePosition], at now: Moment, into effects: inout GossipEffects
  ) {
    for position in positions {
      guard let index = laneIndexes[position.lane] else { continue }
      precondition(
        position.number <= lanes[index].number,
        "G5: lane \(position.lane.digest.short) synced at \(position.number) of "
          + "\(lanes[index].number)")
      lanes[index].synced = max(lanes[index].synced, position.number)
    }
    acknowledge(positions.map(\.lane), into: &effects)
    scheduleDigest(at: now)
  }

  /// The first numbered invariant that does not hold; for the simulator, after every step.
  package var brokenInvariant: String? {
    var (bytes, agreed) = (0, 0)
    // By index: a copy of every lane's state would cost more than the checks.
    for index in lanes.indices {
      if let broken = brokenInvariant(ofLane: index) { return broken }
      for entry in lanes[index].parked.entries {
        if entry.value.isAgreed {
          agreed += entry.value.byteCount
        } else {
          bytes += entry.value.byteCount
        }
      }
    }
    if agreed != agreedBytes || agreed > limits.agreedBytesMax {
      return "G6: \(agreed) bytes kept for agreed ends counted as \(agreedBytes)"
    }
    if bytes != parkedBytes { return "G6: \(bytes) parked bytes counted as \(parkedBytes)" }
    if parkedBytes > limits.parkedBytesMax { return "G6: \(parkedBytes) bytes parked" }
    var pulls = Array(repeating: 0, count: peers.count)
    for index in lanes.indices {
      if let peer = lanes[index].pull?.peer { pulls[Int(peer.value)] += 1 }
    }
    for index in peers.indices where pulls[index] != peers[index].pullCount {
      return "peer \(index) has \(pulls[index]) pulls counted as \(peers[index].pullCount)"
    }
    return nil
  }

  private func brokenInvariant(ofLane index: Int) -> String? {
    let number = lanes[index].number
    if lanes[index].synced > number {
      return "G5: \(lanes[index].name) synced \(lanes[index].synced) of \(number)"
    }
    let base = lanes[index].base.number
    let held = UInt64(lanes[index].times.count)
    if base + held != number || lanes[index].marks.count != lanes[index].times.count {
      return "G1: \(lanes[index].name) at \(number) has \(held) times after \(base)"
    }
    if lanes[index].range.count != number {
      return "G1: \(lanes[index].name) has \(lanes[index].range.count) leaves"
    }
    let parkedMax =
      lanes[index].agreed == nil ? limits.parkedPerLaneMax : Gossip.agreedBundlesMax
    if lanes[index].parked.count > parkedMax {
      return "G6: \(lanes[index].name) has \(lanes[index].parked.count) parked"
    }
    if lanes[index].fault != nil && lanes[index].agreed == nil && !lanes[index].parked.isEmpty {
      return "G3: \(lanes[index].name) is frozen with parked bundles"
    }
    return nil
  }
}
