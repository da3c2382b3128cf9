internal import Records

/// Checks one database as a file: that it is the kind of file this program writes, with the tables
/// it makes, and that its pages and indexes are whole.
struct FileCheck {
  let connection: SQLiteConnection
  let file: DatabaseFile
  let tables: [TableSchema]

  private typealias Entry = [String]

  /// Adds what is wrong to `report`; false when nothing more can be read.
  func run(_ report: inout VerificationReport) -> Bool {
    do throws(SQLiteError) {
      for finding in try findings() {
        report.add(.init(.file, "\(file.name): \(finding)"))
      }
      return true
    } catch {
      report.add(error, file.name)
      return false
    }
  }

  private func findings() throws(SQLiteError) -> [String] {
    var findings: [String] = []
    let version = try connection.integer("PRAGMA user_version")
    let known = migrations.last?.version
    if version != known {
      findings.append("version \(version ?? 0) instead of \(known ?? 0)")
    }
    if try connection.integer("PRAGMA application_id") != 0 {
      findings.append("it is marked as another program's")
    }
    if try connection.text("PRAGMA journal_mode") != "wal" {
      findings.append("it is not in write-ahead mode")
    }
    if try entries(of: connection) != expected() {
      findings.append("its tables are not those of this program")
    }
    return findings + (try connection.integrityCheck())
  }

  private var migrations: [Migration] {
    switch file {
    case .log: LogSchema.migrations
    case .state: StateSchema.migrations
    }
  }

  /// The schema that this program makes, as SQLite keeps it.
  private func expected() throws(SQLiteError) -> [Entry] {
    let fresh = try SQLiteConnection(path: "", mode: .memory)
    _ = try Migration.apply(migrations, to: fresh)
    if file == .state {
      for statement in StateSchema.definition(of: tables) { try fresh.execute(statement) }
    }
    return try entries(of: fresh)
  }

  private func entries(of connection: SQLiteConnection) throws(SQLiteError) -> [Entry] {
    let statement = try connection.prepare(
      "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name, tbl_name, sql")
    var entries: [Entry] = []
    while try statement.step() {
      entries.append((0..<4).map { statement.text($0) })
    }
    return entries
  }
}
