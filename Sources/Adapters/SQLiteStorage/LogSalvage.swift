internal import Crypto
internal import Merkle
internal import Primitives
internal import Records
internal import Wire

/// What a salvage brought over from damaged lanes.
package struct SalvageReport: Hashable, Sendable {
  /// Bundles of the new `log.db`.
  package internal(set) var kept: UInt64 = 0
  /// Sound bundles that wait in `rescued.db` for one that they build on.
  package internal(set) var rescued: UInt64 = 0
  /// Bundles whose bytes are no longer those that were signed.
  package internal(set) var rejected: UInt64 = 0
  /// Bundles that were left out since another version of them is final.
  package internal(set) var withdrawn: UInt64 = 0
  /// Times that reading stopped at a page that is no longer one.
  package internal(set) var gaps: UInt64 = 0
}

/// Copies every sound bundle of a damaged `log.db` into new files; the damaged one stays as it is.
///
/// Rows are read in the order of arrival, in which causes come before effects. A bundle that
/// continues its lane and whose context is there already goes into the new lanes; so these are
/// complete up to some place each, and closed under causality. A sound bundle that does not fit
/// goes into `rescued.db`, from where the node feeds it to itself once the missing one came from a
/// peer: nothing that was acknowledged is lost but what the disk itself has destroyed.
struct LogSalvage {
  /// Bundles that are committed at once.
  private static let groupCount = 256
  /// Row identifiers after which reading is given up.
  private static let skipMax: Int64 = 1 << 40

  private let path: String
  /// Absent when SQLite cannot make anything of the file.
  private let source: SQLiteConnection?
  private let rescued: SQLiteConnection
  /// Absent when everything sound goes into `rescued.db`.
  private var target: LogWriter?
  /// What is held elsewhere, and so of no use here.
  private let held: Frontier?
  /// The place after which a lane is left out.
  private let withdrawal: LanePosition?
  /// Lanes that are proven to fork: what builds on them need not wait for the version it builds on.
  private var forked: Set<LaneID> = []
  private var heads: [LaneID: LaneHead] = [:]
  private var batch = StorageBatch(sequence: 1)
  private(set) var report = SalvageReport()

  /// Opens the damaged file and makes the new ones.
  init(
    damaged: String, target: String, rescued: String, withdrawal: LanePosition? = nil
  ) throws(SQLiteError) {
    try self.init(damaged: damaged, rescued: rescued, withdrawal: withdrawal, held: nil)
    let connection = try SQLiteConnection(path: target, mode: .create)
    try connection.execute("PRAGMA synchronous=FULL")
    _ = try Migration.apply(LogSchema.migrations, to: connection)
    self.target = try LogWriter(connection: connection)
  }

  /// Opens the damaged file and makes `rescued.db` for everything sound beyond what is held.
  init(
    damaged: String, rescued: String, withdrawal: LanePosition? = nil, held: Frontier?
  ) throws(SQLiteError) {
    path = damaged
    self.withdrawal = withdrawal
    self.held = held
    do throws(SQLiteError) {
      source = try SQLiteConnection(path: damaged, mode: .readOnly)
    } catch {
      guard error.isUnreadable else { throw error }
      source = nil
    }
    self.rescued = try SQLiteConnection(path: rescued, mode: .create)
    _ = try Migration.apply(RescuedBundles.migrations, to: self.rescued)
  }

  /// Copies what is sound and leaves complete, synced files without write-ahead logs.
  mutating func run(droppingMeta names: [String]) throws(SQLiteError) -> SalvageReport {
    if let withdrawal {
      forked.insert(withdrawal.lane)
      // What an earlier repair found of it.
      try rescued.cached("DELETE FROM rescued WHERE lane = ? AND number > ?")
        .run([
          .bytes(withdrawal.lane.digest.bytes), .integer(Int64(clamping: withdrawal.number)),
        ])
    }
    if let source {
      for proof in try proofs(in: source) { forked.insert(proof.lane) }
      try copyBundles(source)
    } else {
      report.gaps += 1
    }
    // Where the tree leads nowhere its pages still hold rows.
    if report.gaps > 0 {
      let rejected = report.rejected
      report.rejected = 0
      try PageScan(path)?.forEach { (stored) throws(SQLiteError) in try take(stored) }
      report.rejected = max(rejected, report.rejected)
    }
    try commit()
    if let source, let target {
      try copyProofs(source)
      try copyMeta(source, to: target.connection, dropping: names)
    }
    try settleRescued()
    try target?.connection.checkpointAndTruncate()
    try rescued.checkpointAndTruncate()
    return report
  }

  /// Reads rows one by one; where a page cannot be read, those behind it are looked for.
  private mutating func copyBundles(_ source: SQLiteConnection) throws(SQLiteError) {
    var last: Int64 = 0
    var skip: Int64 = 1
    while skip < LogSalvage.skipMax {
      do throws(SQLiteError) {
        let statement = try source.prepare(
          "SELECT id, header, signature, body FROM bundles WHERE id > \(last) ORDER BY id")
        while try statement.step() {
          last = max(last, statement.integer(0))
          skip = 1
          try take(StoredBundle(statement, from: 1))
        }
        return
      } catch {
        guard error.isUnreadable else { throw error }
        report.gaps += 1
        guard last < Int64.max - skip else { return }
        last += skip
        skip *= 2
      }
    }
  }

