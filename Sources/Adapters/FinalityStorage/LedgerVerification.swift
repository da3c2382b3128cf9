internal import Crypto
internal import Primitives
package import Records
internal import SQLiteStorage

/// What an offline check of a ledger found.
package struct LedgerReport: Hashable, Sendable {
  /// The height of the last block.
  package internal(set) var height: UInt64 = 0
  /// The last height that a certificate covers, together with all below it.
  package internal(set) var certifiedHeight: UInt64 = 0
  /// Certificates whose signatures were checked.
  package internal(set) var certificates = 0
  /// The first height that is held: 1, unless the ledger was made from a snapshot.
  package internal(set) var firstHeight: UInt64 = 1
  /// The last height that was executed.
  package internal(set) var executedHeight: UInt64 = 0
  /// Epochs after the first whose validators no certificate of those before vouches for: the node
  /// knows them from executing the blocks alone.
  package internal(set) var epochsWithoutHandover = 0
  /// The last epoch.
  package internal(set) var epoch: UInt64 = 0
  /// Records that were read by the scrub.
  package internal(set) var records: UInt64 = 0
  /// What is wrong, at most `findingsMax`; empty for a sound ledger.
  package internal(set) var findings: [LedgerFinding] = []

  /// The most findings that are listed.
  package static let findingsMax = 100

  mutating func add(_ finding: LedgerFinding) {
    if findings.count < LedgerReport.findingsMax { findings.append(finding) }
  }
}

