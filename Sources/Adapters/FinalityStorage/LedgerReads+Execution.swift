internal import Primitives
package import Records

/// What executing blocks has led to.
extension LedgerReads {
  /// What executing the blocks up to a height led to.
  package func executed(at height: UInt64) throws(LedgerError) -> ExecutedState? {
    try executed("WHERE height = ?", [.integer(Int64(clamping: height))])
  }

  /// What executing all that was executed led to.
  package func executedTip() throws(LedgerError) -> ExecutedState? {
    try executed("ORDER BY height DESC LIMIT 1", [])
  }

  private func executed(
    _ clause: String, _ values: [ColumnValue]
  ) throws(LedgerError) -> ExecutedState? {
    let rows = try select(
      "SELECT height, root, rows_root, lanes_root, checksum FROM executed \(clause)", values)
    guard let values = rows.first else { return nil }
    let height = values[0].unsigned
    let roots = values[1...3].compactMap { Digest($0.content) }
    let joined = values[1...3].flatMap(\.content)
    guard roots.count == 3, LedgerChecksum.executed(height, joined) == values[4].content else {
      throw damaged(LedgerFinding("executed", "\(height)", "it fails its checksum"))
    }
    return ExecutedState(
      height: height, root: roots[0], rowsRoot: roots[1], lanesRoot: roots[2])
  }

  /// The row of a table with the values `key` in its key columns.
  package func row(table: UInt16, key: [ColumnValue]) throws(LedgerError) -> Row? {
    try rows(
      "WHERE table_number = ? AND key = ?",
      [.integer(Int64(table)), .bytes(RowCoding.key(key))]
    ).first
  }

  /// Rows of a table in the order of their keys, at most `limit`: those after the one with the key
  /// `after`, or the first ones. The key may be a prefix.
  package func rows(
    table: UInt16, after: [ColumnValue] = [], limit: Int
  ) throws(LedgerError) -> [Row] {
    try rows(
      "WHERE table_number = ? AND key > ? ORDER BY key LIMIT ?",
      [.integer(Int64(table)), .bytes(RowCoding.key(after)), .integer(Int64(limit))])
  }

  /// Rows in the order in which they are stored, which is how they are read fastest; at most
  /// `limit`, those after the place `after`.
  ///
  /// - Returns: the rows and the place of the last one; `nil` when there are none.
  package func storedRows(
    after place: Int64, limit: Int
  ) throws(LedgerError) -> (rows: [Row], last: Int64)? {
    let stored = try select(
      "SELECT key, value, digest, rowid FROM rows WHERE rowid > ? ORDER BY rowid LIMIT ?",
      [.integer(place), .integer(Int64(limit))])
    guard case .integer(let last)? = stored.last?[3] else { return nil }
    return (try stored.map { (values) throws(LedgerError) in try row(values) }, last)
  }

  private func row(_ values: [ColumnValue]) throws(LedgerError) -> Row {
    switch StoredRow(key: values[0], value: values[1], digest: values[2]).decoded(tables) {
    case .success(let row): return row
    case .failure(let finding): throw damaged(finding)
    }
  }

  private func rows(
    _ clause: String, _ values: [ColumnValue]
  ) throws(LedgerError) -> [Row] {
    let stored = try select("SELECT key, value, digest FROM rows \(clause)", values)
    return try stored.map { (values) throws(LedgerError) in try row(values) }
  }

  /// The trie node at a path.
  package func trieNode(at path: [UInt8]) throws(LedgerError) -> [UInt8]? {
    let rows = try select("SELECT node, checksum FROM trie WHERE path = ?", [.bytes(path)])
    guard let values = rows.first else { return nil }
    guard LedgerChecksum.trie(path, values[0].content) == values[1].content else {
      throw damaged(LedgerFinding("trie", ColumnValue.bytes(path).name, "it fails its checksum"))
    }
    return values[0].content
  }

  /// Trie nodes in the order of their paths, at most `limit`: those after the path `after`, or the
  /// first ones.
  package func trieNodes(
    after: [UInt8]? = nil, limit: Int
  ) throws(LedgerError) -> [TrieChange] {
    let rows = try select(
      "SELECT path, node, checksum FROM trie WHERE path > ? ORDER BY path LIMIT ?",
      [after.map { .bytes($0) } ?? .text(""), .integer(Int64(limit))])
    var nodes: [TrieChange] = []
    for values in rows {
      let (path, node) = (values[0].content, values[1].content)
      guard LedgerChecksum.trie(path, node) == values[2].content else {
        throw damaged(LedgerFinding("trie", values[0].name, "it fails its checksum"))
      }
      nodes.append(TrieChange(path: path, node: node))
    }
    return nodes
  }

  /// What became of a bundle's operations.
  package func outcome(
    ofLane lane: LaneID, number: UInt64
  ) throws(LedgerError) -> BundleOutcome? {
    let rows = try select(
      "SELECT lane, number, height, codes, checksum FROM outcomes WHERE lane = ? AND number = ?",
      [.bytes(lane.digest.bytes), .integer(Int64(clamping: number))])
    guard let values = rows.first else { return nil }
    switch StoredOutcome.decoded(values) {
    case .success(let outcome): return outcome
    case .failure(let finding): throw damaged(finding)
    }
  }
}
