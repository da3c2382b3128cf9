internal import CausalClocks
internal import CoreKit
internal import Crypto
internal import GossipCore
internal import Primitives
internal import Records
internal import Wire

/// A write that is queued for the next own bundle.
struct QueuedWrite: Sendable {
  let identifier: WriteID
  let operations: [[UInt8]]
  let level: WriteLevel
  let deadline: Instant
}

/// A write that waits for its level.
struct Waiter: Sendable {
  let identifier: WriteID
  /// Every operation, in the order given.
  let operations: [OperationID]
  /// The last place that must be covered.
  let position: LanePosition
  let level: WriteLevel
  let deadline: Instant
}

extension NodeMachine {
  mutating func submit(
    _ write: WriteID, _ operations: [[UInt8]], _ level: WriteLevel, _ deadline: Instant,
    into effects: inout NodeEffects
  ) {
    precondition(
      (1...BundleLimits.operationsMax).contains(operations.count),
      "a write of \(operations.count) operations")
    precondition(
      operations.allSatisfy { $0.count <= BundleLimits.operationBytesMax },
      "an operation of more than \(BundleLimits.operationBytesMax) bytes")
    let bodyBytes = SignedBundle.bodyByteCount(of: operations)
    precondition(
      bodyBytes <= BundleLimits.bodyBytesMax, "a write of \(bodyBytes) bytes fits no bundle")
    let byteCount = operations.reduce(0) { $0 + $1.count }
    guard queuedOperations + operations.count <= configuration.pendingOperationsMax,
      queuedBytes + byteCount <= configuration.pendingBytesMax,
      waiters.count + queue.count < configuration.waitersMax
    else {
      effects.notices.append(.write(write, .overloaded))
      return
    }
    queue.append(
      QueuedWrite(identifier: write, operations: operations, level: level, deadline: deadline))
    queuedOperations += operations.count
    queuedBytes += byteCount
    nextExpiry = min(nextExpiry ?? deadline, deadline)
  }

  mutating func wait(
    _ write: WriteID, _ position: LanePosition, _ level: WriteLevel, _ deadline: Instant,
    into effects: inout NodeEffects
  ) {
    guard waiters.count + queue.count < configuration.waitersMax else {
      effects.notices.append(.write(write, .overloaded))
      return
    }
    waiters.append(
      Waiter(
        identifier: write, operations: [], position: position, level: level, deadline: deadline))
    nextExpiry = min(nextExpiry ?? deadline, deadline)
    waitersDue = true
  }

  /// Makes bundles of what is queued: one when the disk is idle, more only when they are full.
  mutating func writeOwn(at now: Moment) {
    // Nobody takes what follows a fork: what is queued expires.
    guard stampAt == nil, gossip.fault(of: gossip.ownLane) == nil else { return }
    while !queue.isEmpty, ownInFlight.count < configuration.ownBundlesInFlightMax {
      let isFull =
        queuedOperations >= BundleLimits.operationsMax
        || queuedBytes >= BundleLimits.bodyBytesMax / 2
      guard ownInFlight.isEmpty || isFull else { return }
      guard writeBundle(at: now) else { return }
    }
  }

  /// How many of the first queued writes fit one bundle, each whole, and their operations.
  private func fitting() -> (writes: Int, operations: Int) {
    var operations = 0
    var byteCount = 0
    for (index, write) in queue.enumerated() {
      operations += write.operations.count
      byteCount += SignedBundle.bodyByteCount(of: write.operations)
      if operations > BundleLimits.operationsMax || byteCount > BundleLimits.bodyBytesMax {
        return (index, operations - write.operations.count)
      }
    }
    return (queue.count, operations)
  }

  /// Makes one bundle; false when the clock refuses to stamp it yet.
  private mutating func writeBundle(at now: Moment) -> Bool {
    let (taken, count) = fitting()
    precondition(count > 0, "a queued write does not fit a bundle")
    let time: HybridTime
    switch clock.stamp(count: count, wallMilliseconds: now.wallMilliseconds) {
    case .from(let first):
      time = first
    case .notBefore(let wallMilliseconds):
      let pause = wallMilliseconds - min(wallMilliseconds, now.wallMilliseconds)
      stampAt = now.instant + .milliseconds(min(max(pause, 1), 1_000))
      return false
    }
    let writes = Array(queue[..<taken])
    queue.removeFirst(taken)
    let operations = writes.flatMap(\.operations)
    queuedOperations -= operations.count
    queuedBytes -= operations.reduce(0) { $0 + $1.count }
    let bundle = sign(operations, time)
    let position = LanePosition(lane: gossip.ownLane, number: bundle.value.header.number)
    var index = 0
    for write in writes {
      let identifiers = write.operations.indices.map {
        OperationID(bundle: position, index: index + $0)
      }
      index += write.operations.count
      waiters.append(
        Waiter(
          identifier: write.identifier, operations: identifiers, position: position,
          level: write.level, deadline: write.deadline))
    }
    operationsWritten += UInt64(operations.count)
    gossip.appendOwn(bundle, at: now, into: &gossipEffects)
    ownInFlight.append(bundle)
    return true
  }

  private mutating func sign(_ operations: [[UInt8]], _ time: HybridTime) -> Verified<SignedBundle>
  {
    let node = NodeID(key: configuration.key.publicKey)
    let head = gossip.head(of: gossip.ownLane)
    let context = gossip.contextDelta(since: ownContext)
    for position in context { ownContext.advance(position.lane, to: position.number) }
    let header = BundleHeader(
      node: node, epoch: configuration.epoch, swarm: configuration.swarm,
      number: (head?.number ?? 0) + 1, firstSequence: (head?.lastSequence ?? 0) + 1,
      operationCount: operations.count, firstTime: time, context: context,
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: head?.digest ?? .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
    let signature = configuration.key.sign(
      Blake2b.hash(header.encoded, .bundleHeader), as: .bundle)
    let bundle = SignedBundle(
      signedHeader: SignedHeader(header: header, signature: signature), operations: operations)
    return Verified(own: bundle, signedWith: configuration.key)
  }

  mutating func markDurable(
    through sequence: UInt64, at now: Moment, into effects: inout NodeEffects
  ) {
    var synced: [LanePosition] = []
    while let first = batchesInFlight.first, first.sequence <= sequence {
      synced.append(contentsOf: first.positions)
      batchesInFlight.removeFirst()
    }
    guard !synced.isEmpty else { return }
    let peers = gossip.ownPushPeers
    if let own = synced.last(where: { $0.lane == gossip.ownLane }) {
      while let bundle = ownInFlight.first, bundle.value.header.number <= own.number {
        ownInFlight.removeFirst()
        let bytes = bundle.value.encoded
        bytesMade += UInt64(bytes.count)
        if !peers.isEmpty { effects.pushes.append(.init(peers: peers, bytes: bytes)) }
      }
    }
    gossip.markSynced(synced, at: now, into: &gossipEffects)
    finality?.noteLanesMoved()
    waitersDue = true
  }
}
