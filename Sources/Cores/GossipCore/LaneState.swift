internal import Crypto
internal import CoreKit
internal import Merkle
internal import Primitives
package import Records

/// Why a lane does not move any more.
package enum LaneFault: Hashable, Sendable {
  /// Its node signed two bundles for one place.
  // Apart from the value: proofs are large, and nearly every lane is free of them.
  indirect case equivocation(EquivocationProof)
  /// Its next bundle breaks a rule that every node checks alike; nothing after it can count.
  case invalidBundle(number: UInt64)
}

/// What a node holds of one lane.
struct LaneState: Sendable {
  let lane: LaneID
  /// Whose lane it is; unknown while the lane is known by name only.
  var origin: Origin?
  /// The place after which this node holds the lane, and that bundle's time and digest: zeros when
  /// it holds the lane from its beginning. What lies at or below it is final and not held here.
  private(set) var base: (number: UInt64, time: HybridTime, digest: Digest) = (0, .zero, .zero)
  /// The number, sequence, time and digest of the last applied bundle; zeros before the first.
  var number: UInt64 = 0
  var lastSequence: UInt64 = 0
  var lastTime = HybridTime.zero
  var digest = Digest.zero
  /// The tree over all applied headers.
  var range = MountainRange()
  /// The last bundle that survives a crash.
  var synced: UInt64 = 0
  /// Per applied bundle after the base: the time of its last operation, for the causal rule on
  /// times.
  var times: [HybridTime] = []
  /// Per applied bundle after the base: the first word of its digest, to notice a different bundle
  /// in its place.
  var marks: [UInt64] = []
  /// The latest signed headers, oldest first: the other half of an equivocation proof.
  var recentHeaders: [SignedHeader] = []
  /// Bundles that are not due yet, by number.
  var parked = SortedMap<UInt64, ParkedBundle>()
  /// Why the lane is frozen, if it is.
  var fault: LaneFault?
  /// The header that froze the lane by breaking a rule: half of a proof, should others have been
  /// given another bundle for its place.
  var refused: SignedHeader?

  /// How far the lane goes on in spite of a fork.
  var agreed: AgreedEnd?
  /// An applied place at which others have made another bundle final: evidence is fetched for it.
  var doubted: UInt64?

  /// Since when the next bundle is here without being applied.
  var heldUpSince: Instant?
  /// A parked bundle becomes due by the wall clock at this instant.
  var retryAt: Instant?

  // Repair.
  /// Since when some peer is known to be ahead.
  var behindSince: Instant?
  /// The pull under way, whom it asks and when it is given up.
  var pull: (identifier: PullID, peer: PeerIndex, deadline: Instant)?
  /// No pull before this instant.
  var pullNotBefore = Instant.origin
  /// Counts bundles that were applied or parked: what a pull gained.
  var gained: UInt64 = 0
  /// Pulls in a row that brought nothing.
  var fruitlessPulls = 0

  /// The node and the life of its database that a lane belongs to.
  struct Origin: Hashable, Sendable {
    let node: NodeID
    let epoch: Identifier<LaneEpoch>
  }

  init(lane: LaneID, origin: Origin?) {
    self.lane = lane
    self.origin = origin
  }

  /// Restores a lane as it was stored: everything in it is durable.
  init(restoring lane: RestoredLane) {
    let head = lane.head
    self.init(lane: head.lane, origin: Origin(node: head.node, epoch: head.epoch))
    if let base = lane.base { self.base = (base.number, base.lastTime, base.digest) }
    number = head.number
    lastSequence = head.lastSequence
    lastTime = head.lastTime
    digest = head.digest
    range = head.range
    synced = head.number
    times = lane.times
    marks = lane.marks
  }

  /// The time of the last operation of an applied bundle; `nil` when it lies below the base.
  func time(of number: UInt64) -> HybridTime? {
    if number > base.number { return times[Int(number - base.number - 1)] }
    return number == base.number ? base.time : nil
  }

