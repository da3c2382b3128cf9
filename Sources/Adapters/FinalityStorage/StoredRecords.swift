internal import Primitives
internal import Records
internal import Wire

extension LedgerFinding: Error {}

extension ColumnValue {
  /// The bytes; none for other types.
  var content: [UInt8] {
    switch self {
    case .bytes(let bytes): bytes
    case .null, .integer, .text: []
    }
  }

  /// The number; zero for other types and for what no number of ours is.
  var unsigned: UInt64 {
    switch self {
    case .integer(let number): UInt64(clamping: number)
    case .null, .text, .bytes: 0
    }
  }

  /// How findings name a record with this key.
  var name: String {
    switch self {
    case .null: "null"
    case .integer(let number): "\(number)"
    case .text(let text): text
    case .bytes(let bytes): Hexadecimal.text(Array(bytes.prefix(16)))
    }
  }
}

/// A block as it is stored.
struct StoredBlock {
  static let columns = "height, hash, header, body, certificate, certificate_checksum"

  let height: UInt64
  let hash: [UInt8]
  let header: [UInt8]
  let body: [UInt8]
  let certificate: [UInt8]?
  let certificateChecksum: [UInt8]

  init(_ values: [ColumnValue]) {
    height = values[0].unsigned
    hash = values[1].content
    header = values[2].content
    body = values[3].content
    certificate = values[4] == .null ? nil : values[4].content
    certificateChecksum = values[5].content
  }

  /// The block, when all its parts belong together.
  func decoded() -> Result<FinalBlock, LedgerFinding> {
    func finding(_ text: String) -> Result<FinalBlock, LedgerFinding> {
      .failure(LedgerFinding("blocks", "\(height)", text))
    }
    let block: Block
    let certificate: Certificate?
    do throws(WireError) {
      block = try Block(decoding: header + body)
      certificate = try decodedCertificate()
    } catch {
      return finding("it cannot be decoded: \(error)")
    }
    guard block.header.height == height else {
      return finding("its header has height \(block.header.height)")
    }
    guard block.hash.bytes == hash else { return finding("its header has another hash") }
    if let bytes = self.certificate, let statement = certificate?.statement {
      guard LedgerChecksum.certificate(hash, bytes) == certificateChecksum else {
        return finding("its certificate fails its checksum")
      }
      guard
        statement.kind == .finalize && statement.hash == block.hash
          && statement.chain == block.header.chain && statement.epoch == block.header.epoch
          && statement.view == block.header.view
      else { return finding("its certificate is that of another block") }
    }
    return .success(FinalBlock(block: block, certificate: certificate))
  }

  private func decodedCertificate() throws(WireError) -> Certificate? {
    guard let certificate else { return nil }
    return try Certificate(decoding: certificate)
  }
}

/// A row as it is stored.
struct StoredRow {
  let key: ColumnValue
  let value: ColumnValue
  let digest: ColumnValue

  /// The row, when its digest and its key are those of its bytes.
  func decoded(_ tables: [TableSchema]) -> Result<Row, LedgerFinding> {
    guard RowCoding.digest(value.content).bytes == digest.content else {
      return .failure(LedgerFinding("rows", key.name, "it has another digest"))
    }
    do throws(WireError) {
      let row = try RowCoding.row(decoding: value.content, tables: tables)
      let count = tables.first { $0.number == row.table }?.keyColumnCount ?? 0
      guard RowCoding.key(row.values.prefix(count)) == key.content else {
        return .failure(LedgerFinding("rows", key.name, "it stands under another key"))
      }
      return .success(row)
    } catch {
      return .failure(LedgerFinding("rows", key.name, "it cannot be decoded: \(error)"))
    }
  }
}

/// An outcome as it is stored: lane, number, height, codes, checksum.
enum StoredOutcome {
  static func decoded(_ values: [ColumnValue]) -> Result<BundleOutcome, LedgerFinding> {
    let (number, height, codes) = (values[1].unsigned, values[2].unsigned, values[3].content)
    let name = "\(values[0].name) \(number)"
    guard
      LedgerChecksum.outcome(values[0].content, number, height, codes) == values[4].content,
      let lane = Digest(values[0].content), codes.count.isMultiple(of: 4)
    else { return .failure(LedgerFinding("outcomes", name, "it fails its checksum")) }
    let numbers = stride(from: 0, to: codes.count, by: 4).map { start in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(codes[start + $1]) << UInt32(8 * $1) }
    }
    return .success(
      BundleOutcome(
        lane: LaneID(digest: lane), number: number, height: height, codes: numbers))
  }
}

/// An epoch as it is stored: epoch, parent, validators, handover, checksum.
enum StoredEpoch {
  static func decoded(_ values: [ColumnValue]) -> Result<LedgerEpoch, LedgerFinding> {
    let number = values[0].unsigned
    let (parent, validators, handover) = (
      values[1].content, values[2].content, values[3].content
    )
    guard LedgerChecksum.epoch(number, parent, validators, handover) == values[4].content else {
      return .failure(LedgerFinding("epochs", "\(number)", "it fails its checksum"))
    }
    do throws(WireError) {
      return .success(
        LedgerEpoch(
          epoch: number, parent: try LedgerEpoch.parent(decoding: parent),
          validators: try ValidatorSet(decoding: validators),
          handover: handover.isEmpty ? nil : try Certificate(decoding: handover)))
    } catch {
      return .failure(LedgerFinding("epochs", "\(number)", "it cannot be decoded: \(error)"))
    }
  }
}
