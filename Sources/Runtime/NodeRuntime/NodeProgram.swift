internal import AdminSocket
internal import AgentAPI
package import Configuration
internal import CoreKit
internal import Crypto
internal import HTTPServer
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import StorageThreads
internal import Telemetry

/// Why a node could not start; the text says what to do.
struct StartError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// One node's process: opens what is stored, brings up its doors and runs until it is told to stop.
package enum NodeProgram {
  /// The version of the program.
  package static let version = "0.1.0"
  /// The swarm that every node hosts.
  package static let swarmName = Genesis.swarmName
  /// Findings of the verifier that may wait for the loop.
  static let findingsMax = 1 << 20

  /// Runs a node on this thread, which must be the first of the process.
  ///
  /// Returns the exit code: 0 after a clean stop, 1 when the node could not start or had to stop.
  package static func run(configuration: NodeConfiguration) -> Int32 {
    let logger = LogOutput.standardError(level: configuration.settings.logLevel)
    do {
      try TerminationSignals.block()
      if let ticket = configuration.ticket, !NodeStart.hasJoined(configuration) {
        try Joiner.join(configuration, ticket, logger)
        try NodeStart.noteJoined(configuration)
      }
      try NodeRepair.carryOut(configuration, logger)
      let isRejoining = try Rejoin.begin(configuration, logger)
      guard
        let join = try SnapshotClient.bootstrap(configuration, logger, isNeeded: isRejoining)
      else { return 0 }
      if isRejoining { try Rejoin.finish(configuration, logger) }
      return try NodeProcess(configuration, logger, join).run()
    } catch {
      if error is LedgerDamage { return NodeRepair.beginAnew(logger) }
      if let reason = NodeRepair.needOfSnapshot(error) {
        return NodeRepair.rejoin(reason, configuration, logger)
      }
      if let damage = NodeRepair.damage(of: error) {
        return NodeRepair.restart(after: damage, configuration, logger)
      }
      logger.log(.error, "the node could not start", [LogField("reason", "\(error)")])
      return 1
    }
  }
}

/// The parts of a running node, in the order in which they stop.
private final class NodeProcess {
  private let configuration: NodeConfiguration
  private let logger: Logger
  private let loop: EventLoop
  private let storage: SwarmStorage
  private let driver: NodeDriver
  private let http: HTTPPump
  private let api: AgentAPI
  private let admin: AdminServer?
  private let damage = DamageSlot()

  init(_ configuration: NodeConfiguration, _ logger: Logger, _ join: SnapshotJoin) throws {
    self.configuration = configuration
    self.logger = logger
    let loop = try EventLoop()
    self.loop = loop
    let slot = DriverSlot()
    let durable = loop.makeMailbox(limit: 1 << 20) { (sequences: [UInt64]) in
      if let last = sequences.last { slot.driver?.markDurable(through: last) }
    }
    let failures = loop.makeMailbox(limit: 16) { (reasons: [String]) in
      if let reason = reasons.first { slot.driver?.fail(reason) }
    }
    let controlDurable = loop.makeMailbox(limit: 1 << 20) { (sequences: [UInt64]) in
      if let last = sequences.last { slot.driver?.markControlDurable(through: last) }
    }
    let votesDurable = loop.makeMailbox(limit: 1 << 20) { (sequences: [UInt64]) in
      if let last = sequences.last { slot.driver?.markVotesDurable(through: last) }
    }
    let doors = NodeStart.Reports(
      onDurable: { _ = durable.post($0) }, onControlDurable: { _ = controlDurable.post($0) },
      onVotesDurable: { _ = votesDurable.post($0) },
      onFailure: { _ = failures.post($0) }, onDamage: damage.report(on: loop, to: slot))
    let started = try NodeStart.open(
      configuration, logger, reports: doors,
      at: Moment(
        instant: Instant(nanoseconds: loop.refreshClock()),
        wallMilliseconds: WallClock.milliseconds()))
    storage = started.storage
    driver = NodeDriver(
      configuration: configuration, loop: loop, logger: logger, storage: started.storage,
      controlStorage: started.controlStorage, finality: FinalityParts(started.finality, join),
      machine: started.machine)
    slot.driver = driver
    try driver.restoreGuests()
    driver.start()
    let findings = loop.makeMailbox(limit: NodeProgram.findingsMax) { [driver] in driver.take($0) }
    let verifier = driver.verifier
    driver.verifierThread = WorkerThread { verifier.run(handing: findings) }
    driver.startFinality()
    let transport = try QUICTransport(
      configuration: NodeStart.transportConfiguration(configuration, seed: loop.now()),
      loop: loop, delegate: driver, log: TransportLog.sink(logger))
    driver.attach(transport)
    let api = AgentAPI(backend: driver, finality: driver)
    self.api = api
    http = try HTTPPump(
      loop: loop, configuration: NodeStart.serverConfiguration(configuration),
      handler: { request, responder in api.handle(request, responder) })
    admin = driver.openAdmin()
    driver.announceSelf()
    driver.beginRescue()
  }