  /// The first word of the digest of an applied bundle; `nil` when it lies below the base.
  func mark(of number: UInt64) -> UInt64? {
    if number > base.number { return marks[Int(number - base.number - 1)] }
    return number == base.number ? base.digest.words.0 : nil
  }

  /// Lets go of everything up to an applied bundle.
  mutating func moveBase(to head: LaneHead) {
    precondition(
      head.lane == lane && head.number <= synced && head.number > base.number
        && mark(of: head.number) == head.digest.words.0,
      "lane \(name) based at \(base.number), synced to \(synced), is to begin at \(head.number)")
    let count = Int(head.number - base.number)
    times.removeFirst(count)
    marks.removeFirst(count)
    recentHeaders.removeAll { $0.header.number <= head.number }
    base = (head.number, head.lastTime, head.digest)
  }

  /// Whether the lane is proven to fork.
  var isForked: Bool {
    if case .equivocation = fault { return true }
    return false
  }

  /// Whether bundles can be applied: the lane is free of faults, or known to lead where others
  /// agree that it counts.
  var canMove: Bool { fault == nil || (agreed?.isChained ?? false) }

  /// Whether the lane stands still for good, as far as is known.
  var isStopped: Bool { isForked && agreed == nil }

  /// Whether evidence is looked for that the lane forks.
  var isDoubted: Bool { doubted != nil && fault == nil }

  /// Whether the next bundle is here and cannot be applied, now or ever.
  var isHeldUp: Bool { refused != nil || parked.entries.first?.key == number + 1 }

  /// The lane's name as messages for people show it.
  var name: String { lane.digest.short }

  /// The end of the lane; `nil` before its first bundle.
  var head: LaneHead? {
    guard number > 0, let origin else { return nil }
    return LaneHead(
      lane: lane, node: origin.node, epoch: origin.epoch, number: number,
      lastSequence: lastSequence, lastTime: lastTime, digest: digest, range: range)
  }

  /// Takes the bundle that follows the head and reports the tiles it closes.
  mutating func advance(
    with bundle: SignedBundle, keepingHeaders recentMax: Int, tiles: inout [LaneTile]
  ) {
    let header = bundle.header
    precondition(
      header.number == number + 1 && header.previous == digest,
      "lane \(lane.digest.short) at \(number) advanced by \(header.number)")
    gained += 1
    number = header.number
    lastSequence = header.lastSequence
    lastTime = header.lastTime
    digest = bundle.digest
    times.append(header.lastTime)
    marks.append(bundle.digest.words.0)
    range.append(bundle.digest) { subtree, hash in
      if subtree.level.isMultiple(of: LaneTile.levelStep) {
        tiles.append(LaneTile(lane: lane, subtree: subtree, hash: hash))
      }
    }
    if recentHeaders.count == recentMax { recentHeaders.removeFirst() }
    recentHeaders.append(bundle.signedHeader)
  }

  /// Whether the bundle applied at `number` has this digest, as far as can be told: below the base
  /// nothing is held to compare with, and whoever holds it finds the fork.
  ///
  /// By the whole digest wherever it is in memory: two headers of one author that agree in their
  /// marks alone take only some 2^32 attempts to make.
  func holds(_ other: Digest, at number: UInt64) -> Bool {
    if number == self.number { return digest == other }
    if number == base.number { return base.digest == other }
    if let recent = recentHeader(number) { return recent.digest == other }
    guard let mark = mark(of: number) else { return true }
    return mark == other.words.0
  }

  /// The signed header of an applied bundle, when it is recent enough to be in memory.
  func recentHeader(_ number: UInt64) -> SignedHeader? {
    guard let first = recentHeaders.first?.header.number, number >= first else { return nil }
    let index = Int(number - first)
    return index < recentHeaders.count ? recentHeaders[index] : nil
  }
}

/// A bundle that waits for what comes before it.
struct ParkedBundle: Sendable {
  let bundle: Verified<SignedBundle>
  /// An estimate of the memory it takes.
  let byteCount: Int
  /// Whether it is kept for an agreed end, with room of its own.
  var isAgreed = false
}
