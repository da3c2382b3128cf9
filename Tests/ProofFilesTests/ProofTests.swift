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
      ledger.certificate(final, by: ledger.second, [0, 0, 1]),
      ledger.certificate(final, by: ledger.second, [0, 1, 1]),
      ledger.certificate(final, by: ledger.second, [2, 1, 0]),
      ledger.certificate(final, by: ledger.second, [0, 1, 9]),
      Certificate(
        statement: final, signers: [0, 1, 2],
        signatures: ledger.certificate(final, by: ledger.second, [1, 0, 2]).signatures),
      Certificate(statement: final, signers: [], signatures: []),
    ]
    var forgeries = certificates.map { certificate in
      var forgery = proof
      forgery.certificate = certificate
      return forgery
    }
    var uncertified = proof
    uncertified.certificate = nil
    forgeries.append(uncertified)
    for handovers in otherHandovers(ledger) {
      var misled = proof
      misled.handovers = handovers
      forgeries.append(misled)
    }
    forgeries += otherHeaders(ledger, proof)
    return forgeries
  }

  /// Ways from the genesis to other validators that nobody entitled has signed.
  private static func otherHandovers(_ ledger: FixedLedger) -> [[EpochHandover]] {
    guard let handover = ledger.handover else { return [] }
    func signed(
      _ epoch: UInt64, _ next: ValidatorSet, by set: ValidatorSet, _ signers: [UInt16]
    ) -> EpochHandover {
      let boundary = BlockReference(epoch: epoch, view: 0, height: 3, hash: handover.boundary)
      let statement = Handover.statement(chain: ledger.chain, boundary: boundary, next: next)
      return EpochHandover(
        boundary: handover.boundary, validators: next,
        certificate: ledger.certificate(statement, by: set, signers))
    }
    return [
      [],
      [handover, handover],
      // By those who come, by too few, by one twice, for another epoch, for other validators.
      [signed(1, ledger.second, by: ledger.second, [0, 1, 2])],
      [signed(1, ledger.second, by: ledger.first, [0, 1])],
      [signed(1, ledger.second, by: ledger.first, [0, 1, 1])],
      [signed(0, ledger.second, by: ledger.first, [0, 1, 2])],
      [signed(2, ledger.second, by: ledger.first, [0, 1, 2])],
      [
        EpochHandover(
          boundary: handover.boundary, validators: ledger.second,
          certificate: signed(1, ledger.first, by: ledger.first, [0, 1, 2]).certificate)
      ],
      // A whole epoch too much: its last header is then of an epoch that is over.
      [handover, signed(2, ledger.second, by: ledger.second, [0, 1, 2])],
    ]
  }

  /// The proof under headers that vouch for another height, or for nothing.
  private static func otherHeaders(
    _ ledger: FixedLedger, _ proof: LedgerProof
  ) -> [LedgerProof] {
    let headers = ledger.blocks.map(\.block.header)
    var forgeries: [LedgerProof] = []
    for some in [
      [headers[4]], [headers[4], headers[3]], [headers[3], headers[3], headers[4]],
      [headers[2], headers[4]], headers, [],
    ] {
      var forgery = proof
      forgery.headers = some
      forgeries.append(forgery)
    }
    // The right header of another height: its roots are the same here, its height is not.
    for height in [0, 2, 4, UInt64.max] {
      var forgery = proof
      forgery.height = height
      forgeries.append(forgery)
    }
    // The genesis vouches for height 0, which no proof is of.
    var unborn = proof
    unborn.height = 0
    unborn.headers = [headers[0]]
    unborn.certificate = ledger.blocks[0].certificate
    unborn.handovers = []
    forgeries.append(unborn)
    // The epoch's last block without a handover that names it.
    var boundary = ledger.boundaryProof(proof.subject)
    boundary.handovers = []
    forgeries.append(boundary)
    var far = proof
    far.headers = Array(repeating: headers[4], count: LedgerProof.headersMax + 1)
    forgeries.append(far)
    return forgeries
  }

  @Test func `a proof or receipt that is cut off anywhere is refused`() throws {
    let ledger = try FixedLedger()
    let proof = Golden.bytes(ledger.proof(.operation(ledger.path(bundle: 1, index: 2))))
    for count in 0..<proof.count {
      #expect(throws: LedgerProofFault.self, "\(count) bytes") {
        try LedgerProof(json: Array(proof.prefix(count)))
      }
    }
    let receipt = Golden.bytes(ReceiptFile(receipt: ledger.receipt))
    for count in 0..<receipt.count {
      #expect(throws: LedgerProofFault.self, "\(count) bytes") {
        try ReceiptFile(json: try ProofFile.parse(Array(receipt.prefix(count))))
      }
    }
  }

  @Test func `ways that are too long, too short or of another place show nothing`() throws {
    let ledger = try FixedLedger()
    let good = ledger.path(bundle: 1, index: 2)
    var bad: [OperationPath] = []
    func note(_ change: (inout OperationPath) -> Void) {
      var path = good
      change(&path)
      bad.append(path)
    }
    for index in [0, 1, 3, -1, 999] { note { $0.index = index } }
    for count in [0, good.laneCount - 1, good.laneCount + 1, .max] as [UInt64] {
      note { $0.laneCount = count }
    }
    note { $0.lastSequence += 1 }
    note { $0.lastSequence = .max }
    note { $0.operationPath.append(.zero) }
    note { $0.operationPath.removeLast() }
    note { $0.operationPath = Array(repeating: .zero, count: OperationPath.stepsMax + 1) }
    note { $0.lanePath.append(.zero) }
    note { $0.lanePath = [] }
    note { $0.lanesPath = [] }
    note { $0.lanesPath.append(PathStep(isLeft: true, hash: .zero)) }
    note { $0.lanesPath = $0.lanesPath.map { PathStep(isLeft: !$0.isLeft, hash: $0.hash) } }
    note { $0.operation.append(0) }
    note { $0.header = ledger.path(bundle: 0, index: 0).header }
    for (index, path) in bad.enumerated() {
      #expect(throws: LedgerProofFault.self, "\(index)") { try path.check(under: ledger.lanesRoot) }
    }
    let row = try ledger.rowPath([.bytes(Array(repeating: 4, count: 16))])
    for siblings in [[], row.path.siblings + [.zero], Array(repeating: .zero, count: 257)] {
      var long = row
      long.path = TrieProof(siblings: siblings, ending: row.path.ending)
      #expect(throws: LedgerProofFault.self) { try long.check(under: ledger.rowsRoot) }
    }
    // A row that is there is not shown to be absent, by whatever ending.
    for ending in [
      TrieProof.Ending.empty, .leaf, .other(key: .zero, value: .zero),
      .other(key: Row.trieKey(table: row.table, row.key), value: .zero),
    ] {
      var absent = row
      absent.values = nil
      absent.path = TrieProof(siblings: row.path.siblings, ending: ending)
      #expect(throws: LedgerProofFault.self) { try absent.check(under: ledger.rowsRoot) }
    }
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

  /// A proof of a row with `values` and the ending of its path replaced.
  private static func replacing(
    _ proof: JSONValue, with ending: JSONValue
  ) -> JSONValue {
    func replaced(_ value: JSONValue, _ name: String) -> JSONValue {
      switch (name, value) {
      case ("values", _): .null
      case ("ending", _): ending
      case (_, .object(let members)):
        .object(
          members.map { JSONMember(key: $0.key, value: replaced($0.value, $0.key)) })
      default: value
      }
    }
    return replaced(proof, "")
  }

  @Test func `no border between hashes can be moved to hide a row from the verifier in Python`()
    throws
  {
    let ledger = try FixedLedger()
    var forgeries: [[UInt8]] = []
    for row in ledger.rows where row.table == FixedLedger.schema.number {
      let proof = ledger.proof(.row(try ledger.rowPath([row.values[0]])))
      let key = Row.trieKey(table: row.table, [row.values[0]]).hexadecimal
      let digits = row.digest.hexadecimal
      for count in [2, 64] {
        let ending = JSONValue.object([
          JSONMember(key: "kind", value: .string("other")),
          JSONMember(key: "key", value: .string(key + digits.prefix(count))),
          JSONMember(key: "value", value: .string(String(digits.dropFirst(count)))),
        ])
        forgeries.append(
          Golden.bytes(
            ProofTests.replacing(try ProofFile.parse(Golden.bytes(proof)), with: ending)))
      }
    }
    let answers = try Golden.python(forgeries, genesis: ledger.genesis.json)
    #expect(answers.count == forgeries.count && forgeries.count > 8)
    #expect(!answers.contains("accepted"))
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
