package import Primitives
package import Records
internal import SQLiteStorage
internal import Wire

/// What can be read from the ledger's database; used by one thread at a time.
///
/// Every function throws `LedgerError`, with the reason `damaged` when a record is not what was
/// written.
package struct LedgerReads {
  /// The most blocks that one call reads.
  package static let blocksMax: UInt64 = 64

  /// The chain.
  package let chain: ChainID
  /// The tables of the rows.
  package let tables: [TableSchema]
  let connection: SQLiteConnection
  private let directory: String

  init(
    _ connection: SQLiteConnection, directory: String, chain: ChainID, tables: [TableSchema]
  ) {
    self.connection = connection
    self.directory = directory
    self.chain = chain
    self.tables = tables
  }

  // MARK: Blocks

  /// The last block, or `nil` before the first.
  package func tip() throws(LedgerError) -> FinalBlock? {
    try blocks("ORDER BY height DESC LIMIT 1", []).first
  }

  /// The block at a height.
  package func block(at height: UInt64) throws(LedgerError) -> FinalBlock? {
    try blocks("WHERE height = ?", [.integer(Int64(clamping: height))]).first
  }

  /// The block with a hash.
  package func block(named hash: Digest) throws(LedgerError) -> FinalBlock? {
    try blocks("WHERE hash = ?", [.bytes(hash.bytes)]).first
  }

  /// Blocks from a height on, in order, at most `count` and `blocksMax`.
  package func blocks(
    from first: UInt64, count: UInt64
  ) throws(LedgerError) -> [FinalBlock] {
    try blocks(
      "WHERE height >= ? ORDER BY height LIMIT ?",
      [
        .integer(Int64(clamping: first)),
        .integer(Int64(clamping: min(count, LedgerReads.blocksMax))),
      ])
  }

  /// The first block from a height on that has a certificate of its own.
  package func certifiedBlock(
    atOrAbove height: UInt64
  ) throws(LedgerError) -> FinalBlock? {
    try blocks(
      "WHERE certificate IS NOT NULL AND height >= ? ORDER BY height LIMIT 1",
      [.integer(Int64(clamping: height))]
    ).first
  }

  private func blocks(
    _ clause: String, _ values: [ColumnValue]
  ) throws(LedgerError) -> [FinalBlock] {
    let stored = try select(
      "SELECT \(StoredBlock.columns) FROM blocks \(clause)", values)
    var blocks: [FinalBlock] = []
    for values in stored {
      let record = StoredBlock(values)
      switch record.decoded() {
      case .success(let block): blocks.append(block)
      case .failure(let finding): throw damaged(finding)
      }
    }
    return blocks
  }

  // MARK: The cut

  /// The height of the block that finalized a bundle; `nil` while none has.
  package func height(
    ofLane lane: LaneID, number: UInt64
  ) throws(LedgerError) -> UInt64? {
    let rows = try select(
      "SELECT height FROM advances WHERE lane = ? AND number >= ? ORDER BY number LIMIT 1",
      [.bytes(lane.digest.bytes), .integer(Int64(clamping: number))])
    return rows.first?.first?.unsigned
  }

  /// The end of every lane below the cut, in ascending order of lane.
  package func cut() throws(LedgerError) -> [CutAdvance] {
    let rows = try select("SELECT lane, number, digest FROM cut ORDER BY lane", [])
    var advances: [CutAdvance] = []
    for values in rows {
      guard let lane = Digest(values[0].content), let digest = Digest(values[2].content) else {
        throw damaged(LedgerFinding("cut", values[0].name, "a name of a wrong length"))
      }
      advances.append(
        CutAdvance(lane: LaneID(digest: lane), number: values[1].unsigned, digest: digest))
    }
    return advances
  }

  // MARK: Execution

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

  private func rows(
    _ clause: String, _ values: [ColumnValue]
  ) throws(LedgerError) -> [Row] {
    let stored = try select("SELECT key, value, digest FROM rows \(clause)", values)
    var rows: [Row] = []
    for values in stored {
      switch StoredRow(key: values[0], value: values[1], digest: values[2]).decoded(tables) {
      case .success(let row): rows.append(row)
      case .failure(let finding): throw damaged(finding)
      }
    }
    return rows
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

  // MARK: Epochs and values

  /// All epochs that are known, in order.
  package func epochs() throws(LedgerError) -> [LedgerEpoch] {
    let rows = try select(
      "SELECT epoch, parent, validators, handover, checksum FROM epochs ORDER BY epoch", [])
    var epochs: [LedgerEpoch] = []
    for values in rows {
      switch StoredEpoch.decoded(values) {
      case .success(let epoch): epochs.append(epoch)
      case .failure(let finding): throw damaged(finding)
      }
    }
    return epochs
  }

  /// One epoch.
  package func epoch(_ number: UInt64) throws(LedgerError) -> LedgerEpoch? {
    let rows = try select(
      "SELECT epoch, parent, validators, handover, checksum FROM epochs WHERE epoch = ?",
      [.integer(Int64(clamping: number))])
    guard let values = rows.first else { return nil }
    switch StoredEpoch.decoded(values) {
    case .success(let epoch): return epoch
    case .failure(let finding): throw damaged(finding)
    }
  }

  /// A named value of the owner.
  package func value(_ name: String) throws(LedgerError) -> [UInt8]? {
    let rows = try select("SELECT bytes, checksum FROM meta WHERE name = ?", [.text(name)])
    guard let values = rows.first else { return nil }
    guard LedgerChecksum.value(name, values[0].content) == values[1].content else {
      throw damaged(LedgerFinding("meta", name, "it fails its checksum"))
    }
    return values[0].content
  }

  // MARK: Records as they are stored

  /// All records that a statement returns.
  func select(
    _ sql: String, _ values: [ColumnValue]
  ) throws(LedgerError) -> [[ColumnValue]] {
    do throws(SQLiteError) {
      let statement = try connection.cached(sql)
      return try statement.withBound(values) { () throws(SQLiteError) in
        var rows: [[ColumnValue]] = []
        while try statement.step() { rows.append(statement.row) }
        return rows
      }
    } catch {
      throw LedgerError(error, directory: directory)
    }
  }

  private func damaged(_ finding: LedgerFinding) -> LedgerError {
    LedgerError(.damaged([finding]), directory: directory)
  }
}
