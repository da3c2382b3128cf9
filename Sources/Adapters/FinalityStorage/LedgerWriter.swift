internal import Primitives
internal import Records
internal import SQLiteStorage
internal import Wire

/// Stores transactions and holds what the next one has to follow.
final class LedgerWriter {
  private let connection: SQLiteConnection
  private let chain: ChainID
  private let tables: [TableSchema]
  private var tip: BlockReference
  private var executedHeight: UInt64
  private var cut: [LaneID: UInt64]

  init(_ opened: OpenedLedger) throws(LedgerError) {
    connection = opened.connection
    chain = opened.reads.chain
    tables = opened.reads.tables
    let last = try opened.reads.tip()
    tip =
      last?.block.header.reference
      ?? BlockReference(epoch: 0, view: 0, height: 0, hash: chain.digest)
    executedHeight = try opened.reads.executedTip()?.height ?? 0
    cut = Dictionary(
      try opened.reads.cut().map { ($0.lane, $0.number) }, uniquingKeysWith: { $1 })
  }

  /// Fills a file that is made from a snapshot.
  init(importing connection: SQLiteConnection, chain: ChainID, tables: [TableSchema]) {
    self.connection = connection
    self.chain = chain
    self.tables = tables
    tip = BlockReference(epoch: 0, view: 0, height: 0, hash: chain.digest)
    executedHeight = 0
    cut = [:]
  }

  /// Refuses what breaks L1 to L3.
  func check(_ transaction: LedgerTransaction) {
    var last = tip
    var moved: [LaneID: UInt64] = [:]
    for block in transaction.blocks {
      let header = block.block.header
      precondition(header.chain == chain, "L1: block \(header.height) is of another chain")
      precondition(
        header.height == last.height + 1 && header.parentHash == last.hash,
        "L1: block \(header.height) does not follow \(last.height)")
      for advance in block.block.body.advances {
        let before = moved[advance.lane] ?? cut[advance.lane] ?? 0
        precondition(
          advance.number > before, "L3: block \(header.height) moves \(before) to \(advance.number)"
        )
        moved[advance.lane] = advance.number
      }
      last = header.reference
    }
    var executed = executedHeight
    for state in transaction.executed {
      precondition(
        state.height == executed + 1 && state.height <= last.height,
        "L2: height \(state.height) is executed after \(executed) while the last is \(last.height)")
      executed = state.height
    }
    for row in transaction.rows {
      precondition(
        tables.contains { $0.number == row.table }, "a row of the unknown table \(row.table)")
    }
    for value in transaction.values {
      precondition(!value.name.hasPrefix("."), "the name \(value.name) is storage's own")
    }
  }

  /// Notes that a transaction is stored.
  func advance(past transaction: LedgerTransaction) {
    for block in transaction.blocks {
      for advance in block.block.body.advances { cut[advance.lane] = advance.number }
    }
    tip = transaction.blocks.last?.block.header.reference ?? tip
    executedHeight = transaction.executed.last?.height ?? executedHeight
  }

  /// Writes everything, inside a transaction of the caller.
  func store(_ transaction: LedgerTransaction) throws(SQLiteError) {
    for block in transaction.blocks { try store(block) }
    for certificate in transaction.certificates { try store(certificate) }
    for state in transaction.executed { try store(state) }
    for row in transaction.rows { try store(row) }
    for change in transaction.trieNodes { try store(change) }
    for outcome in transaction.outcomes { try store(outcome) }
    for epoch in transaction.epochs { try store(epoch) }
    for value in transaction.values {
      try LedgerMeta.write(value.name, value.bytes, connection)
    }
  }

  private func store(_ final: FinalBlock) throws(SQLiteError) {
    try storeHeader(of: final)
    for advance in final.block.body.advances { try store(advance, at: final.height) }
  }