/// Checks a ledger by itself, from nothing but the chain's name and its first validators: that the
/// blocks are a chain, that quorums have finalized it, and that what is stored beside them fits.
///
/// A block counts as final when it or one above it in its epoch has a quorum's certificate. An
/// epoch's last block may have become final through a block that does not outlive the epoch: then
/// the certificate by which the epoch handed over names it.
package struct LedgerVerification {
  private let chain: ChainID
  private let reads: LedgerReads
  private var report = LedgerReport()
  private var memo = SignatureMemo()
  private var epochs: [LedgerEpoch] = []
  private var last: BlockHeader?
  private var lastHash: Digest
  private var cut: [LaneID: UInt64] = [:]
  /// Boundary blocks that a certificate of handing over names.
  private var provenBoundaries: Set<UInt64> = []

  private init(_ reads: LedgerReads) {
    self.reads = reads
    chain = reads.chain
    lastHash = reads.chain.digest
  }

  /// Checks the ledger in `directory`, which no program has open, without changing it.
  ///
  /// - Parameters:
  ///   - directory: that of `ledger.db`.
  ///   - genesis: the first validators.
  ///   - chain: the chain.
  ///   - tables: the tables of the rows.
  /// - Returns: what was found.
  /// - Throws: `LedgerError` when the file cannot be read at all.
  package static func run(
    directory: String, genesis: ValidatorSet, chain: ChainID, tables: [TableSchema]
  ) throws(LedgerError) -> LedgerReport {
    let connection: SQLiteConnection
    let pages: [String]
    do throws(SQLiteError) {
      connection = try SQLiteConnection(
        path: "\(directory)/\(LedgerSchema.file)", mode: .readOnly)
      pages = try connection.quickCheck()
    } catch {
      throw LedgerError(error, directory: directory)
    }
    var check = LedgerVerification(
      LedgerReads(connection, directory: directory, chain: chain, tables: tables))
    for text in pages { check.report.add(LedgerFinding("database", "pages", text)) }
    if let name = try check.reads.value(LedgerMeta.chain), name != chain.digest.bytes {
      check.report.add(LedgerFinding("meta", LedgerMeta.chain, "it is another chain's ledger"))
    }
    try check.scrub()
    check.epochs = try check.decodedEpochs()
    check.checkEpochs(genesis)
    try check.checkBlocks()
    try check.checkEnd()
    return check.report
  }

  /// Hashes everything once.
  private mutating func scrub() throws(LedgerError) {
    var scrub = LedgerScrub()
    while scrub.passCount == 0 {
      let step = try scrub.step(reads, limit: 1_000)
      report.records += UInt64(step.recordCount)
      for finding in step.findings { report.add(finding) }
    }
  }

  /// The epochs that can be read; the scrub has named the others.
  private func decodedEpochs() throws(LedgerError) -> [LedgerEpoch] {
    let rows = try reads.select(
      "SELECT epoch, parent, validators, handover, checksum FROM epochs ORDER BY epoch", [])
    return rows.compactMap { values in
      switch StoredEpoch.decoded(values) {
      case .success(let epoch): epoch
      case .failure: nil
      }
    }
  }

  // MARK: Epochs

  private mutating func checkEpochs(_ genesis: ValidatorSet) {
    if epochs.isEmpty {
      epochs = [
        LedgerEpoch(
          epoch: 1,
          parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
          validators: genesis, handover: nil)
      ]
    }
    if epochs[0].validators != genesis {
      report.add(LedgerFinding("epochs", "\(epochs[0].epoch)", "its validators are not the first"))
    }
    if epochs[0].parent.height != 0 || epochs[0].parent.hash != chain.digest {
      report.add(LedgerFinding("epochs", "\(epochs[0].epoch)", "it does not begin the chain"))
    }
    for (before, next) in zip(epochs, epochs.dropFirst()) { checkHandover(before, next) }
    report.epoch = epochs[epochs.count - 1].epoch
  }

  private mutating func checkHandover(_ before: LedgerEpoch, _ next: LedgerEpoch) {
    let name = "\(next.epoch)"
    if next.epoch != before.epoch + 1 {
      report.add(LedgerFinding("epochs", name, "it follows epoch \(before.epoch)"))
    }
    guard let handover = next.handover else {
      report.epochsWithoutHandover += 1
      return
    }
    let boundary = BlockReference(
      epoch: before.epoch, view: next.parent.view, height: next.parent.height,
      hash: next.parent.hash)
    let expected = Handover.statement(chain: chain, boundary: boundary, next: next.validators)
    if handover.statement != expected {
      report.add(LedgerFinding("epochs", name, "its handover names something else"))
    } else if Verified(checking: handover, in: before.validators, memo: &memo) == nil {
      report.add(LedgerFinding("epochs", name, "its handover is not signed by a quorum"))
    } else {
      report.certificates += 1
      provenBoundaries.insert(next.parent.height)
    }
  }

  private func epoch(_ number: UInt64) -> LedgerEpoch? { epochs.first { $0.epoch == number } }

  // MARK: Blocks

  private mutating func checkBlocks() throws(LedgerError) {
    report.firstHeight = try reads.firstHeight()
    var height = report.firstHeight - 1
    while true {
      let rows = try reads.select(
        """
        SELECT \(StoredBlock.columns) FROM blocks
        WHERE height > ? ORDER BY height LIMIT 64
        """, [.integer(Int64(clamping: height))])
      guard !rows.isEmpty else { return }
      for values in rows {
        let stored = StoredBlock(values)
        if stored.height != height + 1 {
          report.add(LedgerFinding("blocks", "\(height + 1)", "it is missing"))
          (last, lastHash) = (nil, .zero)
        }
        height = stored.height
        report.height = height
        switch stored.decoded() {
        // The scrub has named what is wrong with it.
        case .failure: (last, lastHash) = (nil, .zero)
        case .success(let final): check(final)
        }
      }
    }
  }

  private mutating func check(_ final: FinalBlock) {
    let header = final.block.header
    let name = "\(header.height)"
    if let last, last.epoch != header.epoch { checkCovered(last.height) }
    for text in problems(of: header) { report.add(LedgerFinding("blocks", name, text)) }
    for advance in final.block.body.advances {
      if let before = cut[advance.lane], advance.number <= before {
        report.add(LedgerFinding("blocks", name, "it moves a lane's cut back"))
      }
      cut[advance.lane] = advance.number
    }
    if let certificate = final.certificate, let validators = epoch(header.epoch)?.validators {
      if Verified(checking: certificate, in: validators, memo: &memo) == nil {
        report.add(LedgerFinding("blocks", name, "its certificate is not signed by a quorum"))
      } else {
        report.certificates += 1
        report.certifiedHeight = header.height
      }
    }
    last = header
    lastHash = final.block.hash
  }

  /// What is wrong between a header, the one before and its epoch.
  private func problems(of header: BlockHeader) -> [String] {
    var problems: [String] = []
    if header.chain != chain { problems.append("it is of another chain") }
    if let epoch = epoch(header.epoch) {
      if header.validatorSetHash != epoch.validators.hash {
        problems.append("it names other validators than its epoch")
      }
      if Int(header.proposer) >= epoch.validators.count {
        problems.append("nobody is validator \(header.proposer)")
      }
    } else {
      problems.append("its epoch \(header.epoch) is unknown")
    }
    guard let last else {
      if header.height == 1 {
        if header.parentHash != chain.digest || header.parentView != 0 {
          problems.append("it does not begin the chain")
        }
        if header.epoch != epochs[0].epoch { problems.append("it is not of the first epoch") }
      }
      return problems
    }
    if header.parentHash != lastHash { problems.append("it does not follow the one before") }
    if header.timestamp <= last.timestamp { problems.append("it is not later than its parent") }
    if header.executedHeight < last.executedHeight {
      problems.append("it vouches for less than its parent")
    }
    problems += epochProblems(of: header, after: last)
    return problems
  }

  private func epochProblems(of header: BlockHeader, after last: BlockHeader) -> [String] {
    if header.epoch == last.epoch {
      return header.parentView == last.view ? [] : ["its parent has another view"]
    }
    guard header.epoch == last.epoch + 1, header.parentView == 0 else {
      return ["it follows epoch \(last.epoch) in epoch \(header.epoch)"]
    }
    guard let epoch = epoch(header.epoch), epoch.parent.hash == lastHash,
      epoch.parent.height == last.height
    else { return ["its epoch follows another block"] }
    return []
  }

  // MARK: The end

  /// Checks that the blocks of an epoch up to its last one, or to the last that there is, are
  /// covered.
  private mutating func checkCovered(_ height: UInt64) {
    if provenBoundaries.contains(height) { report.certifiedHeight = height }
    guard report.certifiedHeight < height else { return }
    report.add(
      LedgerFinding(
        "blocks", "\(height)",
        "no certificate covers the blocks after \(report.certifiedHeight)"))
  }

  private mutating func checkEnd() throws(LedgerError) {
    checkCovered(report.height)
    let executed = try reads.select("SELECT max(height) FROM executed", [])
    report.executedHeight = executed.first?.first?.unsigned ?? 0
    for next in epochs.dropFirst() where next.parent.height > report.height {
      report.add(LedgerFinding("epochs", "\(next.epoch)", "it follows a block that is missing"))
    }
    if report.executedHeight > report.height {
      report.add(
        LedgerFinding("executed", "\(report.executedHeight)", "the last block is \(report.height)"))
    }
  }
}
