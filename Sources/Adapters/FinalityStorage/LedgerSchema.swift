internal import Crypto
internal import Primitives
internal import Records
internal import SQLiteStorage
internal import Wire

/// The tables of `ledger.db`.
enum LedgerSchema {
  /// The file's name.
  static let file = "ledger.db"

  /// The tables. Rows and tries stand in the order they came, beside unique indexes: their keys are
  /// random, and trees of whole records in their order would write a page for nearly each.
  static let migrations = [
    Migration(
      version: 1,
      statements: [
        """
        CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL,
          checksum BLOB NOT NULL) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE blocks (height INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,
          epoch INTEGER NOT NULL, view INTEGER NOT NULL, header BLOB NOT NULL, body BLOB NOT NULL,
          certificate BLOB, certificate_checksum BLOB) STRICT
        """,
        "CREATE INDEX blocks_certified ON blocks (height) WHERE certificate IS NOT NULL",
        """
        CREATE TABLE advances (lane BLOB NOT NULL, number INTEGER NOT NULL,
          height INTEGER NOT NULL, PRIMARY KEY (lane, number)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE cut (lane BLOB NOT NULL PRIMARY KEY, number INTEGER NOT NULL,
          digest BLOB NOT NULL) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE executed (height INTEGER PRIMARY KEY, root BLOB NOT NULL,
          rows_root BLOB NOT NULL, lanes_root BLOB NOT NULL, checksum BLOB NOT NULL) STRICT
        """,
        """
        CREATE TABLE rows (table_number INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
          digest BLOB NOT NULL, PRIMARY KEY (table_number, key)) STRICT
        """,
        """
        CREATE TABLE trie (path BLOB NOT NULL PRIMARY KEY, node BLOB NOT NULL,
          checksum BLOB NOT NULL) STRICT
        """,
        """
        CREATE TABLE outcomes (lane BLOB NOT NULL, number INTEGER NOT NULL,
          height INTEGER NOT NULL, codes BLOB NOT NULL, checksum BLOB NOT NULL,
          PRIMARY KEY (lane, number)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, parent BLOB NOT NULL,
          validators BLOB NOT NULL, handover BLOB, checksum BLOB NOT NULL) STRICT
        """,
      ])
  ]

  /// What executing blocks fills: dropped when rows have other tables.
  static let executionTables = ["executed", "rows", "trie", "outcomes"]

  /// Tells one set of tables from another.
  static func definition(of tables: [TableSchema]) -> [UInt8] {
    var writer = WireWriter()
    for table in tables.sorted(by: { $0.number < $1.number }) {
      writer.write(table.number)
      writer.writeText(table.name)
      writer.writeVariable(UInt64(table.keyColumnCount))
      writer.writeVariable(UInt64(table.columns.count))
      for column in table.columns {
        writer.writeText(column.name)
        switch column.type {
        case .integer: writer.write(UInt8(1))
        case .text: writer.write(UInt8(2))
        case .bytes: writer.write(UInt8(3))
        }
      }
    }
    return writer.bytes
  }
}

/// The first half of a digest over a record and its place, stored beside what no hash in a block or
/// a row protects.
struct LedgerChecksum {
  private var writer = WireWriter()

  /// Begins with the table.
  init(_ table: String) {
    writer.writeText(table)
  }

  /// With more bytes.
  func adding(_ bytes: [UInt8]) -> LedgerChecksum {
    var next = self
    next.writer.writeBytes(bytes)
    return next
  }

  /// With a number.
  func adding(_ number: UInt64) -> LedgerChecksum {
    var next = self
    next.writer.write(number)
    return next
  }

  /// The checksum's bytes.
  var bytes: [UInt8] { Array(Blake2b.hash(writer.bytes, .ledgerRecord).bytes.prefix(16)) }

  static func value(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
    LedgerChecksum("meta").adding(Array(name.utf8)).adding(bytes).bytes
  }

  static func certificate(_ hash: [UInt8], _ certificate: [UInt8]) -> [UInt8] {
    LedgerChecksum("blocks").adding(hash).adding(certificate).bytes
  }

  static func executed(_ height: UInt64, _ roots: [UInt8]) -> [UInt8] {
    LedgerChecksum("executed").adding(height).adding(roots).bytes
  }

  static func trie(_ path: [UInt8], _ node: [UInt8]) -> [UInt8] {
    LedgerChecksum("trie").adding(path).adding(node).bytes
  }

  static func outcome(
    _ lane: [UInt8], _ number: UInt64, _ height: UInt64, _ codes: [UInt8]
  ) -> [UInt8] {
    LedgerChecksum("outcomes").adding(lane).adding(number).adding(height).adding(codes).bytes
  }

  static func epoch(
    _ epoch: UInt64, _ parent: [UInt8], _ validators: [UInt8], _ handover: [UInt8]
  ) -> [UInt8] {
    LedgerChecksum("epochs").adding(epoch).adding(parent).adding(validators).adding(handover)
      .bytes
  }
}

/// The named values of the database: storage's own begin with a dot, the owner's do not.
enum LedgerMeta {
  /// The chain's name.
  static let chain = ".chain"
  /// The tables of the rows.
  static let tables = ".tables"
  /// There after an orderly close.
  static let clean = ".clean"
  /// The first height, when the ledger was made from a snapshot: eight little-endian bytes.
  static let first = ".first"

  static func write(
    _ name: String, _ bytes: [UInt8]?, _ connection: SQLiteConnection
  ) throws(SQLiteError) {
    guard let bytes else {
      try connection.cached("DELETE FROM meta WHERE name = ?").run([.text(name)])
      return
    }
    try connection.cached(
      """
      INSERT INTO meta VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes, checksum = excluded.checksum
      """
    ).run([.text(name), .bytes(bytes), .bytes(LedgerChecksum.value(name, bytes))])
  }
}
