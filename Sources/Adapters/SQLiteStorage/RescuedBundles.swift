internal import Primitives
package import Records
internal import Wire

/// Sound bundles that a repair found behind damage: they wait in `rescued.db` until what they build
/// on has come from a peer.
///
/// The owner asks for those that fit what it holds and takes them as if a peer had sent them. Once
/// all are held the file is removed.
package final class RescuedBundles {
  /// The file's name.
  package static let file = "rescued.db"

  static let migrations = [
    Migration(
      version: 1,
      statements: [
        """
        CREATE TABLE rescued (
          id INTEGER PRIMARY KEY, lane BLOB NOT NULL, number INTEGER NOT NULL,
          header BLOB NOT NULL, signature BLOB NOT NULL, body BLOB NOT NULL,
          UNIQUE (lane, number)) STRICT
        """
      ])
  ]

  private let directory: String
  private let lanes: [LaneID]
  private var connection: SQLiteConnection?

  /// Opens what a repair has left in a directory; `nil` when there is nothing.
  package init?(directory: String) throws(SQLiteError) {
    self.directory = directory
    let path = "\(directory)/\(RescuedBundles.file)"
    guard FileSystem.exists(path) else { return nil }
    let connection = try SQLiteConnection(path: path, mode: .create)
    // What is forgotten twice is forgotten: a sync would only hold up the owner.
    try connection.execute("PRAGMA synchronous=OFF")
    let statement = try connection.prepare("SELECT DISTINCT lane FROM rescued")
    var lanes: [LaneID] = []
    while try statement.step() {
      if let digest = Digest(statement.bytes(0)) { lanes.append(LaneID(digest: digest)) }
    }
    self.lanes = lanes
    self.connection = connection
  }

  /// Takes every sound bundle of a set-aside `log.db` that the lanes of a closed directory do not
  /// hold; returns how many wait. What was taken before is not taken twice.
  package static func collect(
    from damaged: String, into directory: String
  ) throws -> Int {
    var held = Frontier()
    do {
      let log = try SQLiteConnection(path: "\(directory)/\(LogSchema.file)", mode: .readOnly)
      let statement = try log.prepare("SELECT lane, number FROM lanes")
      while try statement.step() {
        guard let digest = Digest(statement.bytes(0)) else { continue }
        held[LaneID(digest: digest)] = statement.unsigned(1)
      }
    }
    let path = "\(directory)/\(RescuedBundles.file)"
    do {
      var salvage = try LogSalvage(damaged: damaged, rescued: path, held: held)
      _ = try salvage.run(droppingMeta: [])
    }
    guard let rescued = try RescuedBundles(directory: directory) else { return 0 }
    let count = try rescued.count()
    _ = try rescued.removeIfEmpty()
    return count
  }

  static func insert(
    _ stored: StoredBundle, of header: BundleHeader, into connection: SQLiteConnection
  ) throws(SQLiteError) {
    let insert = try connection.cached(
      """
      INSERT OR IGNORE INTO rescued (lane, number, header, signature, body)
      VALUES (?, ?, ?, ?, ?)
      """)
    try insert.run([
      .bytes(header.lane.digest.bytes), .integer(Int64(clamping: header.number)),
      .bytes(stored.header), .bytes(stored.signature), .bytes(stored.body),
    ])
  }

  /// How many bundles wait.
  package func count() throws(SQLiteError) -> Int {
    Int(try connection?.integer("SELECT count(*) FROM rescued") ?? 0)
  }

  /// Wire forms of up to `limit` bundles that continue what is held, in an order in which they can
  /// be taken; those that are held already are forgotten.
  package func next(holding frontier: Frontier, limit: Int) throws(SQLiteError) -> [[UInt8]] {
    guard let connection else { return [] }
    try forget(upTo: frontier)
    var held = frontier
    var frames: [[UInt8]] = []
    var isMoving = true
    while isMoving {
      isMoving = false
      for lane in lanes {
        while frames.count < limit,
          let frame = try due(lane, held[lane] + 1, held, connection)
        {
          held[lane] += 1
          frames.append(frame)
          isMoving = true
        }
      }
    }
    return frames
  }

  /// The wire form of a bundle that waits and whose causes are held.
  private func due(
    _ lane: LaneID, _ number: UInt64, _ held: Frontier, _ connection: SQLiteConnection
  ) throws(SQLiteError) -> [UInt8]? {
    let statement = try connection.cached(
      "SELECT header, signature, body FROM rescued WHERE lane = ? AND number = ?")
    let values: [ColumnValue] = [.bytes(lane.digest.bytes), .integer(Int64(clamping: number))]
    let stored = try statement.withBound(values) { () throws(SQLiteError) -> StoredBundle? in
      try statement.step() ? StoredBundle(statement, from: 0) : nil
    }
    // Bytes that went bad here too are a peer's to send.
    guard let stored,
      let bundle = try? stored.decoded(at: LanePosition(lane: lane, number: number)),
      bundle.header.context.allSatisfy({ held[$0.lane] >= $0.number })
    else { return nil }
    var writer = WireWriter(capacity: stored.header.count + stored.body.count + 80)
    stored.encode(into: &writer)
    return writer.bytes
  }

  private func forget(upTo frontier: Frontier) throws(SQLiteError) {
    guard let connection else { return }
    for lane in lanes {
      try connection.cached("DELETE FROM rescued WHERE lane = ? AND number <= ?")
        .run([.bytes(lane.digest.bytes), .integer(Int64(clamping: frontier[lane]))])
    }
  }

  /// Closes the file and removes it when nothing waits any more; whether it did.
  package func removeIfEmpty() throws -> Bool {
    guard try count() == 0 else { return false }
    connection = nil
    for suffix in FileSystem.databaseSuffixes.reversed() {
      try FileSystem.remove("\(directory)/\(RescuedBundles.file)\(suffix)")
    }
    return true
  }
}
