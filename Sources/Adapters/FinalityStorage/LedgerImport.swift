internal import Primitives
package import Records
internal import SQLiteStorage
internal import Wire

/// Makes the ledger of a chain from a snapshot: the state after a height, without what led there.
///
/// Nothing is durable before `finish`, so the caller works in a directory of another name and
/// renames it then. It checks nothing of what it is given but its form: the caller has.
package final class LedgerImport {
  private let connection: SQLiteConnection
  private let directory: String
  private let chain: ChainID
  private let tables: [TableSchema]

  /// Makes the directory, whose parent must exist, and the file; what stands there under its name
  /// is removed.
  package init(directory: String, chain: ChainID, tables: [TableSchema]) throws {
    self.directory = directory
    self.chain = chain
    self.tables = tables
    try FileSystem.makeDirectory(directory)
    for suffix in FileSystem.databaseSuffixes {
      try FileSystem.remove("\(directory)/\(LedgerSchema.file)\(suffix)")
    }
    connection = try .bulk(path: "\(directory)/\(LedgerSchema.file)")
    _ = try Migration.apply(LedgerSchema.migrations, to: connection)
    try connection.beginBulk()
  }

  /// Adds rows in the form that their digests hash, each key once.
  ///
  /// - Parameter rows: the bytes of each row.
  /// - Throws: `WireError` when bytes are no row of the tables, `SQLiteError` when a key comes
  ///   twice or the disk fails.
  package func add(_ rows: [[UInt8]]) throws {
    let insert = try connection.cached("INSERT INTO rows VALUES (?, ?, ?, ?)")
    for value in rows {
      let row = try RowCoding.row(decoding: value, tables: tables)
      let count = tables.first { $0.number == row.table }?.keyColumnCount ?? 0
      try insert.run([
        .integer(Int64(row.table)), .bytes(RowCoding.key(row.values.prefix(count))),
        .bytes(value), .bytes(RowCoding.digest(value).bytes),
      ])
    }
  }

  /// Adds the rest and makes everything durable.
  ///
  /// - Parameters:
  ///   - block: the last block that is executed in the state.
  ///   - state: its roots.
  ///   - cut: the end of every lane below the cut.
  ///   - epochs: all epochs up to the block's, or the one that follows it.
  ///   - values: named values.
  /// - Throws: `SQLiteError` or `FileSystem.Failure`; the directory is to be removed then.
  package func finish(
    block: Block, state: ExecutedState, cut: [CutAdvance], epochs: [LedgerEpoch],
    values: [(name: String, bytes: [UInt8]?)] = []
  ) throws {
    precondition(state.height == block.header.height, "roots of height \(state.height)")
    let writer = LedgerWriter(importing: connection, chain: chain, tables: tables)
    var first = WireWriter()
    first.write(block.header.height)
    var transaction = LedgerTransaction()
    // The block's own advances are part of the cut.
    transaction.executed = [state]
    transaction.epochs = epochs
    transaction.values = values
    try writer.store(transaction)
    try writer.storeHeader(of: FinalBlock(block: block, certificate: nil))
    for end in cut { try writer.store(end, at: block.header.height) }
    try LedgerMeta.write(LedgerMeta.first, first.bytes, connection)
    try LedgerMeta.write(LedgerMeta.chain, chain.digest.bytes, connection)
    try LedgerMeta.write(
      LedgerMeta.tables, LedgerSchema.definition(of: tables), connection)
    try connection.endBulk(
      "INSERT INTO meta VALUES (?, ?, ?)",
      [
        .text(LedgerMeta.clean), .bytes([1]),
        .bytes(LedgerChecksum.value(LedgerMeta.clean, [1])),
      ])
    try FileSystem.syncDirectory(directory)
  }
}
