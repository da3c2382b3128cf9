import Configuration
import JSONText
import Primitives
import ProofFiles
import Records
import Testing

/// An exported ledger, read and checked from its first line on.
struct LedgerFileTests {
  private static func audit(
    _ lines: [LedgerLine], _ trust: LedgerTrust
  ) throws -> LedgerAuditReport {
    var audit = LedgerAudit(trust)
    for line in lines {
      switch line {
      case .chain(let chain): #expect(chain == trust.chain)
      case .handover(let handover): try audit.take(handover)
      case .block(let block, let certificate): try audit.take(block, certificate)
      }
    }
    return audit.report
  }

  @Test func `an export holds, and its file is what it was`() throws {
    let ledger = try FixedLedger()
    let bytes = ledger.lines.flatMap(LedgerFile.bytes)
    try Golden.expect(bytes, "ledger.jsonl")
    var chain: ChainID?
    var lines: [LedgerLine] = []
    for text in bytes.split(separator: 0x0A) {
      let line = try LedgerFile.line(Array(text), of: chain)
      if case .chain(let name) = line { chain = name }
      lines.append(line)
    }
    #expect(lines == ledger.lines)
    let report = try LedgerFileTests.audit(lines, ledger.trust)
    #expect(report.height == 5)
    #expect(report.certifiedHeight == 5)
    #expect(report.epoch == 2)
    #expect(report.certificates == 3)
    #expect(report.executedHeight == 4)
  }

  @Test func `a handover certifies the block that it follows`() throws {
    let ledger = try FixedLedger()
    let report = try LedgerFileTests.audit(Array(ledger.lines.prefix(5)), ledger.trust)
    #expect(report.height == 3)
    #expect(report.certifiedHeight == 3)
  }

  @Test func `a line left out, doubled or moved is found`() throws {
    let ledger = try FixedLedger()
    for index in 1..<(ledger.lines.count - 1) {
      var fewer = ledger.lines
      fewer.remove(at: index)
      #expect(throws: LedgerProofFault.self, "without line \(index)") {
        try LedgerFileTests.audit(fewer, ledger.trust)
      }
      var more = ledger.lines
      more.insert(more[index], at: index)
      #expect(throws: LedgerProofFault.self, "line \(index) twice") {
        try LedgerFileTests.audit(more, ledger.trust)
      }
      var moved = ledger.lines
      moved.swapAt(index, index + 1)
      #expect(throws: LedgerProofFault.self, "lines \(index) and the next") {
        try LedgerFileTests.audit(moved, ledger.trust)
      }
    }
  }

  @Test func `every altered place of a line is refused`() throws {
    let ledger = try FixedLedger()
    let lines = ledger.lines
    for index in lines.indices.dropFirst() {
      let value = try ProofFile.parse(LedgerFile.bytes(lines[index]))
      for altered in Alterations(of: value).all {
        // A block whose certificate is left out is as valid as before, only less certain.
        if altered.place.hasSuffix("certificate as null") { continue }
        #expect(throws: LedgerProofFault.self, "line \(index)\(altered.place)") {
          var copy = lines
          copy[index] = try LedgerFile.line(Golden.bytes(altered.value), of: ledger.chain)
          _ = try LedgerFileTests.audit(copy, ledger.trust)
        }
      }
    }
  }

  @Test func `the verifier in Python accepts an export and refuses what is altered`() throws {
    let ledger = try FixedLedger()
    let values = try ledger.lines.map { try ProofFile.parse(LedgerFile.bytes($0)) }
    var cases: [(name: String, lines: [JSONValue])] = []
    for index in values.indices {
      var copy = values
      copy.remove(at: index)
      cases.append(("without line \(index)", copy))
      copy = values
      copy.insert(values[index], at: index)
      cases.append(("line \(index) twice", copy))
      for altered in Alterations(of: values[index]).all
      where !altered.place.hasSuffix("certificate as null") {
        copy = values
        copy[index] = altered.value
        cases.append(("line \(index)\(altered.place)", copy))
      }
    }
    let texts = ([values] + cases.map(\.lines)).map { Golden.bytes(.array($0)) }
    let answers = try Golden.python(texts, genesis: ledger.genesis.json)
    #expect(answers.count == cases.count + 1)
    #expect(answers.first == "accepted")
    for (answer, altered) in zip(answers.dropFirst(), cases) {
      #expect(answer != "accepted", "\(altered.name)")
    }
  }
}
