internal import Crypto
package import JSONText
internal import Merkle
internal import Primitives
package import Records
internal import Wire

extension LedgerProof {
  /// Reads a proof from the bytes of its file.
  package init(json bytes: [UInt8]) throws(LedgerProofFault) {
    try self.init(json: try ProofFile.parse(bytes))
  }

  /// Reads a proof from its JSON form, which has exactly the members of one.
  package init(json value: JSONValue) throws(LedgerProofFault) {
    var reader = try FileReader(value, "")
    let format = try reader.text("format")
    guard format == ProofFile.proofFormat else {
      throw .format("format is \"\(format.prefix(40))\", not \"\(ProofFile.proofFormat)\"")
    }
    let chain = ChainID(digest: try reader.digest("chain"))
    let height = try reader.number("height", max: BlockLimits.numberMax)
    let rowsRoot = try reader.digest("rowsRoot")
    let lanesRoot = try reader.digest("lanesRoot")
    var handovers: [EpochHandover] = []
    for entry in try reader.list("handovers", max: LedgerProof.handoversMax) {
      handovers.append(try EpochHandover(entry.value, entry.place, chain))
    }
    var headers: [BlockHeader] = []
    for entry in try reader.list("headers", max: LedgerProof.headersMax) {
      headers.append(try BlockHeader(entry.value, entry.place))
    }
    let certificate = try Certificate.optional(try reader.value("certificate"), chain)
    let subject: LedgerProofSubject
    if let operation = reader.optional("operation") {
      subject = .operation(try OperationPath(operation))
    } else {
      subject = .row(try FinalRowPath(try reader.value("row")))
    }
    try reader.end()
    self.init(
      chain: chain, height: height, rowsRoot: rowsRoot, lanesRoot: lanesRoot, headers: headers,
      certificate: certificate, handovers: handovers, subject: subject)
  }
}

extension BlockHeader {
  init(_ value: JSONValue, _ place: String) throws(LedgerProofFault) {
    let bytes = try FileReader.bytes(value, place)
    do throws(WireError) {
      try self.init(decoding: bytes)
    } catch {
      throw .format("\(place) is no block header: \(error)")
    }
  }
}

extension EpochHandover {
  init(_ value: JSONValue, _ place: String, _ chain: ChainID) throws(LedgerProofFault) {
    var reader = try FileReader(value, place)
    let boundary = try reader.digest("boundary")
    let validators = try ValidatorSet(&reader)
    let certificate = try Certificate(try reader.value("certificate"), place, chain)
    try reader.end()
    self.init(boundary: boundary, validators: validators, certificate: certificate)
  }
}

extension ValidatorSet {
  /// Takes `validators`, which are in ascending order.
  init(_ reader: inout FileReader) throws(LedgerProofFault) {
    let keys = try reader.digests("validators", max: ValidatorSet.countMax)
    guard let set = ValidatorSet(keys.map { NodeID(key: $0) }), set.members.map(\.key) == keys
    else { throw .format("validators are none, or not in ascending order") }
    self = set
  }
}

extension Certificate {
  static func optional(
    _ value: JSONValue, _ chain: ChainID
  ) throws(LedgerProofFault) -> Certificate? {
    value.isNull ? nil : try Certificate(value, "certificate", chain)
  }

  init(_ value: JSONValue, _ place: String, _ chain: ChainID) throws(LedgerProofFault) {
    var reader = try FileReader(value, place)
    guard let kind = StatementNames.kind(named: try reader.text("kind")) else {
      throw .format("\(place).kind names no statement")
    }
    let epoch = try reader.number("epoch", max: BlockLimits.numberMax)
    let view = try reader.number("view", max: BlockLimits.numberMax)
    let hash = try reader.digest("hash")
    guard kind != .nullify || hash == .zero else {
      throw .format("\(place) nullifies a view and names a block")
    }
    var signers: [UInt16] = []
    for entry in try reader.list("signers", max: ValidatorSet.countMax) {
      guard let number = entry.value.integer, let signer = UInt16(exactly: number),
        signers.last.map({ $0 < signer }) ?? true
      else { throw .format("\(place).signers are no places in ascending order") }
      signers.append(signer)
    }
    var signatures: [Signature] = []
    for entry in try reader.list("signatures", max: ValidatorSet.countMax) {
      guard let signature = Signature(try FileReader.bytes(entry.value, entry.place)) else {
        throw .format("\(entry.place) is no signature of 128 hexadecimal digits")
      }
      signatures.append(signature)
    }
    guard signers.count == signatures.count else {
      throw .format("\(place) has \(signers.count) signers and \(signatures.count) signatures")
    }
    try reader.end()
    self.init(
      statement: Statement(kind: kind, chain: chain, epoch: epoch, view: view, hash: hash),
      signers: signers, signatures: signatures)
  }
}

