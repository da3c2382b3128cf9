internal import BFTCore
internal import Configuration
internal import Crypto
internal import ExecutionCore
internal import FinalityStorage
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// Brings what is final from its files to where agreement goes on.
enum FinalityStart {
  /// Heights of an epoch: part of the protocol, every node of a chain must have the same.
  static let epochLength: UInt64 = 10_000

  /// What a node's files lead to.
  struct Opened {
    let configuration: FinalityPlaneConfiguration
    let recovery: FinalityRecovery
    let journal: VoteJournal
    let gate: FinalityGate
    /// The last executed height and its root.
    let executed: (height: UInt64, root: Digest)
    /// What answers readers beside the thread that executes.
    let reader: LedgerReader
    let snapshots: SnapshotKeeper
    let scrubber: LedgerScrubber
    /// Whether this key has voted and does not know for what.
    let isAmnesiac: Bool
    let worker: ExecutionWorker
  }

  /// The file's name by which a start knows that the ledger was found damaged.
  static let damageFileName = "damaged"

  /// The directory of the ledger.
  static func ledgerDirectory(_ configuration: NodeConfiguration) -> String {
    "\(configuration.dataDirectory)/finality/ledger"
  }

  /// The chain of the swarm that a configuration's node hosts.
  static func chain(of configuration: NodeConfiguration) -> ChainID {
    let swarm = SwarmID(named: NodeProgram.swarmName, in: configuration.cluster)
    return ChainID(cluster: configuration.cluster, swarm: swarm)
  }

  /// The validators of the first epoch: the founders.
  static func founders(of configuration: NodeConfiguration) throws -> ValidatorSet {
    guard let set = ValidatorSet(configuration.genesis.voters.map(\.node)) else {
      throw StartError("\(Genesis.fileName) lists no set of validators")
    }
    return set
  }

  /// Opens the vote journal and the ledger, and makes the threads' parts ready to run.
  static func open(
    _ configuration: NodeConfiguration, _ logger: Logger, _ opening: sending LedgerOpening,
    lanes storage: SwarmStorage, reports: NodeStart.Reports
  ) throws -> Opened {
    let chain = chain(of: configuration)
    let founders = try founders(of: configuration)
    let directory = "\(configuration.dataDirectory)/finality"
    let (journal, votes) = try VoteJournal.open(
      directory: "\(directory)/votes",
      marker: Files.resolve(NodeConfiguration.votedFileName, in: configuration.directory),
      key: configuration.node, chain: chain, logger: logger,
      onDurable: reports.onVotesDurable,
      onFailure: { reports.onFailure("the vote journal failed: \($0)") })
    if votes.isAmnesiac {
      logger.log(
        .warning,
        "the votes of this node are gone: it votes once others have told it where agreement stands")
    }
    let snapshots = SnapshotKeeper(
      SnapshotPaths(data: configuration.dataDirectory), ledgerDirectory: "\(directory)/ledger",
      chain: chain, interval: UInt64(configuration.settings.limits.snapshotBlocks), logger)
    var state = try execution(
      chain, founders, opening, lanes: storage.makeReader(), snapshots: snapshots)
    try state.resume()
    var engine = BFTConfiguration(
      chain: chain, genesis: founders, key: configuration.nodeKey.signingKey)
    engine.epochLength = epochLength
    let recovery = try recovery(state, votes)
    let gate = FinalityGate(chain: chain)
    gate.learn(founders, epoch: 1)
    for epoch in try state.database.reads.epochs() {
      gate.learn(epoch.validators, epoch: epoch.epoch)
    }
    let reader = try LedgerReader(
      directory: "\(directory)/ledger", chain: chain, tables: Ledger.schemas)
    return Opened(
      configuration: FinalityPlaneConfiguration(engine: engine), recovery: recovery,
      journal: journal, gate: gate, executed: (state.ledger.height, state.ledger.root),
      reader: reader, snapshots: snapshots,
      scrubber: LedgerScrubber(
        directory: "\(directory)/ledger", chain: chain,
        roundNanoseconds: UInt64(configuration.settings.scrubSeconds) * 1_000_000_000,
        logger: logger), isAmnesiac: votes.isAmnesiac,
      worker: ExecutionWorker(state, onDamage: reports.onDamage))
  }

  // MARK: The ledger

  /// Begins opening the ledger of a node.
  static func beginOpening(
    _ configuration: NodeConfiguration, _ logger: Logger
  ) throws -> LedgerOpening {
    try Files.makeDirectory("\(configuration.dataDirectory)/finality")
    return try LedgerOpening(
      chain(of: configuration), ledgerDirectory(configuration), logger)
  }

  /// Begins a ledger, or goes on with a restored one.
  static func execution(
    _ chain: ChainID, _ founders: ValidatorSet, _ opening: LedgerOpening, lanes: Reader,
    snapshots: SnapshotKeeper? = nil
  ) throws -> ExecutionState {
    let (database, ledger) = try opening.finish()
    guard let ledger else {
      if try lanes.hasBases {
        try database.close()
        throw RejoinNeeded("the ledger is gone, and the lanes begin after a snapshot")
      }
      var changes = LedgerChanges()
      // What genesis mints is a function of its validators alone; every block is later than it.
      let ledger = Ledger(
        chain: chain, epoch: 1, validators: founders, timestamp: 0, into: &changes)
      var transaction = LedgerTransaction()
      transaction.rows = changes.rows
      transaction.epochs = [
        LedgerEpoch(
          epoch: 1, parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
          validators: founders, handover: nil)
      ]
      try database.commit(transaction, durable: true)
      var state = ExecutionState(
        ledger: ledger, database: database, lanes: lanes, snapshots: snapshots)
      try state.executeStored(through: database.reads.tip()?.height ?? 0)
      return state
    }
    var state = ExecutionState(
      ledger: ledger, database: database, lanes: lanes, snapshots: snapshots)
    try state.executeStored(through: database.reads.tip()?.height ?? 0)
    return state
  }

  // MARK: Agreement

  private static func recovery(
    _ state: ExecutionState, _ votes: VoteRecovery
  ) throws -> FinalityRecovery {
    let reads = state.database.reads
    let height = state.ledger.height
    var chain = StoredChain()
    chain.epochs = try reads.epochs().map {
      StoredChain.Epoch(number: $0.epoch, parent: $0.parent, validators: $0.validators)
    }
    if height > 0 {
      for earlier in (height - min(height, StoredChain.rootsMax) + 1)...height {
        if let executed = try reads.executed(at: earlier) {
          chain.roots.append((earlier, executed.root))
        }
      }
      let first = height - min(height, StoredChain.recentMax) + 1
      chain.recent = try reads.blocks(from: first, count: StoredChain.recentMax).map {
        FinalizedBlock(block: $0.block, certificate: $0.certificate)
      }
    }
    chain.cut = try reads.cut().map { LanePosition(lane: $0.lane, number: $0.number) }
    chain.nextDue = state.ledger.nextDue
    return chain.recovery(votes: votes.records, isAmnesiac: votes.isAmnesiac)
  }
}
