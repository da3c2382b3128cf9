internal import Crypto
internal import Primitives
internal import Records

/// `log.db` after it was opened and checked.
struct OpenedLog {
  let connection: SQLiteConnection
  let lanes: [LogReader.Lane]
  let outlines: [Int64: LogReader.Outline]
  let proofs: [EquivocationProof]
  let wasClosed: Bool

  /// Opens the file, brings its tables to the newest version and checks its content.
  init(directory: String, cacheBytes: Int) throws(OpenFailure) {
    let path = "\(directory)/\(LogSchema.file)"
    let connection = try OpenFailure.wrap { () throws(SQLiteError) in
      let connection = try SQLiteConnection(path: path, mode: .create, cacheBytes: cacheBytes)
      try connection.execute("PRAGMA synchronous=FULL")
      return connection
    }
    let isNew = try OpenedState.migrate(connection, LogSchema.migrations)
    wasClosed = try OpenFailure.wrap { () throws(SQLiteError) in
      let mark = try connection.integer("SELECT 1 FROM meta WHERE key = ?", [LogSchema.clean])
      return isNew || mark != nil
    }
    try OpenedState.settle(connection, wasClosed: wasClosed)
    lanes = try LogReader.lanes(connection)
    outlines = try LogReader.outlines(connection, lanes: lanes)
    try LogReader.checkHeads(connection, lanes: lanes)
    proofs = try LogReader.proofs(connection)
    let finding = try OpenFailure.wrap { () throws(SQLiteError) in
      try Seal.metaFinding(connection)
    }
    if let finding { throw .damage(finding) }
    self.connection = connection
  }

  /// The lanes with their outlines.
  var recovered: [RestoredLane] {
    lanes.map { lane in
      let outline = outlines[lane.index] ?? LogReader.Outline()
      return RestoredLane(
        head: lane.head, base: lane.base, times: outline.times, marks: outline.marks)
    }
  }

  /// Notes that from now on a program has the directory open.
  func markOpened() throws(OpenFailure) {
    try OpenFailure.wrap { () throws(SQLiteError) in
      try connection.cached("DELETE FROM meta WHERE key = ?").run([LogSchema.clean])
    }
  }
}

extension LogSchema {
  /// The key of the mark of an orderly close, as a parameter.
  static let clean = ColumnValue.text(cleanKey)
}

/// `state.db` after it was opened and checked, or made anew.
struct OpenedState {
  let connection: SQLiteConnection
  let applied: Frontier
  let rowSet: [UInt8]
  let origin: StateOrigin

  /// Opens the file; what is damaged is set aside and what fits other tables is dropped.
  static func open(
    directory: String, tables: [TableSchema], wasClosed: Bool, cacheBytes: Int
  ) throws(OpenFailure) -> OpenedState {
    let path = "\(directory)/\(StateSchema.file)"
    var origin = StateOrigin.kept
    if !FileSystem.exists(path) {
      // A crash may have left the write-ahead log of a database that was set aside.
      try OpenFailure.wrapSystem { () throws(FileSystem.Failure) in
        try SetAside(directory: directory).move(StateSchema.file)
      }
    }
    do throws(OpenFailure) {
      if let opened = try existing(path, tables, wasClosed: wasClosed, cacheBytes: cacheBytes) {
        return opened
      }
      origin = .schemaChanged
      try OpenFailure.wrapSystem { () throws(FileSystem.Failure) in
        for suffix in FileSystem.databaseSuffixes {
          try FileSystem.remove(path + suffix)
        }
      }
    } catch {
      guard case .damage(let finding) = error else { throw error }
      origin = .damaged(findings: [finding])
      try OpenFailure.wrapSystem { () throws(FileSystem.Failure) in
        try SetAside(directory: directory).move(StateSchema.file)
      }
    }
    guard
      let opened = try existing(
        path, tables, wasClosed: true, cacheBytes: cacheBytes, origin: origin)
    else { throw .damage("a new state.db does not hold the tables it was made with") }
    return opened
  }