  func run() throws -> Int32 {
    logger.log(
      .info, "the node is up",
      [
        LogField("node", configuration.node.key.hexadecimal),
        LogField("cluster", configuration.cluster.digest.short),
        LogField("quic", "\(driver.transport.boundAddresses.map(\.description))"),
        LogField("api", "\(configuration.settings.apiListen.host):\(http.port)"),
      ])
    _ = try TerminationSignals.watch(on: loop) { [loop, logger, damage] signal in
      damage.isLeftForLater = true
      logger.log(.info, "told to stop", [LogField("signal", "\(signal)")])
      loop.stop()
    }
    if driver.fatal == nil { try loop.run() }
    return try stop()
  }

  /// Takes no more requests, answers those under way, tells peers, and closes the databases.
  ///
  /// A node that has failed answers nothing more: it cannot stand for what it would say.
  private func stop() throws -> Int32 {
    if driver.fatal == nil { try drain() }
    admin?.stop()
    http.stop()
    try run(nanoseconds: 2_000_000_000) { [loop] in
      driver.transport.shutdown { loop.stop() }
    }
    driver.verifier.stop()
    driver.verifierThread?.join()
    try driver.closeFinality()
    if let found = damage.first ?? driver.withdrawal {
      let found = closed(after: found)
      // Who was told to end does so; the marker makes the next start repair.
      guard damage.isLeftForLater else { throw found }
      return NodeRepair.note(found, configuration, logger) ? 0 : 1
    }
    if let needed = driver.rejoinNeeded {
      try driver.closeControl()
      try storage.close()
      guard damage.isLeftForLater else { throw needed }
      return 0
    }
    if let found = driver.ledgerDamage {
      try driver.closeControl()
      try storage.close()
      guard damage.isLeftForLater else { throw found }
      return 0
    }
    if driver.fatal != nil { return 1 }
    try driver.closeControl()
    try storage.close()
    logger.log(.info, "the node has stopped")
    return 0
  }

  /// Closes what can still be closed; what cannot is repaired or recovered at the next start.
  private func closed(after damage: StorageDamage) -> StorageDamage {
    do {
      try driver.closeControl()
      try storage.close()
    } catch {
      logger.log(.warning, "storage did not close", [LogField("reason", "\(error)")])
    }
    return damage
  }

  /// Serves the requests that are under way to their end, for at most two seconds.
  private func drain() throws {
    http.quiesce()
    api.endStreams()
    // Whoever leads hands its office over first: the others need not find out by waiting.
    driver.step(.control(.leaving))
    driver.onTurnEnd = { [unowned self] in
      if driver.writes.isEmpty && http.isIdle && driver.hasLeft { loop.stop() }
    }
    try run(nanoseconds: 2_000_000_000) {}
    driver.onTurnEnd = nil
  }

  /// Runs the loop until it is stopped, for at most the time given.
  private func run(nanoseconds: UInt64, _ start: () -> Void) throws {
    let limit = loop.schedule(at: loop.refreshClock() + nanoseconds) { [loop] in loop.stop() }
    start()
    loop.requestTurnEnd()
    try loop.run()
    loop.cancel(limit)
  }
}

/// Lets mailboxes that are made before the driver find it.
final class DriverSlot {
  weak var driver: NodeDriver?
}
