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
  package static let swarmName = "main"
  /// Findings of the verifier that may wait for the loop.
  static let findingsMax = 1 << 20

  /// Runs a node on this thread, which must be the first of the process.
  ///
  /// Returns the exit code: 0 after a clean stop, 1 when the node could not start or had to stop.
  package static func run(configuration: NodeConfiguration) -> Int32 {
    let logger = LogOutput.standardError(level: configuration.settings.logLevel)
    do {
      try TerminationSignals.block()
      let hasJoined = try NodeStart.hasJoined(configuration)
      if let ticket = configuration.ticket, !hasJoined {
        try Joiner.join(configuration, ticket, logger)
        try NodeStart.noteJoined(configuration)
      }
      return try NodeProcess(configuration, logger).run()
    } catch {
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

  init(_ configuration: NodeConfiguration, _ logger: Logger) throws {
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
    let started = try NodeStart.open(
      configuration, logger, onDurable: { _ = durable.post($0) },
      onFailure: { _ = failures.post("storage failed: \($0)") })
    storage = started.storage
    driver = NodeDriver(
      configuration: configuration, loop: loop, logger: logger, storage: started.storage,
      machine: started.machine)
    slot.driver = driver
    try driver.restoreGuests()
    driver.start()
    let findings = loop.makeMailbox(limit: NodeProgram.findingsMax) { [driver] in driver.take($0) }
    let verifier = driver.verifier
    driver.verifierThread = WorkerThread { verifier.run(handing: findings) }
    let transport = try QUICTransport(
      configuration: NodeStart.transportConfiguration(configuration, seed: loop.now()),
      loop: loop, delegate: driver, log: TransportLog.sink(logger))
    driver.attach(transport)
    let api = AgentAPI(backend: driver)
    self.api = api
    http = try HTTPPump(
      loop: loop, configuration: NodeStart.serverConfiguration(configuration),
      handler: { request, responder in api.handle(request, responder) })
    driver.announceSelf()
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
    _ = try TerminationSignals.watch(on: loop) { [loop, logger] signal in
      logger.log(.info, "told to stop", [LogField("signal", "\(signal)")])
      loop.stop()
    }
    try loop.run()
    return try stop()
  }

  /// Stops taking input, makes durable what was taken, tells peers, and closes the databases.
  private func stop() throws -> Int32 {
    http.stop()
    if driver.fatal == nil { try? storage.flush() }
    loop.schedule(at: loop.refreshClock() + 2_000_000_000) { [loop] in loop.stop() }
    driver.transport.shutdown { [loop] in loop.stop() }
    try loop.run()
    driver.verifier.stop()
    driver.verifierThread?.join()
    if driver.fatal != nil { return 1 }
    try storage.close()
    logger.log(.info, "the node has stopped")
    return 0
  }
}

/// Lets mailboxes that are made before the driver find it.
private final class DriverSlot {
  weak var driver: NodeDriver?
}
