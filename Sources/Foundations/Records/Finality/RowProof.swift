internal import Crypto
package import Merkle
package import Primitives
internal import Wire

extension Row {
  /// The row's place in the tree over rows: of its table's number and its key columns, written as
  /// in `digest`.
  package func trieKey(_ schema: TableSchema) -> Digest {
    precondition(table == schema.number, "a row of table \(table) is none of \(schema.name)")
    return Row.trieKey(table: table, Array(values.prefix(schema.keyColumnCount)))
  }

  /// The place of the row of a table with these key columns.
  package static func trieKey(table: UInt16, _ keyColumns: [ColumnValue]) -> Digest {
    Blake2b.hash(encoded(table: table, keyColumns), .trieKey)
  }
}

/// A row, or the absence of one, under an execution root.
package struct RowProof: Hashable, Sendable {
  /// The height.
  package let height: UInt64
  /// The root over the lanes at that height.
  package let lanesRoot: Digest
  /// The root over the rows at that height.
  package let rowsRoot: Digest
  /// The way through the tree over rows.
  package let path: TrieProof

  /// Joins the parts.
  package init(height: UInt64, rowsRoot: Digest, lanesRoot: Digest, path: TrieProof) {
    self.height = height
    self.rowsRoot = rowsRoot
    self.lanesRoot = lanesRoot
    self.path = path
  }

  /// Whether `row` is the row of its key under an execution root.
  package func shows(_ row: Row, of schema: TableSchema, under root: Digest) -> Bool {
    guard row.table == schema.number, row.values.count == schema.columns.count else {
      return false
    }
    return shows(row.digest, at: row.trieKey(schema), under: root)
  }

  /// Whether no row of a table has these key columns under an execution root.
  package func showsNone(
    table: UInt16, keyColumns: [ColumnValue], under root: Digest
  ) -> Bool {
    shows(nil, at: Row.trieKey(table: table, keyColumns), under: root)
  }

  private func shows(_ digest: Digest?, at key: Digest, under root: Digest) -> Bool {
    ExecutionRoot.root(height: height, rows: rowsRoot, lanes: lanesRoot) == root
      && path.shows(digest, of: key, under: rowsRoot)
  }
}
