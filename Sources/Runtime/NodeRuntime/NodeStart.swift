internal import BFTCore
internal import Configuration
internal import ControlStorage
internal import CoreKit
internal import Crypto
internal import GossipCore
internal import HTTPServer
internal import LedgerCore
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// Brings a node from its files to a machine that is ready to run.
enum NodeStart {
  static let clusterKey = "node.cluster"
  private static let epochKey = NodeConfiguration.epochKey
  /// Bundles whose rows are written as one step while the log is replayed.
  private static let replayStep = 256

  /// What storage tells, on threads of its own.
  struct Reports: Sendable {
    /// Every step of lanes and rows up to this one is durable.
    let onDurable: @Sendable (UInt64) -> Void
    /// Every step of the control plane up to this one is durable.
    let onControlDurable: @Sendable (UInt64) -> Void
    /// Every step of votes up to this one is durable.
    let onVotesDurable: @Sendable (UInt64) -> Void
    /// Storage has stopped, and why.
    let onFailure: @Sendable (String) -> Void
    /// A database is damaged.
    let onDamage: @Sendable (StorageDamage) -> Void
  }

  /// What a node's files lead to.
  struct Opened {
    let storage: SwarmStorage
    let controlStorage: ControlStorage
    let finality: FinalityStart.Opened
    let machine: NodeMachine
  }

  /// Opens storage, restores and replays the tables, and makes the machine.
  static func open(
    _ configuration: NodeConfiguration, _ logger: Logger, reports: Reports, at now: Moment
  ) throws -> Opened {
    try Files.makeDirectory(configuration.dataDirectory)
    let directory = "\(configuration.dataDirectory)/\(NodeProgram.swarmName)"
    let (storage, recovery) = try SwarmStorage.open(
      directory: directory, tables: LiveTables.schemas,
      options: NodeRepair.storageOptions(configuration), logger: logger,
      onDurable: reports.onDurable,
      onFailure: { reports.onFailure("storage failed: \($0)") }, onDamage: reports.onDamage)
    try checkCluster(configuration, storage)
    let epoch = try epoch(configuration, recovery, storage)
    var restored = NodeRecovery()
    restored.lanes = recovery.content.lanes
    restored.proofs = recovery.content.proofs
    let ledger = try FinalityStart.beginOpening(configuration, logger)
    try restore(&restored.tables, from: recovery)
    restored.nextBatch = try replay(&restored.tables, from: recovery, into: storage, logger)
    let control = try openControl(configuration, logger, reports)
    restored.control = control.recovery
    let finality = try FinalityStart.open(
      configuration, logger, ledger, lanes: storage, reports: reports)
    restored.finality = finality.recovery
    var core = coreConfiguration(configuration, epoch)
    core.finality = finality.configuration
    let machine = try NodeMachine(core, recovery: restored, at: now)
    return Opened(
      storage: storage, controlStorage: control.storage, finality: finality, machine: machine)
  }

  /// Opens the control log. A founder begins in life 0, once: a mark beside its key says that it
  /// did, so that one whose data is gone comes back as somebody who has promised nothing.
  private static func openControl(
    _ configuration: NodeConfiguration, _ logger: Logger, _ reports: Reports
  ) throws -> ControlStorage.Opened {
    let mark = Files.resolve(NodeConfiguration.foundedFileName, in: configuration.directory)
    let isFounder = configuration.genesis.voter(configuration.node) != nil
    let isFirst = isFounder && !Files.exists(mark)
    let opened = try ControlStorage.open(
      directory: "\(configuration.dataDirectory)/control",
      newLife: isFirst ? 0 : max(1, Entropy.digest().words.0), logger: logger,
      onDurable: reports.onControlDurable,
      onFailure: { reports.onFailure("the control log's storage failed: \($0)") })
    if opened.isNew && isFounder && !isFirst {
      logger.log(
        .warning,
        "the control log of this node is gone: it comes back in a new life, first as a learner")
    }
    if !Files.exists(mark) { try Files.create(mark, Array("yes\n".utf8)) }
    return opened
  }

  private static func coreConfiguration(
    _ configuration: NodeConfiguration, _ epoch: Identifier<LaneEpoch>
  ) -> NodeCoreConfiguration {
    let swarm = SwarmID(named: NodeProgram.swarmName, in: configuration.cluster)
    let control = ControlPlaneConfiguration(
      node: configuration.node, cluster: configuration.cluster,
      founders: configuration.genesis.voters.map(\.node), attributes: attributes(configuration),
      seed: Entropy.digest().words.0)
    var core = NodeCoreConfiguration(
      key: configuration.nodeKey.signingKey, epoch: epoch, swarm: swarm, control: control,
      seed: Entropy.digest().words.0)
    core.gossipLimits.parkedBytesMax = configuration.settings.limits.parkedBytes
    core.waitersMax = configuration.settings.limits.pendingWrites
    return core
  }

  /// What the node says of itself to other members.
  private static func attributes(_ configuration: NodeConfiguration) -> MemberAttributes {
    let settings = configuration.settings
    let role: MembershipCore.MemberRole =
      configuration.genesis.voter(configuration.node) != nil ? .voter : .learner
    guard
      let attributes = MemberAttributes(
        address: settings.transportAdvertise.description,
        apiAddress: "\(settings.apiTLS == nil ? "http" : "https")://\(settings.apiAdvertise)",
        region: settings.region, zone: settings.zone,
        role: settings.isEdge ? .edge : role, protocolVersion: ControlHello.version)
    else { preconditionFailure("an address or place exceeds its limit") }
    return attributes
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

  static func restore(_ tables: inout LiveTables, from recovery: Recovery) throws {
    try NodeRepair.findingDamagedRows {
      for schema in LiveTables.schemas {
        try recovery.forEachRow(of: schema) { row in try tables.restore(row) }
      }
      try tables.finishRestore()
    }
    let stored = recovery.content.rowSet
    let isEqual = stored.isEmpty ? tables.rowSet == LatticeHash() : tables.rowSet.bytes == stored
    guard isEqual else {
      throw StorageDamage(.state, ["the rows do not match the stored hash over them"])
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
    _ configuration: NodeConfiguration, seed: UInt64, responseBytesMax: Int? = nil
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
    quic.responseBytesMax = responseBytesMax ?? GossipLimits().pullBytesMax + BundleLimits.bytesMax
    quic.frameBytesMax = max(quic.frameBytesMax, FinalityMessage.bytesMax + 1)
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
    // All events of one revision go out together: the end of a lease with every key it may have.
    server.streamBytesMax = 8 << 20
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
