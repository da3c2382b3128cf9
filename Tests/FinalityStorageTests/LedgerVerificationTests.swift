import Crypto
import FinalityStorage
import Primitives
import Records
import Testing
import Wire

/// What the offline check finds.
@Suite struct LedgerVerificationTests {
  private static func verify(
    _ directory: TemporaryDirectory, genesis: ValidatorSet = ChainMaker().committee.set,
    chain: ChainID = Owner.chain
  ) throws -> LedgerReport {
    try LedgerVerification.run(
      directory: directory.ledger, genesis: genesis, chain: chain, tables: TestTables.all)
  }

  /// A closed ledger of what `fill` commits.
  private static func made(
    _ fill: (inout ChainMaker, LedgerDatabase) throws -> Void
  ) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    let ledger = try LedgerDatabase.open(directory)
    var maker = ChainMaker()
    var first = LedgerTransaction()
    first.epochs = [maker.firstEpoch]
    try ledger.commit(first, durable: false)
    try fill(&maker, ledger)
    try ledger.close()
    return directory
  }

  /// Two epochs; the last block of the first is covered by handing over alone.
  private static func twoEpochs(
    handover: (LedgerEpoch) -> LedgerEpoch = { $0 }
  ) throws -> TemporaryDirectory {
    try made { maker, ledger in
      for height in 1...4 {
        try ledger.commit(.executing(maker.next(isCertified: height < 3)), durable: false)
      }
      var next = LedgerTransaction()
      next.epochs = [handover(maker.handOver(to: Committee(7, seed: 2)))]
      try ledger.commit(next, durable: false)
      for height in 5...8 {
        try ledger.commit(.executing(maker.next(isCertified: height == 8)), durable: false)
      }
    }
  }

  private static func texts(_ report: LedgerReport) -> [String] {
    report.findings.map(\.description)
  }

  @Test func `a sound ledger is covered to its end`() throws {
    let directory = try LedgerVerificationTests.twoEpochs()
    let report = try LedgerVerificationTests.verify(directory)
    #expect(report.findings.isEmpty)
    #expect(report.height == 8 && report.certifiedHeight == 8 && report.executedHeight == 8)
    #expect(report.epoch == 1 && report.certificates == 4 && report.epochsWithoutHandover == 0)
    #expect(report.records > 50)
  }

  @Test func `an empty ledger is sound`() throws {
    let directory = try LedgerVerificationTests.made { _, _ in }
    #expect(try LedgerVerificationTests.verify(directory).findings.isEmpty)
  }

  @Test func `verifying changes nothing`() throws {
    let directory = try LedgerVerificationTests.twoEpochs()
    let path = "\(directory.ledger)/ledger.db"
    let before = TestFiles.read(path)
    _ = try LedgerVerificationTests.verify(directory)
    #expect(TestFiles.read(path) == before)
  }

  @Test func `an end that no certificate covers is found`() throws {
    let directory = try LedgerVerificationTests.made { maker, ledger in
      for height in 1...6 {
        try ledger.commit(.executing(maker.next(isCertified: height == 4)), durable: false)
      }
    }
    let report = try LedgerVerificationTests.verify(directory)
    #expect(report.certifiedHeight == 4)
    #expect(
      LedgerVerificationTests.texts(report)
        == ["blocks 6: no certificate covers the blocks after 4"])
  }

  @Test func `an epoch whose end nothing covers is found, whatever covers the next`() throws {
    let directory = try LedgerVerificationTests.twoEpochs { epoch in
      LedgerEpoch(
        epoch: epoch.epoch, parent: epoch.parent, validators: epoch.validators, handover: nil)
    }
    let report = try LedgerVerificationTests.verify(directory)
    #expect(
      LedgerVerificationTests.texts(report)
        == ["blocks 4: no certificate covers the blocks after 2"])
    #expect(report.epochsWithoutHandover == 1 && report.certifiedHeight == 8)
  }

  @Test func `a handover that a stranger signed is found`() throws {
    let directory = try LedgerVerificationTests.twoEpochs { epoch in
      guard let statement = epoch.handover?.statement else { return epoch }
      return LedgerEpoch(
        epoch: epoch.epoch, parent: epoch.parent, validators: epoch.validators,
        handover: Committee(4, seed: 9).certificate(statement))
    }
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("epochs 1: its handover is not signed by a quorum"))
  }

  @Test func `a handover to others is found`() throws {
    let directory = try LedgerVerificationTests.twoEpochs { epoch in
      LedgerEpoch(
        epoch: epoch.epoch, parent: epoch.parent, validators: Committee(7, seed: 5).set,
        handover: epoch.handover)
    }
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("epochs 1: its handover names something else"))
    #expect(texts.contains("blocks 5: it names other validators than its epoch"))
    #expect(texts.contains("blocks 8: its certificate is not signed by a quorum"))
  }

  @Test func `other first validators or another chain are found`() throws {
    let directory = try LedgerVerificationTests.twoEpochs()
    let strangers = try LedgerVerificationTests.verify(
      directory, genesis: Committee(4, seed: 3).set)
    #expect(
      LedgerVerificationTests.texts(strangers) == ["epochs 0: its validators are not the first"])
    let other = try LedgerVerificationTests.verify(directory, chain: ChainID(digest: .zero))
    let texts = LedgerVerificationTests.texts(other)
    for text in [
      "meta .chain: it is another chain's ledger", "epochs 0: it does not begin the chain",
      "blocks 1: it does not begin the chain", "blocks 1: it is of another chain",
    ] {
      #expect(texts.contains(text), "\(texts)")
    }
  }

  @Test func `epochs that do not follow are found`() throws {
    let skipped = try LedgerVerificationTests.twoEpochs { epoch in
      LedgerEpoch(
        epoch: 2, parent: epoch.parent, validators: epoch.validators, handover: epoch.handover)
    }
    var texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(skipped))
    #expect(texts.contains("epochs 2: it follows epoch 0"))
    let elsewhere = try LedgerVerificationTests.twoEpochs { epoch in
      let parent = BlockReference(
        epoch: 1, view: 0, height: epoch.parent.height, hash: ChainMaker.root(77))
      return LedgerEpoch(
        epoch: 1, parent: parent, validators: epoch.validators, handover: epoch.handover)
    }
    texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(elsewhere))
    #expect(texts.contains("blocks 5: its epoch follows another block"))
    let late = try LedgerVerificationTests.made { maker, ledger in
      try ledger.commit(.executing(maker.next { $0.epoch = 1 }), durable: false)
    }
    texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(late))
    #expect(texts.contains("blocks 1: it is not of the first epoch"))
  }

  @Test func `an end that is cut off is found`() throws {
    let directory = try LedgerVerificationTests.twoEpochs()
    try spoil(directory, "DELETE FROM blocks WHERE height > 2")
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("epochs 1: it follows a block that is missing"))
    #expect(texts.contains("executed 8: the last block is 2"))
    let error = #expect(throws: LedgerError.self) { try LedgerDatabase.open(directory) }
    #expect(error?.finding?.description == "executed 8: the last block is 2")
  }

  @Test func `a certificate for the block in another view is found`() throws {
    let directory = try LedgerVerificationTests.made { maker, ledger in
      let block = maker.next(isCertified: false)
      try ledger.commit(.executing(block), durable: false)
      try ledger.commit(.executing(maker.next()), durable: false)
      var late = LedgerTransaction()
      let statement = Statement(
        kind: .finalize, chain: Owner.chain, epoch: 0, view: 9, hash: block.block.hash)
      late.certificates = [maker.committee.certificate(statement)]
      try ledger.commit(late, durable: false)
    }
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("blocks 1: its certificate is that of another block"))
  }

  @Test func `a certificate signed by too few or by others is found`() throws {
    for isShort in [true, false] {
      let directory = try LedgerVerificationTests.made { maker, ledger in
        try ledger.commit(.executing(maker.next()), durable: false)
        let block = maker.next().block
        let forged = (isShort ? maker.committee : Committee(4, seed: 8)).certificate(
          maker.certificate(block).statement)
        let certificate = Certificate(
          statement: forged.statement, signers: Array(forged.signers.dropLast(isShort ? 1 : 0)),
          signatures: Array(forged.signatures.dropLast(isShort ? 1 : 0)))
        try ledger.commit(
          .executing(FinalBlock(block: block, certificate: certificate)), durable: false)
      }
      let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
      #expect(
        texts == [
          "blocks 2: its certificate is not signed by a quorum",
          "blocks 2: no certificate covers the blocks after 1",
        ])
    }
  }

  @Test(
    arguments: [
      "it is not later than its parent", "it vouches for less than its parent",
      "its parent has another view", "nobody is validator 4",
      "it names other validators than its epoch", "its epoch 3 is unknown",
      "it follows epoch 0 in epoch 3",
    ])
  func `a block that does not fit is found`(text: String) throws {
    let directory = try LedgerVerificationTests.made { maker, ledger in
      for _ in 1...4 { try ledger.commit(.executing(maker.next()), durable: false) }
      let block = maker.next { header in
        switch text {
        case "it is not later than its parent": header.timestamp -= 10
        case "it vouches for less than its parent":
          header.executedHeight = 1
          header.executedRoot = ChainMaker.root(1)
        case "its parent has another view": header.parentView -= 1
        case "nobody is validator 4": header.proposer = 4
        case "it names other validators than its epoch": header.validatorSetHash = .zero
        default: header.epoch = 3
        }
      }
      try ledger.commit(.executing(block), durable: false)
    }
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("blocks 5: \(text)"), "\(texts)")
  }

  @Test func `a root that a header vouches for and execution does not have is found`() throws {
    let directory = try LedgerVerificationTests.made { maker, ledger in
      for _ in 1...4 { try ledger.commit(.executing(maker.next()), durable: false) }
      try ledger.commit(
        .executing(maker.next { $0.executedRoot = .zero }), durable: false)
    }
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts == ["executed 3: block 5 names another root"])
  }

  @Test func `a block that is missing, changed or moved is found`() throws {
    let missing = try LedgerVerificationTests.twoEpochs()
    try spoil(missing, "DELETE FROM blocks WHERE height = 2")
    var texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(missing))
    #expect(texts.contains("blocks 2: it is missing"))
    #expect(texts.contains("blocks 3: it does not follow the one before"))
    let swapped = try LedgerVerificationTests.twoEpochs()
    try spoil(
      swapped,
      """
      UPDATE blocks SET header = (SELECT header FROM blocks WHERE height = 3) WHERE height = 2
      """)
    texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(swapped))
    #expect(texts.contains { $0.hasPrefix("blocks 2: ") })
    let foreign = try LedgerVerificationTests.twoEpochs()
    try spoil(
      foreign,
      """
      UPDATE blocks SET (certificate, certificate_checksum) =
        (SELECT certificate, certificate_checksum FROM blocks WHERE height = 1)
      WHERE height = 8
      """)
    texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(foreign))
    #expect(texts.contains("blocks 8: its certificate fails its checksum"))
  }

  @Test func `a block under another height is found`() throws {
    let directory = try LedgerVerificationTests.twoEpochs()
    try spoil(directory, "UPDATE blocks SET height = 9 WHERE height = 8")
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("blocks 9: its header has height 8"))
    #expect(texts.contains("blocks 8: it is missing"))
  }

  @Test func `a cut that moves back is found`() throws {
    let directory = try LedgerVerificationTests.made { maker, ledger in
      for _ in 1...4 { try ledger.commit(.executing(maker.next()), durable: false) }
    }
    // A block that the database itself would refuse, beside those it took.
    var maker = ChainMaker()
    for _ in 1...4 { _ = maker.next() }
    maker.numbers = [0, 0, 0]
    let block = maker.next()
    try spoil(
      directory, "INSERT INTO blocks VALUES (5, ?, 0, 5, ?, ?, NULL, NULL)",
      [
        .bytes(block.block.hash.bytes), .bytes(block.block.header.encoded),
        .bytes(block.block.body.encoded),
      ])
    let texts = LedgerVerificationTests.texts(try LedgerVerificationTests.verify(directory))
    #expect(texts.contains("blocks 5: it moves a lane's cut back"))
  }
}

extension LedgerError {
  /// The only finding.
  fileprivate var finding: LedgerFinding? {
    guard case .damaged(let findings) = reason, findings.count == 1 else { return nil }
    return findings[0]
  }
}
