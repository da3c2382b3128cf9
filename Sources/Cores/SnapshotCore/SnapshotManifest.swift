internal import Crypto
package import Merkle
package import Primitives
package import Records
package import Wire

/// What a snapshot consists of, and why it is to be believed.
///
/// It is the state after a block at a height for which the header of a later final block vouches.
/// From the validators of the first epoch, which a node knows from its genesis, handovers lead to
/// those whose quorum finalized that header or one that follows it; the header names the root; the
/// parts join to the root.
/// So a manifest that `check` accepts is as good as having executed everything, and each part is
/// checked against it as it comes, whoever sends it.
package struct SnapshotManifest: Hashable, Sendable {
  /// How validators handed over to the next ones.
  package struct EpochLink: Hashable, Sendable {
    /// The header of the last block of the epoch before. Validators sign its hash, so nothing of it
    /// has to be believed.
    package let boundary: BlockHeader
    /// Who follows.
    package let validators: ValidatorSet
    /// What a quorum of those before signed.
    package let handover: Certificate

    /// Joins the parts.
    package init(boundary: BlockHeader, validators: ValidatorSet, handover: Certificate) {
      self.boundary = boundary
      self.validators = validators
      self.handover = handover
    }
  }

  /// A part of the rows: those whose keys in the trie begin with its place's bits.
  package struct Part: Hashable, Sendable {
    /// How many rows it has.
    package let rowCount: UInt64
    /// The hash they amount to; zero for none.
    package let hash: Digest

    /// Describes a part.
    package init(rowCount: UInt64, hash: Digest) {
      self.rowCount = rowCount
      self.hash = hash
    }

    /// What it amounts to in the trie.
    package var triePart: TriePart {
      switch rowCount {
      case 0: .empty
      case 1: .leaf(hash)
      // open set: counts of two and more
      default: .inner(hash)
      }
    }
  }

  /// The last block that is executed in the state.
  package let block: Block
  /// The root over the heads of the lanes.
  package let lanesRoot: Digest
  /// The headers of the blocks that follow, of which one vouches for the state, up to one that a
  /// quorum finalized by itself.
  package let links: [BlockHeader]
  /// A quorum's `finalize` for the last of them.
  package let certificate: Certificate
  /// The handovers from the first epoch to that of the certificate.
  package let epochs: [EpochLink]
  /// The parts, a power of two of them, in the order of their bits.
  package let parts: [Part]

  /// Joins the parts.
  package init(
    block: Block, lanesRoot: Digest, links: [BlockHeader], certificate: Certificate,
    epochs: [EpochLink], parts: [Part]
  ) {
    self.block = block
    self.lanesRoot = lanesRoot
    self.links = links
    self.certificate = certificate
    self.epochs = epochs
    self.parts = parts
  }

  /// The height of the state.
  package var height: UInt64 { block.header.height }
  /// The bits by which rows are spread over parts.
  package var depth: Int { parts.count.trailingZeroBitCount }
  /// Rows in all.
  package var rowCount: UInt64 { parts.reduce(0) { $0 &+ $1.rowCount } }
  /// The root over the rows.
  package var rowsRoot: Digest { TriePart.joined(parts.map(\.triePart)).hash }
}

// MARK: - Checking

extension SnapshotManifest {
  /// Why a manifest is not to be believed: who sent it lies, or serves another chain.
  package enum Fault: Error, Hashable, Sendable {
    /// It is of another chain.
    case foreign
    /// Its blocks do not follow each other.
    case unlinked
    /// No header vouches for the parts.
    case unvouched
    /// A handover is not that of the epoch before, or not signed by a quorum of it.
    case handover(epoch: UInt64)
    /// The last header is not signed by a quorum.
    case unsigned
  }

