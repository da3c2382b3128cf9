internal import Configuration
internal import Crypto
internal import ExecutionCore
internal import FinalityStorage
internal import LedgerCore
internal import Primitives
internal import Records
internal import SQLiteStorage
internal import SnapshotCore
internal import Wire

/// Makes a node's databases of a snapshot whose parts are all there.
///
/// ```
/// incoming: manifest, parts ──► joining: main, ledger ──► ready ──► moved to their places
/// ```
///
/// A crash before `ready` leaves rubbish, which the next start removes; one after it leaves moves
/// that the next start does.
enum SnapshotInstall {
  private static let ledgerFiles = ["ledger.db", "lock"]
  private static let swarmFiles = ["log.db", "state.db", "lock"]

  /// Builds the databases from parts, each of which is checked once more as it is read.
  ///
  /// - Parameters:
  ///   - manifest: a manifest that was checked.
  ///   - parts: its parts.
  ///   - chain: the chain.
  ///   - genesis: the validators of epoch 1.
  ///   - paths: the node's directories.
  ///   - values: named values of the lanes' storage, as the node's first start would store them.
  /// - Returns: how many rows there are.
  /// - Throws: `SnapshotError` when a part is not there, `RestoreError` when the rows are no state;
  ///   otherwise what the disk says.
  static func build(
    _ manifest: SnapshotManifest, _ parts: SnapshotFile, chain: ChainID, genesis: ValidatorSet,
    _ paths: SnapshotPaths, values: [(key: String, bytes: [UInt8])]
  ) throws -> UInt64 {
    try discard(paths)
    try Files.makeDirectory(paths.joining)
    let ledger = LedgerFilling(directory: paths.ledger.made, chain: chain)
    defer { ledger.abandon() }
    let swarm = try StorageImport(directory: paths.swarm.made, tables: LiveTables.schemas)
    let form = SnapshotRows(Ledger.schemas)
    var live = LiveTablesAtCut()
    var heads: [LaneHead] = []
    for index in manifest.parts.indices where manifest.parts[index].rowCount > 0 {
      guard let bytes = parts.part(index), let encoded = manifest.rows(bytes, of: index, form)
      else {
        throw SnapshotError("part \(index) of the snapshot is gone or damaged")
      }
      try ledger.add(encoded)
      let rows = try encoded.map { try RowCoding.row(decoding: $0, tables: Ledger.schemas) }
      try swarm.add(rows.filter { row in LiveTables.schemas.contains { $0.number == row.table } })
      for row in rows {
        try live.add(row)
        if let head = try Ledger.laneHead(row) { heads.append(head) }
      }
    }
    heads.sort { $0.lane < $1.lane }
    guard LanesTree.root(of: heads) == manifest.lanesRoot else {
      throw SnapshotError("the heads of the lanes miss the root that validators signed")
    }
    var changes: [Row] = []
    let tables = try live.finish(into: &changes)
    try swarm.add(changes)
    try swarm.finish(lanes: heads, rowSet: tables.rowSet.bytes, proofs: [], values: values)
    try ledger.finish(
      LedgerFilling.End(
        block: manifest.block,
        state: ExecutedState(
          height: manifest.height,
          root: ExecutionRoot.root(
            height: manifest.height, rows: manifest.rowsRoot, lanes: manifest.lanesRoot),
          rowsRoot: manifest.rowsRoot, lanesRoot: manifest.lanesRoot),
        cut: heads.map { CutAdvance(lane: $0.lane, number: $0.number, digest: $0.digest) },
        epochs: epochs(manifest, chain, genesis), values: boundaries(manifest)))
    try Files.replace(paths.ready, with: Array("yes\n".utf8))
    return manifest.rowCount
  }

  /// Moves what an earlier run has built to where it belongs, or removes what it has not finished.
  static func finish(_ paths: SnapshotPaths) throws {
    guard Files.exists(paths.joining) else { return }
    guard Files.exists(paths.ready) else { return try discard(paths) }
    try Files.makeDirectory("\(paths.data)/finality")
    for (made, own) in [paths.ledger, paths.swarm] where Files.exists(made) {
      guard !Files.exists(own) else {
        throw StartError(
          "\(own) is there although \(made) is to take its place; move one of them away")
      }
      try FileSystem.move(made, to: own)
    }
    try FileSystem.syncDirectory("\(paths.data)/finality")
    try FileSystem.syncDirectory(paths.data)
    try discard(paths)
    try SnapshotExport.remove(paths.incoming)
  }

  private static func discard(_ paths: SnapshotPaths) throws {
    try Rubbish.remove(paths.ledger.made, files: ledgerFiles)
    try Rubbish.remove(paths.swarm.made, files: swarmFiles)
    try Rubbish.remove(paths.joining, files: ["ready"])
  }

  private static func epochs(
    _ manifest: SnapshotManifest, _ chain: ChainID, _ genesis: ValidatorSet
  ) -> [LedgerEpoch] {
    let first = LedgerEpoch(
      epoch: 1, parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
      validators: genesis, handover: nil)
    // An epoch that begins after the block is made known by executing the blocks in between.
    let known = manifest.epochs.filter { $0.boundary.height <= manifest.height }
    return [first]
      + known.map { link in
        LedgerEpoch(
          epoch: link.boundary.epoch + 1,
          parent: BlockReference(
            epoch: link.boundary.epoch + 1, view: 0, height: link.boundary.height,
            hash: link.boundary.hash),
          validators: link.validators, handover: link.handover)
      }
  }

  /// The headers by which this node proves the epochs to those who take a snapshot from it.
  private static func boundaries(
    _ manifest: SnapshotManifest
  ) -> [(name: String, bytes: [UInt8]?)] {
    manifest.epochs.map { link in
      (LedgerReads.boundaryName(link.boundary.epoch + 1), link.boundary.encoded)
    }
  }
}
