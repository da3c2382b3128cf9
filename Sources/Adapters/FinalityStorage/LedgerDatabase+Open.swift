internal import Primitives
package import Records
internal import SQLiteStorage
internal import StorageThreads

/// A database that was opened and checked.
struct OpenedLedger {
  let directory: String
  let connection: SQLiteConnection
  let reads: LedgerReads
  let wasReset: Bool
}

extension LedgerDatabase {
  /// Opens or makes the database of a chain.
  ///
  /// - Parameters:
  ///   - directory: a directory for it alone, whose parent must exist.
  ///   - chain: the chain.
  ///   - tables: the tables of the rows. When the file holds rows of others, all that execution has
  ///     led to is dropped and has to be computed again from the blocks, see `wasReset`.
  ///   - options: sizes.
  /// - Returns: the database, which belongs to the caller's thread.
  /// - Throws: `LedgerError`; when `isDamage`, `setAside` is the way on.
  package static func open(
    directory: String, chain: ChainID, tables: [TableSchema],
    options: LedgerOptions = LedgerOptions()
  ) throws(LedgerError) -> LedgerDatabase {
    try prepare(directory)
    let lock = try lock(directory)
    do throws(LedgerError) {
      let opened = try openFile(directory, chain, tables, options)
      return try LedgerDatabase(opened, lock: lock, options: options)
    } catch {
      lock.release()
      throw error
    }
  }

  /// Moves a damaged file out of the way, under a name with the time, so that the next opening
  /// begins with an empty one; its new path.
  @discardableResult
  package static func setAside(_ directory: String) throws(LedgerError) -> String {
    let lock = try lock(directory)
    defer { lock.release() }
    do throws(FileSystem.Failure) {
      let aside = SetAside(directory: directory, files: [LedgerSchema.file])
      try aside.move(LedgerSchema.file)
      return aside.path(of: LedgerSchema.file)
    } catch {
      throw LedgerError(
        .system(code: error.code, operation: error.operation), directory: directory)
    }
  }

  /// What SQLite finds wrong with the file while nobody has it open; empty when it is whole or
  /// does not exist. Whether its content is right is the business of `LedgerVerification`.
  package static func findings(_ directory: String) -> [String] {
    let path = "\(directory)/\(LedgerSchema.file)"
    guard FileSystem.exists(path) else { return [] }
    do throws(SQLiteError) {
      return try SQLiteConnection(path: path, mode: .readOnly).integrityCheck()
    } catch {
      return ["\(error)"]
    }
  }

  private static func prepare(_ directory: String) throws(LedgerError) {
    do throws(FileSystem.Failure) {
      try FileSystem.makeDirectory(directory)
    } catch {
      throw LedgerError(
        .system(code: error.code, operation: error.operation), directory: directory)
    }
  }

  private static func lock(_ directory: String) throws(LedgerError) -> DirectoryLock {
    do throws(DirectoryLock.Refusal) {
      return try DirectoryLock(directory: directory)
    } catch {
      switch error {
      case .held(let holder):
        throw LedgerError(.locked(processIdentifier: holder), directory: directory)
      case .system(let code, let operation):
        throw LedgerError(.system(code: code, operation: operation), directory: directory)
      }
    }
  }

  private static func openFile(
    _ directory: String, _ chain: ChainID, _ tables: [TableSchema], _ options: LedgerOptions
  ) throws(LedgerError) -> OpenedLedger {
    let connection: SQLiteConnection
    let outcome: Migration.Outcome
    do throws(SQLiteError) {
      connection = try SQLiteConnection(
        path: "\(directory)/\(LedgerSchema.file)", mode: .create, cacheBytes: options.cacheBytes)
      try connection.execute("PRAGMA synchronous=FULL")
      outcome = try Migration.apply(LedgerSchema.migrations, to: connection)
    } catch {
      throw LedgerError(error, directory: directory)
    }
    let reads = LedgerReads(connection, directory: directory, chain: chain, tables: tables)
    switch outcome {
    case .newer(let found, let known):
      throw LedgerError(.newerVersion(found: found, known: known), directory: directory)
    case .created: break
    case .current: try check(reads, directory)
    }
    let wasReset = try adopt(reads, directory)
    return OpenedLedger(
      directory: directory, connection: connection, reads: reads, wasReset: wasReset)
  }