  /// Checks everything that can be without the parts' rows. O(parts) hashes, a quorum's signatures
  /// per epoch.
  ///
  /// - Parameters:
  ///   - chain: the chain.
  ///   - genesis: the validators of epoch 1.
  /// - Returns: what is wrong; `nil` when it is to be believed.
  package func check(chain: ChainID, genesis: ValidatorSet) -> Fault? {
    guard let last = links.last else { return .unlinked }
    var parent = block.header
    for header in [block.header] + links where header.chain != chain { return .foreign }
    for header in links {
      guard header.parentHash == parent.hash, header.height == parent.height + 1,
        header.epoch >= parent.epoch
      else { return .unlinked }
      parent = header
    }
    let root = ExecutionRoot.root(height: height, rows: rowsRoot, lanes: lanesRoot)
    let isVouched = links.contains { $0.executedHeight == height && $0.executedRoot == root }
    guard block.isConsistent, isVouched else { return .unvouched }
    var validators = genesis
    var epoch: UInt64 = 1
    var memo = SignatureMemo()
    for link in epochs {
      let statement = Handover.statement(
        chain: chain, boundary: link.boundary.reference, next: link.validators)
      guard link.boundary.epoch == epoch, link.boundary.chain == chain,
        link.handover.statement == statement,
        Verified(checking: link.handover, in: validators, memo: &memo) != nil
      else { return .handover(epoch: epoch) }
      validators = link.validators
      epoch += 1
    }
    let statement = Statement(
      kind: .finalize, chain: chain, epoch: last.epoch, view: last.view, hash: last.hash)
    guard last.epoch == epoch, last.validatorSetHash == validators.hash,
      certificate.statement == statement,
      Verified(checking: certificate, in: validators, memo: &memo) != nil
    else { return .unsigned }
    return nil
  }

  /// The rows of part `index` when `bytes` are that part; `nil` when they are not, whatever they
  /// are.
  package func rows(_ bytes: [UInt8], of index: Int, _ form: SnapshotRows) -> [[UInt8]]? {
    do throws(WireError) {
      let rows = try SnapshotRows.decode(bytes)
      guard UInt64(rows.count) == parts[index].rowCount,
        try form.part(of: rows, index: index, depth: depth) == parts[index].triePart
      else { return nil }
      return rows
    } catch {
      return nil
    }
  }
}

// MARK: - Wire form

extension SnapshotManifest: WireCodable {
  private static let version: UInt8 = 1

  package func encode(into writer: inout WireWriter) {
    writer.write(SnapshotManifest.version)
    block.encode(into: &writer)
    writer.write(lanesRoot)
    writer.writeVariable(UInt64(links.count))
    for link in links { link.encode(into: &writer) }
    certificate.encode(into: &writer)
    writer.writeVariable(UInt64(epochs.count))
    for epoch in epochs {
      epoch.boundary.encode(into: &writer)
      epoch.validators.encode(into: &writer)
      epoch.handover.encode(into: &writer)
    }
    writer.write(UInt8(depth))
    for part in parts {
      writer.writeVariable(part.rowCount)
      if part.rowCount > 0 { writer.write(part.hash) }
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    guard span.byteCount - cursor.offset <= SnapshotLimits.manifestBytesMax else {
      throw .overLimit
    }
    let version = try cursor.readUInt8(span)
    guard version == SnapshotManifest.version else { throw .unknownTag(version) }
    block = try Block(from: span, at: &cursor)
    lanesRoot = try cursor.readDigest(span)
    let linkCount = try cursor.readCount(span, limit: SnapshotLimits.linksMax, bytesEach: 220)
    var links: [BlockHeader] = []
    for _ in 0..<linkCount { links.append(try BlockHeader(from: span, at: &cursor)) }
    self.links = links
    certificate = try Certificate(from: span, at: &cursor)
    let epochCount = try cursor.readCount(span, limit: SnapshotLimits.epochsMax, bytesEach: 32)
    var epochs: [EpochLink] = []
    for _ in 0..<epochCount {
      epochs.append(try SnapshotManifest.epochLink(from: span, at: &cursor))
    }
    self.epochs = epochs
    let depth = Int(try cursor.readUInt8(span))
    guard depth <= SnapshotLimits.depthMax else { throw .overLimit }
    var parts: [Part] = []
    parts.reserveCapacity(1 << depth)
    for _ in 0..<(1 << depth) {
      let count = try cursor.readVariable(span, limit: UInt64(SnapshotLimits.partBytesMax))
      parts.append(Part(rowCount: count, hash: count > 0 ? try cursor.readDigest(span) : .zero))
    }
    self.parts = parts
  }

  private static func epochLink(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> EpochLink {
    let boundary = try BlockHeader(from: span, at: &cursor)
    let validators = try ValidatorSet(from: span, at: &cursor)
    return EpochLink(
      boundary: boundary, validators: validators,
      handover: try Certificate(from: span, at: &cursor))
  }
}
