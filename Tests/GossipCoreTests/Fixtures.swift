import CoreKit
import Crypto
import GossipCore
import Merkle
import Primitives
import Records
import Wire

/// The names that all tests share.
enum Place {
  static let cluster = ClusterID(digest: Digest(words: 1, 2, 3, 4))
  static let swarm = SwarmID(named: "tests", in: cluster)
  static let wall: UInt64 = 1_700_000_000_000

  /// A moment so many milliseconds after the start.
  static func moment(_ milliseconds: UInt64, wall offset: UInt64 = 0) -> Moment {
    Moment(
      instant: .origin + .milliseconds(milliseconds), wallMilliseconds: wall + milliseconds + offset
    )
  }
}

/// A node that signs a lane, honestly or not.
struct Author {
  let key: SigningKey
  let epoch: Identifier<LaneEpoch>
  private(set) var bundles: [SignedBundle] = []
  private var time = HybridTime(milliseconds: Place.wall - 60_000, counter: 0)

  init(_ number: UInt64) {
    key = SigningKey(seed: Digest(words: number, 7, 7, 7))
    epoch = Identifier(high: number, low: number)
  }

  var node: NodeID { NodeID(key: key.publicKey) }
  var lane: LaneID { LaneID(node: node, epoch: epoch, swarm: Place.swarm) }

  /// Signs the next bundle of the lane.
  @discardableResult
  mutating func write(
    _ texts: String..., context: [LanePosition] = [], at given: HybridTime? = nil,
    skippingSequence: UInt64 = 0, swarm: SwarmID = Place.swarm
  ) -> Verified<SignedBundle> {
    let operations = (texts.isEmpty ? ["operation \(bundles.count)"] : texts).map {
      Array($0.utf8)
    }
    time = given ?? HybridTime(raw: time.raw + 65_536)
    let last = bundles.last
    let header = BundleHeader(
      node: node, epoch: epoch, swarm: swarm, number: UInt64(bundles.count + 1),
      firstSequence: (last?.header.lastSequence ?? 0) + 1 + skippingSequence,
      operationCount: operations.count, firstTime: time,
      context: context.sorted { $0.lane < $1.lane },
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: last?.digest ?? .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
    let bundle = SignedBundle(
      signedHeader: SignedHeader(signing: header, with: key), operations: operations)
    bundles.append(bundle)
    return Verified(own: bundle, signedWith: key)
  }

  /// The place of the last bundle.
  var end: LanePosition { LanePosition(lane: lane, number: UInt64(bundles.count)) }
}

/// A gossip core with its own key, two peers and what it asked for.
struct Rig {
  var author = Author(1)
  var gossip: Gossip
  var effects = GossipEffects()
  var left = Author(2)
  var right = Author(3)
  let leftPeer = PeerIndex(0)
  let rightPeer = PeerIndex(1)

  init(limits: GossipLimits = GossipLimits(), proofs: [EquivocationProof] = []) {
    gossip = Gossip(
      node: author.node, epoch: author.epoch, cluster: Place.cluster, swarm: Place.swarm,
      lanes: [], proofs: proofs, limits: limits, seed: 1)
    gossip.setMembers([author.node, left.node, right.node])
  }

  /// A rig whose peers are connected and have greeted it.
  static func connected(limits: GossipLimits = GossipLimits()) -> Rig {
    var rig = Rig(limits: limits)
    rig.connect(rig.leftPeer, rig.left.node)
    rig.connect(rig.rightPeer, rig.right.node)
    rig.effects.removeAll()
    return rig
  }

  mutating func connect(
    _ peer: PeerIndex, _ node: NodeID, _ progress: [LaneProgress] = [], at milliseconds: UInt64 = 0
  ) {
    gossip.connect(peer, node, at: Place.moment(milliseconds), into: &effects)
    let hello = GossipMessage.Hello(
      version: GossipMessage.version, cluster: Place.cluster, swarm: Place.swarm,
      progress: progress)
    gossip.receive(.hello(hello), from: peer, at: Place.moment(milliseconds), into: &effects)
  }

  /// Gives bundles to the core and returns what it delivered.
  mutating func receive(
    _ bundles: Verified<SignedBundle>..., from peer: PeerIndex = PeerIndex(0),
    _ arrival: BundleArrival = .pushed, at now: Moment = Place.moment(1)
  ) -> [UInt64] {
    let before = effects.delivered.count
    gossip.receive(bundles, from: peer, arrival, at: now, into: &effects)
    return effects.delivered[before...].map(\.value.header.number)
  }

  mutating func tell(
    _ lane: LaneID, _ applied: UInt64, synced: UInt64 = 0, mark: UInt64 = 0,
    from peer: PeerIndex = PeerIndex(0), at now: Moment = Place.moment(1)
  ) {
    let news = LaneProgress(lane: lane, applied: applied, synced: synced, mark: mark)
    gossip.receive(.progress([news]), from: peer, at: now, into: &effects)
  }

  /// Does what is due at a time and returns the pulls that were started.
  mutating func wait(until milliseconds: UInt64) -> [GossipEffects.Pull] {
    let before = effects.pulls.count
    gossip.handleDeadline(at: Place.moment(milliseconds), into: &effects)
    return Array(effects.pulls[before...])
  }

  mutating func end(_ pull: GossipEffects.Pull, _ outcome: PullOutcome, at milliseconds: UInt64) {
    gossip.end(pull.identifier, outcome, at: Place.moment(milliseconds), into: &effects)
  }

  func number(_ author: Author) -> UInt64 { gossip.frontier[author.lane] }
}
