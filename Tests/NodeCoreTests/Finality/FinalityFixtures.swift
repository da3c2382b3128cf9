import BFTCore
import CoreKit
import Crypto
import GossipCore
import NodeCore
import Primitives
import Records
import Wire

/// A node that signs a lane, honestly or not.
struct LaneAuthor {
  static let cluster = ClusterID(digest: Digest(words: 1, 2, 3, 4))
  static let swarm = SwarmID(named: "tests", in: cluster)
  static let wall: UInt64 = 1_700_000_000_000

  private let place: UInt64
  let key: SigningKey
  let epoch: Identifier<LaneEpoch>
  private(set) var bundles: [SignedBundle] = []

  init(_ number: UInt64) {
    place = number
    key = SigningKey(seed: Digest(words: number, 7, 7, 7))
    epoch = Identifier(high: number, low: number)
  }

  var node: NodeID { NodeID(key: key.publicKey) }
  var lane: LaneID { LaneID(node: node, epoch: epoch, swarm: LaneAuthor.swarm) }
  /// The place of the last bundle.
  var end: LanePosition { LanePosition(lane: lane, number: UInt64(bundles.count)) }

  /// Signs the next bundle of the lane, of so many operations.
  @discardableResult
  mutating func write(
    _ count: Int = 1, says text: String = "operation", context: [LanePosition] = []
  ) -> Verified<SignedBundle> {
    let operations = (0..<count).map { Array("\(text) \($0)".utf8) }
    let last = bundles.last
    // Later than bundles with the same number in the lanes of smaller authors, which may be causes.
    let time = HybridTime(
      milliseconds: LaneAuthor.wall - 60_000 + 10 * UInt64(bundles.count) + place, counter: 0)
    let header = BundleHeader(
      node: node, epoch: epoch, swarm: LaneAuthor.swarm, number: UInt64(bundles.count + 1),
      firstSequence: (last?.header.lastSequence ?? 0) + 1, operationCount: operations.count,
      firstTime: time, context: context.sorted { $0.lane < $1.lane },
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: last?.digest ?? .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
    let bundle = SignedBundle(
      signedHeader: SignedHeader(signing: header, with: key), operations: operations)
    bundles.append(bundle)
    return Verified(own: bundle, signedWith: key)
  }
}

/// A node's lanes with what finality remembers of them.
struct LanesRig {
  static let moment = Moment(
    instant: .origin + .milliseconds(1), wallMilliseconds: LaneAuthor.wall)

  /// This node; the others' keys are 2, 3 and 4.
  var own = LaneAuthor(1)
  var gossip: Gossip
  var effects = GossipEffects()
  var windows = SortedMap<LaneID, LaneWindow>()
  let validators: ValidatorSet

  init() throws {
    let nodes = (1...4).map { LaneAuthor(UInt64($0)).node }
    gossip = Gossip(
      node: own.node, epoch: own.epoch, cluster: LaneAuthor.cluster, swarm: LaneAuthor.swarm,
      lanes: [], proofs: [], limits: GossipLimits(), seed: 1)
    gossip.setMembers(nodes)
    guard let set = ValidatorSet(nodes) else { throw RigError() }
    validators = set
    for (place, node) in nodes.dropFirst().enumerated() {
      gossip.connect(PeerIndex(UInt16(place)), node, at: LanesRig.moment, into: &effects)
      let hello = GossipMessage.Hello(
        version: GossipMessage.version, cluster: LaneAuthor.cluster, swarm: LaneAuthor.swarm,
        progress: [])
      gossip.receive(
        .hello(hello), from: PeerIndex(UInt16(place)), at: LanesRig.moment, into: &effects)
    }
  }

  /// Takes bundles of others and remembers them; they are on this node's disk unless told not so.
  mutating func take(_ bundles: Verified<SignedBundle>..., isSynced: Bool = true) {
    for bundle in bundles {
      let before = effects.delivered.count
      gossip.receive(
        [bundle], from: PeerIndex(0), .pushed, at: LanesRig.moment, into: &effects)
      for delivered in effects.delivered[before...] {
        let header = delivered.value.header
        if windows[header.lane] == nil { windows[header.lane] = LaneWindow() }
        windows[header.lane]?.append(
          BundleOutline(delivered.value.signedHeader), at: header.number)
        guard isSynced else { continue }
        gossip.markSynced(
          [LanePosition(lane: header.lane, number: header.number)], at: LanesRig.moment,
          into: &effects)
      }
    }
  }

  /// A peer says how far a lane is on its disk.
  mutating func tell(_ author: LaneAuthor, synced: UInt64, from peer: UInt16) {
    let mark = author.bundles[Int(synced) - 1].digest.words.0
    let news = LaneProgress(lane: author.lane, applied: synced, synced: synced, mark: mark)
    gossip.receive(
      .progress([news]), from: PeerIndex(peer), at: LanesRig.moment, into: &effects)
  }

  /// What a leader would offer.
  func advances(cautiously: Bool = false) -> [CutAdvance] {
    CutBuilder.advances(
      over: CutBase(after: []), windows, gossip, validators: cautiously ? validators : nil)
  }

  /// What this node thinks of a cut.
  func judge(_ advances: [CutAdvance], after chain: [Block] = []) -> CutBuilder.Judgement {
    CutBuilder.judge(
      LanesRig.block(advances), over: CutBase(after: chain), windows, gossip)
  }

  /// A block with a cut and nothing else that means something.
  static func block(_ advances: [CutAdvance]) -> Block {
    let body = BlockBody(advances: advances.sorted { $0.lane < $1.lane })
    let header = BlockHeader(
      chain: ChainID(cluster: LaneAuthor.cluster, swarm: LaneAuthor.swarm), epoch: 1, height: 1,
      view: 1, parentView: 0, parentHash: .zero, proposer: 0, timestamp: LaneAuthor.wall,
      bodyRoot: body.root, bodyByteCount: UInt32(body.encoded.count),
      entryCount: UInt32(body.entryCount), executedHeight: 0, executedRoot: .zero,
      validatorSetHash: .zero)
    return Block(header: header, body: body)
  }
}

/// A test's own nodes make no set of validators.
struct RigError: Error {}
