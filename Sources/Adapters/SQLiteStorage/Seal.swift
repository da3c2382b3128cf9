internal import Crypto
internal import Primitives
internal import Records

/// Digests that storage keeps over values which nothing else protects: how far the rows reflect the
/// lanes, and the named values. A byte that changes on the disk is found by them.
enum Seal {
  /// The digest over the hash over all rows and how far they reflect the lanes.
  static func rows(_ rowSet: [UInt8], applied: Frontier) -> Digest {
    var hasher = Blake2b(.storedValues)
    hasher.update(UInt64(rowSet.count))
    hasher.update(rowSet)
    for entry in applied.entries {
      hasher.update(entry.lane.digest)
      hasher.update(entry.number)
    }
    return hasher.finalize()
  }

  /// The value of `row_set` that goes with these rows.
  static func stored(_ rowSet: [UInt8], applied: Frontier) -> [UInt8] {
    rowSet + rows(rowSet, applied: applied).bytes
  }

  /// Takes the value of `row_set` apart; `nil` when it does not belong to `applied`.
  static func open(_ stored: [UInt8]?, applied: Frontier) -> [UInt8]? {
    guard let stored else { return applied.count == 0 ? [] : nil }
    let rowSet = Array(stored.dropLast(Digest.byteCount))
    guard rowSet.isEmpty || rowSet.count == LatticeHash.byteCount else { return nil }
    return Seal.stored(rowSet, applied: applied) == stored ? rowSet : nil
  }

  /// The digest over all named values of the owner.
  static func meta(_ connection: SQLiteConnection) throws(SQLiteError) -> Digest {
    var hasher = Blake2b(.storedValues)
    let statement = try connection.prepare("SELECT key, value FROM meta ORDER BY key")
    while try statement.step() {
      let key = statement.text(0)
      if key.hasPrefix(LogSchema.reservedPrefix) { continue }
      let value = statement.bytes(1)
      hasher.update(UInt64(key.utf8.count))
      hasher.update(Array(key.utf8))
      hasher.update(UInt64(value.count))
      hasher.update(value)
    }
    return hasher.finalize()
  }

  /// Stores the digest over the named values, in the transaction that changed them.
  static func storeMeta(_ connection: SQLiteConnection) throws(SQLiteError) {
    try connection.cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")
      .run([.text(LogSchema.sealKey), .bytes(try meta(connection).bytes)])
  }

  /// What is wrong with the named values; `nil` when nothing is.
  static func metaFinding(_ connection: SQLiteConnection) throws(SQLiteError) -> String? {
    let statement = try connection.prepare("SELECT key, value FROM meta ORDER BY key")
    var stored: [UInt8]?
    while try statement.step() {
      let key = statement.text(0)
      guard key.hasPrefix(LogSchema.reservedPrefix) else { continue }
      switch key {
      case LogSchema.sealKey: stored = statement.bytes(1)
      case LogSchema.cleanKey where statement.bytes(1) == [1]: break
      default: return "the named value \(key) is not one of storage's"
      }
    }
    return try stored == meta(connection).bytes ? nil : "the named values are not those stored"
  }
}
