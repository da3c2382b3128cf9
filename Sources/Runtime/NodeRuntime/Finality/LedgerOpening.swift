internal import Configuration
internal import ExecutionCore
internal import FinalityStorage
internal import LedgerCore
internal import Primitives
internal import Records
internal import StorageThreads
internal import Telemetry

/// Opens a ledger, and restores what was executed on a thread of its own: a node has its live
/// tables to restore meanwhile.
struct LedgerOpening {
  /// Rows that are read at once.
  private static let rowsPerRead = 4_096

  private let chain: ChainID
  private let directory: String
  private let logger: Logger
  private let database: LedgerDatabase
  private let restoring: Computation<Ledger?>

  /// Opens the files. Damaged ones are set aside: blocks come from peers again, and what they lead
  /// to from executing them.
  init(_ chain: ChainID, _ directory: String, _ logger: Logger) throws {
    self.chain = chain
    self.directory = directory
    self.logger = logger
    let marker = "\(directory)/\(FinalityStart.damageFileName)"
    if Files.exists(marker) {
      let path = try LedgerDatabase.setAside(directory)
      try Files.remove(marker)
      logger.log(
        .warning, "the damaged ledger is set aside, and made again from peers' blocks",
        [LogField("setAside", path)])
    }
    do {
      database = try LedgerOpening.open(chain, directory)
    } catch {
      guard let finding = LedgerOpening.damage(error) else { throw error }
      database = try LedgerOpening.begunAnew(chain, directory, finding, logger)
    }
    restoring = Computation { try LedgerOpening.restored(chain, directory) }
  }

  /// Waits until the ledger is restored; `nil` when nothing was executed.
  func finish() throws -> (LedgerDatabase, Ledger?) {
    do {
      return (database, try restoring.value())
    } catch {
      // The directory is let go, whatever its file says to that, before it is opened again.
      try? database.close()
      guard let finding = LedgerOpening.damage(error) else { throw error }
      return (try LedgerOpening.begunAnew(chain, directory, finding, logger), nil)
    }
  }

  private static func open(_ chain: ChainID, _ directory: String) throws -> LedgerDatabase {
    try LedgerDatabase.open(directory: directory, chain: chain, tables: Ledger.schemas)
  }

  private static func begunAnew(
    _ chain: ChainID, _ directory: String, _ finding: String, _ logger: Logger
  ) throws -> LedgerDatabase {
    let path = try LedgerDatabase.setAside(directory)
    logger.log(
      .warning, "the ledger is damaged: it is set aside, and made again from peers' blocks",
      [LogField("found", finding), LogField("setAside", "\(path)")])
    return try open(chain, directory)
  }

  /// What is wrong with the stored ledger; `nil` when the error says something else.
  private static func damage(_ error: any Error) -> String? {
    switch error {
    case let error as LedgerError where error.isDamage: "\(error)"
    case let error as RestoreError: "\(error)"
    case let error as LedgerMismatch: error.description
    // open set: errors of everything that opening does
    default: nil
    }
  }

  /// Reads what was executed, through a connection of its own.
  private static func restored(_ chain: ChainID, _ directory: String) throws -> Ledger? {
    let moment = try LedgerMoment(directory: directory, chain: chain, tables: Ledger.schemas)
    guard let moment else { return nil }
    let ledger = try Ledger(chain: chain, restoring: rows(moment.reads))
    guard ledger.height == moment.executed.height, ledger.root == moment.executed.root else {
      throw LedgerMismatch(height: moment.executed.height)
    }
    return ledger
  }

  private static func rows(_ reads: LedgerReads) throws -> [Row] {
    var rows: [Row] = []
    var place = Int64.min
    while let page = try reads.storedRows(after: place, limit: rowsPerRead) {
      rows += page.rows
      place = page.last
    }
    return rows
  }
}

/// Stored rows that do not lead to the root that was executed.
private struct LedgerMismatch: Error {
  let height: UInt64

  var description: String { "its rows do not lead to the root at height \(height)" }
}
