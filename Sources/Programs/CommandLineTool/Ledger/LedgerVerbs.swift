internal import Configuration
internal import ExecutionCore
internal import FinalityStorage
internal import JSONText
internal import Primitives
internal import ProofFiles
internal import Records

/// `ledger show`, `ledger verify` and `ledger export`: the chain of final blocks.
enum LedgerVerbs {
  static let all = [show, verify, export]

  // MARK: Show

  private static let show = Verb(
    "ledger show", group: .check, summary: "List final blocks: cut, certificate, root",
    usage: "[HEIGHT]",
    details: """
      Lists blocks from HEIGHT on; without it the last ones. The root is that of the
      height in the column before, which the block vouches for. Nothing is checked:
      that is what ledger verify does.
      """,
    options: [
      APIOptions.api, LedgerArguments.directory, LedgerArguments.genesis,
      .value("count", "N", "blocks to list (default: 20)"), .output,
    ], positionalMax: 1,
    examples: [
      Verb.Example("ledger show", "the last blocks of the cluster in ./swarm"),
      Verb.Example("ledger show 1 --count 5 --dir n1", "the first ones in the node's database"),
    ]
  ) { arguments, console in
    let count = try arguments.integer("count", in: 1...64, default: 20)
    let source = try LedgerArguments.source(arguments)
    let first: UInt64
    if let text = arguments.positional.first {
      first = UInt64(
        try ArgumentList.integer(text, "HEIGHT", in: 1...Int(BlockLimits.numberMax)))
    } else {
      let height = try source.height()
      first = height - min(height, UInt64(count)) + 1
    }
    let blocks = try source.blocks(from: first, count: count)
    if arguments.wantsJSON {
      console.write(
        String(
          decoding: JSONLayout.bytes(.array(blocks.map(json))), as: UTF8.self))
    } else {
      console.write(try table(blocks).text(console))
    }
    return ExitStatus.success
  }

  private static func table(
    _ blocks: [(block: Block, certificate: Certificate?)]
  ) throws -> Table {
    var table = Table([
      ("HEIGHT", .right), ("EPOCH", .right), ("VIEW", .right), ("AT", .left), ("BY", .right),
      ("LANES", .right), ("CERTIFICATE", .left), ("BLOCK", .left), ("EXECUTED", .right),
      ("ROOT", .left),
    ])
    for (block, certificate) in blocks {
      let header = block.header
      let entries = block.body.transactions.isEmpty ? "" : "+\(block.body.transactions.count)"
      table.append([
        .init("\(header.height)"), .init("\(header.epoch)"), .init("\(header.view)"),
        .init(CalendarTime.text(milliseconds: header.timestamp)), .init("\(header.proposer)"),
        .init("\(block.body.advances.count)\(entries)"),
        .init(
          certificate.map { $0.signers.map { "\($0)" }.joined(separator: " ") } ?? "by descendant"),
        .init(block.hash.short), .init("\(header.executedHeight)"),
        .init(header.executedRoot.short),
      ])
    }
    return table
  }

  private static func json(_ final: (block: Block, certificate: Certificate?)) -> JSONValue {
    let header = final.block.header
    func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
    return .object([
      JSONMember(key: "height", value: number(header.height)),
      JSONMember(key: "epoch", value: number(header.epoch)),
      JSONMember(key: "view", value: number(header.view)),
      JSONMember(key: "hash", value: .string(final.block.hash.hexadecimal)),
      JSONMember(key: "at", value: .string(CalendarTime.text(milliseconds: header.timestamp))),
      JSONMember(key: "proposer", value: .integer(Int64(header.proposer))),
      JSONMember(
        key: "cut",
        value: .array(
          final.block.body.advances.map { advance in
            .object([
              JSONMember(key: "lane", value: .string(advance.lane.digest.hexadecimal)),
              JSONMember(key: "number", value: number(advance.number)),
              JSONMember(key: "digest", value: .string(advance.digest.hexadecimal)),
            ])
          })),
      JSONMember(
        key: "transactions", value: .integer(Int64(final.block.body.transactions.count))),
      JSONMember(
        key: "signers",
        value: final.certificate.map { .array($0.signers.map { .integer(Int64($0)) }) } ?? .null),
      JSONMember(key: "executedHeight", value: number(header.executedHeight)),
      JSONMember(key: "executedRoot", value: .string(header.executedRoot.hexadecimal)),
    ])
  }

  // MARK: Export

  private static let export = Verb(
    "ledger export", group: .check, summary: "Write the whole chain of final blocks as JSON lines",
    details: """
      Everything that is needed to check the chain without a node: every block with its
      cut, its certificate, and every handover between epochs. ledger verify FILE and
      docs/examples/verify_ledger_proof.py check what is written.
      """,
    options: [APIOptions.api, LedgerArguments.directory, LedgerArguments.genesis],
    examples: [
      Verb.Example("ledger export > ledger.jsonl", "from the cluster in ./swarm"),
      Verb.Example("ledger export --dir n1 > ledger.jsonl", "from the database of a node"),
    ]
  ) { arguments, console in
    let source = try LedgerArguments.source(arguments)
    var height: UInt64 = 0
    func write(_ line: LedgerLine) {
      console.write(String(decoding: LedgerFile.bytes(line), as: UTF8.self))
    }
    write(.chain(source.chain))
    let missing = try source.forEachLine { line in
      if case .block(let block, _) = line { height = block.header.height }
      write(line)
    }
    if let missing { console.error(LedgerVerbs.note(missing, height)) }
    return ExitStatus.success
  }