  /// Checks a file that was there: all of it after an unclean stop, and whose it is. What its log
  /// holds is made durable: a killed program may have left it in the kernel's memory.
  private static func check(_ reads: LedgerReads, _ directory: String) throws(LedgerError) {
    let wasClosed = try reads.value(LedgerMeta.clean) != nil
    let findings: [String]
    do throws(SQLiteError) {
      findings = wasClosed ? [] : try reads.connection.quickCheck()
      if findings.isEmpty { try reads.connection.checkpointAndTruncate() }
    } catch {
      throw LedgerError(error, directory: directory)
    }
    guard findings.isEmpty else {
      let list = findings.map { LedgerFinding("database", "pages", $0) }
      throw LedgerError(.damaged(list), directory: directory)
    }
    try checkHeights(reads, countsAll: !wasClosed, directory)
  }

  /// Checks that the newest of everything belongs together, and after an unclean stop that nothing
  /// is missing below, which takes reading all of an index.
  private static func checkHeights(
    _ reads: LedgerReads, countsAll: Bool, _ directory: String
  ) throws(LedgerError) {
    let tip = try reads.tip()?.height ?? 0
    let executed = try reads.executedTip()?.height ?? 0
    let below = try reads.firstHeight() - 1
    let counts =
      countsAll
      ? try reads.select(
        "SELECT (SELECT count(*) FROM blocks), (SELECT count(*) FROM executed)", []) : []
    var findings: [LedgerFinding] = []
    if executed > tip {
      findings.append(LedgerFinding("executed", "\(executed)", "the last block is \(tip)"))
    }
    if let count = counts.first?[0].unsigned, count + below != max(tip, below) {
      findings.append(LedgerFinding("blocks", "\(tip)", "blocks below it are missing"))
    }
    if let count = counts.first?[1].unsigned, count + below != max(executed, below) {
      findings.append(LedgerFinding("executed", "\(executed)", "heights below it are missing"))
    }
    guard findings.isEmpty else { throw LedgerError(.damaged(findings), directory: directory) }
  }

  /// Notes whose file it is and that it is in use; drops what other tables have led to.
  private static func adopt(_ reads: LedgerReads, _ directory: String) throws(LedgerError) -> Bool {
    let chain = reads.chain.digest.bytes
    let definition = LedgerSchema.definition(of: reads.tables)
    let foundChain = try reads.value(LedgerMeta.chain)
    if let found = foundChain, found != chain, let other = Digest(found) {
      throw LedgerError(.otherChain(found: ChainID(digest: other)), directory: directory)
    }
    let foundTables = try reads.value(LedgerMeta.tables)
    let isReset = foundTables != nil && foundTables != definition
    if isReset, try reads.firstHeight() > 1 {
      let finding = LedgerFinding(
        "rows", "all", "they have other tables, and the blocks that led to them are not held")
      throw LedgerError(.damaged([finding]), directory: directory)
    }
    do throws(SQLiteError) {
      let connection = reads.connection
      try connection.transaction { () throws(SQLiteError) in
        if isReset {
          for table in LedgerSchema.executionTables {
            try connection.execute("DELETE FROM \(table)")
          }
        }
        try LedgerMeta.write(LedgerMeta.chain, chain, connection)
        try LedgerMeta.write(LedgerMeta.tables, definition, connection)
        try LedgerMeta.write(LedgerMeta.clean, nil, connection)
      }
    } catch {
      throw LedgerError(error, directory: directory)
    }
    return isReset
  }
}
