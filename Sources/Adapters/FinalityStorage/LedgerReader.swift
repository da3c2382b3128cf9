package import Records
internal import SQLiteStorage
internal import Synchronization

/// A connection that only reads, beside the one that writes; for threads that answer requests.
///
/// Works take turns: a thread has a reader of its own, or few share one.
package final class LedgerReader: Sendable {
  private let connection: Mutex<SQLiteConnection>
  private let directory: String
  private let chain: ChainID
  private let tables: [TableSchema]

  /// Opens the database that `LedgerDatabase` has opened or made.
  package init(
    directory: String, chain: ChainID, tables: [TableSchema], cacheBytes: Int = 2_097_152
  ) throws(LedgerError) {
    self.directory = directory
    self.chain = chain
    self.tables = tables
    do throws(SQLiteError) {
      connection = Mutex(
        try SQLiteConnection(
          path: "\(directory)/\(LedgerSchema.file)", mode: .readOnly, cacheBytes: cacheBytes))
    } catch {
      throw LedgerError(error, directory: directory)
    }
  }

  /// Runs `body`, all whose reads see the ledger after one and the same commit.
  package func snapshot<Value: Sendable>(
    _ body: @Sendable (LedgerReads) throws(LedgerError) -> Value
  ) throws(LedgerError) -> Value {
    let (directory, chain, tables) = (directory, chain, tables)
    return try connection.withLock { (connection) throws(LedgerError) -> Value in
      do throws(SQLiteError) {
        try connection.execute("BEGIN")
      } catch {
        throw LedgerError(error, directory: directory)
      }
      defer {
        // Nothing was written, so ending the transaction cannot lose anything.
        try? connection.execute("COMMIT")
      }
      return try body(
        LedgerReads(connection, directory: directory, chain: chain, tables: tables))
    }
  }
}
