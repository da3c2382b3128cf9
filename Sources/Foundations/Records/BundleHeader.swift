internal import Crypto
package import Primitives
package import Wire

/// The limits of a bundle. A bundle beyond one of them is refused by every decoder.
package enum BundleLimits {
  /// The highest number, sequence and raw timestamp: 2^63 - 1, the largest integer of SQLite.
  package static let numberMax = UInt64(Int64.max)
  /// Operations in one bundle.
  package static let operationsMax = 1_024
  /// Bytes of one operation.
  package static let operationBytesMax = 65_536
  /// Bytes of all operations of a bundle, lengths included.
  package static let bodyBytesMax = 262_144
  /// Lanes named in a causal context.
  package static let contextMax = 512
  /// Bytes of a header.
  package static let headerBytesMax = 32_768
  /// Bytes of a whole bundle on the wire.
  package static let bytesMax = headerBytesMax + bodyBytesMax + 128
}

/// What a node signs when it extends its lane: one group commit of operations.
///
/// ```
/// version 1 | node 32 | epoch 16 | swarm 16 | number var | firstSequence var | count 2
/// firstTime 8 | context: count var, (lane 32, number var)... | operationsRoot 32
/// previous 32 | bodyBytes 4
/// ```
///
/// Invariants, kept by the initializer and demanded of every peer's bytes:
/// - H1: `number` counts from 1; exactly number 1 has no previous digest, and it starts the
///   sequence.
/// - H2: every earlier bundle had 1 to `operationsMax` operations, so the sequence lies between.
/// - H3: the context names other lanes only, in ascending order, each at a number above 0.
/// - H4: time and sequence of the last operation, and of one after it, fit `numberMax`.
/// - H5: the body has at least the length byte of each operation.
package struct BundleHeader: Hashable, Sendable {
  /// The form of the header.
  package static let version: UInt8 = 1

  /// The node whose lane this is and who signs.
  package let node: NodeID
  /// The life of the node's database.
  package let epoch: Identifier<LaneEpoch>
  /// The swarm.
  package let swarm: SwarmID
  /// The lane: derived from the three above.
  package let lane: LaneID
  /// The place in the lane: 1, 2, 3 and so on.
  package let number: UInt64
  /// The sequence of the first operation within the lane, counting from 1.
  package let firstSequence: UInt64
  /// How many operations there are, at least one.
  package let operationCount: Int
  /// The timestamp of the first operation; operation `i` has `firstTime + i`.
  package let firstTime: HybridTime
  /// The lanes that moved since the lane's previous bundle, and how far its node then held them.
  package let context: [LanePosition]
  /// The root over the operations.
  package let operationsRoot: Digest
  /// The digest of the previous header; zero for number 1.
  package let previous: Digest
  /// The length of the body.
  package let bodyByteCount: Int

  /// Makes a header; its preconditions are H1 to H5 and `BundleLimits`.
  package init(
    node: NodeID, epoch: Identifier<LaneEpoch>, swarm: SwarmID, number: UInt64,
    firstSequence: UInt64, operationCount: Int, firstTime: HybridTime, context: [LanePosition],
    operationsRoot: Digest, previous: Digest, bodyByteCount: Int
  ) {
    self.init(
      unchecked: node, epoch: epoch, swarm: swarm, number: number, firstSequence: firstSequence,
      operationCount: operationCount, firstTime: firstTime, context: context,
      operationsRoot: operationsRoot, previous: previous, bodyByteCount: bodyByteCount)
    if let rule = brokenRule {
      preconditionFailure(
        "bundle \(number), sequence \(firstSequence), \(operationCount) operations: \(rule)")
    }
  }

  private init(
    unchecked node: NodeID, epoch: Identifier<LaneEpoch>, swarm: SwarmID, number: UInt64,
    firstSequence: UInt64, operationCount: Int, firstTime: HybridTime, context: [LanePosition],
    operationsRoot: Digest, previous: Digest, bodyByteCount: Int
  ) {
    self.node = node
    self.epoch = epoch
    self.swarm = swarm
    self.lane = LaneID(node: node, epoch: epoch, swarm: swarm)
    self.number = number
    self.firstSequence = firstSequence
    self.operationCount = operationCount
    self.firstTime = firstTime
    self.context = context
    self.operationsRoot = operationsRoot
    self.previous = previous
    self.bodyByteCount = bodyByteCount
  }

  /// The timestamp of the last operation.
  package var lastTime: HybridTime {
    HybridTime(raw: firstTime.raw + UInt64(operationCount - 1))
  }

  /// The sequence of the last operation within the lane.
  package var lastSequence: UInt64 { firstSequence + UInt64(operationCount - 1) }
}

