internal import Primitives
package import Records

/// What became of the rows when the directory was opened.
package enum StateOrigin: Hashable, Sendable {
  /// They were there and sound.
  case kept
  /// There were none yet.
  case created
  /// They were made with other tables and dropped; all bundles must be replayed.
  case schemaChanged
  /// They were damaged and set aside; all bundles must be replayed.
  case damaged(findings: [String])

  /// One word for the log.
  var name: String {
    switch self {
    case .kept: "kept"
    case .created: "created"
    case .schemaChanged: "rebuilt"
    case .damaged: "damaged"
    }
  }
}

/// What a directory held when it was opened.
package struct RecoveredContent: Sendable {
  /// The lanes in ascending order of name.
  package let lanes: [RestoredLane]
  /// How far the rows reflect the lanes; never ahead of the heads.
  package let applied: Frontier
  /// The state of the hash over all rows; empty when none was stored.
  package let rowSet: [UInt8]
  /// Proofs of equivocation.
  package let proofs: [EquivocationProof]
  /// Whether the previous run closed the directory; a new directory counts as closed.
  package let wasClosed: Bool
  /// What became of the rows.
  package let stateOrigin: StateOrigin

  /// The heads as a frontier.
  package var heads: Frontier {
    var frontier = Frontier()
    for lane in lanes {
      frontier[lane.head.lane] = lane.head.number
    }
    return frontier
  }
}

/// What a directory held when it was opened, and a way to read through it; belongs to the thread
/// that opened it.
///
/// Everything here is durable: before it is read, what earlier runs left in the write-ahead logs
/// was moved into the databases and synced, so a bundle that an earlier run had not yet
/// acknowledged cannot be lost after this run has shown it to somebody.
package struct Recovery {
  /// What the directory held.
  package let content: RecoveredContent
  private let log: SQLiteConnection
  private let state: SQLiteConnection

  /// Opens connections of its own for reading.
  init(_ content: RecoveredContent, directory: String) throws(SQLiteError) {
    self.content = content
    log = try SQLiteConnection(path: "\(directory)/\(LogSchema.file)", mode: .readOnly)
    state = try SQLiteConnection(path: "\(directory)/\(StateSchema.file)", mode: .readOnly)
  }

  /// Calls `body` with every row of a table in the order in which they are stored, which is how
  /// they are read fastest.
  package func forEachRow(of table: TableSchema, _ body: (Row) throws -> Void) throws {
    let statement = try state.prepare(StateSchema.selectAll(from: table, ordered: false))
    while try statement.step() {
      guard let row = Row(checking: statement.row, of: table) else {
        throw StorageDamage(.state, ["a row of \(table.name) does not fit its columns"])
      }
      try body(row)
    }
  }

  /// Calls `body` with every bundle that the rows do not reflect yet, in the order in which they
  /// were stored, which is an order in which they were applied before: each lane ascends and no
  /// bundle comes before one that its context names. Operations are checked against the header;
  /// signatures are not checked again.
  package func forEachUnappliedBundle(_ body: (SignedBundle) throws -> Void) throws {
    let applied = content.applied
    let heads = content.heads
    guard let first = try firstUnappliedRow() else { return }
    let statement = try log.prepare(
      """
      SELECT lanes.lane, bundles.number, header, signature, body
      FROM bundles JOIN lanes USING (lane_index) WHERE bundles.id >= \(first) ORDER BY bundles.id
      """)
    while try statement.step() {
      guard let digest = Digest(statement.bytes(0)) else {
        throw StoredValueError("a lane's name has a wrong length")
      }
      let position = LanePosition(lane: LaneID(digest: digest), number: statement.unsigned(1))
      guard position.number > applied[position.lane], position.number <= heads[position.lane]
      else { continue }
      try body(StoredBundle(statement, from: 2).decoded(at: position))
    }
  }

  /// The first row of `bundles` that is not applied.
  private func firstUnappliedRow() throws -> Int64? {
    var first: Int64?
    for lane in content.lanes
    where lane.head.number > content.applied[lane.head.lane] {
      let row = try log.integer(
        """
        SELECT id FROM bundles JOIN lanes USING (lane_index)
        WHERE lanes.lane = ? AND bundles.number = ?
        """,
        [
          .bytes(lane.head.lane.digest.bytes),
          .integer(Int64(bitPattern: content.applied[lane.head.lane] + 1)),
        ])
      guard let row else { throw StoredValueError("a bundle has vanished") }
      first = min(first ?? row, row)
    }
    return first
  }
}
