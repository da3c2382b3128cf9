internal import Crypto
internal import Merkle
internal import Primitives
internal import Records
internal import Wire

/// Appends to `log.db`: the one connection that changes it.
///
/// Invariants:
/// - L1: the bundles of a lane are numbered without gaps from 1, or from the one after the lane's
///   base, in the order of their rows.
/// - L2: a lane's head names its last bundle.
struct LogWriter {
  let connection: SQLiteConnection
  private var lanes: [LaneID: Place]

  private struct Place {
    let index: Int64
    var number: UInt64
  }

  /// Takes over an opened file whose lanes end as given.
  init(connection: SQLiteConnection) throws(SQLiteError) {
    self.connection = connection
    var lanes: [LaneID: Place] = [:]
    let statement = try connection.prepare("SELECT lane_index, lane, number FROM lanes")
    while try statement.step() {
      guard let digest = Digest(statement.bytes(1)) else { continue }
      lanes[LaneID(digest: digest)] = Place(
        index: statement.integer(0), number: statement.unsigned(2))
    }
    self.lanes = lanes
  }

  /// The number of the last bundle held of `lane`.
  func head(of lane: LaneID) -> UInt64 { lanes[lane]?.number ?? 0 }

  /// Appends every step of `group` in one transaction, which is synced when this returns.
  mutating func commit(_ group: [StorageBatch]) throws(SQLiteError) {
    guard group.contains(where: { !$0.bundles.isEmpty || !$0.proofs.isEmpty }) else { return }
    try connection.cached("BEGIN IMMEDIATE").run()
    do throws(SQLiteError) {
      var heads: [LaneID: LaneHead] = [:]
      for batch in group {
        try append(batch)
        for head in batch.heads {
          heads[head.lane] = head
        }
      }
      for head in heads.values {
        try store(head)
      }
      try connection.cached("COMMIT").run()
    } catch {
      // Storage stops after a failure, so a rollback that fails too loses nothing.
      try? connection.execute("ROLLBACK")
      throw error
    }
  }

  private mutating func append(_ batch: StorageBatch) throws(SQLiteError) {
    for bundle in batch.bundles {
      try append(bundle)
    }
    for head in batch.heads {
      let number = self.head(of: head.lane)
      precondition(
        head.number == number, "L2: head \(head.number) of a lane that ends at \(number)")
    }
    for bundle in batch.bundles {
      precondition(
        batch.heads.contains { $0.lane == bundle.header.lane },
        "L2: bundle \(bundle.header.number) comes without its lane's head")
    }
    let insertTile = try connection.cached("INSERT INTO tiles VALUES (?, ?, ?, ?)")
    for tile in batch.tiles {
      let level = tile.subtree.level
      precondition(level > 0 && level.isMultiple(of: LaneTile.levelStep), "tile of level \(level)")
      guard let place = lanes[tile.lane] else {
        preconditionFailure("tile of an unknown lane \(tile.lane.digest)")
      }
      try insertTile.run([
        .integer(place.index), .integer(Int64(level)),
        .integer(Int64(bitPattern: tile.subtree.index)), .bytes(tile.hash.bytes),
      ])
    }
    let insertProof = try connection.cached("INSERT OR IGNORE INTO proofs VALUES (?, ?, ?)")
    for proof in batch.proofs {
      try insertProof.run([
        .bytes(proof.lane.digest.bytes), .integer(Int64(bitPattern: proof.number)),
        .bytes(proof.encoded),
      ])
    }
  }

  private mutating func append(_ bundle: SignedBundle) throws(SQLiteError) {
    let header = bundle.header
    var place = lanes[header.lane] ?? Place(index: Int64(lanes.count + 1), number: 0)
    precondition(
      header.number == place.number + 1,
      "L1: bundle \(header.number) follows \(place.number) of lane \(header.lane.digest)")
    place.number = header.number
    lanes[header.lane] = place
    let insert = try connection.cached(
      """
      INSERT INTO bundles (lane_index, number, first_sequence, operation_count, last_time, mark,
        header, signature, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    try insert.run([
      .integer(place.index), .integer(Int64(bitPattern: header.number)),
      .integer(Int64(bitPattern: header.firstSequence)), .integer(Int64(header.operationCount)),
      .integer(Int64(bitPattern: header.lastTime.raw)),
      .integer(Int64(bitPattern: bundle.digest.words.0)), .bytes(header.encoded),
      .bytes(bundle.signature.bytes), .bytes(SignedBundle.body(of: bundle.operations)),
    ])
  }

  private func store(_ head: LaneHead) throws(SQLiteError) {
    guard let place = lanes[head.lane] else {
      preconditionFailure("head of an unknown lane \(head.lane.digest)")
    }
    var peaks: [UInt8] = []
    for peak in head.range.peaks {
      peak.append(to: &peaks)
    }
    let upsert = try connection.cached(
      """
      INSERT INTO lanes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (lane_index) DO UPDATE SET number = excluded.number,
        last_sequence = excluded.last_sequence, last_time = excluded.last_time,
        digest = excluded.digest, peaks = excluded.peaks
      """)
    try upsert.run([
      .integer(place.index), .bytes(head.lane.digest.bytes), .bytes(head.node.key.bytes),
      .bytes(head.epoch.bytes), .integer(Int64(bitPattern: head.number)),
      .integer(Int64(bitPattern: head.lastSequence)),
      .integer(Int64(bitPattern: head.lastTime.raw)), .bytes(head.digest.bytes), .bytes(peaks),
    ])
  }
}
