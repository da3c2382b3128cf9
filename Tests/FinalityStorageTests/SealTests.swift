import FinalityStorage
import Primitives
import Records
import Testing

/// The newest block that a quorum vouches for, as a verifier with the genesis alone sees it.
@Suite struct SealTests {
  /// A ledger that a test fills, and what a verifier trusts.
  private struct Filled {
    let directory: TemporaryDirectory
    let ledger: LedgerDatabase
    var maker = ChainMaker()
    let trust: LedgerTrust

    init() throws {
      directory = try TemporaryDirectory()
      ledger = try LedgerDatabase.open(directory)
      maker.epoch = LedgerTrust.firstEpoch
      trust = LedgerTrust(chain: maker.chain, validators: maker.committee.set)
      var first = LedgerTransaction()
      first.epochs = [maker.firstEpoch]
      try ledger.commit(first, durable: false)
    }

    mutating func add(_ isCertified: Bool...) throws {
      for isCertified in isCertified {
        try ledger.commit(.executing(maker.next(isCertified: isCertified)), durable: false)
      }
    }

    /// Ends the epoch, with the certificate of handing over or without it.
    mutating func handOver(seed: UInt64, isSigned: Bool = true) throws {
      let next = maker.handOver(to: Committee(4, seed: seed))
      var transaction = LedgerTransaction()
      transaction.epochs = [
        LedgerEpoch(
          epoch: next.epoch, parent: next.parent, validators: next.validators,
          handover: isSigned ? next.handover : nil)
      ]
      try ledger.commit(transaction, durable: false)
    }

    /// The height of the newest seal, after checking it as a verifier does.
    func sealed() throws -> UInt64? {
      let reads = ledger.reads
      guard let seal = try reads.newestSeal(try reads.handovers()) else { return nil }
      var chain = EpochChain(trust)
      for handover in seal.handovers { try chain.follow(handover) }
      let signers = try chain.checkSeal(of: seal.header, seal.certificate)
      #expect(signers.count == 3)
      return seal.header.height
    }
  }

  @Test func `it is the last block with a certificate`() throws {
    var filled = try Filled()
    #expect(try filled.sealed() == nil)
    try filled.add(false)
    #expect(try filled.sealed() == nil)
    try filled.add(true, true, false)
    #expect(try filled.sealed() == 3)
  }

  @Test func `a handover vouches for the block that ended the epoch`() throws {
    var filled = try Filled()
    try filled.add(true, false, false)
    #expect(try filled.sealed() == 1)
    try filled.handOver(seed: 2)
    #expect(try filled.sealed() == 3)
    try filled.add(false)
    #expect(try filled.sealed() == 3)
    try filled.add(true)
    #expect(try filled.sealed() == 5)
    try filled.handOver(seed: 3)
    #expect(try filled.sealed() == 5)
    try filled.add(true)
    #expect(try filled.sealed() == 6)
  }

  @Test func `blocks of an epoch that nobody handed over to are not shown to a stranger`() throws {
    var filled = try Filled()
    try filled.add(true, true, false)
    try filled.handOver(seed: 2, isSigned: false)
    try filled.add(true)
    #expect(try filled.sealed() == 2)
    try filled.handOver(seed: 3)
    try filled.add(true)
    #expect(try filled.sealed() == 2)
  }
}
