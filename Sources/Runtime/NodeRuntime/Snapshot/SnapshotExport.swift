internal import Configuration
internal import ExecutionCore
internal import FinalityStorage
internal import Merkle
internal import Primitives
internal import Records
internal import SnapshotCore
internal import Wire

/// Why a snapshot could not be made or used.
struct SnapshotError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// What vouches for a state: the headers that follow its block, and how validators came to sign
/// them.
struct SnapshotProof: Sendable {
  let block: Block
  let links: [BlockHeader]
  let certificate: Certificate
  let epochs: [SnapshotManifest.EpochLink]

  /// Reads what vouches for the state after a height; `nil` while nothing does.
  init?(height: UInt64, in reads: LedgerReads) throws {
    guard let block = try reads.block(at: height) else { return nil }
    var links: [BlockHeader] = []
    var certificate: Certificate?
    var isVouched = false
    for final in try reads.blocks(from: height + 1, count: UInt64(SnapshotLimits.linksMax)) {
      links.append(final.block.header)
      isVouched = isVouched || final.block.header.executedHeight == height
      certificate = final.certificate
      if isVouched, certificate != nil { break }
    }
    guard isVouched, let certificate, let last = links.last else { return nil }
    var epochs: [SnapshotManifest.EpochLink] = []
    for epoch in try reads.epochs() where epoch.epoch > 1 && epoch.epoch <= last.epoch {
      guard let handover = epoch.handover,
        let boundary = try reads.boundary(before: epoch)
      else { return nil }
      epochs.append(
        .init(boundary: boundary, validators: epoch.validators, handover: handover))
    }
    self.block = block.block
    self.links = links
    self.certificate = certificate
    self.epochs = epochs
  }
}

extension LedgerReads {
  /// The header of the block before an epoch: of those below a snapshot that this ledger was made
  /// from, it is kept beside the blocks.
  func boundary(before epoch: LedgerEpoch) throws -> BlockHeader? {
    if let block = try block(at: epoch.parent.height) { return block.block.header }
    guard let bytes = try value(LedgerReads.boundaryName(epoch.epoch)) else { return nil }
    return try BlockHeader(decoding: bytes)
  }

  /// The name under which such a header is kept.
  static func boundaryName(_ epoch: UInt64) -> String { "epoch.\(epoch)" }
}

/// Writes a snapshot of the ledger at one moment.
enum SnapshotExport {
  /// Where one row stands, and where it belongs.
  private struct Place {
    let leaf: TriePart.Leaf
    let row: Int64
  }

  /// Writes the parts and then the manifest into a directory, which is made. Takes about 80 bytes
  /// of memory for each row.
  ///
  /// It computes every hash anew, so what a damaged disk gives is refused here, and not by those
  /// who would take this node for a liar.
  static func write(
    _ moment: LedgerMoment, _ proof: SnapshotProof, to directory: String
  ) throws -> SnapshotManifest {
    let form = SnapshotRows(moment.reads.tables)
    var places: [Place] = []
    var cut = SnapshotCut()
    try moment.forEachRow { row, bytes in
      let leaf = try form.leaf(of: bytes)
      cut.add(leaf, byteCount: bytes.count)
      places.append(Place(leaf: leaf, row: row))
    }
    places.sort { $0.leaf.key < $1.leaf.key }
    try Files.makeDirectory(directory)
    let file = try SnapshotFile(path: "\(directory)/\(SnapshotPaths.partsName)", isNew: true)
    let depth = cut.depth
    var parts: [SnapshotManifest.Part] = []
    var next = 0
    for index in 0..<(1 << depth) {
      var rows: [[UInt8]] = []
      while next < places.count, places[next].leaf.key.leadingBits(depth) == index {
        rows.append(try moment.row(at: places[next].row))
        next += 1
      }
      let part = try form.part(of: rows, index: index, depth: depth)
      parts.append(.init(rowCount: UInt64(rows.count), hash: part.hash))
      if !rows.isEmpty { try file.append(index, SnapshotRows.encode(rows)) }
    }
    try file.sync()
    let manifest = SnapshotManifest(
      block: proof.block, lanesRoot: moment.executed.lanesRoot, links: proof.links,
      certificate: proof.certificate, epochs: proof.epochs, parts: parts)
    guard manifest.rowsRoot == moment.executed.rowsRoot, manifest.height == moment.executed.height
    else { throw SnapshotError("the rows of height \(manifest.height) miss their root") }
    try Files.replace("\(directory)/\(SnapshotPaths.manifestName)", with: manifest.encoded)
    return manifest
  }

  /// Removes a snapshot; the manifest first, so that none stands without its parts.
  static func remove(_ directory: String) throws {
    try Rubbish.remove(directory, files: [SnapshotPaths.manifestName, SnapshotPaths.partsName])
  }
}
