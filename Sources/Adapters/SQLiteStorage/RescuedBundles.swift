package import Crypto
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
  private var connection: SQLiteConnection?

  /// Opens what a repair has left in a directory; `nil` when there is nothing.
  package init?(directory: String) throws(SQLiteError) {
    self.directory = directory
    let path = "\(directory)/\(RescuedBundles.file)"
    guard FileSystem.exists(path) else { return nil }
    connection = try SQLiteConnection(path: path, mode: .create)
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

  /// Up to `limit` bundles that continue what is held, in an order in which they can be taken; those
  /// that are held already are forgotten.
  package func next(
    holding frontier: Frontier, limit: Int
  ) throws(SQLiteError) -> [Verified<SignedBundle>] {
    guard let connection else { return [] }
    var held = frontier
    var due: [Verified<SignedBundle>] = []
    var done: [Int64] = []
    let statement = try connection.prepare(
      "SELECT id, lane, number, header, signature, body FROM rescued ORDER BY id")
    while due.count < limit, try statement.step() {
      guard let digest = Digest(statement.bytes(1)) else { continue }
      let lane = LaneID(digest: digest)
      let number = statement.unsigned(2)
      if number <= frontier[lane] { done.append(statement.integer(0)) }
      guard number == held[lane] + 1 else { continue }
      let stored = StoredBundle(statement, from: 3)
      // Bytes that went bad here too are a peer's to send.
      guard let bundle = try? stored.decoded(at: LanePosition(lane: lane, number: number)),
        bundle.header.context.allSatisfy({ held[$0.lane] >= $0.number }),
        let verified = Verified(checking: bundle)
      else { continue }
      held[lane] = number
      due.append(verified)
    }
    try forget(done)
    return due
  }

  private func forget(_ rows: [Int64]) throws(SQLiteError) {
    guard let connection, !rows.isEmpty else { return }
    try connection.transaction { () throws(SQLiteError) in
      for row in rows {
        try connection.cached("DELETE FROM rescued WHERE id = ?").run([.integer(row)])
      }
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
