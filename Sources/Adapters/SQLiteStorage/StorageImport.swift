internal import Crypto
internal import Merkle
internal import Primitives
package import Records

/// Makes the directory of a swarm from a state that others vouch for, instead of from its lanes.
///
/// Every lane begins at the head that it has in that state, and the rows are that state's. Nothing
/// is durable before `finish`, so the caller works in a directory of another name and renames it
/// then. It checks nothing of what it is given: the caller has.
package final class StorageImport {
  private let log: SQLiteConnection
  private let state: SQLiteConnection
  private let directory: String
  private let upserts: [UInt16: String]

  /// Makes the directory, whose parent must exist, and the files; what stands there under their
  /// names is removed.
  package init(directory: String, tables: [TableSchema]) throws {
    self.directory = directory
    upserts = Dictionary(
      uniqueKeysWithValues: tables.map { ($0.number, StateSchema.upsert(into: $0)) })
    try FileSystem.makeDirectory(directory)
    for file in [LogSchema.file, StateSchema.file] {
      for suffix in FileSystem.databaseSuffixes {
        try FileSystem.remove("\(directory)/\(file)\(suffix)")
      }
    }
    log = try .bulk(path: "\(directory)/\(LogSchema.file)", cacheBytes: 2_097_152)
    state = try .bulk(path: "\(directory)/\(StateSchema.file)")
    _ = try Migration.apply(LogSchema.migrations, to: log)
    _ = try Migration.apply(StateSchema.migrations, to: state)
    let definition = StateSchema.definition(of: tables)
    for statement in definition { try state.execute(statement) }
    try state.cached("INSERT INTO state_meta VALUES ('definition', ?)")
      .run([.text(definition.joined(separator: ";\n"))])
    try log.beginBulk()
    try state.beginBulk()
  }

  /// Adds rows, of which a later one replaces an earlier one with its key.
  package func add(_ rows: [Row]) throws {
    for row in rows {
      guard let upsert = upserts[row.table] else {
        preconditionFailure("row of an unknown table \(row.table)")
      }
      try state.cached(upsert).run(row.values)
    }
  }

  /// Adds lanes, named values and the hash over all rows, and makes everything durable.
  ///
  /// - Parameters:
  ///   - lanes: the head of every lane, which its part begins after.
  ///   - rowSet: the state of the hash over all rows.
  ///   - proofs: proofs of equivocation.
  ///   - values: named values, as `SwarmStorage.setMeta` stores them.
  /// - Throws: `SQLiteError` or `FileSystem.Failure`; the directory is to be removed then.
  package func finish(
    lanes: [LaneHead], rowSet: [UInt8], proofs: [EquivocationProof],
    values: [(key: String, bytes: [UInt8])]
  ) throws {
    var applied = Frontier()
    for head in lanes {
      applied[head.lane] = head.number
      try state.cached("INSERT INTO applied VALUES (?, ?)").run([
        .bytes(head.lane.digest.bytes), .integer(Int64(bitPattern: head.number)),
      ])
    }
    try state.endBulk(
      "INSERT INTO row_set VALUES (1, ?)", [.bytes(Seal.stored(rowSet, applied: applied))])
    for (offset, head) in lanes.enumerated() { try add(head, index: Int64(offset + 1)) }
    for proof in proofs {
      try log.cached("INSERT OR IGNORE INTO proofs VALUES (?, ?, ?)").run([
        .bytes(proof.lane.digest.bytes), .integer(Int64(bitPattern: proof.number)),
        .bytes(proof.encoded),
      ])
    }
    for value in values {
      precondition(
        !value.key.hasPrefix(LogSchema.reservedPrefix)
          && value.bytes.count <= SwarmStorage.metaBytesMax,
        "value of \(value.bytes.count) bytes for \(value.key)")
      try log.cached("INSERT INTO meta VALUES (?, ?)").run([
        .text(value.key), .bytes(value.bytes),
      ])
    }
    try Seal.storeMeta(log)
    try log.endBulk("INSERT INTO meta VALUES (?, ?)", [LogSchema.clean, .bytes([1])])
    try FileSystem.syncDirectory(directory)
  }

  private func add(_ head: LaneHead, index: Int64) throws(SQLiteError) {
    let peaks = head.range.peaks.flatMap(\.bytes)
    let number = ColumnValue.integer(Int64(bitPattern: head.number))
    let end: [ColumnValue] = [
      .integer(Int64(bitPattern: head.lastSequence)),
      .integer(Int64(bitPattern: head.lastTime.raw)), .bytes(head.digest.bytes), .bytes(peaks),
    ]
    try log.cached("INSERT INTO lanes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
      [
        .integer(index), .bytes(head.lane.digest.bytes), .bytes(head.node.key.bytes),
        .bytes(head.epoch.bytes), number,
      ] + end)
    try log.cached("INSERT INTO lane_bases VALUES (?, ?, ?, ?, ?, ?)").run(
      [.integer(index), number] + end)
  }
}
