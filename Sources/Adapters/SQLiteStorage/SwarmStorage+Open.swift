package import Records
internal import StorageThreads
package import Telemetry

extension SwarmStorage {
  /// Opens or makes the directory of one swarm and tells what it holds.
  ///
  /// - Parameters:
  ///   - directory: the path; its parent must exist.
  ///   - tables: the tables of the live state. Rows made with other tables are dropped.
  ///   - options: limits and sizes.
  ///   - logger: where failures are told.
  ///   - onDurable: called on the writer's thread with the sequence up to which all is durable.
  ///   - onFailure: called once, on the thread that met the failure; the owner must stop.
  ///   - onDamage: called on any thread whenever a database is found damaged, also again; the owner
  ///     must stop and repair.
  /// - Returns: storage that is ready for steps, and what the directory held.
  /// - Throws: `OpenStorageError`, whose description says what to do.
  package static func open(
    directory: String, tables: [TableSchema], options: StorageOptions = StorageOptions(),
    logger: Logger, onDurable: @escaping @Sendable (_ throughSequence: UInt64) -> Void,
    onFailure: @escaping @Sendable (StorageFailure) -> Void,
    onDamage: @escaping @Sendable (StorageDamage) -> Void = { _ in }
  ) throws(OpenStorageError) -> (storage: SwarmStorage, recovery: Recovery) {
    let opening = Opening(directory: directory, tables: tables, options: options)
    let lock = try opening.lock()
    let (core, content) = try opening.files()
    let parts = try opening.connections(content)
    let writer = Writer(
      holder: WriterHolder(core), queue: Monitor(WriterQueue()),
      checkpoints: Monitor(CheckpointQueue()), checkpointPages: options.checkpointPages,
      onDurable: onDurable,
      onFailure: { failure in
        if let damage = failure.damage { onDamage(damage) }
        onFailure(failure)
      }, logger: logger)
    let scrubber = Scrubber(
      directory: directory, tables: tables,
      roundNanoseconds: options.scrubSeconds > 0
        ? UInt64(options.scrubSeconds) * 1_000_000_000 : .max,
      queue: Monitor(ScrubQueue()), onDamage: onDamage, logger: logger)
    let storage = SwarmStorage(
      directory: directory, options: options, lock: lock, writer: writer,
      checkpointer: Checkpointer(writer: writer, connections: parts.checkpoints),
      readers: parts.readers, scrubber: scrubber)
    logger.log(
      .info, "storage is open",
      [
        LogField("directory", directory),
        LogField("lanes", "\(content.lanes.count)"),
        LogField("closed", "\(content.wasClosed)"),
        LogField("rows", content.stateOrigin.name),
      ])
    if case .damaged(let findings) = content.stateOrigin {
      logger.log(
        .warning, "the rows were damaged: they are set aside and rebuilt from the lanes",
        [
          LogField("file", "\(directory)/\(StateSchema.file)"),
          LogField("found", findings.joined(separator: "; ")),
        ])
    }
    return (storage, parts.recovery)
  }
}

/// The steps of opening a directory.
private struct Opening: Sendable {
  let directory: String
  let tables: [TableSchema]
  let options: StorageOptions

  func lock() throws(OpenStorageError) -> DirectoryLock {
    try wrap(LogSchema.file) { () throws(OpenFailure) in
      try OpenFailure.wrapSystem { () throws(FileSystem.Failure) in
        try FileSystem.makeDirectory(directory)
      }
    }
    do throws(DirectoryLock.Refusal) {
      return try DirectoryLock(directory: directory)
    } catch {
      switch error {
      case .held(let holder):
        throw OpenStorageError(.locked(processIdentifier: holder), directory: directory)
      case .system(let code, let operation):
        throw OpenStorageError(.system(code: code, operation: operation), directory: directory)
      }
    }
  }

  /// Opens both files, checks them against each other and notes that they are open now.
  func files() throws(OpenStorageError) -> (WriterCore, RecoveredContent) {
    let log = try wrap(LogSchema.file) { () throws(OpenFailure) in
      try OpenedLog(directory: directory, cacheBytes: options.logCacheBytes)
    }
    let state = try wrap(StateSchema.file) { () throws(OpenFailure) in
      try OpenedState.open(
        directory: directory, tables: tables, wasClosed: log.wasClosed,
        cacheBytes: options.stateCacheBytes)
    }
    let content = RecoveredContent(
      lanes: log.recovered, applied: state.applied, rowSet: state.rowSet, proofs: log.proofs,
      wasClosed: log.wasClosed, stateOrigin: state.origin)
    let heads = content.heads
    for entry in content.applied.entries where entry.number > heads[entry.lane] {
      throw OpenStorageError(
        .logBehindState(lane: entry.lane, held: heads[entry.lane], applied: entry.number),
        directory: directory)
    }
    for lane in log.lanes where content.applied[lane.head.lane] < lane.baseNumber {
      throw OpenStorageError(
        .rowsLost(lane: lane.head.lane, base: lane.baseNumber), directory: directory)
    }
    let writer = try wrap(LogSchema.file) { () throws(OpenFailure) in
      try log.markOpened()
      return try OpenFailure.wrap { () throws(SQLiteError) in
        try LogWriter(connection: log.connection)
      }
    }
    let core = WriterCore(
      log: writer,
      state: StateWriter(
        connection: state.connection, tables: tables, rowSet: state.rowSet,
        applied: state.applied))
    return (core, content)
  }

  /// Opens the connections that only read or move.
  func connections(
    _ content: RecoveredContent
  ) throws(OpenStorageError) -> (
    recovery: Recovery, checkpoints: CheckpointConnections, readers: ReaderPool
  ) {
    do throws(SQLiteError) {
      return (
        try Recovery(content, directory: directory),
        try CheckpointConnections(directory: directory),
        try ReaderPool(directory: directory, options: options)
      )
    } catch {
      throw OpenStorageError(.database, directory: directory, underlying: error)
    }
  }

  /// Says what a failure on one file means for the directory.
  private func wrap<Result>(
    _ file: String, _ body: () throws(OpenFailure) -> Result
  ) throws(OpenStorageError) -> Result {
    do throws(OpenFailure) {
      return try body()
    } catch {
      switch error {
      case .damage(let finding):
        throw OpenStorageError(.logCorrupt(findings: [finding]), directory: directory)
      case .newer(let found, let known):
        throw OpenStorageError(
          .newerVersion(file: file, found: found, known: known), directory: directory)
      case .database(let error):
        throw OpenStorageError(.database, directory: directory, underlying: error)
      case .system(let failure):
        throw OpenStorageError(
          .system(code: failure.code, operation: failure.operation), directory: directory)
      }
    }
  }
}
