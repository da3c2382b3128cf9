internal import Records

/// The tables of `log.db` and what is said about them in one place.
enum LogSchema {
  /// The file's name.
  static let file = "log.db"

  /// Named values with this prefix belong to storage itself.
  static let reservedPrefix = "storage."
  /// Present while no program has the directory open and nothing is left to recover.
  static let cleanKey = "storage.clean"
  /// The digest over the values that are not storage's own.
  static let sealKey = "storage.seal"

  /// Bundles keep the order of arrival as their row identifier, which appends at the end of the
  /// tree; their place in the lane is a second, small index. Wide values come last, so that a scan
  /// of the narrow ones does not read them.
  static let migrations = [
    Migration(
      version: 1,
      statements: [
        """
        CREATE TABLE lanes (
          lane_index INTEGER PRIMARY KEY, lane BLOB NOT NULL UNIQUE, node BLOB NOT NULL,
          epoch BLOB NOT NULL, number INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
          last_time INTEGER NOT NULL, digest BLOB NOT NULL, peaks BLOB NOT NULL) STRICT
        """,
        """
        CREATE TABLE bundles (
          id INTEGER PRIMARY KEY, lane_index INTEGER NOT NULL, number INTEGER NOT NULL,
          first_sequence INTEGER NOT NULL, operation_count INTEGER NOT NULL,
          last_time INTEGER NOT NULL, mark INTEGER NOT NULL, header BLOB NOT NULL,
          signature BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (lane_index, number)) STRICT
        """,
        """
        CREATE TABLE tiles (
          lane_index INTEGER NOT NULL, level INTEGER NOT NULL, position INTEGER NOT NULL,
          hash BLOB NOT NULL, PRIMARY KEY (lane_index, level, position)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE proofs (
          lane BLOB NOT NULL, number INTEGER NOT NULL, proof BLOB NOT NULL,
          PRIMARY KEY (lane, number)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE meta (
          key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID
        """,
      ]),
    // Lanes that are not held from their beginning, and the head that each had where it begins.
    Migration(
      version: 2,
      statements: [
        """
        CREATE TABLE lane_bases (
          lane_index INTEGER PRIMARY KEY, number INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
          last_time INTEGER NOT NULL, digest BLOB NOT NULL, peaks BLOB NOT NULL) STRICT
        """
      ]),
    Migration(version: 3, statements: []) { (connection) throws(SQLiteError) in
      try Seal.storeMeta(connection)
    },
  ]
}