/// A place in a lane: everything up to and including one bundle.
package struct LanePosition: Hashable, Sendable {
  /// The lane.
  package let lane: LaneID
  /// The number of the bundle.
  package let number: UInt64

  /// Names bundle `number` of `lane`.
  package init(lane: LaneID, number: UInt64) {
    self.lane = lane
    self.number = number
  }
}

extension BundleHeader: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(BundleHeader.version)
    writer.write(node.key)
    writer.write(epoch)
    writer.write(swarm.identifier)
    writer.writeVariable(number)
    writer.writeVariable(firstSequence)
    writer.write(UInt16(operationCount))
    writer.write(firstTime.raw)
    writer.writeVariable(UInt64(context.count))
    for position in context {
      writer.write(position.lane.digest)
      writer.writeVariable(position.number)
    }
    writer.write(operationsRoot)
    writer.write(previous)
    writer.write(UInt32(bodyByteCount))
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let version = try cursor.readUInt8(span)
    guard version == BundleHeader.version else { throw .unknownTag(version) }
    let node = NodeID(key: try cursor.readDigest(span))
    let epoch: Identifier<LaneEpoch> = try cursor.readIdentifier(span)
    let swarm = SwarmID(identifier: try cursor.readIdentifier(span))
    let number = try cursor.readVariable(span, limit: BundleLimits.numberMax)
    let firstSequence = try cursor.readVariable(span, limit: BundleLimits.numberMax)
    let count = Int(try cursor.readUInt16(span))
    let time = HybridTime(raw: try cursor.readUInt64(span))
    let context = try BundleHeader.readContext(span, at: &cursor)
    let root = try cursor.readDigest(span)
    let previous = try cursor.readDigest(span)
    let bodyBytes = Int(try cursor.readUInt32(span))
    self.init(
      unchecked: node, epoch: epoch, swarm: swarm, number: number, firstSequence: firstSequence,
      operationCount: count, firstTime: time, context: context, operationsRoot: root,
      previous: previous, bodyByteCount: bodyBytes)
    if let rule = brokenRule { throw rule }
  }

  private static func readContext(
    _ span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> [LanePosition] {
    let count = try cursor.readCount(span, limit: BundleLimits.contextMax, bytesEach: 33)
    var context: [LanePosition] = []
    context.reserveCapacity(count)
    for _ in 0..<count {
      let lane = LaneID(digest: try cursor.readDigest(span))
      let number = try cursor.readVariable(span, limit: BundleLimits.numberMax)
      context.append(LanePosition(lane: lane, number: number))
    }
    return context
  }

  /// The first of H1 to H5 and the limits that the fields break.
  private var brokenRule: WireError? {
    guard (1...BundleLimits.operationsMax).contains(operationCount) else {
      return .invalid("operation count out of range")
    }
    guard (number == 1) == (previous == .zero) else {
      return .invalid("exactly the first bundle has no previous one")
    }
    // In terms of what came before: `number - 1` bundles with `firstSequence - 1` operations.
    guard number > 0, firstSequence >= number else {
      return .invalid("sequence below the bundle's number")
    }
    let (most, overflow) = (number - 1)
      .multipliedReportingOverflow(by: UInt64(BundleLimits.operationsMax))
    guard overflow || firstSequence - 1 <= most else {
      return .invalid("sequence beyond what earlier bundles can hold")
    }
    let highest = BundleLimits.numberMax - UInt64(operationCount)
    guard firstSequence <= highest, firstTime.raw <= highest else {
      return .invalid("time or sequence overflows")
    }
    if bodyByteCount > BundleLimits.bodyBytesMax { return .overLimit }
    guard bodyByteCount >= operationCount else {
      return .invalid("body shorter than its operations' lengths")
    }
    return BundleHeader.brokenRule(ofContext: context, lane: lane)
  }

  private static func brokenRule(ofContext context: [LanePosition], lane: LaneID) -> WireError? {
    if context.count > BundleLimits.contextMax { return .overLimit }
    for (index, position) in context.enumerated() {
      if index > 0 && position.lane <= context[index - 1].lane { return .notCanonical }
      if position.number == 0 { return .notCanonical }
      if position.number > BundleLimits.numberMax { return .overLimit }
      if position.lane == lane { return .invalid("a context names its own lane") }
    }
    return nil
  }
}