extension OperationPath {
  init(_ value: JSONValue) throws(LedgerProofFault) {
    var reader = try FileReader(value, "operation")
    let name = try reader.text("id")
    let operation = try reader.bytes("bytes")
    let index = Int(
      try reader.number("index", max: UInt64(BundleLimits.operationsMax - 1)))
    let operationPath = try reader.digests("operationPath", max: OperationPath.stepsMax)
    let headerBytes = try reader.bytes("header")
    let header: BundleHeader
    do throws(WireError) {
      header = try BundleHeader(decoding: headerBytes)
    } catch {
      throw .format("operation.header is no bundle header: \(error)")
    }
    let signature = try reader.signature("signature")
    let laneCount = try reader.number("laneCount")
    let lastSequence = try reader.number("lastSequence")
    let lanePath = try reader.digests("lanePath", max: OperationPath.stepsMax)
    var steps: [PathStep] = []
    for entry in try reader.list("lanesPath", max: OperationPath.stepsMax) {
      var step = try FileReader(entry.value, entry.place)
      let left = step.optional("left")
      let hash: JSONValue
      if let left { hash = left } else { hash = try step.value("right") }
      try step.end()
      steps.append(
        PathStep(isLeft: left != nil, hash: try FileReader.digest(hash, entry.place)))
    }
    try reader.end()
    self.init(
      operation: operation, index: index, operationPath: operationPath,
      header: SignedHeader(header: header, signature: signature), laneCount: laneCount,
      lastSequence: lastSequence, lanePath: lanePath, lanesPath: steps)
    guard name.utf8.elementsEqual(identifier.description.utf8) else {
      throw .operation("the proof is of \(identifier), not of \(name.prefix(100))")
    }
  }
}

extension FinalRowPath {
  init(_ value: JSONValue) throws(LedgerProofFault) {
    var reader = try FileReader(value, "row")
    let table = UInt16(try reader.number("table", max: UInt64(UInt16.max)))
    let key = try FinalRowPath.columns(try reader.value("key"), "row.key")
    let stored = try reader.value("values")
    let values = stored.isNull ? nil : try FinalRowPath.columns(stored, "row.values")
    let siblings = try reader.digests("siblings", max: 256)
    var ending = try reader.object("ending")
    let shown: TrieProof.Ending
    switch try ending.text("kind") {
    case "leaf": shown = .leaf
    case "empty": shown = .empty
    case "other":
      shown = .other(key: try ending.digest("key"), value: try ending.digest("value"))
    case let kind: throw .format("row.ending.kind \"\(kind.prefix(40))\" is unknown")
    }
    try ending.end()
    try reader.end()
    self.init(
      table: table, key: key, values: values, path: TrieProof(siblings: siblings, ending: shown))
  }

  /// Reads columns with their types.
  package static func columns(
    _ value: JSONValue, _ place: String
  ) throws(LedgerProofFault) -> [ColumnValue] {
    guard let elements = value.array, elements.count <= 64 else {
      throw .format("\(place) is no list of at most 64 columns")
    }
    var columns: [ColumnValue] = []
    for (index, element) in elements.enumerated() {
      columns.append(try column(element, "\(place)[\(index)]"))
    }
    return columns
  }

  private static func column(
    _ value: JSONValue, _ place: String
  ) throws(LedgerProofFault) -> ColumnValue {
    if value.isNull { return .null }
    guard let member = value.object?.first, value.object?.count == 1 else {
      throw .format("\(place) is neither null nor an object of one member")
    }
    switch (member.key, member.value.string) {
    case ("integer", let text?):
      guard let number = Int64(text), "\(number)".utf8.elementsEqual(text.utf8) else {
        throw .format("\(place).integer is no number of 64 bits in its shortest form")
      }
      return .integer(number)
    case ("text", let text?): return .text(text)
    case ("bytes", .some): return .bytes(try FileReader.bytes(member.value, place))
    case (_, _): throw .format("\(place) is no integer, text or bytes")
    }
  }
}
