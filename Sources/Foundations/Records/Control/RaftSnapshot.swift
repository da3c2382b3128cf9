internal import Crypto
package import Primitives
package import Wire

/// What a snapshot of the control state is, without its bytes.
package struct RaftSnapshotHead: Hashable, Sendable, WireCodable {
  /// The bytes of each chunk but the last.
  package static let chunkBytes = 256 * 1_024
  /// Chunks that a snapshot may have: 128 MiB.
  package static let chunksMax = 512

  /// The last entry that it reflects.
  package let index: UInt64
  /// That entry's term.
  package let term: UInt64
  /// Who took part as of that entry.
  package let configuration: RaftConfiguration
  /// The bytes of all chunks.
  package let byteCount: UInt64
  /// The digest of each chunk, in order: each can be verified when it comes.
  package let chunkDigests: [Digest]

  /// Joins the parts.
  package init(
    index: UInt64, term: UInt64, configuration: RaftConfiguration, byteCount: UInt64,
    chunkDigests: [Digest]
  ) {
    self.index = index
    self.term = term
    self.configuration = configuration
    self.byteCount = byteCount
    self.chunkDigests = chunkDigests
  }

  /// Whether `bytes` are chunk `number`.
  package func verifies(_ bytes: [UInt8], chunk number: Int) -> Bool {
    guard chunkDigests.indices.contains(number) else { return false }
    return bytes.count == length(ofChunk: number)
      && Blake2b.hash(bytes, .controlChunk) == chunkDigests[number]
  }

  /// How many bytes chunk `number` has.
  package func length(ofChunk number: Int) -> Int {
    let whole = RaftSnapshotHead.chunkBytes
    return min(whole, Int(byteCount) - number * whole)
  }

  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(index)
    writer.writeVariable(term)
    configuration.encode(into: &writer)
    writer.writeVariable(byteCount)
    writer.writeVariable(UInt64(chunkDigests.count))
    for digest in chunkDigests { writer.write(digest) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    index = try cursor.readVariable(span)
    term = try cursor.readVariable(span)
    configuration = try RaftConfiguration(from: span, at: &cursor)
    let limit = UInt64(RaftSnapshotHead.chunksMax * RaftSnapshotHead.chunkBytes)
    byteCount = try cursor.readVariable(span, limit: limit)
    let count = try cursor.readCount(
      span, limit: RaftSnapshotHead.chunksMax, bytesEach: Digest.byteCount)
    var digests: [Digest] = []
    for _ in 0..<count { digests.append(try cursor.readDigest(span)) }
    chunkDigests = digests
    guard index > 0, RaftSnapshot.chunkCount(of: Int(byteCount)) == count else {
      throw .invalid("a snapshot whose chunks do not add up")
    }
  }
}

/// A snapshot of the control state: everything that entries up to an index have led to.
package struct RaftSnapshot: Hashable, Sendable {
  /// What it is.
  package let head: RaftSnapshotHead
  /// Its bytes, in chunks.
  package let chunks: [[UInt8]]

  /// Cuts `bytes` into chunks and names them.
  package init(index: UInt64, term: UInt64, configuration: RaftConfiguration, bytes: [UInt8]) {
    let whole = RaftSnapshotHead.chunkBytes
    let count = RaftSnapshot.chunkCount(of: bytes.count)
    precondition(count <= RaftSnapshotHead.chunksMax, "a snapshot of \(bytes.count) bytes")
    chunks = (0..<count).map { Array(bytes[$0 * whole..<min(bytes.count, ($0 + 1) * whole)]) }
    head = RaftSnapshotHead(
      index: index, term: term, configuration: configuration, byteCount: UInt64(bytes.count),
      chunkDigests: chunks.map { Blake2b.hash($0, .controlChunk) })
  }

  /// Joins verified chunks; `nil` when they are not those that `head` names.
  package init?(head: RaftSnapshotHead, chunks: [[UInt8]]) {
    guard chunks.count == head.chunkDigests.count,
      chunks.indices.allSatisfy({ head.verifies(chunks[$0], chunk: $0) })
    else { return nil }
    self.head = head
    self.chunks = chunks
  }

  /// All bytes.
  package var bytes: [UInt8] { Array(chunks.joined()) }

  /// How many chunks that many bytes make.
  static func chunkCount(of byteCount: Int) -> Int {
    (byteCount + RaftSnapshotHead.chunkBytes - 1) / RaftSnapshotHead.chunkBytes
  }
}