  private static func note(_ epoch: UInt64, _ height: UInt64) -> String {
    "no quorum has signed the handover to epoch \(epoch) yet: the chain ends at block \(height)"
  }

  // MARK: Verify

  private static let verify = Verb(
    "ledger verify", group: .check,
    summary: "Check the chain of final blocks with nothing but the genesis", usage: "[FILE]",
    details: """
      FILE is an exported ledger; - reads the standard input. Without it, a node is asked,
      or its database read, which is then checked record by record as well. Checks that
      blocks are a chain, that bodies are those of their headers, that cuts only move
      forward, every certificate, and every handover from epoch 1 on. Exit status 1 when
      something is wrong or nobody vouches for the last block.
      """,
    options: [LedgerArguments.genesis, APIOptions.api, LedgerArguments.directory, .output],
    positionalMax: 1,
    examples: [
      Verb.Example("ledger verify ledger.jsonl --genesis genesis.json", "an exported file"),
      Verb.Example("ledger verify --genesis genesis.json", "what a node of ./swarm says"),
      Verb.Example("ledger verify --dir n1", "the database of a node, which may be stopped"),
    ]
  ) { arguments, console in
    let trust = try LedgerArguments.trust(arguments)
    var audit = LedgerAudit(trust)
    var findings: [String] = []
    var missing: UInt64?
    do {
      if arguments.positional.isEmpty {
        findings += try LedgerVerbs.storedFindings(arguments, trust)
        missing = try LedgerArguments.source(arguments).forEachLine { try audit.take($0) }
      } else {
        try LedgerVerbs.audit(arguments.argument(0, "FILE"), trust, &audit)
      }
    } catch let fault as LedgerProofFault {
      findings.append("\(fault)")
    }
    let report = audit.report
    if report.certifiedHeight < report.height {
      findings.append("nobody vouches for the blocks above \(report.certifiedHeight)")
    }
    if report.height == 0 && findings.isEmpty { findings.append("there is no block") }
    if let missing { console.error(LedgerVerbs.note(missing, report.height)) }
    console.write(
      arguments.wantsJSON
        ? String(decoding: JSONLayout.bytes(LedgerVerbs.json(report, findings)), as: UTF8.self)
        : LedgerVerbs.text(report, findings, console))
    return findings.isEmpty ? ExitStatus.success : ExitStatus.failure
  }

  /// What is wrong with the records of a database that `--dir` names.
  private static func storedFindings(
    _ arguments: ArgumentList, _ trust: LedgerTrust
  ) throws -> [String] {
    guard let directory = arguments.value("dir") else { return [] }
    let report = try LedgerVerification.run(
      directory: try StoredLedger.place(in: directory), genesis: trust.validators,
      chain: trust.chain, tables: Ledger.schemas)
    return report.findings.map { "\($0)" }
  }

  private static func audit(
    _ path: String, _ trust: LedgerTrust, _ audit: inout LedgerAudit
  ) throws {
    var lines = try LineReader(path)
    var chain: ChainID?
    while let bytes = try lines.next() {
      let line = try LedgerFile.line(bytes, of: chain)
      if case .chain(let name) = line {
        guard name == trust.chain else { throw LedgerProofFault.otherChain }
        chain = name
      }
      try audit.take(line)
    }
    guard chain != nil else { throw LedgerProofFault.format("the file is empty") }
  }

  private static func text(
    _ report: LedgerAuditReport, _ findings: [String], _ console: Console
  ) -> String {
    var lines = [
      "\(report.height) blocks in \(report.epoch) epochs, \(report.advances) moves of lanes",
      "\(report.certificates) certificates, final up to block \(report.certifiedHeight)",
      "executed up to \(report.executedHeight), root \(report.executedRoot.hexadecimal)",
      "last block \(report.hash.hexadecimal)",
    ]
    lines += findings.map { console.colored($0, .red) }
    lines.append(findings.isEmpty ? console.colored("sound", .green) : "not sound")
    return lines.map { $0 + "\n" }.joined()
  }

  private static func json(_ report: LedgerAuditReport, _ findings: [String]) -> JSONValue {
    func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
    return .object([
      JSONMember(key: "sound", value: .bool(findings.isEmpty)),
      JSONMember(key: "height", value: number(report.height)),
      JSONMember(key: "hash", value: .string(report.hash.hexadecimal)),
      JSONMember(key: "certifiedHeight", value: number(report.certifiedHeight)),
      JSONMember(key: "epoch", value: number(report.epoch)),
      JSONMember(key: "certificates", value: .integer(Int64(report.certificates))),
      JSONMember(key: "advances", value: .integer(Int64(report.advances))),
      JSONMember(key: "executedHeight", value: number(report.executedHeight)),
      JSONMember(key: "executedRoot", value: .string(report.executedRoot.hexadecimal)),
      JSONMember(key: "findings", value: .array(findings.map { .string($0) })),
    ])
  }
}

extension LedgerAudit {
  /// Takes a line of an export; the first one is the caller's to judge.
  mutating func take(_ line: LedgerLine) throws(LedgerProofFault) {
    switch line {
    case .chain: break
    case .handover(let handover): try take(handover)
    case .block(let block, let certificate): try take(block, certificate)
    }
  }
}
