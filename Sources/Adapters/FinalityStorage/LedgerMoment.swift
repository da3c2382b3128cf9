package import Records
internal import SQLiteStorage

/// The ledger as it was at one commit, held while later ones go on: what a snapshot is made from.
///
/// As long as it lives the write-ahead log cannot be emptied, so it is to be let go of soon, and in
/// any case before the ledger is closed.
package final class LedgerMoment {
  /// Everything that could be read at that moment.
  package let reads: LedgerReads
  /// What was executed then.
  package let executed: ExecutedState
  private let connection: SQLiteConnection
  private let directory: String

  /// Holds the present moment of a ledger that `LedgerDatabase` has opened; `nil` when nothing is
  /// executed in it.
  package init?(directory: String, chain: ChainID, tables: [TableSchema]) throws {
    self.directory = directory
    connection = try SQLiteConnection(
      path: "\(directory)/\(LedgerSchema.file)", mode: .readOnly, cacheBytes: 16 * 1_048_576)
    try connection.execute("BEGIN")
    reads = LedgerReads(connection, directory: directory, chain: chain, tables: tables)
    guard let executed = try reads.executedTip() else { return nil }
    self.executed = executed
  }

  deinit {
    // Nothing was written, so ending the transaction cannot lose anything.
    try? connection.execute("COMMIT")
  }

  /// Calls `body` with the place and the bytes of every row, in the order in which they stand.
  package func forEachRow(_ body: (Int64, [UInt8]) throws -> Void) throws {
    let statement = try connection.prepare("SELECT rowid, value FROM rows ORDER BY rowid")
    while try statement.step() { try body(statement.integer(0), statement.bytes(1)) }
  }

  /// The bytes of the row at a place that `forEachRow` gave.
  package func row(at place: Int64) throws -> [UInt8] {
    let bytes = try connection.bytes("SELECT value FROM rows WHERE rowid = ?", [.integer(place)])
    guard let bytes else {
      throw LedgerError(
        .damaged([LedgerFinding("rows", "\(place)", "it has vanished")]), directory: directory)
    }
    return bytes
  }
}
