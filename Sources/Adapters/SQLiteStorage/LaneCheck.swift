internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// Checks a stretch of one lane: every hash, link and signature.
struct LaneCheck: Sendable {
  /// The most bundles in one stretch.
  static let bundlesMax: UInt64 = 512

  let laneIndex: Int64
  let lane: LaneID
  /// The end of what is not held of the lane.
  let base: LaneHead?
  let numbers: ClosedRange<UInt64>

  /// What a stretch gave.
  struct Outcome: Sendable {
    var report = VerificationReport()
    /// The digests of the headers, `nil` where a bundle is missing.
    var digests: [Digest?] = []
  }

  /// Cuts what is held of a lane into stretches that threads can check independently. A head far
  /// beyond the `held` bundles is damaged, and what it claims is not worth looking for.
  static func stretches(of lane: LogReader.Lane, held: UInt64) -> [LaneCheck] {
    let last = min(lane.head.number, lane.baseNumber + held + bundlesMax)
    return stride(from: lane.baseNumber + 1, through: last, by: Int(bundlesMax)).map { first in
      LaneCheck(
        laneIndex: lane.index, lane: lane.head.lane, base: lane.base,
        numbers: first...min(first + bundlesMax - 1, last))
    }
  }

  /// Reads and checks the stretch.
  func run(_ connection: SQLiteConnection) -> Outcome {
    var outcome = Outcome()
    do throws(SQLiteError) {
      try run(connection, &outcome)
    } catch {
      outcome.report.add(
        error, lane: lane, number: numbers.lowerBound + UInt64(outcome.digests.count),
        "the bundles from here on cannot be read")
    }
    while outcome.digests.count < numbers.count {
      outcome.digests.append(nil)
    }
    return outcome
  }

  private func run(_ connection: SQLiteConnection, _ outcome: inout Outcome) throws(SQLiteError) {
    var previous = try previousHeader(connection)
    let statement = try connection.cached(
      """
      SELECT number, first_sequence, operation_count, last_time, mark, header, signature, body
      FROM bundles WHERE lane_index = ? AND number BETWEEN ? AND ? ORDER BY number
      """)
    let values: [ColumnValue] = [
      .integer(laneIndex), .integer(Int64(clamping: numbers.lowerBound)),
      .integer(Int64(clamping: numbers.upperBound)),
    ]
    try statement.withBound(values) { () throws(SQLiteError) in
      var expected = numbers.lowerBound
      while try statement.step() {
        let number = statement.unsigned(0)
        while expected < number {
          missing(expected, &outcome)
          previous = nil
          expected += 1
        }
        let stored = StoredBundle(statement, from: 5)
        let header = check(stored, number, previous, &outcome)
        if let header { checkColumns(statement, header, stored.digest, &outcome) }
        outcome.digests.append(stored.digest)
        previous = header.map {
          Previous(lastSequence: $0.lastSequence, digest: stored.digest)
        }
        expected += 1
      }
      while expected <= numbers.upperBound {
        missing(expected, &outcome)
        expected += 1
      }
    }
  }

  private func missing(_ number: UInt64, _ outcome: inout Outcome) {
    outcome.report.add(.init(.gap, lane: lane, number: number, "is missing"))
    outcome.digests.append(nil)
  }

  /// What a bundle has to follow.
  private struct Previous {
    let lastSequence: UInt64
    let digest: Digest
  }

  /// The header before the stretch.
  private func previousHeader(_ connection: SQLiteConnection) throws(SQLiteError) -> Previous? {
    if let base, base.number + 1 == numbers.lowerBound {
      return Previous(lastSequence: base.lastSequence, digest: base.digest)
    }
    guard numbers.lowerBound > 1 else { return nil }
    let bytes = try connection.bytes(
      "SELECT header FROM bundles WHERE lane_index = ? AND number = ?",
      [.integer(laneIndex), .integer(Int64(clamping: numbers.lowerBound - 1))])
    // A header that cannot be read is a finding of the stretch it belongs to.
    guard let bytes, let header = try? BundleHeader(decoding: bytes) else { return nil }
    return Previous(
      lastSequence: header.lastSequence, digest: Blake2b.hash(bytes, .bundleHeader))
  }

  /// Checks one bundle; its header, when it can be read.
  private func check(
    _ stored: StoredBundle, _ number: UInt64, _ previous: Previous?,
    _ outcome: inout Outcome
  ) -> BundleHeader? {
    outcome.report.bundles += 1
    outcome.report.bytes += UInt64(
      stored.header.count + stored.signature.count + stored.body.count)
    // The finding is what matters, not at which byte the decoder stopped.
    guard let header = try? BundleHeader(decoding: stored.header) else {
      outcome.report.add(.init(.header, lane: lane, number: number, "cannot be read"))
      return nil
    }
    if header.lane != lane || header.number != number {
      outcome.report.add(.init(.header, lane: lane, number: number, "is that of another place"))
    }
    if let previous {
      if header.previous != previous.digest {
        outcome.report.add(
          .init(.header, lane: lane, number: number, "does not name the header before it"))
      }
      if header.firstSequence != previous.lastSequence &+ 1 {
        outcome.report.add(
          .init(.header, lane: lane, number: number, "does not continue the sequence"))
      }
    } else if number == 1, header.firstSequence != 1 {
      outcome.report.add(
        .init(.header, lane: lane, number: number, "does not start the sequence"))
    }
    checkContent(stored, header, number, &outcome)
    return header
  }

  private func checkContent(
    _ stored: StoredBundle, _ header: BundleHeader, _ number: UInt64, _ outcome: inout Outcome
  ) {
    guard let signature = Signature(stored.signature) else {
      outcome.report.add(.init(.signature, lane: lane, number: number, "has a wrong length"))
      return
    }
    // As for the header: that the lengths do not add up is all there is to say.
    guard let operations = try? SignedBundle.operations(inBody: stored.body) else {
      outcome.report.add(.init(.operations, lane: lane, number: number, "cannot be read"))
      return
    }
    outcome.report.operations += UInt64(operations.count)
    let bundle = SignedBundle(
      signedHeader: SignedHeader(header: header, signature: signature), operations: operations)
    guard Verified(checking: bundle) == nil else { return }
    if !bundle.isConsistent {
      outcome.report.add(
        .init(.operations, lane: lane, number: number, "are not those of the header"))
    }
    if Verified(checking: bundle.signedHeader) == nil {
      outcome.report.add(.init(.signature, lane: lane, number: number, "is not the node's"))
    }
  }

  private func checkColumns(
    _ statement: SQLiteStatement, _ header: BundleHeader, _ digest: Digest,
    _ outcome: inout Outcome
  ) {
    let isEqual =
      statement.unsigned(1) == header.firstSequence
      && statement.integer(2) == Int64(header.operationCount)
      && statement.unsigned(3) == header.lastTime.raw
      && statement.unsigned(4) == digest.words.0
    guard !isEqual else { return }
    outcome.report.add(
      .init(.header, lane: lane, number: statement.unsigned(0), "disagrees with its columns"))
  }
}
