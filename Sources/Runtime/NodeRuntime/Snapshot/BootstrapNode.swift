internal import BFTCore
internal import CoreKit
internal import Crypto
internal import ExecutionCore
internal import FinalityStorage
internal import GossipCore
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// The parts of a node that bundles and blocks go through: admission, live tables, both storages,
/// execution.
final class BootstrapNode {
  private var gossip: Gossip
  private var tables = LiveTables()
  private var state: ExecutionState
  private let storage: SwarmStorage
  private var effects = GossipEffects()
  private var sequence: UInt64 = 0

  init(_ source: BootstrapSource, directory: String) throws {
    (storage, _) = try SwarmStorage.open(
      directory: "\(directory)/\(NodeProgram.swarmName)", tables: LiveTables.schemas,
      logger: .silent, onDurable: { _ in }, onFailure: { _ in })
    state = try FinalityStart.execution(
      source.chain, source.validators,
      LedgerOpening(source.chain, "\(directory)/ledger", .silent), lanes: storage.makeReader())
    gossip = Gossip(
      node: NodeID(key: Digest(words: 1, 1, 1, 1)), epoch: Identifier(high: 9, low: 9),
      cluster: source.cluster, swarm: source.swarm, lanes: [], proofs: [],
      limits: GossipLimits(), seed: 1)
    gossip.setMembers(source.validators.members)
    gossip.connect(
      PeerIndex(0), source.validators.members[0], at: moment, into: &effects)
    effects.removeAll()
  }

  private var moment: Moment {
    Moment(instant: .origin, wallMilliseconds: WallClock.milliseconds())
  }

  /// The last executed height and its root.
  var executed: (height: UInt64, root: Digest) {
    // Before the first block there is nothing to vouch for.
    (state.ledger.height, state.ledger.height == 0 ? .zero : state.ledger.root)
  }

  /// The digest of the live rows.
  var rowSet: [UInt8] { tables.rowSet.bytes }

  /// Admits bundles, applies them and hands them to the disk.
  func take(_ bundles: [Verified<SignedBundle>]) throws {
    effects.removeAll()
    gossip.receive(bundles, from: PeerIndex(0), .pulled, at: moment, into: &effects)
    guard effects.delivered.count == bundles.count else {
      throw SnapshotError("\(effects.delivered.count) of \(bundles.count) bundles were admitted")
    }
    sequence += 1
    var batch = StorageBatch(sequence: sequence)
    for bundle in effects.delivered {
      tables.apply(bundle.value, into: &batch.rows)
      batch.bundles.append(bundle.value)
      batch.heads.removeAll { $0.lane == bundle.value.header.lane }
      if let head = gossip.head(of: bundle.value.header.lane) { batch.heads.append(head) }
    }
    batch.tiles = effects.tiles
    batch.rowSet = tables.rowSet.bytes
    while storage.submit(batch) == .busy { try storage.flush() }
  }

  /// Executes blocks whose bundles are stored.
  func execute(_ blocks: [FinalBlock]) throws {
    try storage.flush()
    let final = blocks.map { FinalizedBlock(block: $0.block, certificate: $0.certificate) }
    _ = try state.execute(final[...])
  }

  /// Waits for the disk.
  func flush() throws { try storage.flush() }

  /// A reader of the lanes.
  func reader() throws -> Reader { try storage.makeReader() }

  /// Closes both databases.
  func close() throws {
    try state.database.close()
    try storage.close()
  }
}
