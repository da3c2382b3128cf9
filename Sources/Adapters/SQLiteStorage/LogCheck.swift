internal import Crypto
internal import Merkle
internal import Primitives
internal import Records
internal import Wire

/// Checks what `log.db` holds besides single bundles: lanes' rows, trees, proofs and named values.
struct LogCheck {
  let connection: SQLiteConnection
  /// Whether a node may be appending meanwhile: what lies beyond a head that was read is no finding
  /// then.
  let isGrowing: Bool

  /// The lanes; a finding when their rows cannot be read.
  func lanes(_ report: inout VerificationReport) -> [LogReader.Lane] {
    do throws(OpenFailure) {
      return try LogReader.lanes(connection)
    } catch {
      report.add(error, .head, "the lanes cannot be read")
      return []
    }
  }

  /// The number of bundles that are held of a lane.
  func countBundles(_ lane: LogReader.Lane, _ report: inout VerificationReport) -> UInt64 {
    var count: Int64?
    Verification.check(.gap, lane: lane.head.lane, in: &report) { () throws(SQLiteError) in
      count = try connection.integer(
        "SELECT count(*) FROM bundles WHERE lane_index = ?", [.integer(lane.index)])
    }
    return UInt64(max(0, count ?? 0))
  }

  /// Checks proofs, named values, and that nothing belongs to no lane.
  func checkTables(_ report: inout VerificationReport) {
    for table in ["bundles", "tiles"] {
      var orphans: Int64?
      Verification.check(.gap, in: &report) { () throws(SQLiteError) in
        orphans = try connection.integer(
          "SELECT count(*) FROM \(table) WHERE lane_index NOT IN (SELECT lane_index FROM lanes)")
      }
      if let orphans, orphans > 0 {
        report.add(.init(.gap, "\(orphans) \(table) belong to no lane"))
      }
    }
    do throws(OpenFailure) {
      report.proofs = try LogReader.proofs(connection).count
    } catch {
      report.add(error, .proof, "the proofs cannot be read")
    }
    var finding: String?
    Verification.check(.meta, in: &report) { () throws(SQLiteError) in
      finding = try Seal.metaFinding(connection)
    }
    if let finding { report.add(.init(.meta, finding)) }
  }

  /// Compares a lane's row with its last header and with the tree over all headers.
  func checkHead(
    _ lane: LogReader.Lane, _ range: MountainRange, last: Digest?,
    _ report: inout VerificationReport
  ) {
    let head = lane.head
    if last != head.digest {
      report.add(.init(.head, lane: head.lane, "does not name the last header"))
    }
    if range != head.range {
      report.add(.init(.head, lane: head.lane, "has peaks that the headers do not lead to"))
    }
    var bytes: [UInt8]?
    Verification.check(.head, lane: head.lane, in: &report) { () throws(SQLiteError) in
      bytes = try connection.bytes(
        "SELECT header FROM bundles WHERE lane_index = ? AND number = ?",
        [.integer(lane.index), .integer(Int64(clamping: head.number))])
    }
    // A header that is missing or cannot be read is a finding of its bundle.
    guard let bytes, let header = try? BundleHeader(decoding: bytes) else { return }
    let isEqual =
      header.lane == head.lane && header.node == head.node && header.epoch == head.epoch
      && header.lastSequence == head.lastSequence && header.lastTime == head.lastTime
    if !isEqual {
      report.add(.init(.head, lane: head.lane, "disagrees with the last header"))
    }
  }

  /// Compares stored subtrees with those that the headers lead to.
  func compareTiles(
    _ lane: LogReader.Lane, _ expected: [SubtreeReference: Digest],
    _ report: inout VerificationReport
  ) {
    var missing = expected
    for tile in storedTiles(lane, &report) {
      let place = "height \(tile.subtree.level) position \(tile.subtree.index)"
      guard let hash = missing.removeValue(forKey: tile.subtree) else {
        if isGrowing, isBeyond(tile.subtree, lane.head.number) { continue }
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

  private func storedTiles(
    _ lane: LogReader.Lane, _ report: inout VerificationReport
  ) -> [(subtree: SubtreeReference, hash: Digest?)] {
    var stored: [(subtree: SubtreeReference, hash: Digest?)] = []
    Verification.check(.tile, lane: lane.head.lane, in: &report) { () throws(SQLiteError) in
      let statement = try connection.prepare(
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
    return stored
  }

  /// Whether a subtree ends beyond the first `count` leaves.
  private func isBeyond(_ subtree: SubtreeReference, _ count: UInt64) -> Bool {
    guard (0..<63).contains(subtree.level) else { return false }
    return subtree.index >= count >> UInt64(subtree.level)
  }

  /// Looks for bundles beyond the head or below the base.
  func checkSurplus(_ lane: LogReader.Lane, _ report: inout VerificationReport) {
    var number: Int64?
    Verification.check(.gap, lane: lane.head.lane, in: &report) { () throws(SQLiteError) in
      number = try connection.integer(
        """
        SELECT min(number) FROM bundles
        WHERE lane_index = ? AND (number > ? OR number <= ?)
        """,
        [
          .integer(lane.index), .integer(Int64(clamping: lane.head.number)),
          .integer(Int64(clamping: lane.baseNumber)),
        ])
    }
    guard let number, number != 0 else { return }
    let isBeyond = number < 0 || UInt64(number) > lane.head.number
    report.add(
      .init(
        .gap, lane: lane.head.lane, number: UInt64(bitPattern: number),
        isBeyond ? "lies beyond the lane's head" : "lies below its base"))
  }
}