  /// Stores a block without moving the cut.
  func storeHeader(of final: FinalBlock) throws(SQLiteError) {
    let header = final.block.header
    let height = ColumnValue.integer(Int64(clamping: header.height))
    let hash = final.block.hash.bytes
    let certificate = final.certificate?.encoded
    try connection.cached("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run([
      height, .bytes(hash), .integer(Int64(clamping: header.epoch)),
      .integer(Int64(clamping: header.view)), .bytes(header.encoded),
      .bytes(final.block.body.encoded), certificate.map { .bytes($0) } ?? .null,
      certificate.map { .bytes(LedgerChecksum.certificate(hash, $0)) } ?? .null,
    ])
  }

  /// Moves the cut of a lane.
  func store(_ advance: CutAdvance, at height: UInt64) throws(SQLiteError) {
    let lane = ColumnValue.bytes(advance.lane.digest.bytes)
    let number = ColumnValue.integer(Int64(clamping: advance.number))
    try connection.cached("INSERT INTO advances VALUES (?, ?, ?)")
      .run([lane, number, .integer(Int64(clamping: height))])
    try connection.cached(
      """
      INSERT INTO cut VALUES (?, ?, ?)
      ON CONFLICT (lane) DO UPDATE SET number = excluded.number, digest = excluded.digest
      """
    ).run([lane, number, .bytes(advance.digest.bytes)])
  }

  private func store(_ certificate: Certificate) throws(SQLiteError) {
    precondition(
      certificate.statement.kind == .finalize && certificate.statement.chain == chain,
      "a certificate of kind \(certificate.statement.kind) for a block")
    let hash = certificate.statement.hash.bytes
    try connection.cached(
      "UPDATE blocks SET certificate = ?, certificate_checksum = ? WHERE hash = ?"
    ).run([
      .bytes(certificate.encoded), .bytes(LedgerChecksum.certificate(hash, certificate.encoded)),
      .bytes(hash),
    ])
  }

  private func store(_ state: ExecutedState) throws(SQLiteError) {
    let roots = [state.root, state.rowsRoot, state.lanesRoot].map(\.bytes)
    try connection.cached("INSERT INTO executed VALUES (?, ?, ?, ?, ?)").run(
      [.integer(Int64(clamping: state.height))] + roots.map { .bytes($0) }
        + [.bytes(LedgerChecksum.executed(state.height, Array(roots.joined())))])
  }

  private func store(_ row: Row) throws(SQLiteError) {
    let count = tables.first { $0.number == row.table }?.keyColumnCount ?? 0
    let value = RowCoding.value(row)
    try connection.cached(
      """
      INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT (table_number, key)
      DO UPDATE SET value = excluded.value, digest = excluded.digest
      """
    ).run([
      .integer(Int64(row.table)), .bytes(RowCoding.key(row.values.prefix(count))),
      .bytes(value), .bytes(row.digest.bytes),
    ])
  }

  private func store(_ change: TrieChange) throws(SQLiteError) {
    guard let node = change.node else {
      try connection.cached("DELETE FROM trie WHERE path = ?").run([.bytes(change.path)])
      return
    }
    try connection.cached(
      """
      INSERT INTO trie VALUES (?, ?, ?)
      ON CONFLICT (path) DO UPDATE SET node = excluded.node, checksum = excluded.checksum
      """
    ).run([
      .bytes(change.path), .bytes(node), .bytes(LedgerChecksum.trie(change.path, node)),
    ])
  }

  private func store(_ outcome: BundleOutcome) throws(SQLiteError) {
    var writer = WireWriter()
    for code in outcome.codes { writer.write(code) }
    let lane = outcome.lane.digest.bytes
    try connection.cached("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?)").run([
      .bytes(lane), .integer(Int64(clamping: outcome.number)),
      .integer(Int64(clamping: outcome.height)), .bytes(writer.bytes),
      .bytes(LedgerChecksum.outcome(lane, outcome.number, outcome.height, writer.bytes)),
    ])
  }

  private func store(_ epoch: LedgerEpoch) throws(SQLiteError) {
    let parent = LedgerEpoch.encode(epoch.parent)
    let validators = epoch.validators.encoded
    let handover = epoch.handover?.encoded
    try connection.cached(
      """
      INSERT INTO epochs VALUES (?, ?, ?, ?, ?) ON CONFLICT (epoch) DO UPDATE SET
      parent = excluded.parent, validators = excluded.validators, handover = excluded.handover,
      checksum = excluded.checksum
      """
    ).run([
      .integer(Int64(clamping: epoch.epoch)), .bytes(parent), .bytes(validators),
      handover.map { .bytes($0) } ?? .null,
      .bytes(LedgerChecksum.epoch(epoch.epoch, parent, validators, handover ?? [])),
    ])
  }
}

extension LedgerEpoch {
  /// The parent as it is stored.
  static func encode(_ parent: BlockReference) -> [UInt8] {
    var writer = WireWriter()
    for number in [parent.epoch, parent.view, parent.height] { writer.write(number) }
    writer.write(parent.hash)
    return writer.bytes
  }

  /// Reads a stored parent.
  static func parent(decoding bytes: [UInt8]) throws(WireError) -> BlockReference {
    let span = bytes.span.bytes
    var cursor = WireCursor()
    let reference = BlockReference(
      epoch: try cursor.readUInt64(span), view: try cursor.readUInt64(span),
      height: try cursor.readUInt64(span), hash: try cursor.readDigest(span))
    try cursor.expectEnd(span)
    return reference
  }
}
