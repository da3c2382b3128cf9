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
    precondition(threadCount > 0, "\(threadCount) threads")
    let start = MonotonicClock.nanoseconds
    var report = VerificationReport()
    let state = try SQLiteConnection(
      path: "\(directory)/\(StateSchema.file)", mode: .readOnly, cacheBytes: 8 * 1_048_576)
    let log = try SQLiteConnection(
      path: "\(directory)/\(LogSchema.file)", mode: .readOnly, cacheBytes: 8 * 1_048_576)
    check(.rows, in: &report) { () throws(SQLiteError) in try beginSnapshot(state) }
    check(.head, in: &report) { () throws(SQLiteError) in try beginSnapshot(log) }
    for connection in [state, log] {
      quickCheck(connection, &report)
    }
    let lanes = readLanes(log, &report)
    report.lanes = lanes.count

    let stretches = lanes.map { lane in
      LaneCheck.stretches(of: lane, held: countBundles(log, lane, &report))
    }
    let work = LaneWork(stretches.flatMap(\.self))
    let threads = (0..<threadCount).map { _ in
      WorkerThread { work.run(path: "\(directory)/\(LogSchema.file)") }
    }
    let rows = StateCheck(connection: state, tables: tables)
    rows.run(heads: lanes.map(\.head), &report)
    for thread in threads {
      thread.join()
    }
    let outcomes = work.outcomes
    for outcome in outcomes {
      report.add(outcome.report)
    }
    checkTrees(log, lanes, stretches.map(\.count), outcomes, &report)
    checkProofs(log, &report)
    report.nanoseconds = MonotonicClock.nanoseconds - start
    return report
  }

  /// Runs `body`, which reads; a failure is a finding.
  static func check(
    _ kind: VerificationReport.Kind, lane: LaneID? = nil, table: String? = nil,
    in report: inout VerificationReport, _ body: () throws(SQLiteError) -> Void
  ) {
    do throws(SQLiteError) {
      try body()
    } catch {
      report.add(.init(.file, lane: lane, table: table, "\(kind.rawValue) unreadable: \(error)"))
    }
  }

  private static func beginSnapshot(_ connection: SQLiteConnection) throws(SQLiteError) {
    try connection.execute("BEGIN")
    _ = try connection.integer("SELECT count(*) FROM sqlite_schema")
  }

  private static func quickCheck(_ connection: SQLiteConnection, _ report: inout VerificationReport)
  {
    do throws(SQLiteError) {
      for finding in try connection.quickCheck() {
        report.add(.init(.file, "\(connection.path): \(finding)"))
      }
    } catch {
      report.add(.init(.file, "\(connection.path): \(error)"))
    }
  }

  /// The lanes; a finding when their rows cannot be read.
  private static func readLanes(
    _ log: SQLiteConnection, _ report: inout VerificationReport
  ) -> [LogReader.Lane] {
    do throws(OpenFailure) {
      return try LogReader.lanes(log)
    } catch {
      report.add(.init(.head, "the lanes cannot be read: \(error)"))
      return []
    }
  }

  /// The number of bundles that are held of a lane.
  private static func countBundles(
    _ log: SQLiteConnection, _ lane: LogReader.Lane, _ report: inout VerificationReport
  ) -> UInt64 {
    var count: Int64?
    check(.gap, lane: lane.head.lane, in: &report) { () throws(SQLiteError) in
      count = try log.integer(
        "SELECT count(*) FROM bundles WHERE lane_index = ?", [.integer(lane.index)])
    }
    return UInt64(max(0, count ?? 0))
  }

  /// Grows each lane's tree from its headers and compares head, peaks and tiles.
  private static func checkTrees(
    _ log: SQLiteConnection, _ lanes: [LogReader.Lane], _ stretchCounts: [Int],
    _ outcomes: [LaneCheck.Outcome], _ report: inout VerificationReport
  ) {
    var rest = outcomes[...]
    for (lane, count) in zip(lanes, stretchCounts) {
      let digests = rest.prefix(count).flatMap(\.digests)
      rest = rest.dropFirst(count)
      checkTree(log, lane, digests, &report)
      checkSurplus(log, lane, &report)
    }
    var orphans: Int64?
    check(.gap, in: &report) { () throws(SQLiteError) in
      orphans = try log.integer(
        "SELECT count(*) FROM bundles WHERE lane_index NOT IN (SELECT lane_index FROM lanes)")
    }
    if let orphans, orphans > 0 {
      report.add(.init(.gap, "\(orphans) bundles belong to no lane"))
    }
  }

  private static func checkTree(
    _ log: SQLiteConnection, _ lane: LogReader.Lane, _ digests: [Digest?],
    _ report: inout VerificationReport
  ) {
    let head = lane.head
    var range = lane.base?.range ?? MountainRange()
    var tiles: [SubtreeReference: Digest] = [:]
    for digest in digests {
      // A missing bundle is a finding already, and no tree can be grown over it.
      guard let digest else { return }
      range.append(digest) { subtree, hash in
        if subtree.level.isMultiple(of: LaneTile.levelStep) { tiles[subtree] = hash }
      }
    }
    if digests.last ?? lane.base?.digest != head.digest {
      report.add(.init(.head, lane: head.lane, "does not name the last header"))
    }
    if range != head.range {
      report.add(.init(.head, lane: head.lane, "has peaks that the headers do not lead to"))
    }
    compareTiles(log, lane, tiles, &report)
  }

  private static func compareTiles(
    _ log: SQLiteConnection, _ lane: LogReader.Lane, _ expected: [SubtreeReference: Digest],
    _ report: inout VerificationReport
  ) {
    var stored: [(subtree: SubtreeReference, hash: Digest?)] = []
    check(.tile, lane: lane.head.lane, in: &report) { () throws(SQLiteError) in
      let statement = try log.prepare(
        """
        SELECT level, position, hash FROM tiles
        WHERE lane_index = \(lane.index) ORDER BY level, position
        """)
      while try statement.step() {
        let subtree = SubtreeReference(
          level: Int(statement.integer(0)), index: statement.unsigned(1))
        stored.append((subtree, Digest(statement.bytes(2))))
      }
    }
    var missing = expected
    for tile in stored {
      let place = "height \(tile.subtree.level) position \(tile.subtree.index)"
      guard let hash = missing.removeValue(forKey: tile.subtree) else {
        report.add(.init(.tile, lane: lane.head.lane, "\(place) should not be there"))
        continue
      }
      if tile.hash != hash {
        report.add(.init(.tile, lane: lane.head.lane, "\(place) is wrong"))
      }
    }
    for subtree in missing.keys.sorted(by: { ($0.level, $0.index) < ($1.level, $1.index) }) {
      report.add(
        .init(
          .tile, lane: lane.head.lane,
          "height \(subtree.level) position \(subtree.index) is missing"
        ))
    }
  }

  /// Looks for bundles beyond the head or below the base.
  private static func checkSurplus(
    _ log: SQLiteConnection, _ lane: LogReader.Lane, _ report: inout VerificationReport
  ) {
    var number: Int64?
    check(.gap, lane: lane.head.lane, in: &report) { () throws(SQLiteError) in
      number = try log.integer(
        """
        SELECT min(number) FROM bundles
        WHERE lane_index = ? AND (number > ? OR number BETWEEN 1 AND ?)
        """,
        [
          .integer(lane.index), .integer(Int64(clamping: lane.head.number)),
          .integer(Int64(clamping: lane.baseNumber)),
        ])
    }
    guard let number, number > 0 else { return }
    let end = UInt64(number) > lane.head.number ? "beyond the lane's head" : "below its base"
    report.add(.init(.gap, lane: lane.head.lane, number: UInt64(number), "lies \(end)"))
  }

  private static func checkProofs(_ log: SQLiteConnection, _ report: inout VerificationReport) {
    do throws(OpenFailure) {
      report.proofs = try LogReader.proofs(log).count
    } catch {
      report.add(.init(.proof, "\(error)"))
    }
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
        outcome.report.add(.init(.file, lane: checks[index].lane, "\(error)"))
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
