internal import Crypto
package import Merkle
internal import Primitives
package import Records
package import Wire

/// The form of rows in a snapshot: what `Row.digest` hashes, so that a row is checked as it comes.
///
/// Whoever cuts a state into parts and whoever checks one need no more than how many columns of
/// each table are its key.
package struct SnapshotRows: Sendable {
  /// Per table the count of its key columns.
  private let keyColumns: SortedMap<UInt16, Int>

  /// Knows these tables.
  package init(_ tables: [TableSchema]) {
    var counts = SortedMap<UInt16, Int>()
    for table in tables { counts[table.number] = table.keyColumnCount }
    keyColumns = counts
  }

  /// The leaf of a row with these bytes.
  package func leaf(of row: [UInt8]) throws(WireError) -> TriePart.Leaf {
    let span = row.span.bytes
    var cursor = WireCursor()
    let table = try cursor.readUInt16(span)
    guard let count = keyColumns[table] else { throw .invalid("a row of an unknown table") }
    for _ in 0..<count { try SnapshotRows.skip(span, at: &cursor) }
    let key = Blake2b.hash(Array(row[..<cursor.offset]), .trieKey)
    while cursor.offset < row.count { try SnapshotRows.skip(span, at: &cursor) }
    return TriePart.Leaf(key: key, value: Blake2b.hash(row, .row))
  }

  private static func skip(
    _ span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    let type = try cursor.readUInt8(span)
    switch type {
    case 0: break
    case 1: _ = try cursor.readUInt64(span)
    case 2, 3:
      let count = Int(try cursor.readVariable(span, limit: UInt64(SnapshotLimits.partBytesMax)))
      guard count <= span.byteCount - cursor.offset else { throw .truncated }
      cursor = WireCursor(offset: cursor.offset + count)
    // open set: types of columns come from a peer
    default: throw .unknownTag(type)
    }
  }

  // MARK: Parts

  /// The rows of a part in its wire form: count, then each with its length, in ascending order of
  /// their keys in the trie.
  package static func encode(_ rows: [[UInt8]]) -> [UInt8] {
    var writer = WireWriter(capacity: rows.reduce(9) { $0 + $1.count + 3 })
    writer.writeVariable(UInt64(rows.count))
    for row in rows { writer.writeBytes(row) }
    return writer.bytes
  }

  /// The rows of a part.
  package static func decode(_ part: [UInt8]) throws(WireError) -> [[UInt8]] {
    guard part.count <= SnapshotLimits.partBytesMax else { throw .overLimit }
    let span = part.span.bytes
    var cursor = WireCursor()
    let count = try cursor.readCount(span, limit: part.count, bytesEach: 3)
    var rows: [[UInt8]] = []
    rows.reserveCapacity(count)
    for _ in 0..<count { rows.append(try cursor.readBytes(span, limit: part.count)) }
    try cursor.expectEnd(span)
    return rows
  }

  /// What the rows of a part amount to when they are those of place `index` among 2 to the power of
  /// `depth`; throws what is wrong with their form, order or place.
  package func part(
    of rows: [[UInt8]], index: Int, depth: Int
  ) throws(WireError) -> TriePart {
    var leaves: [TriePart.Leaf] = []
    leaves.reserveCapacity(rows.count)
    for row in rows {
      let leaf = try leaf(of: row)
      guard leaf.key.leadingBits(depth) == index else { throw .invalid("a row of another part") }
      if let last = leaves.last, last.key >= leaf.key { throw .notCanonical }
      leaves.append(leaf)
    }
    return TriePart(of: leaves[...], below: depth)
  }
}

/// How a state is cut into parts.
package struct SnapshotCut: Sendable {
  /// Bytes of rows, as parts hold them, by the leading `SnapshotLimits.depthMax` bits of their
  /// keys.
  private var bytes: [Int]

  /// Begins with nothing.
  package init() {
    bytes = Array(repeating: 0, count: 1 << SnapshotLimits.depthMax)
  }

  /// Takes note of a row.
  package mutating func add(_ leaf: TriePart.Leaf, byteCount: Int) {
    bytes[leaf.key.leadingBits(SnapshotLimits.depthMax)] +=
      byteCount + WireWriter.byteCount(ofVariable: UInt64(byteCount))
  }

  /// The fewest bits that leave no part with more than the target; a function of the rows alone, so
  /// that all nodes cut alike.
  package var depth: Int {
    var level = bytes
    var depth = SnapshotLimits.depthMax
    while depth > 0 {
      let wider = stride(from: 0, to: level.count, by: 2).map { level[$0] + level[$0 + 1] }
      if wider.contains(where: { $0 > SnapshotLimits.partBytesTarget }) { break }
      level = wider
      depth -= 1
    }
    return depth
  }
}
