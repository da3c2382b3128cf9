internal import Crypto
internal import Merkle
internal import Primitives
package import Records
internal import StorageThreads
internal import Synchronization

/// Checks a swarm's directory from the outside: every hash, signature, link, subtree and row.
///
/// The files are opened for reading only and may be a copy, or belong to a node that is running:
/// rows are read as of one moment first and the lanes as of a later one, so that a step committed
/// in between is no finding. It knows the form of lanes and rows but not the rules by which
/// operations lead to rows; the rows are compared with the stored hash over all of them.
package enum Verification {
  /// Checks a directory.
  ///
  /// - Parameters:
  ///   - directory: the path of one swarm's directory.
  ///   - tables: the tables of the live state.
  ///   - threadCount: threads that check lanes, beside the one that checks rows.
  /// - Returns: what was checked and what is wrong.
  /// - Throws: `SQLiteError` when a file cannot be opened at all.
  package static func run(
    directory: String, tables: [TableSchema], threadCount: Int = 2
  ) throws -> VerificationReport {
    let reports = try runEach(directory: directory, tables: tables, threadCount: threadCount)
    var report = reports.log
    report.rows = reports.state.rows
    report.add(reports.state)
    return report
  }

  /// Checks a directory and tells the databases apart.
  package static func runEach(
    directory: String, tables: [TableSchema], threadCount: Int = 2
  ) throws -> (log: VerificationReport, state: VerificationReport) {
    precondition(threadCount > 0, "\(threadCount) threads")
    let start = MonotonicClock.nanoseconds
    var report = VerificationReport()
    var stateReport = VerificationReport()
    let state = try SQLiteConnection(
      path: "\(directory)/\(StateSchema.file)", mode: .readOnly, cacheBytes: 8 * 1_048_576)
    let log = try SQLiteConnection(
      path: "\(directory)/\(LogSchema.file)", mode: .readOnly, cacheBytes: 8 * 1_048_576)
    check(.rows, in: &stateReport) { () throws(SQLiteError) in try beginSnapshot(state) }
    check(.head, in: &report) { () throws(SQLiteError) in try beginSnapshot(log) }
    _ = FileCheck(connection: state, file: .state, tables: tables).run(&stateReport)
    _ = FileCheck(connection: log, file: .log, tables: tables).run(&report)
    let check = LogCheck(connection: log, isGrowing: false)
    let lanes = check.lanes(&report)
    report.lanes = lanes.count

    let stretches = lanes.map { lane in
      LaneCheck.stretches(of: lane, held: check.countBundles(lane, &report))
    }
    let work = LaneWork(stretches.flatMap(\.self))
    let threads = (0..<threadCount).map { _ in
      WorkerThread { work.run(path: "\(directory)/\(LogSchema.file)") }
    }
    let rows = StateCheck(connection: state, tables: tables)
    rows.run(heads: lanes.map(\.head), &stateReport)
    for thread in threads {
      thread.join()
    }
    let outcomes = work.outcomes
    for outcome in outcomes {
      report.add(outcome.report)
    }
    checkTrees(check, lanes, stretches.map(\.count), outcomes, &report)
    check.checkTables(&report)
    report.nanoseconds = MonotonicClock.nanoseconds - start
    return (report, stateReport)
  }

  /// Runs `body`, which reads; a failure is a finding.
  static func check(
    _ kind: VerificationReport.Kind, lane: LaneID? = nil, table: String? = nil,
    in report: inout VerificationReport, _ body: () throws(SQLiteError) -> Void
  ) {
    do throws(SQLiteError) {
      try body()
    } catch {
      report.add(error, lane: lane, table: table, "\(kind.rawValue) unreadable")
    }
  }

  static func beginSnapshot(_ connection: SQLiteConnection) throws(SQLiteError) {
    try connection.execute("BEGIN")
    _ = try connection.integer("SELECT count(*) FROM sqlite_schema")
  }

  /// Grows each lane's tree from its headers and compares head, peaks and tiles.
  private static func checkTrees(
    _ check: LogCheck, _ lanes: [LogReader.Lane], _ stretchCounts: [Int],
    _ outcomes: [LaneCheck.Outcome], _ report: inout VerificationReport
  ) {
    var rest = outcomes[...]
    for (lane, count) in zip(lanes, stretchCounts) {
      let digests = rest.prefix(count).flatMap(\.digests)
      rest = rest.dropFirst(count)
      checkTree(check, lane, digests, &report)
      check.checkSurplus(lane, &report)
    }
  }

  private static func checkTree(
    _ check: LogCheck, _ lane: LogReader.Lane, _ digests: [Digest?],
    _ report: inout VerificationReport
  ) {
    var tree = LaneGrowth(after: lane.base)
    // A missing bundle is a finding already, and no tree can be grown over it.
    guard tree.append(digests) else { return }
    check.checkHead(lane, tree.range, last: tree.last, &report)
    check.compareTiles(lane, tree.tiles, &report)
  }
}

/// The tree over a lane's headers as it grows, with the subtrees that are stored.
struct LaneGrowth {
  private(set) var range: MountainRange
  private(set) var tiles: [SubtreeReference: Digest] = [:]
  private(set) var last: Digest?

  /// Begins with the end of what is not held of the lane.
  init(after base: LaneHead?) {
    range = base?.range ?? MountainRange()
    last = base?.digest
  }

  /// Appends headers; false when one is missing, over which no tree can be grown.
  mutating func append(_ digests: [Digest?]) -> Bool {
    for digest in digests {
      guard let digest else { return false }
      range.append(digest) { subtree, hash in
        if subtree.level.isMultiple(of: LaneTile.levelStep) { tiles[subtree] = hash }
      }
      last = digest
    }
    return true
  }
}

/// Stretches of lanes, handed out to threads one by one.
private final class LaneWork: Sendable {
  private let checks: [LaneCheck]
  private let next = Atomic<Int>(0)
  private let results: Mutex<[LaneCheck.Outcome?]>

  init(_ checks: [LaneCheck]) {
    self.checks = checks
    results = Mutex([LaneCheck.Outcome?](repeating: nil, count: checks.count))
  }

  /// Checks stretches until none is left.
  func run(path: String) {
    do throws(SQLiteError) {
      let connection = try SQLiteConnection(path: path, mode: .readOnly)
      while let index = claim() {
        let outcome = checks[index].run(connection)
        results.withLock { $0[index] = outcome }
      }
    } catch {
      // Every stretch that no thread could check says so.
      while let index = claim() {
        var outcome = LaneCheck.Outcome()
        outcome.report.add(error, lane: checks[index].lane, "the lanes cannot be opened")
        results.withLock { $0[index] = outcome }
      }
    }
  }

  private func claim() -> Int? {
    let index = next.add(1, ordering: .relaxed).oldValue
    return index < checks.count ? index : nil
  }

  /// What every stretch gave, in order of lane and number.
  var outcomes: [LaneCheck.Outcome] { results.withLock { $0.compactMap(\.self) } }
}
