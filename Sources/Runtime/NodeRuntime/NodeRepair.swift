internal import Configuration
internal import Glibc
internal import Reactor
internal import SQLiteStorage
internal import Synchronization
internal import Telemetry

/// Repairs a node's databases before they are opened, and begins anew when they turn out damaged.
///
/// ```
/// found ─► marker ─► requests end ─► close ─► exec ─► repair ─► open ─► replay ─► peers ─► rescue
/// ```
///
/// The process is replaced by itself: whatever damaged bytes have led to in memory is gone, and
/// who watches the process sees neither its end nor another number.
enum NodeRepair {
  /// The directory of the swarm's databases.
  static func directory(_ configuration: NodeConfiguration) -> String {
    "\(configuration.dataDirectory)/\(NodeProgram.swarmName)"
  }

  /// How the databases are opened.
  static func storageOptions(_ configuration: NodeConfiguration) -> StorageOptions {
    var options = StorageOptions()
    options.scrubSeconds = configuration.settings.scrubSeconds
    return options
  }

  /// Runs `body`, which reads rows; whatever is wrong with one of them is damage.
  static func findingDamagedRows(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as SQLiteError where !error.isCorruption {
      throw error
    } catch let damage as StorageDamage {
      throw damage
    } catch {
      throw StorageDamage(.state, ["\(error)"])
    }
  }

  /// The damage that an error means; `nil` when repairing would not help.
  static func damage(of error: any Error) -> StorageDamage? {
    switch error {
    case let damage as StorageDamage: damage
    case let error as OpenStorageError: error.damage
    // open set: errors of everything that a start does
    default: StorageDamage(error)
    }
  }

  /// Why only a snapshot helps; `nil` when something else does.
  static func needOfSnapshot(_ error: any Error) -> String? {
    switch error {
    case let error as RejoinNeeded: error.description
    case let error as OpenStorageError:
      if case .rowsLost = error.reason { error.description } else { nil }
    // open set: errors of everything that a start does
    default: nil
    }
  }

  /// Begins anew to join again by a snapshot; returns the exit code only when that fails.
  static func rejoin(
    _ reason: String, _ configuration: NodeConfiguration, _ logger: Logger
  ) -> Int32 {
    do {
      try Rejoin.note(reason, configuration, logger)
    } catch {
      logger.log(
        .error, "that could not be written down", [LogField("reason", "\(error)")])
      return 1
    }
    return beginAnew(logger)
  }

  /// Does what a marker asks for, unless that was so often lately that something else is wrong.
  static func carryOut(_ configuration: NodeConfiguration, _ logger: Logger) throws {
    let directory = directory(configuration)
    let books = RepairBooks(directory: directory)
    guard let marker = try books.marker() else { return }
    guard try books.isExhausted(atMilliseconds: WallClock.milliseconds()) == false else {
      throw StartError(
        "\(marker.damage); the databases in \(directory) were repaired "
          + "\(RepairBooks.repairsMax) times within an hour, so the disk or the memory of this "
          + "host is likely at fault; check them, then run: swarmoracle recover "
          + "\(configuration.directory) --apply")
    }
    if Rejoin.hasBases(configuration) {
      // Neither rows nor lanes below a base can be made from what is held.
      try Rejoin.note(
        "\(marker.damage), and its lanes begin after a snapshot", configuration, logger)
      return
    }
    logger.log(
      .warning, "repairing a database",
      [
        LogField("file", "\(directory)/\(marker.damage.file.name)"),
        LogField("found", marker.damage.findings.joined(separator: "; ")),
      ])
    let repair = DirectoryRepair(directory: directory, droppedMeta: [NodeConfiguration.epochKey])
    guard let report = try repair.run() else { return }
    var fields = [LogField("setAside", report.setAside.joined(separator: " "))]
    if let salvage = report.salvage {
      fields += [
        LogField("kept", "\(salvage.kept)"), LogField("rescued", "\(salvage.rescued)"),
        LogField("lost", "\(salvage.rejected)"), LogField("gaps", "\(salvage.gaps)"),
        LogField("withdrawn", "\(salvage.withdrawn)"),
      ]
    }
    logger.log(.warning, "the database is repaired; peers give what is missing", fields)
  }

  /// Writes down what is damaged; false, with a line in the log, when that cannot be done.
  static func note(
    _ damage: StorageDamage, _ configuration: NodeConfiguration, _ logger: Logger
  ) -> Bool {
    do {
      try RepairBooks(directory: directory(configuration)).note(
        damage, atMilliseconds: WallClock.milliseconds())
      return true
    } catch {
      logger.log(
        .error, "damage was found but could not be written down",
        [LogField("damage", damage.description), LogField("reason", "\(error)")])
      return false
    }
  }

  /// Begins anew as the same process; returns the exit code only when that fails.
  static func restart(
    after damage: StorageDamage, _ configuration: NodeConfiguration, _ logger: Logger
  ) -> Int32 {
    guard note(damage, configuration, logger) else { return 1 }
    return beginAnew(logger)
  }

  /// Replaces the process by itself; returns the exit code only when that fails.
  static func beginAnew(_ logger: Logger) -> Int32 {
    logger.log(.warning, "the node begins anew to repair itself")
    // Whatever the libraries left open must not outlive them.
    for descriptor in 3..<Int32(clamping: min(sysconf(Int32(_SC_OPEN_MAX)), 65_536)) {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
    var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    execv("/proc/self/exe", &arguments)
    logger.log(
      .error, "the node could not begin anew", [LogField("reason", SystemText.describe(errno))])
    return 1
  }
}

/// The first damage that any thread has found.
final class DamageSlot: Sendable {
  private let slot = Mutex<StorageDamage?>(nil)
  private let leftForLater = Atomic(false)

  /// Whether the node was told to end, so that the next start is to repair.
  var isLeftForLater: Bool {
    get { leftForLater.load(ordering: .relaxed) }
    set { leftForLater.store(newValue, ordering: .relaxed) }
  }

  /// Takes note, of the lanes before the rows.
  func note(_ damage: StorageDamage) {
    slot.withLock { known in
      if known == nil || known?.file == .state && damage.file == .log { known = damage }
    }
  }

  /// What storage calls on any thread: takes note, and has the driver repair.
  func report(on loop: EventLoop, to slot: DriverSlot) -> @Sendable (StorageDamage) -> Void {
    let damages = loop.makeMailbox(limit: 16) { (found: [StorageDamage]) in
      if let damage = found.first { slot.driver?.repair(damage) }
    }
    return { [self] found in
      note(found)
      // A full mailbox holds others already, which end the node as well.
      _ = damages.post(found)
    }
  }

  /// What was found, if anything was.
  var first: StorageDamage? { slot.withLock { $0 } }
}
