internal import Configuration
internal import CoreKit
internal import Crypto
internal import GossipCore
internal import HTTPServer
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// Brings a node from its files to a machine that is ready to run.
enum NodeStart {
  private static let clusterKey = "node.cluster"
  private static let epochKey = "node.epoch"
  /// Bundles whose rows are written as one step while the log is replayed.
  private static let replayStep = 256

  /// Opens storage, restores and replays the tables, and makes the machine.
  static func open(
    _ configuration: NodeConfiguration, _ logger: Logger,
    onDurable: @escaping @Sendable (UInt64) -> Void,
    onFailure: @escaping @Sendable (StorageFailure) -> Void
  ) throws -> (storage: SwarmStorage, machine: NodeMachine) {
    try Files.makeDirectory(configuration.dataDirectory)
    let directory = "\(configuration.dataDirectory)/\(NodeProgram.swarmName)"
    let (storage, recovery) = try SwarmStorage.open(
      directory: directory, tables: LiveTables.schemas, logger: logger, onDurable: onDurable,
      onFailure: onFailure)
    try checkCluster(configuration, storage)
    let epoch = try epoch(configuration, recovery, storage)
    var restored = NodeRecovery()
    for lane in recovery.content.lanes {
      restored.lanes.append((lane.head, lane.times, lane.marks))
    }
    restored.proofs = recovery.content.proofs
    try restore(&restored.tables, from: recovery)
    restored.nextBatch = try replay(&restored.tables, from: recovery, into: storage, logger)
    let machine = NodeMachine(
      coreConfiguration(configuration, epoch), recovery: restored)
    return (storage, machine)
  }

  private static func coreConfiguration(
    _ configuration: NodeConfiguration, _ epoch: Identifier<LaneEpoch>
  ) -> NodeCoreConfiguration {
    let swarm = SwarmID(named: NodeProgram.swarmName, in: configuration.cluster)
    var core = NodeCoreConfiguration(
      key: configuration.nodeKey.signingKey, epoch: epoch, cluster: configuration.cluster,
      swarm: swarm, voters: configuration.genesis.voters.map(\.node),
      seed: Entropy.digest().words.0)
    core.gossipLimits.parkedBytesMax = configuration.settings.limits.parkedBytes
    core.waitersMax = configuration.settings.limits.pendingWrites
    return core
  }

  /// A data directory belongs to one cluster for ever.
  private static func checkCluster(
    _ configuration: NodeConfiguration, _ storage: SwarmStorage
  ) throws {
    let own = configuration.cluster.digest.bytes
    if let stored = try storage.meta(clusterKey) {
      guard stored == own else {
        throw StartError(
          "the data directory \(configuration.dataDirectory) belongs to cluster "
            + "\(Hexadecimal.text(stored).prefix(8)), not to \(configuration.cluster.digest.short)")
      }
    } else {
      try storage.setMeta(clusterKey, own)
    }
  }

  /// The life of this database: made with it, so that a node that lost it gets a new lane.
  private static func epoch(
    _ configuration: NodeConfiguration, _ recovery: Recovery, _ storage: SwarmStorage
  ) throws -> Identifier<LaneEpoch> {
    if let bytes = try storage.meta(epochKey) {
      guard let epoch = Identifier<LaneEpoch>(bytes) else {
        throw StartError("the stored epoch has \(bytes.count) bytes; restore the data directory")
      }
      return epoch
    }
    let epoch = Entropy.identifier(LaneEpoch.self)
    try storage.setMeta(epochKey, epoch.bytes)
    return epoch
  }

  private static func restore(_ tables: inout LiveTables, from recovery: Recovery) throws {
    for schema in LiveTables.schemas {
      try recovery.forEachRow(of: schema) { row in try tables.restore(row) }
    }
    try tables.finishRestore()
    let stored = recovery.content.rowSet
    let isEqual = stored.isEmpty ? tables.rowSet == LatticeHash() : tables.rowSet.bytes == stored
    guard isEqual else {
      throw StartError(
        "the rows in state.db do not match their digest; move state.db away and start again: "
          + "it is rebuilt from log.db")
    }
  }

  /// Applies the bundles that the rows do not reflect yet; returns the number of the next batch.
  private static func replay(
    _ tables: inout LiveTables, from recovery: Recovery, into storage: SwarmStorage,
    _ logger: Logger
  ) throws -> UInt64 {
    var applied = recovery.content.applied
    var batch = StorageBatch(sequence: 1)
    var pending = 0
    var total = 0
    func write(_ tables: LiveTables) throws {
      guard pending > 0 else { return }
      batch.rowSet = tables.rowSet.bytes
      while storage.submitReplay(batch, applied: applied) == .busy { try storage.flush() }
      batch = StorageBatch(sequence: batch.sequence + 1)
      pending = 0
    }
    try recovery.forEachUnappliedBundle { bundle in
      tables.apply(bundle, into: &batch.rows)
      applied.advance(bundle.header.lane, to: bundle.header.number)
      pending += 1
      total += 1
      if pending == replayStep { try write(tables) }
    }
    try write(tables)
    try storage.flush()
    if total > 0 {
      logger.log(.info, "replayed bundles into the tables", [LogField("bundles", "\(total)")])
    }
    return batch.sequence
  }

  // MARK: Doors

  static func transportConfiguration(
    _ configuration: NodeConfiguration, seed: UInt64
  ) throws -> QUICConfiguration {
    let addresses = try configuration.settings.transportListen.map { address in
      guard let socketAddress = SocketAddress(address.description) else {
        throw StartError("cannot listen on \(address)")
      }
      return socketAddress
    }
    var quic = QUICConfiguration(
      identitySeed: configuration.nodeKey.signingKey.seed.bytes, bindAddresses: addresses,
      jitterSeed: seed)
    // What the largest pull may bring: an honest answer stops there, or after one bundle.
    quic.responseBytesMax = GossipLimits().pullBytesMax + BundleLimits.bytesMax
    quic.connectionsMax = configuration.settings.limits.peerConnections
    quic.handshakesMax = min(quic.handshakesMax, quic.connectionsMax)
    quic.handshakesBeforeRetry = min(quic.handshakesBeforeRetry, quic.handshakesMax)
    return quic
  }

  static func serverConfiguration(
    _ configuration: NodeConfiguration
  ) throws -> HTTPServerConfiguration {
    var server = HTTPServerConfiguration()
    server.address = configuration.settings.apiListen.host
    server.port = configuration.settings.apiListen.port
    server.connectionsMax = configuration.settings.limits.apiConnections
    server.bodyBytesMax = configuration.settings.limits.requestBodyBytes
    server.parkedMax = configuration.settings.limits.apiConnections
    if let certificate = configuration.apiCertificateFile,
      let privateKey = configuration.apiPrivateKeyFile
    {
      server.tls = HTTPServerCertificate(
        certificatePEM: try Files.read(certificate), privateKeyPEM: try Files.read(privateKey))
    }
    return server
  }

  // MARK: Joining

  /// Whether this directory's node was admitted before: a ticket serves once.
  static func hasJoined(_ configuration: NodeConfiguration) -> Bool {
    Files.exists(
      Files.resolve(NodeConfiguration.joinedFileName, in: configuration.directory))
  }

  static func noteJoined(_ configuration: NodeConfiguration) throws {
    try Files.create(
      Files.resolve(NodeConfiguration.joinedFileName, in: configuration.directory),
      Array("yes\n".utf8))
  }
}
