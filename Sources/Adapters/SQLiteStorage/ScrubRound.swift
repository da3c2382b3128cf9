internal import Primitives
internal import Records

/// One reading of everything that a directory in use holds, with connections of its own, so that
/// no page cache of the writer or the readers stands between it and the files.
///
/// Rows are read as of one moment, since their hash is one over all of them. Lanes only grow, so
/// they are read in short stretches, between which the write-ahead log can be moved.
struct ScrubRound {
  let directory: String
  let tables: [TableSchema]
  /// Called after some work with the share of the lanes that is done, and whether one moment is
  /// held; false ends the round.
  let pace: (_ share: Double, _ isHolding: Bool) -> Bool

  /// What a round found.
  struct Outcome: Sendable {
    /// Whether everything was read.
    var isComplete = false
    /// Bytes of the files that were read.
    var bytes: UInt64 = 0
    /// What is wrong; of one database, the lanes first.
    var damage: StorageDamage?
    /// What could not be looked at.
    var interruption: String?
  }

  /// Reads the rows, then the lanes, until something is wrong.
  func run() -> Outcome {
    var outcome = Outcome()
    guard let log = connect(.log, &outcome), let state = connect(.state, &outcome) else {
      return outcome
    }
    run(state, log, &outcome)
    return outcome
  }

  private func run(_ state: SQLiteConnection, _ log: SQLiteConnection, _ outcome: inout Outcome) {
    begin(state, .state, &outcome)
    begin(log, .log, &outcome)
    guard outcome.damage == nil, outcome.interruption == nil else { return }
    let check = LogCheck(connection: log, isGrowing: true)
    var logReport = VerificationReport()
    let lanes = check.lanes(&logReport)

    var report = VerificationReport()
    var isStopped = false
    if FileCheck(connection: state, file: .state, tables: tables).run(&report) {
      let rows = StateCheck(connection: state, tables: tables) { _ in
        isStopped = isStopped || !pace(0, true)
        return !isStopped
      }
      rows.run(heads: lanes.map(\.head), &report)
    }
    end(state)
    if isStopped { return }
    settle(report, .state, &outcome)
    if outcome.damage != nil { return }
    outcome.bytes += FileSystem.byteCount(of: "\(directory)/\(DatabaseFile.state.name)")

    if FileCheck(connection: log, file: .log, tables: tables).run(&logReport) {
      check.checkTables(&logReport)
    }
    end(log)
    isStopped = !readLanes(check, lanes, &logReport)
    settle(logReport, .log, &outcome)
    if isStopped { return }
    outcome.bytes += FileSystem.byteCount(of: "\(directory)/\(DatabaseFile.log.name)")
    outcome.isComplete = outcome.interruption == nil
  }

  private func connect(_ file: DatabaseFile, _ outcome: inout Outcome) -> SQLiteConnection? {
    do throws(SQLiteError) {
      return try SQLiteConnection(path: "\(directory)/\(file.name)", mode: .readOnly)
    } catch {
      note(error, file, &outcome)
      return nil
    }
  }

  private func begin(
    _ connection: SQLiteConnection, _ file: DatabaseFile, _ outcome: inout Outcome
  ) {
    do throws(SQLiteError) {
      try Verification.beginSnapshot(connection)
    } catch {
      note(error, file, &outcome)
    }
  }

  private func end(_ connection: SQLiteConnection) {
    // Nothing was written, so ending the transaction cannot lose anything.
    try? connection.execute("COMMIT")
  }

  private func note(_ error: SQLiteError, _ file: DatabaseFile, _ outcome: inout Outcome) {
    if error.isUnreadable {
      outcome.damage = outcome.damage ?? StorageDamage(file, ["\(error)"])
    } else {
      outcome.interruption = "\(error)"
    }
  }

  /// Reads lane by lane; false when the round was ended.
  private func readLanes(
    _ check: LogCheck, _ lanes: [LogReader.Lane], _ report: inout VerificationReport
  ) -> Bool {
    let total = lanes.reduce(1.0) { $0 + Double($1.head.number) }
    var done = 0.0
    for lane in lanes {
      var tree = LaneGrowth(after: lane.base)
      var isWhole = true
      for stretch in LaneCheck.stretches(of: lane, held: lane.head.number) {
        let outcome = stretch.run(check.connection)
        report.add(outcome.report)
        isWhole = isWhole && tree.append(outcome.digests)
        if report.findingCount > report.interruptionCount { return true }
        done += Double(stretch.numbers.count)
        guard pace(done / total, false) else { return false }
      }
      guard isWhole else { continue }
      check.checkHead(lane, tree.range, last: tree.last, &report)
      check.compareTiles(lane, tree.tiles, &report)
    }
    return true
  }

  private func settle(
    _ report: VerificationReport, _ file: DatabaseFile, _ outcome: inout Outcome
  ) {
    guard !report.isSound else { return }
    let findings = report.findings.map(\.description)
    guard report.findingCount > report.interruptionCount else {
      outcome.interruption = findings.first
      return
    }
    // Rows beyond a lane's end are a matter of the lanes: their seal says that they were applied.
    let isOfLanes = report.findings.allSatisfy { $0.kind == .applied }
    outcome.damage = StorageDamage(isOfLanes ? .log : file, findings)
  }
}
