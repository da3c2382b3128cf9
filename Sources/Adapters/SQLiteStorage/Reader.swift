internal import Merkle
internal import Primitives
package import Records
internal import Wire

/// What a reading thread can ask of the two files; never leaves the closure it is handed to.
///
/// The rows are those of one moment. The lanes only grow: what was there stays, and they are never
/// behind the rows.
package final class Reader {
  let log: SQLiteConnection
  private let state: SQLiteConnection

  /// Reads a directory that no program writes, or that one does: beside it, in any case.
  package convenience init(reading directory: String) throws {
    try self.init(directory: directory, cacheBytes: 2_097_152)
  }

  init(directory: String, cacheBytes: Int) throws(SQLiteError) {
    log = try SQLiteConnection(
      path: "\(directory)/\(LogSchema.file)", mode: .readOnly, cacheBytes: cacheBytes)
    state = try SQLiteConnection(
      path: "\(directory)/\(StateSchema.file)", mode: .readOnly, cacheBytes: cacheBytes)
  }

  /// Runs `body` with the rows as they are at its first read.
  func inSnapshot<Value>(_ body: () throws -> Value) throws -> Value {
    try state.cached("BEGIN").run()
    defer {
      // Nothing was written, so ending the transaction cannot lose anything.
      try? state.execute("COMMIT")
    }
    return try body()
  }

  /// The rows that a query over the live state returns, at most `limit` of them.
  ///
  /// - Parameters:
  ///   - sql: one statement; its text is the key under which it is kept compiled, so values belong
  ///     into `parameters`.
  ///   - parameters: one value for each `?`.
  ///   - limit: the most rows to return.
  /// - Returns: the values of each row, in the order of the query.
  /// - Throws: `SQLiteError`, also for a statement that would change something.
  package func rows(
    _ sql: String, parameters: [ColumnValue] = [], limit: Int
  ) throws -> [[ColumnValue]] {
    let statement = try state.cached(sql)
    return try statement.withBound(parameters) { () throws(SQLiteError) in
      var rows: [[ColumnValue]] = []
      while rows.count < limit, try statement.step() {
        rows.append(statement.row)
      }
      return rows
    }
  }

  /// The wire forms of the bundles `from` to `to` of a lane, in order, until `bytesMax` is reached;
  /// at least one when there is one. Stops at the end of the lane; of what lies at or below the
  /// lane's base nothing is held. Each bundle's place, hashes and columns are checked, its
  /// signature is not.
  package func bundles(
    of lane: LaneID, from: UInt64, to: UInt64, bytesMax: Int
  ) throws -> [[UInt8]] {
    guard from <= to, let index = try laneIndex(of: lane) else { return [] }
    let statement = try log.cached(
      """
      SELECT number, header, signature, body, mark FROM bundles
      WHERE lane_index = ? AND number BETWEEN ? AND ? ORDER BY number
      """)
    let parameters: [ColumnValue] = [
      .integer(index), .integer(Int64(clamping: from)), .integer(Int64(clamping: to)),
    ]
    var stored: [(bundle: StoredBundle, number: UInt64, mark: UInt64, wire: [UInt8])] = []
    try statement.withBound(parameters) { () throws(SQLiteError) in
      var byteCount = 0
      while try statement.step() {
        let bundle = StoredBundle(statement, from: 1)
        var writer = WireWriter(capacity: bundle.header.count + bundle.body.count + 80)
        bundle.encode(into: &writer)
        let wire = writer.bytes
        guard stored.isEmpty || byteCount + wire.count <= bytesMax else { break }
        byteCount += wire.count
        stored.append((bundle, statement.unsigned(0), statement.unsigned(4), wire))
      }
    }
    return try stored.map { entry in
      let position = LanePosition(lane: lane, number: entry.number)
      _ = try entry.bundle.decoded(at: position)
      guard entry.bundle.digest.words.0 == entry.mark else {
        throw StoredValueError("the header is not the one that was stored", at: position)
      }
      return entry.wire
    }
  }

  /// The headers of at most `count` bundles of a lane from `first` on, in order. Stops at the end
  /// of the lane.
  package func headers(
    of lane: LaneID, from first: UInt64, count: Int
  ) throws -> [SignedHeader] {
    guard let index = try laneIndex(of: lane) else { return [] }
    let statement = try log.cached(
      """
      SELECT header, signature FROM bundles
      WHERE lane_index = ? AND number >= ? ORDER BY number LIMIT ?
      """)
    let parameters: [ColumnValue] = [
      .integer(index), .integer(Int64(clamping: first)), .integer(Int64(count)),
    ]
    let stored = try statement.withBound(parameters) { () throws(SQLiteError) in
      var rows: [(header: [UInt8], signature: [UInt8])] = []
      while try statement.step() { rows.append((statement.bytes(0), statement.bytes(1))) }
      return rows
    }
    return try stored.enumerated().map { offset, row in
      let position = LanePosition(lane: lane, number: first + UInt64(offset))
      return try StoredBundle.header(row.header, row.signature, at: position)
    }
  }

  /// One bundle, its operations checked against its header, or `nil` when it is not held.
  package func bundle(at position: LanePosition) throws -> SignedBundle? {
    try stored(at: position)?.decoded(at: position)
  }

  /// One bundle as it is stored, or `nil`.
  func stored(at position: LanePosition) throws(SQLiteError) -> StoredBundle? {
    guard let index = try laneIndex(of: position.lane) else { return nil }
    let statement = try log.cached(
      "SELECT header, signature, body FROM bundles WHERE lane_index = ? AND number = ?")
    return try statement.withBound([
      .integer(index), .integer(Int64(clamping: position.number)),
    ]) { () throws(SQLiteError) in
      try statement.step() ? StoredBundle(statement, from: 0) : nil
    }
  }

  /// The row of a lane, or `nil` when nothing is held of it.
  func laneIndex(of lane: LaneID) throws(SQLiteError) -> Int64? {
    try log.integer(
      "SELECT lane_index FROM lanes WHERE lane = ?", [.bytes(lane.digest.bytes)])
  }

  /// Whether some lane begins after a base.
  package var hasBases: Bool {
    get throws { try log.integer("SELECT count(*) FROM lane_bases") ?? 0 > 0 }
  }

  /// The number after which a lane is held; 0 when it is held from its beginning.
  package func base(of lane: LaneID) throws -> UInt64 {
    let number = try log.integer(
      """
      SELECT lane_bases.number FROM lane_bases JOIN lanes USING (lane_index) WHERE lane = ?
      """, [.bytes(lane.digest.bytes)])
    return UInt64(bitPattern: number ?? 0)
  }

  /// The tree over the headers that are not held of the lane with this row, which proofs begin
  /// with.
  func baseRange(ofLane index: Int64) throws -> MountainRange {
    let statement = try log.cached("SELECT number, peaks FROM lane_bases WHERE lane_index = ?")
    let range = try statement.withBound([.integer(index)]) { () throws(SQLiteError) in
      guard try statement.step() else { return MountainRange?.some(MountainRange()) }
      return LogReader.range(statement.bytes(1), count: statement.unsigned(0))
    }
    guard let range else { throw StoredValueError("a lane's base has peaks that do not fit it") }
    return range
  }

  /// The number of a lane's last bundle; 0 when nothing is held of it.
  package func head(of lane: LaneID) throws -> UInt64 {
    let number = try log.integer(
      "SELECT number FROM lanes WHERE lane = ?", [.bytes(lane.digest.bytes)])
    return UInt64(bitPattern: number ?? 0)
  }
}
