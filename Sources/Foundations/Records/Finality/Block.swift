internal import Crypto
internal import Merkle
package import Primitives
package import Wire

/// The limits of a block. A block beyond one of them is refused by every decoder.
package enum BlockLimits {
  /// Bytes of a body: whoever votes for a block journals it with the vote.
  package static let bodyBytesMax = 1 << 19
  /// Entries of a body: lanes that advance and transactions.
  package static let entriesMax = 4_096
  /// Transactions of validators in a body.
  package static let transactionsMax = 64
  /// Bundles by which one block may advance one lane: what executing a block may cost.
  package static let laneAdvanceMax: UInt64 = 1_024
  /// The largest height, view and epoch.
  package static let numberMax: UInt64 = (1 << 48) - 1
}

/// What a block is known by and signed for: 220 bytes of fixed layout.
package struct BlockHeader: Hashable, Sendable {
  /// The form of the header.
  package static let version: UInt16 = 1

  /// The chain.
  package var chain: ChainID
  /// The epoch.
  package var epoch: UInt64
  /// One more than the parent's.
  package var height: UInt64
  /// The view it is proposed in.
  package var view: UInt64
  /// The parent's view; 0 when the parent begins the epoch.
  package var parentView: UInt64
  /// The parent.
  package var parentHash: Digest
  /// The leader's place among the validators.
  package var proposer: UInt16
  /// The leader's wall clock in milliseconds since 1970, later than the parent's.
  package var timestamp: UInt64
  /// The root over the body's entries.
  package var bodyRoot: Digest
  /// Bytes of the body.
  package var bodyByteCount: UInt32
  /// Entries of the body.
  package var entryCount: UInt32
  /// The height up to which this block vouches for the outcome of execution.
  package var executedHeight: UInt64
  /// The execution root at that height.
  package var executedRoot: Digest
  /// The validators of the epoch.
  package var validatorSetHash: Digest

  /// Joins the fields.
  package init(
    chain: ChainID, epoch: UInt64, height: UInt64, view: UInt64, parentView: UInt64,
    parentHash: Digest, proposer: UInt16, timestamp: UInt64, bodyRoot: Digest,
    bodyByteCount: UInt32, entryCount: UInt32, executedHeight: UInt64, executedRoot: Digest,
    validatorSetHash: Digest
  ) {
    self.chain = chain
    self.epoch = epoch
    self.height = height
    self.view = view
    self.parentView = parentView
    self.parentHash = parentHash
    self.proposer = proposer
    self.timestamp = timestamp
    self.bodyRoot = bodyRoot
    self.bodyByteCount = bodyByteCount
    self.entryCount = entryCount
    self.executedHeight = executedHeight
    self.executedRoot = executedRoot
    self.validatorSetHash = validatorSetHash
  }

  /// The block's name.
  package var hash: Digest { Blake2b.hash(encoded, .blockHeader) }

  /// The block as its descendants know it.
  package var reference: BlockReference {
    BlockReference(epoch: epoch, view: view, height: height, hash: hash)
  }
}

/// How far a block moves the cut in one lane.
package struct CutAdvance: Hashable, Sendable {
  /// The lane.
  package let lane: LaneID
  /// The last bundle below the cut.
  package let number: UInt64
  /// That bundle's header digest, which fixes everything before it in the lane.
  package let digest: Digest

  /// Names the new end of a lane.
  package init(lane: LaneID, number: UInt64, digest: Digest) {
    self.lane = lane
    self.number = number
    self.digest = digest
  }
}

/// What a block finalizes: where the cut moves, and what validators say about each other.
package struct BlockBody: Hashable, Sendable {
  /// The lanes that advance, in ascending order of lane.
  package let advances: [CutAdvance]
  /// Validators' transactions in the order in which they are executed.
  package let transactions: [ValidatorTransaction]

  /// Joins the parts; advances must be in ascending order of lane.
  package init(advances: [CutAdvance] = [], transactions: [ValidatorTransaction] = []) {
    self.advances = advances
    self.transactions = transactions
  }

  /// Whether nothing advances.
  package var isEmpty: Bool { advances.isEmpty && transactions.isEmpty }

  /// Entries of both kinds.
  package var entryCount: Int { advances.count + transactions.count }

  /// The leaves of the body's tree: advances, then transactions.
  package var leaves: [Digest] {
    advances.map { Blake2b.hash($0.encoded, .blockEntry) }
      + transactions.map { Blake2b.hash($0.encoded, .blockEntry) }
  }

  /// The root over all entries; zero for none.
  package var root: Digest { MerkleTree(TaggedHasher(.blockNode)).root(of: leaves) }
}

