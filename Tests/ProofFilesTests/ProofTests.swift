import Configuration
import JSONText
import Merkle
import Primitives
import ProofFiles
import Records
import Testing

/// Proofs and receipts of a ledger made from fixed keys.
struct ProofTests {
  private static func proofs() throws -> [(name: String, proof: LedgerProof)] {
    let ledger = try FixedLedger()
    let there = ledger.rows[4].values[0]
    let absent = try (0..<64).map { index throws in
      try ledger.rowPath([.bytes(Array(repeating: UInt8(200 + index % 50), count: 1 + index / 50))])
    }
    let other = try present(
      absent.first { if case .other = $0.path.ending { true } else { false } })
    let empty = try present(absent.first { $0.path.ending == .empty })
    return [
      ("operation.json", ledger.proof(.operation(ledger.path(bundle: 1, index: 2)))),
      ("row.json", ledger.proof(.row(try ledger.rowPath([there])))),
      ("absent-other.json", ledger.proof(.row(other))),
      ("absent-empty.json", ledger.proof(.row(empty))),
      ("boundary.json", ledger.boundaryProof(.row(try ledger.rowPath([there])))),
    ]
  }

  @Test func `proofs hold, and their files are what they were`() throws {
    let ledger = try FixedLedger()
    try Golden.expect(ledger.genesis.json, "genesis.json")
    for (name, proof) in try ProofTests.proofs() {
      let state = try proof.verify(ledger.trust)
      #expect(state.height == proof.height)
      #expect(state.signers == 3)
      let bytes = Golden.bytes(proof)
      try Golden.expect(bytes, name)
      #expect(try LedgerProof(json: bytes) == proof)
    }
  }

  @Test func `a receipt holds alone and with a proof`() throws {
    let ledger = try FixedLedger()
    let proof = ledger.proof(.operation(ledger.path(bundle: 1, index: 2)))
    for (name, file) in [
      ("receipt.json", ReceiptFile(receipt: ledger.receipt)),
      ("receipt-with-proof.json", ReceiptFile(receipt: ledger.receipt, proof: proof)),
    ] {
      let bytes = Golden.bytes(file)
      try Golden.expect(bytes, name)
      let read = try ReceiptFile(json: try ProofFile.parse(bytes))
      #expect(read == file)
      try read.receipt.verify(ledger.chain, with: read.proof)
    }
  }

  @Test func `every altered place of a proof is refused`() throws {
    let ledger = try FixedLedger()
    var count = 0
    for (name, proof) in try ProofTests.proofs() {
      for altered in Alterations(of: try ProofFile.parse(Golden.bytes(proof))).all {
        count += 1
        #expect(throws: LedgerProofFault.self, "\(name)\(altered.place)") {
          try LedgerProof(json: altered.value).verify(ledger.trust)
        }
      }
    }
    #expect(count > 1_000)
  }

  @Test func `every altered place of a receipt is refused`() throws {
    let ledger = try FixedLedger()
    let file = ReceiptFile(receipt: ledger.receipt)
    for altered in Alterations(of: try ProofFile.parse(Golden.bytes(file))).all {
      #expect(throws: LedgerProofFault.self, "\(altered.place)") {
        let read = try ReceiptFile(json: altered.value)
        try read.receipt.verify(ledger.chain, with: read.proof)
      }
    }
  }

  /// Proofs whose every hash fits, under certificates that are not enough.
  private static func forgeries(_ ledger: FixedLedger) -> [LedgerProof] {
    let proof = ledger.proof(.operation(ledger.path(bundle: 1, index: 2)))
    let last = ledger.blocks[4].block
    func statement(_ kind: StatementKind, view: UInt64) -> Statement {
      Statement(kind: kind, chain: ledger.chain, epoch: 2, view: view, hash: last.hash)
    }
    let final = statement(.finalize, view: last.header.view)
    let certificates = [
      ledger.certificate(
        statement(.notarize, view: last.header.view), by: ledger.second, [0, 1, 2]),
      ledger.certificate(statement(.finalize, view: 9), by: ledger.second, [0, 1, 2]),
      ledger.certificate(final, by: ledger.second, [0, 1]),
      ledger.certificate(final, by: ledger.second, [0, 1, 2, 3]),
      ledger.certificate(final, by: ledger.first, [0, 1, 2]),
    ]
    var forgeries = certificates.map { certificate in
      var forgery = proof
      forgery.certificate = certificate
      return forgery
    }
    var uncertified = proof
    uncertified.certificate = nil
    forgeries.append(uncertified)
    var unled = proof
    unled.handovers = []
    forgeries.append(unled)
    return forgeries
  }

  @Test func `a proof of another genesis, of too few signers or of a lesser kind is refused`()
    throws
  {
    let ledger = try FixedLedger()
    let proof = ledger.proof(.operation(ledger.path(bundle: 1, index: 2)))
    let stranger = LedgerTrust(chain: ChainID(digest: .zero), validators: ledger.first)
    #expect(throws: LedgerProofFault.otherChain) { try proof.verify(stranger) }
    let others = LedgerTrust(chain: ledger.chain, validators: ledger.second)
    #expect(throws: LedgerProofFault.self) { try proof.verify(others) }
    for (index, forgery) in ProofTests.forgeries(ledger).enumerated() {
      #expect(throws: LedgerProofFault.self, "\(index)") { try forgery.verify(ledger.trust) }
    }
  }

  @Test func `a receipt beside another operation's proof is refused`() throws {
    let ledger = try FixedLedger()
    let other = ledger.proof(.operation(ledger.path(bundle: 1, index: 1)))
    #expect(throws: LedgerProofFault.self) {
      try ledger.receipt.verify(ledger.chain, with: other)
    }
  }

  @Test func `the verifier in Python accepts and refuses the same`() throws {
    let ledger = try FixedLedger()
    let file = Golden.bytes(
      ReceiptFile(
        receipt: ledger.receipt, proof: ledger.proof(.operation(ledger.path(bundle: 1, index: 2)))))
    let good = try ProofTests.proofs().map { Golden.bytes($0.proof) } + [file]
    let answers = try Golden.python(good, genesis: ledger.genesis.json)
    #expect(answers == Array(repeating: "accepted", count: good.count))
    let alterations =
      try (good.prefix(3) + [Golden.bytes(ReceiptFile(receipt: ledger.receipt))])
      .flatMap { Alterations(of: try ProofFile.parse($0)).all }
      + ProofTests.forgeries(ledger).enumerated().map {
        ("forgery \($0.offset)", try ProofFile.parse(Golden.bytes($0.element)))
      }
    let refusals = try Golden.python(
      alterations.map { Golden.bytes($0.value) }, genesis: ledger.genesis.json)
    #expect(refusals.count == alterations.count)
    for (refusal, altered) in zip(refusals, alterations) {
      #expect(refusal != "accepted", "\(altered.place)")
    }
  }
}
