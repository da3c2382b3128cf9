import Crypto
import Primitives
import Records
import Wire

/// Random values of every message type, a function of the generator alone.
extension Xoshiro256 {
  mutating func digest() -> Digest { Digest(words: next(), next(), next(), next()) }

  mutating func identifier<Kind>() -> Identifier<Kind> { Identifier(high: next(), low: next()) }

  mutating func bytes(upTo count: Int) -> [UInt8] {
    (0..<next(below: count + 1)).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  /// A number of any magnitude from 1 to `most`.
  mutating func magnitude(to most: UInt64 = BundleLimits.numberMax) -> UInt64 {
    max(1, min(most, next() >> next(below: UInt64(64))))
  }

  mutating func context(_ count: Int) -> [LanePosition] {
    (0..<count).map { _ in LaneID(digest: digest()) }.sorted()
      .map { LanePosition(lane: $0, number: magnitude()) }
  }

  mutating func frontier(_ count: Int) -> Frontier {
    var frontier = Frontier()
    for position in context(count) { frontier[position.lane] = position.number }
    return frontier
  }

  mutating func operations(_ count: Int) -> [[UInt8]] {
    (0..<count).map { _ in bytes(upTo: 200) }
  }

  /// A header that keeps every rule, over `operations`.
  mutating func header(
    by key: SigningKey, over operations: [[UInt8]], number: UInt64? = nil
  ) -> BundleHeader {
    let number = number ?? magnitude(to: 1 << 50)
    let most = (number - 1) * UInt64(BundleLimits.operationsMax) + 1
    return BundleHeader(
      node: NodeID(key: key.publicKey), epoch: identifier(),
      swarm: SwarmID(identifier: identifier()), number: number,
      firstSequence: next(in: number...most), operationCount: operations.count,
      firstTime: HybridTime(raw: next() >> 2), context: context(next(below: 5)),
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: number == 1 ? .zero : digest(),
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
  }

  mutating func key() -> SigningKey { SigningKey(seed: digest()) }

  mutating func bundle() -> SignedBundle {
    let key = key()
    let operations = operations(1 + next(below: 9))
    let header = header(by: key, over: operations)
    return SignedBundle(
      signedHeader: SignedHeader(signing: header, with: key), operations: operations)
  }

  /// Two headers of one place of one lane, both signed by its node.
  mutating func fork() -> (SignedHeader, SignedHeader) {
    let key = key()
    let header = header(by: key, over: operations(3))
    let other = header.changing(operationsRoot: digest())
    return (SignedHeader(signing: header, with: key), SignedHeader(signing: other, with: key))
  }
}

extension BundleHeader {
  /// This header with other fields.
  func changing(
    node: NodeID? = nil, number: UInt64? = nil, firstSequence: UInt64? = nil,
    operationCount: Int? = nil, firstTime: HybridTime? = nil, context: [LanePosition]? = nil,
    operationsRoot: Digest? = nil, previous: Digest? = nil, bodyByteCount: Int? = nil
  ) -> BundleHeader {
    BundleHeader(
      node: node ?? self.node, epoch: epoch, swarm: swarm, number: number ?? self.number,
      firstSequence: firstSequence ?? self.firstSequence,
      operationCount: operationCount ?? self.operationCount,
      firstTime: firstTime ?? self.firstTime, context: context ?? self.context,
      operationsRoot: operationsRoot ?? self.operationsRoot, previous: previous ?? self.previous,
      bodyByteCount: bodyByteCount ?? self.bodyByteCount)
  }
}

/// Fields of a header written without its rules, to make what no encoder of ours writes.
struct LooseHeader {
  var version: UInt8 = 1
  var number: UInt64 = 2
  var firstSequence: UInt64 = 3
  var operationCount: UInt16 = 2
  var firstTime: UInt64 = 1_000
  var context: [(Digest, UInt64)] = []
  var contextCount: UInt64?
  var previous = Digest(words: 1, 2, 3, 4)
  var bodyByteCount: UInt32 = 10

  var bytes: [UInt8] {
    var writer = WireWriter()
    writer.write(version)
    writer.write(Digest(words: 5, 6, 7, 8))
    writer.write(Identifier<Never>(high: 9, low: 10))
    writer.write(Identifier<Never>(high: 11, low: 12))
    writer.writeVariable(number)
    writer.writeVariable(firstSequence)
    writer.write(operationCount)
    writer.write(firstTime)
    writer.writeVariable(contextCount ?? UInt64(context.count))
    for (lane, number) in context {
      writer.write(lane)
      writer.writeVariable(number)
    }
    writer.write(Digest(words: 13, 14, 15, 16))
    writer.write(previous)
    writer.write(bodyByteCount)
    return writer.bytes
  }

  var lane: LaneID {
    LaneID(
      node: NodeID(key: Digest(words: 5, 6, 7, 8)), epoch: Identifier(high: 9, low: 10),
      swarm: SwarmID(identifier: Identifier(high: 11, low: 12)))
  }
}
