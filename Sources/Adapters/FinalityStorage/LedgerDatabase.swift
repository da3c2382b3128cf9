internal import Records
internal import SQLiteStorage
internal import StorageThreads

/// The limits of the ledger's database.
package struct LedgerOptions: Sendable {
  /// SQLite's page cache of the connection that writes, in bytes.
  package var cacheBytes = 16 * 1_048_576
  /// Pages in the write-ahead log beyond which a commit moves them into the database.
  package var checkpointPages = 4_096

  /// The default limits.
  package init() {}
}

/// The executed ledger on disk: blocks, certificates, rows, tries, outcomes, epochs.
///
/// One connection writes, on the thread of its owner. Whatever a batch of blocks changes goes into
/// one transaction together with the height that it has executed, so that what is found after a
/// crash is the state after some height, whole (docs/protocol/finality-storage.md).
///
/// Everything in it can be had again: blocks from others, the rest by executing them. So a damaged
/// file is set aside, not repaired, and only commits that others rely on have to be durable.
///
/// Invariants:
/// - L1: heights are without gaps from 1, or from the height of the snapshot that the ledger was
///   made from; each block names the hash of the one before.
/// - L2: what is executed is final: heights without gaps from the first that do not exceed the last
///   block.
/// - L3: a lane's cut only moves forward.
/// - L4: after a failed commit nothing more is written.
package final class LedgerDatabase {
  /// The directory.
  package let directory: String
  /// Everything that can be read, as of the last commit.
  package let reads: LedgerReads
  /// Whether opening dropped what an earlier program had executed with other tables: blocks are
  /// kept and have to be executed again.
  package let wasReset: Bool
  private let connection: SQLiteConnection
  private let lock: DirectoryLock
  private let writer: LedgerWriter
  private let options: LedgerOptions
  private var isDurable = true
  private var isStopped = false

  /// Takes what opening has checked.
  init(
    _ opened: OpenedLedger, lock: DirectoryLock, options: LedgerOptions
  ) throws(LedgerError) {
    directory = opened.directory
    reads = opened.reads
    wasReset = opened.wasReset
    connection = opened.connection
    writer = try LedgerWriter(opened)
    self.lock = lock
    self.options = options
  }

  /// Stores all of a transaction or nothing.
  ///
  /// - Parameters:
  ///   - transaction: what changes; breaking L1 to L3 is a bug of the caller.
  ///   - durable: whether it is on the disk when this returns, with all before it. Otherwise a
  ///     crash of the machine may lose it, and everything after it, but never a part of it.
  /// - Throws: `LedgerError`; nothing was stored, and no later commit is taken.
  package func commit(_ transaction: LedgerTransaction, durable: Bool) throws(LedgerError) {
    guard !isStopped else { throw LedgerError(.stopped, directory: directory) }
    writer.check(transaction)
    do throws(SQLiteError) {
      if durable != isDurable {
        try connection.execute("PRAGMA synchronous=\(durable ? "FULL" : "NORMAL")")
        isDurable = durable
      }
      try connection.transaction { () throws(SQLiteError) in try writer.store(transaction) }
      if connection.walPages > options.checkpointPages {
        _ = try connection.checkpointPassively()
      }
    } catch {
      isStopped = true
      throw LedgerError(error, directory: directory)
    }
    writer.advance(past: transaction)
  }

  /// Makes every commit durable and lets the directory go. Without it the next opening checks the
  /// whole file.
  package func close() throws(LedgerError) {
    defer { lock.release() }
    guard !isStopped else { return }
    isStopped = true
    do throws(SQLiteError) {
      try connection.execute("PRAGMA synchronous=FULL")
      try connection.transaction { () throws(SQLiteError) in
        try LedgerMeta.write(LedgerMeta.clean, [1], connection)
      }
      try connection.checkpointAndTruncate()
    } catch {
      throw LedgerError(error, directory: directory)
    }
  }
}
