package import CoreKit
internal import Crypto
internal import GossipCore
package import Primitives
package import Records

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

extension NodeCore {
  mutating func submit(
    _ write: WriteID, _ operations: [[UInt8]], _ level: WriteLevel, _ deadline: Instant,
    into effects: inout NodeEffects
  ) {
    precondition(!operations.isEmpty, "a write without operations")
    var byteCount = 0
    for operation in operations {
      precondition(
        operation.count <= BundleLimits.operationBytesMax, "operation of \(operation.count) bytes")
      byteCount += operation.count
    }
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
    waitersDue = true
  }

  /// Makes bundles of what is queued: one when the disk is idle, more only when they are full.
  mutating func writeOwn(at now: Moment) {
    guard stampAt == nil else { return }
    while !queue.isEmpty, ownInFlight.count < configuration.ownBundlesInFlightMax {
      let isFull =
        queuedOperations >= BundleLimits.operationsMax
        || queuedBytes >= BundleLimits.bodyBytesMax / 2
      guard ownInFlight.isEmpty || isFull else { return }
      guard writeBundle(at: now) else { return }
    }
  }

  /// How many of the first queued writes fit one bundle, whole; a write larger than a bundle is
  /// cut by `takeQueued`.
  private mutating func takeQueued() -> (operations: [[UInt8]], writes: [QueuedWrite]) {
    var operations: [[UInt8]] = []
    var byteCount = 0
    var taken = 0
    for write in queue {
      let writeBytes = write.operations.reduce(0) { $0 + $1.count + 3 }
      if operations.count + write.operations.count > BundleLimits.operationsMax
        || byteCount + writeBytes > BundleLimits.bodyBytesMax
      {
        break
      }
      operations.append(contentsOf: write.operations)
      byteCount += writeBytes
      taken += 1
    }
    let writes = Array(queue[..<taken])
    queue.removeFirst(taken)
    queuedOperations -= operations.count
    queuedBytes -= operations.reduce(0) { $0 + $1.count }
    return (operations, writes)
  }

  /// Makes one bundle; false when the clock refuses to stamp it yet.
  private mutating func writeBundle(at now: Moment) -> Bool {
    let clockBefore = clock
    let queueBefore = (queue, queuedOperations, queuedBytes)
    let (operations, writes) = takeQueued()
    precondition(!operations.isEmpty, "a queued write does not fit a bundle")
    guard case .stamped(let time) = clock.stamp(operations.count, at: now.wallMilliseconds) else {
      clock = clockBefore
      (queue, queuedOperations, queuedBytes) = queueBefore
      stampAt = now.instant + .milliseconds(50)
      return false
    }
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
    let body = operations.reduce(0) { $0 + $1.count + SignedBundle.lengthByteCount(of: $1.count) }
    let header = BundleHeader(
      node: node, epoch: configuration.epoch, swarm: configuration.swarm,
      number: (head?.number ?? 0) + 1, firstSequence: (head?.lastSequence ?? 0) + 1,
      operationCount: operations.count, firstTime: time, context: context,
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: head?.digest ?? .zero, bodyByteCount: body)
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
    let peers = gossip.eagerPeers
    if let own = synced.last(where: { $0.lane == gossip.ownLane }) {
      while let bundle = ownInFlight.first, bundle.value.header.number <= own.number {
        ownInFlight.removeFirst()
        if !peers.isEmpty {
          effects.pushes.append(.init(peers: peers, bytes: bundle.value.encoded))
        }
      }
    }
    gossip.markSynced(synced, at: now, into: &gossipEffects)
    waitersDue = true
  }
}
