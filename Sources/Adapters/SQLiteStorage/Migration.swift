/// One step that brings a database file from one version of its tables to the next.
package struct Migration: Sendable {
  /// The version after the step, counting from 1 without gaps.
  package let version: Int64
  /// What is run, in one transaction with the new version.
  package let statements: [String]

  /// What is done after the statements, in the same transaction.
  package let action: @Sendable (SQLiteConnection) throws(SQLiteError) -> Void

  /// Declares a step.
  package init(
    version: Int64, statements: [String],
    action: @escaping @Sendable (SQLiteConnection) throws(SQLiteError) -> Void = { _ in }
  ) {
    self.version = version
    self.statements = statements
    self.action = action
  }

  /// Applies every step beyond the file's version; `newer` when the file is beyond all of them.
  package static func apply(_ migrations: [Migration], to connection: SQLiteConnection)
    throws(SQLiteError)
    -> Outcome
  {
    let found = try connection.integer("PRAGMA user_version") ?? 0
    let known = migrations.last?.version ?? 0
    guard found <= known else { return .newer(found: found, known: known) }
    for migration in migrations where migration.version > found {
      try connection.transaction { () throws(SQLiteError) in
        for statement in migration.statements {
          try connection.execute(statement)
        }
        try migration.action(connection)
        try connection.execute("PRAGMA user_version=\(migration.version)")
      }
    }
    return found == 0 ? .created : .current
  }

  /// What became of the file.
  package enum Outcome: Equatable {
    /// The file was empty.
    case created
    /// The file holds data and has the newest tables now.
    case current
    /// The file was written by a newer program.
    case newer(found: Int64, known: Int64)
  }
}
