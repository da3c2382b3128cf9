import Crypto
import Merkle
import Primitives
import Records
import SnapshotCore
import Wire

/// The chain that all tests share, and a state that its validators vouch for.
enum Place {
  static let chain = ChainID(digest: Digest(words: 3, 1, 4, 1))
  static let keys = (1...4).map { SigningKey(seed: Digest(words: 6, 6, 6, UInt64($0))) }
    .sorted { $0.publicKey < $1.publicKey }
  static let others = (1...4).map { SigningKey(seed: Digest(words: 8, 8, 8, UInt64($0))) }
    .sorted { $0.publicKey < $1.publicKey }
  static let notes = TableSchema(
    number: 1, name: "notes",
    columns: [.init("id", .integer), .init("owner", .text), .init("text", .bytes)],
    keyColumnCount: 2)
  static let marks = TableSchema(
    number: 2, name: "marks", columns: [.init("id", .bytes), .init("mark", .integer)],
    keyColumnCount: 1)
  static let tables = [notes, marks]

  static func set(_ keys: [SigningKey]) -> ValidatorSet {
    guard let set = ValidatorSet(keys.map { NodeID(key: $0.publicKey) }) else {
      preconditionFailure("four keys make a set")
    }
    return set
  }

  static func certificate(_ statement: Statement, _ keys: [SigningKey]) -> Certificate {
    let votes = (0..<3).map { Vote(signing: statement, as: UInt16($0), with: keys[$0]) }
    return Certificate(
      statement: statement, signers: votes.map(\.signer), signatures: votes.map(\.signature))
  }
}

/// A state cut into parts, as an honest node serves it.
struct State {
  var manifest: SnapshotManifest
  var parts: [[UInt8]]

  /// A state of so many rows; the seed changes one row of ten.
  init(
    height: UInt64, rows count: Int, seed: UInt64 = 0, depth: Int? = nil, links linkCount: Int = 2,
    handsOver: Bool = false, textBytes: Int = 300
  ) throws {
    let form = SnapshotRows(Place.tables)
    var rows: [(leaf: TriePart.Leaf, bytes: [UInt8])] = []
    var cut = SnapshotCut()
    for number in 0..<count {
      let salt = number % 10 == 0 ? UInt8(truncatingIfNeeded: seed) : 0
      let row =
        number % 3 == 0
        ? Row(
          Place.marks, [.bytes([UInt8(number & 255), UInt8(number >> 8)]), .integer(Int64(salt))])
        : Row(
          Place.notes,
          [
            .integer(Int64(number)), .text("o\(number % 7)"),
            number % 4 == 1 ? .null : .bytes(Array(repeating: salt, count: textBytes)),
          ])
      let bytes = State.bytes(row)
      let leaf = try form.leaf(of: bytes)
      rows.append((leaf, bytes))
      cut.add(leaf, byteCount: bytes.count)
    }
    rows.sort { $0.leaf.key < $1.leaf.key }
    let depth = depth ?? cut.depth
    var groups = Array(repeating: [[UInt8]](), count: 1 << depth)
    for row in rows { groups[row.leaf.key.leadingBits(depth)].append(row.bytes) }
    parts = groups.map(SnapshotRows.encode)
    let described = try groups.enumerated().map { index, rows in
      SnapshotManifest.Part(
        rowCount: UInt64(rows.count),
        hash: try form.part(of: rows, index: index, depth: depth).hash)
    }
    manifest = State.manifest(
      height: height, parts: described, links: linkCount, handsOver: handsOver)
  }

  /// A row in the form that `Row.digest` hashes, written out once more.
  static func bytes(_ row: Row) -> [UInt8] {
    var writer = WireWriter()
    writer.write(row.table)
    for value in row.values {
      switch value {
      case .null: writer.write(UInt8(0))
      case .integer(let number):
        writer.write(UInt8(1))
        writer.write(UInt64(bitPattern: number))
      case .text(let text):
        writer.write(UInt8(2))
        writer.writeText(text)
      case .bytes(let bytes):
        writer.write(UInt8(3))
        writer.writeBytes(bytes)
      }
    }
    return writer.bytes
  }

  static func manifest(
    height: UInt64, parts: [SnapshotManifest.Part], links count: Int, handsOver: Bool,
    chain: ChainID = Place.chain
  ) -> SnapshotManifest {
    let lanesRoot = Digest(words: 1, 2, 3, height)
    let rowsRoot = TriePart.joined(parts.map(\.triePart)).hash
    let first = Place.set(Place.keys)
    let second = Place.set(Place.others)
    func header(_ height: UInt64, after parent: Digest, _ epoch: UInt64, _ last: Bool)
      -> BlockHeader
    {
      let body = BlockBody()
      return BlockHeader(
        chain: chain, epoch: epoch, height: height, view: height, parentView: 0,
        parentHash: parent, proposer: 0, timestamp: height * 10, bodyRoot: body.root,
        bodyByteCount: UInt32(body.encoded.count), entryCount: 0,
        executedHeight: last ? height - UInt64(count) : 0,
        executedRoot: last
          ? ExecutionRoot.root(height: height - UInt64(count), rows: rowsRoot, lanes: lanesRoot)
          : .zero,
        validatorSetHash: (epoch == 1 ? first : second).hash)
    }
    let block = Block(header: header(height, after: .zero, 1, false), body: BlockBody())
    var links: [BlockHeader] = []
    let epoch: UInt64 = handsOver ? 2 : 1
    for offset in 1...count {
      links.append(
        header(
          height + UInt64(offset), after: links.last?.hash ?? block.hash, epoch, offset == count))
    }
    let last = links[count - 1]
    var epochs: [SnapshotManifest.EpochLink] = []
    if handsOver {
      let statement = Handover.statement(
        chain: chain, boundary: block.header.reference, next: second)
      epochs = [
        .init(
          boundary: block.header, validators: second,
          handover: Place.certificate(statement, Place.keys))
      ]
    }
    let statement = Statement(
      kind: .finalize, chain: chain, epoch: epoch, view: last.view, hash: last.hash)
    return SnapshotManifest(
      block: block, lanesRoot: lanesRoot, links: links,
      certificate: Place.certificate(statement, handsOver ? Place.others : Place.keys),
      epochs: epochs, parts: parts)
  }
}