/// A header and its body; `isConsistent` tells whether they belong together.
package struct Block: Hashable, Sendable {
  /// The header.
  package let header: BlockHeader
  /// The body.
  package let body: BlockBody
  /// The header's digest.
  package let hash: Digest

  /// Joins a header and a body.
  package init(header: BlockHeader, body: BlockBody) {
    self.header = header
    self.body = body
    hash = header.hash
  }

  /// What this block is to the epoch that follows it, when it ends its own.
  package var nextEpochParent: BlockReference {
    BlockReference(epoch: header.epoch + 1, view: 0, height: header.height, hash: hash)
  }

  /// Whether the header commits to this body.
  package var isConsistent: Bool {
    let encoded = body.encoded
    return Int(header.bodyByteCount) == encoded.count
      && Int(header.entryCount) == body.entryCount && header.bodyRoot == body.root
  }
}

extension BlockHeader: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(BlockHeader.version)
    writer.write(chain.digest)
    writer.write(epoch)
    writer.write(height)
    writer.write(view)
    writer.write(parentView)
    writer.write(parentHash)
    writer.write(proposer)
    writer.write(timestamp)
    writer.write(bodyRoot)
    writer.write(bodyByteCount)
    writer.write(entryCount)
    writer.write(executedHeight)
    writer.write(executedRoot)
    writer.write(validatorSetHash)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let version = try cursor.readUInt16(span)
    guard version == BlockHeader.version else { throw .invalid("another version of header") }
    self.init(
      chain: ChainID(digest: try cursor.readDigest(span)), epoch: try cursor.readUInt64(span),
      height: try cursor.readUInt64(span), view: try cursor.readUInt64(span),
      parentView: try cursor.readUInt64(span), parentHash: try cursor.readDigest(span),
      proposer: try cursor.readUInt16(span), timestamp: try cursor.readUInt64(span),
      bodyRoot: try cursor.readDigest(span), bodyByteCount: try cursor.readUInt32(span),
      entryCount: try cursor.readUInt32(span), executedHeight: try cursor.readUInt64(span),
      executedRoot: try cursor.readDigest(span), validatorSetHash: try cursor.readDigest(span))
    for number in [epoch, height, view, timestamp, executedHeight]
    where number > BlockLimits.numberMax { throw .overLimit }
    guard parentView < view, height > 0, executedHeight < height else {
      throw .invalid("a header that precedes its parent")
    }
    guard bodyByteCount <= BlockLimits.bodyBytesMax, entryCount <= BlockLimits.entriesMax else {
      throw .overLimit
    }
  }
}

extension CutAdvance: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(UInt8(1))
    writer.write(lane.digest)
    writer.writeVariable(number)
    writer.write(digest)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    guard tag == 1 else { throw .unknownTag(tag) }
    lane = LaneID(digest: try cursor.readDigest(span))
    number = try cursor.readVariable(span, limit: BundleLimits.numberMax)
    digest = try cursor.readDigest(span)
    guard number > 0 else { throw .notCanonical }
  }
}

extension BlockBody: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(advances.count))
    for advance in advances { advance.encode(into: &writer) }
    writer.writeVariable(UInt64(transactions.count))
    for transaction in transactions { transaction.encode(into: &writer) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let count = try cursor.readCount(span, limit: BlockLimits.entriesMax, bytesEach: 66)
    var advances: [CutAdvance] = []
    advances.reserveCapacity(count)
    for _ in 0..<count {
      let advance = try CutAdvance(from: span, at: &cursor)
      if let last = advances.last, advance.lane <= last.lane { throw .notCanonical }
      advances.append(advance)
    }
    let others = try cursor.readCount(span, limit: BlockLimits.transactionsMax, bytesEach: 2)
    var transactions: [ValidatorTransaction] = []
    for _ in 0..<others {
      transactions.append(try ValidatorTransaction(from: span, at: &cursor))
    }
    self.init(advances: advances, transactions: transactions)
  }
}

extension Block: WireCodable {
  package func encode(into writer: inout WireWriter) {
    header.encode(into: &writer)
    body.encode(into: &writer)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let header = try BlockHeader(from: span, at: &cursor)
    let start = cursor.offset
    let body = try BlockBody(from: span, at: &cursor)
    guard cursor.offset - start <= BlockLimits.bodyBytesMax else { throw .overLimit }
    self.init(header: header, body: body)
    guard isConsistent else { throw .invalid("a header over another body") }
  }
}