  private mutating func take(_ stored: StoredBundle) throws(SQLiteError) {
    // Whatever is wrong with it: these are not the bytes that were signed.
    guard let header = try? BundleHeader(decoding: stored.header),
      let bundle = try? stored.decoded(
        at: LanePosition(lane: header.lane, number: header.number)),
      Verified(checking: bundle) != nil
    else {
      report.rejected += 1
      return
    }
    let head = heads[header.lane]
    let number = head?.number ?? 0
    guard header.number > number else { return }
    if let withdrawal, withdrawal.lane == header.lane, header.number > withdrawal.number {
      report.withdrawn += 1
      return
    }
    if let held {
      if header.number > held[header.lane] {
        try RescuedBundles.insert(stored, of: header, into: rescued)
      }
      return
    }
    guard header.number == number + 1, follows(header, head), isCaused(header) else {
      try RescuedBundles.insert(stored, of: header, into: rescued)
      return
    }
    append(bundle, to: head)
    report.kept += 1
    if batch.bundles.count >= LogSalvage.groupCount { try commit() }
  }

  private func follows(_ header: BundleHeader, _ head: LaneHead?) -> Bool {
    guard let head else { return true }
    return header.previous == head.digest && header.firstSequence == head.lastSequence + 1
  }

  private func isCaused(_ header: BundleHeader) -> Bool {
    header.context.allSatisfy { position in
      heads[position.lane]?.number ?? 0 >= position.number || forked.contains(position.lane)
    }
  }

  private mutating func append(_ bundle: SignedBundle, to head: LaneHead?) {
    let header = bundle.header
    var range = head?.range ?? MountainRange()
    var tiles: [LaneTile] = []
    range.append(bundle.digest) { subtree, hash in
      if subtree.level.isMultiple(of: LaneTile.levelStep) {
        tiles.append(LaneTile(lane: header.lane, subtree: subtree, hash: hash))
      }
    }
    heads[header.lane] = LaneHead(
      lane: header.lane, node: header.node, epoch: header.epoch, number: header.number,
      lastSequence: header.lastSequence, lastTime: header.lastTime, digest: bundle.digest,
      range: range)
    batch.tiles += tiles
    batch.bundles.append(bundle)
  }

  private mutating func commit() throws(SQLiteError) {
    guard !batch.bundles.isEmpty else { return }
    let lanes = Set(batch.bundles.map(\.header.lane))
    batch.heads = lanes.compactMap { heads[$0] }
    try target?.commit([batch])
    batch = StorageBatch(sequence: batch.sequence + 1)
  }

  /// Forgets of what waits what has found its place since, and counts the rest.
  private mutating func settleRescued() throws(SQLiteError) {
    for head in heads.values {
      try rescued.cached("DELETE FROM rescued WHERE lane = ? AND number <= ?")
        .run([.bytes(head.lane.digest.bytes), .integer(Int64(clamping: head.number))])
    }
    let count = try rescued.integer("SELECT count(*) FROM rescued") ?? 0
    report.rescued = UInt64(clamping: count)
  }

  /// Proofs that still prove something.
  private func proofs(in source: SQLiteConnection) throws(SQLiteError) -> [EquivocationProof] {
    var proofs: [EquivocationProof] = []
    do throws(SQLiteError) {
      let statement = try source.prepare("SELECT proof FROM proofs ORDER BY lane, number")
      while try statement.step() {
        // A proof that cannot be read is found again by whoever meets the fork again.
        guard let proof = try? EquivocationProof.decode(statement.bytes(0)) else { continue }
        proofs.append(proof)
      }
    } catch {
      guard error.isUnreadable else { throw error }
    }
    return proofs
  }

  private mutating func copyProofs(_ source: SQLiteConnection) throws(SQLiteError) {
    batch.proofs = try proofs(in: source)
    guard !batch.proofs.isEmpty else { return }
    try target?.commit([batch])
    batch = StorageBatch(sequence: batch.sequence + 1)
  }

  /// The owner's named values, when they are still those that were stored.
  private func copyMeta(
    _ source: SQLiteConnection, to connection: SQLiteConnection, dropping names: [String]
  ) throws(SQLiteError) {
    var values: [(key: String, value: [UInt8])] = []
    do throws(SQLiteError) {
      guard try Seal.metaFinding(source) == nil else { return }
      let statement = try source.prepare("SELECT key, value FROM meta ORDER BY key")
      while try statement.step() {
        let key = statement.text(0)
        if key.hasPrefix(LogSchema.reservedPrefix) || names.contains(key) { continue }
        values.append((key, statement.bytes(1)))
      }
    } catch {
      guard error.isUnreadable else { throw error }
      return
    }
    try connection.transaction { () throws(SQLiteError) in
      for (key, value) in values {
        try connection.cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")
          .run([.text(key), .bytes(value)])
      }
      try Seal.storeMeta(connection)
    }
  }
}
