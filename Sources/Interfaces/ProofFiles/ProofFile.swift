internal import Crypto
package import JSONText
internal import Merkle
internal import Primitives
package import Records
internal import Wire

/// The forms of files in which proofs, receipts and whole ledgers leave a node.
package enum ProofFile {
  /// The form of a proof.
  package static let proofFormat = "swarmoracle.proof/1"
  /// The form of a receipt.
  package static let receiptFormat = "swarmoracle.receipt/1"
  /// The form of an exported ledger.
  package static let ledgerFormat = "swarmoracle.ledger/1"

  /// The limits of a file.
  package static let limits: JSONLimits = {
    var limits = JSONLimits()
    limits.bytesMax = 64 << 20
    limits.stringBytesMax = 4 << 20
    limits.membersMax = 1 << 21
    return limits
  }()

  /// Reads a JSON text.
  package static func parse(_ bytes: [UInt8]) throws(LedgerProofFault) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue.parse(bytes, limits: limits)
    } catch {
      throw .format("not a JSON text: \(error)")
    }
  }
}

extension JSONWriter {
  /// Writes a proof as one object.
  package mutating func write(_ proof: LedgerProof) {
    beginObject()
    key("format")
    string(ProofFile.proofFormat)
    key("chain")
    string(proof.chain.digest.hexadecimal)
    key("height")
    unsigned(proof.height)
    key("rowsRoot")
    string(proof.rowsRoot.hexadecimal)
    key("lanesRoot")
    string(proof.lanesRoot.hexadecimal)
    key("handovers")
    beginArray()
    for handover in proof.handovers { write(handover) }
    endArray()
    key("headers")
    beginArray()
    for header in proof.headers { hexadecimal(header.encoded) }
    endArray()
    key("certificate")
    if let certificate = proof.certificate { write(certificate) } else { null() }
    switch proof.subject {
    case .operation(let path):
      key("operation")
      write(path)
    case .row(let path):
      key("row")
      write(path)
    }
    endObject()
  }

  /// Writes a handover as one object.
  package mutating func write(_ handover: EpochHandover) {
    beginObject()
    key("boundary")
    string(handover.boundary.hexadecimal)
    key("validators")
    write(handover.validators)
    key("certificate")
    write(handover.certificate)
    endObject()
  }

  /// Writes validators as a list of keys.
  package mutating func write(_ validators: ValidatorSet) {
    beginArray()
    for member in validators.members { string(member.key.hexadecimal) }
    endArray()
  }

  /// Writes a certificate as one object; its chain is that of the file.
  package mutating func write(_ certificate: Certificate) {
    beginObject()
    key("kind")
    string(StatementNames.name(of: certificate.statement.kind))
    key("epoch")
    unsigned(certificate.statement.epoch)
    key("view")
    unsigned(certificate.statement.view)
    key("hash")
    string(certificate.statement.hash.hexadecimal)
    key("signers")
    beginArray()
    for signer in certificate.signers { integer(Int(signer)) }
    endArray()
    key("signatures")
    beginArray()
    for signature in certificate.signatures { hexadecimal(signature.bytes) }
    endArray()
    endObject()
  }

  private mutating func write(_ path: OperationPath) {
    beginObject()
    key("id")
    string(path.identifier.description)
    key("bytes")
    hexadecimal(path.operation)
    key("index")
    integer(path.index)
    key("operationPath")
    write(path.operationPath)
    key("header")
    hexadecimal(path.header.header.encoded)
    key("signature")
    hexadecimal(path.header.signature.bytes)
    key("laneCount")
    unsigned(path.laneCount)
    key("lastSequence")
    unsigned(path.lastSequence)
    key("lanePath")
    write(path.lanePath)
    key("lanesPath")
    beginArray()
    for step in path.lanesPath {
      beginObject()
      key(step.isLeft ? "left" : "right")
      string(step.hash.hexadecimal)
      endObject()
    }
    endArray()
    endObject()
  }

  private mutating func write(_ path: FinalRowPath) {
    beginObject()
    key("table")
    integer(Int(path.table))
    key("key")
    write(path.key)
    key("values")
    if let values = path.values { write(values) } else { null() }
    key("siblings")
    write(path.path.siblings)
    key("ending")
    beginObject()
    switch path.path.ending {
    case .leaf:
      key("kind")
      string("leaf")
    case .empty:
      key("kind")
      string("empty")
    case .other(let other, let value):
      key("kind")
      string("other")
      key("key")
      string(other.hexadecimal)
      key("value")
      string(value.hexadecimal)
    }
    endObject()
    endObject()
  }

  /// Writes columns with their types: `null`, or an object of one member named `integer` (in
  /// decimal digits, which every reader takes exactly), `text` or `bytes` (hexadecimal).
  package mutating func write(_ columns: [ColumnValue]) {
    beginArray()
    for column in columns {
      switch column {
      case .null:
        null()
        continue
      case .integer(let number):
        beginObject()
        key("integer")
        string("\(number)")
      case .text(let text):
        beginObject()
        key("text")
        string(text)
      case .bytes(let bytes):
        beginObject()
        key("bytes")
        hexadecimal(bytes)
      }
      endObject()
    }
    endArray()
  }

  private mutating func write(_ path: [Digest]) {
    beginArray()
    for digest in path { string(digest.hexadecimal) }
    endArray()
  }
}

/// The names of statements in files.
enum StatementNames {
  static func name(of kind: StatementKind) -> String {
    switch kind {
    case .notarize: "notarize"
    case .nullify: "nullify"
    case .finalize: "finalize"
    case .handover: "handover"
    case .reconfigure: "reconfigure"
    }
  }

  static func kind(named name: String) -> StatementKind? {
    StatementKind.allCases.first { self.name(of: $0) == name }
  }
}
