internal import Configuration
internal import JSONText
internal import Primitives
internal import ProofFiles
internal import Records

/// `verify-proof`: checks a proof or a receipt with nothing but the genesis.
enum VerifyProofVerb {
  static let verb = Verb(
    "verify-proof", group: .check,
    summary: "Check a proof or a receipt with nothing but the genesis", usage: "FILE",
    details: """
      FILE is what /v1/proofs/operation, /v1/proofs/row or /v1/operations/../receipt
      answered; - reads the standard input. No node is asked. Exit status 1 when it
      does not hold.
      """,
    options: [LedgerArguments.genesis, .output], positionalMax: 1,
    examples: [
      Verb.Example("verify-proof proof.json --genesis genesis.json", "a file that was kept"),
      Verb.Example("verify-proof - --genesis genesis.json < proof.json", "the standard input"),
    ]
  ) { arguments, console in
    let path = try arguments.argument(0, "the file FILE")
    let trust = try LedgerArguments.trust(arguments)
    let bytes = try Files.read(
      path == "-" ? "/dev/stdin" : path, limit: ProofFile.limits.bytesMax)
    do {
      let shown = try Shown(bytes, trust)
      console.write(
        arguments.wantsJSON
          ? String(decoding: JSONLayout.bytes(shown.json), as: UTF8.self) : shown.text(console))
      return ExitStatus.success
    } catch let fault as LedgerProofFault {
      console.error("\(Tool.name) verify-proof: it does not hold: \(fault)")
      return ExitStatus.failure
    }
  }

  /// What a file has shown.
  private struct Shown {
    private var lines: [(name: String, value: String)] = []

    init(_ bytes: [UInt8], _ trust: LedgerTrust) throws(LedgerProofFault) {
      // The lines of an exported ledger are not one JSON text: its first one says what it is.
      let line = Array(bytes.prefix { $0 != 0x0A })
      if let first = try? ProofFile.parse(line), first["format"]?.string == ProofFile.ledgerFormat {
        throw .format("it is an exported ledger: \(Tool.name) ledger verify checks it")
      }
      let value = try ProofFile.parse(bytes)
      switch value["format"]?.string {
      case ProofFile.receiptFormat:
        let file = try ReceiptFile(json: value)
        try file.receipt.verify(trust.chain, with: file.proof)
        show(file.receipt, trust)
        if let proof = file.proof { show(proof, try proof.verify(trust)) }
      case _:
        let proof = try LedgerProof(json: value)
        show(proof, try proof.verify(trust))
      }
    }

    private mutating func show(_ receipt: OperationReceipt, _ trust: LedgerTrust) {
      let isFounder = trust.validators.members.contains(receipt.node)
      lines += [
        ("receipt", "\(receipt.operation)"),
        ("code", receipt.code == 0 ? "0: accepted" : "\(receipt.code): refused"),
        ("level", "\(receipt.level.rawValue), in block \(receipt.height)"),
        ("block", receipt.block.hexadecimal),
        (
          "word of",
          receipt.node.key.hexadecimal + (isFounder ? ", a founder" : ", no founder of the cluster")
        ),
      ]
    }

    private mutating func show(_ proof: LedgerProof, _ state: ProvenState) {
      switch proof.subject {
      case .operation(let path):
        lines.append(("final", "operation \(path.identifier)"))
        lines.append(("bytes", Hexadecimal.text(path.operation)))
      case .row(let path):
        let columns = path.values ?? path.key
        let name = path.values == nil ? "no row of table" : "row of table"
        lines.append(
          ("final", "\(name) \(path.table): " + columns.map(Shown.text).joined(separator: ", ")))
      }
      lines += [
        ("height", "\(state.height)"),
        ("root", state.executedRoot.hexadecimal),
        ("vouched by", "block \(state.block.height) of epoch \(state.block.epoch)"),
        ("signed by", "\(state.signers) of \(state.validators.count) validators"),
        ("at", CalendarTime.text(milliseconds: state.timestamp)),
      ]
    }

    private static func text(_ column: ColumnValue) -> String {
      switch column {
      case .null: "null"
      case .integer(let number): "\(number)"
      case .text(let text): "\"\(Shown.printable(text))\""
      case .bytes(let bytes): Hexadecimal.text(bytes)
      }
    }

    /// Text from elsewhere, without what a terminal would obey.
    private static func printable(_ text: String) -> String {
      String(
        text.unicodeScalars.map { scalar in
          let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
          return isControl ? "?" : Character(scalar)
        })
    }

    func text(_ console: Console) -> String {
      let width = lines.map(\.name.count).max() ?? 0
      return console.colored("it holds", .green) + "\n"
        + lines.map { line in
          "  \(line.name)\(String(repeating: " ", count: width - line.name.count))  \(line.value)\n"
        }.joined()
    }

    var json: JSONValue {
      .object(
        [JSONMember(key: "holds", value: .bool(true))]
          + lines.map { JSONMember(key: Shown.key($0.name), value: .string($0.value)) })
    }

    private static func key(_ name: String) -> String {
      switch name {
      case "word of": "node"
      case "vouched by": "vouchedBy"
      case "signed by": "signedBy"
      case _: name
      }
    }
  }
}
