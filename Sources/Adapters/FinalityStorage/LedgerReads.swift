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

  /// The header at a height, without reading the body.
  package func header(at height: UInt64) throws(LedgerError) -> BlockHeader? {
    let rows = try select(
      "SELECT header, hash FROM blocks WHERE height = ?", [.integer(Int64(clamping: height))])
    guard let values = rows.first else { return nil }
    do throws(WireError) {
      let header = try BlockHeader(decoding: values[0].content)
      if header.hash.bytes == values[1].content, header.height == height { return header }
    } catch {
      // Named below, like a header that has another hash.
    }
    throw damaged(LedgerFinding("blocks", "\(height)", "its header is not the one that was stored"))
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

  func blocks(
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

  /// The first height that is held: 1, or that of the snapshot which the ledger was made from.
  package func firstHeight() throws(LedgerError) -> UInt64 {
    guard let bytes = try value(LedgerMeta.first) else { return 1 }
    let height = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard bytes.count == 8, height > 0 else {
      throw damaged(LedgerFinding("meta", LedgerMeta.first, "it is no height"))
    }
    return height
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

  func damaged(_ finding: LedgerFinding) -> LedgerError {
    LedgerError(.damaged([finding]), directory: directory)
  }
}