  /// Opens the file; `nil` when it was made with other tables.
  private static func existing(
    _ path: String, _ tables: [TableSchema], wasClosed: Bool, cacheBytes: Int,
    origin: StateOrigin = .kept
  ) throws(OpenFailure) -> OpenedState? {
    let connection = try OpenFailure.wrap { () throws(SQLiteError) in
      let connection = try SQLiteConnection(path: path, mode: .create, cacheBytes: cacheBytes)
      try connection.execute("PRAGMA synchronous=NORMAL")
      return connection
    }
    let isNew = try migrate(connection, StateSchema.migrations)
    let definition = StateSchema.definition(of: tables)
    let text = definition.joined(separator: ";\n")
    if isNew {
      try OpenFailure.wrap { () throws(SQLiteError) in
        try connection.transaction { () throws(SQLiteError) in
          for statement in definition {
            try connection.execute(statement)
          }
          try connection.cached("INSERT INTO state_meta VALUES ('definition', ?)").run([.text(text)]
          )
        }
      }
    } else {
      try settle(connection, wasClosed: wasClosed)
    }
    let stored = try OpenFailure.wrap { () throws(SQLiteError) in
      try connection.text("SELECT value FROM state_meta WHERE key = 'definition'")
    }
    guard stored == text else { return nil }
    let applied = try applied(connection)
    return OpenedState(
      connection: connection, applied: applied, rowSet: try rowSet(connection, applied: applied),
      origin: origin == .kept && isNew ? .created : origin)
  }

  /// Brings the tables to the newest version; whether the file was empty.
  static func migrate(
    _ connection: SQLiteConnection, _ migrations: [Migration]
  ) throws(OpenFailure) -> Bool {
    let outcome = try OpenFailure.wrap { () throws(SQLiteError) in
      try Migration.apply(migrations, to: connection)
    }
    switch outcome {
    case .created: return true
    case .current: return false
    case .newer(let found, let known): throw .newer(found: found, known: known)
    }
  }

  /// Checks a file that was not closed, then makes what its write-ahead log holds durable.
  ///
  /// A commit that a killed run had written but not synced is seen again after the kill, and so is
  /// one whose sync failed: moving the log writes those pages anew and syncs them.
  static func settle(_ connection: SQLiteConnection, wasClosed: Bool) throws(OpenFailure) {
    let findings = try OpenFailure.wrap { () throws(SQLiteError) in
      let findings = wasClosed ? [] : try connection.quickCheck()
      if findings.isEmpty { try connection.checkpointAndTruncate() }
      return findings
    }
    guard findings.isEmpty else { throw .damage(findings.joined(separator: "; ")) }
  }

  /// How far the rows reflect the lanes.
  static func applied(_ connection: SQLiteConnection) throws(OpenFailure) -> Frontier {
    let entries = try OpenFailure.wrap { () throws(SQLiteError) in
      let statement = try connection.prepare("SELECT lane, number FROM applied")
      var entries: [(lane: Digest?, number: UInt64)] = []
      while try statement.step() {
        entries.append((Digest(statement.bytes(0)), statement.unsigned(1)))
      }
      return entries
    }
    var frontier = Frontier()
    for entry in entries {
      guard let lane = entry.lane else { throw .damage("a lane's name has a wrong length") }
      frontier[LaneID(digest: lane)] = entry.number
    }
    return frontier
  }

  private static func rowSet(
    _ connection: SQLiteConnection, applied: Frontier
  ) throws(OpenFailure) -> [UInt8] {
    let stored = try OpenFailure.wrap { () throws(SQLiteError) in
      try connection.bytes("SELECT state FROM row_set WHERE id = 1")
    }
    guard let rowSet = Seal.open(stored, applied: applied) else {
      throw .damage("the hash over the rows is not the one of what they reflect")
    }
    return rowSet
  }
}
