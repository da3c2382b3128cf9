import Crypto
import Merkle
import Primitives
import Records
import SnapshotCore
import Testing
import Wire

@Suite struct `Snapshot manifests` {
  private static let genesis = Place.set(Place.keys)

  private static func fault(_ manifest: SnapshotManifest) -> SnapshotManifest.Fault? {
    manifest.check(chain: Place.chain, genesis: genesis)
  }

  @Test(arguments: [0, 1, 2, 3, 40, 400], [0, 1, 4, 9])
  func `parts join to the root that the trie over all rows has`(count: Int, depth: Int) throws {
    let state = try State(height: 7, rows: count, depth: depth)
    let form = SnapshotRows(Place.tables)
    var leaves: [TriePart.Leaf] = []
    for part in state.parts {
      for row in try SnapshotRows.decode(part) { leaves.append(try form.leaf(of: row)) }
    }
    #expect(leaves.count == count)
    let edits = leaves.map { TrieEdit(key: $0.key, value: $0.value) }
    let root = try SparseMerkleTrie.update(edits, in: MemoryTrieNodes()).root
    #expect(state.manifest.rowsRoot == root)
    #expect(state.manifest.rowCount == UInt64(count))
    #expect(Self.fault(state.manifest) == nil)
    for (index, part) in state.parts.enumerated() {
      #expect(state.manifest.rows(part, of: index, form) != nil)
    }
  }

  @Test func `a row's leaf is that of the trie`() throws {
    let row = Row(Place.notes, [.integer(-5), .text("ä"), .null])
    let leaf = try SnapshotRows(Place.tables).leaf(of: State.bytes(row))
    #expect(leaf.key == row.trieKey(Place.notes))
    #expect(leaf.value == row.digest)
  }

  @Test func `no part exceeds its target, and one bit less would`() throws {
    let state = try State(height: 7, rows: 6_000, textBytes: 400)
    let target = SnapshotLimits.partBytesTarget
    #expect(state.manifest.depth == 3)
    #expect(state.parts.allSatisfy { $0.count <= target + 9 })
    let pairs = stride(from: 0, to: 8, by: 2).map {
      state.parts[$0].count + state.parts[$0 + 1].count
    }
    #expect(pairs.contains { $0 > target })
  }

  @Test(arguments: [false, true])
  func `a manifest has one encoding and every cut of it is refused`(handsOver: Bool) throws {
    let manifest = try State(height: 9, rows: 30, depth: 2, handsOver: handsOver).manifest
    let bytes = manifest.encoded
    #expect(try SnapshotManifest(decoding: bytes) == manifest)
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try SnapshotManifest(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: WireError.self) { try SnapshotManifest(decoding: bytes + [0]) }
  }

  @Test(arguments: [false, true])
  func `no byte of a manifest can be changed`(handsOver: Bool) throws {
    let manifest = try State(height: 9, rows: 3, depth: 1, handsOver: handsOver).manifest
    let bytes = manifest.encoded
    #expect(Self.fault(manifest) == nil)
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 1 << UInt8(index % 8)
      guard let changed = try? SnapshotManifest(decoding: other) else { continue }
      // A count of two or more says no more than that: the part itself is checked against it.
      let isCount = zip(changed.parts, manifest.parts).contains { $0.rowCount != $1.rowCount }
      #expect(isCount || Self.fault(changed) != nil, "byte \(index)")
    }
  }

  @Test func `what does not lead from the genesis is refused by name`() throws {
    let good = try State(height: 9, rows: 20, depth: 2, handsOver: true).manifest
    func with(
      block: Block? = nil, lanes: Digest? = nil, links: [BlockHeader]? = nil,
      certificate: Certificate? = nil, epochs: [SnapshotManifest.EpochLink]? = nil,
      parts: [SnapshotManifest.Part]? = nil
    ) -> SnapshotManifest.Fault? {
      Self.fault(
        SnapshotManifest(
          block: block ?? good.block, lanesRoot: lanes ?? good.lanesRoot,
          links: links ?? good.links, certificate: certificate ?? good.certificate,
          epochs: epochs ?? good.epochs, parts: parts ?? good.parts))
    }
    #expect(with() == nil)
    #expect(with(lanes: .zero) == .unvouched)
    #expect(with(links: []) == .unlinked)
    #expect(with(links: Array(good.links.reversed())) == .unlinked)
    #expect(with(links: [good.links[1]]) == .unlinked)
    #expect(with(links: [good.links[0]]) == .unvouched)
    #expect(with(epochs: []) == .unsigned)
    #expect(with(epochs: good.epochs + good.epochs) == .handover(epoch: 2))
    let forged = Place.certificate(good.certificate.statement, Place.keys)
    #expect(with(certificate: forged) == .unsigned)
    let handover = Place.certificate(good.epochs[0].handover.statement, Place.others)
    let link = SnapshotManifest.EpochLink(
      boundary: good.epochs[0].boundary, validators: good.epochs[0].validators, handover: handover)
    #expect(with(epochs: [link]) == .handover(epoch: 1))
    var parts = good.parts
    parts.swapAt(0, 1)
    #expect(with(parts: parts) == .unvouched)
    let foreign = State.manifest(
      height: 9, parts: good.parts, links: 2, handsOver: false, chain: ChainID(digest: .zero))
    #expect(Self.fault(foreign) == .foreign)
    #expect(
      good.check(chain: Place.chain, genesis: Place.set(Place.others)) == .handover(epoch: 1))
  }

  @Test func `a part that is not the one named is refused, whatever it is`() throws {
    let form = SnapshotRows(Place.tables)
    let state = try State(height: 9, rows: 200, depth: 2)
    let rows = try SnapshotRows.decode(state.parts[1])
    func isTaken(_ rows: [[UInt8]]) -> Bool {
      state.manifest.rows(SnapshotRows.encode(rows), of: 1, form) != nil
    }
    #expect(isTaken(rows))
    #expect(!isTaken(Array(rows.dropLast())))
    #expect(!isTaken(Array(rows.reversed())))
    #expect(!isTaken(rows + [rows[0]]))
    #expect(!isTaken([[1, 0, 9]] + rows.dropFirst()))
    #expect(!isTaken([[9, 9]] + rows.dropFirst()))
    #expect(!isTaken([]))
    #expect(state.manifest.rows(state.parts[0], of: 1, form) == nil)
    #expect(state.manifest.rows(state.parts[1] + [0], of: 1, form) == nil)
    var random = Xoshiro256(seed: 1, purpose: "flips")
    for _ in 0..<200 {
      var bytes = state.parts[1]
      bytes[random.next(below: bytes.count)] ^= 1 << UInt8(random.next(below: 8))
      #expect(state.manifest.rows(bytes, of: 1, form) == nil)
    }
  }

  @Test func `requests and answers have one encoding`() throws {
    let requests: [(SnapshotRequest, [UInt8])] = [
      (.offer, [1]), (.manifest(height: 300), [2, 0xac, 2]),
      (.part(height: 1, index: 65_535), [3, 1, 0xff, 0xff, 3]),
    ]
    for (request, bytes) in requests {
      #expect(request.encoded == bytes)
      #expect(try SnapshotRequest(decoding: bytes) == request)
      #expect(bytes.count <= SnapshotRequest.encodedBytesMax)
      for count in bytes.indices {
        #expect(throws: WireError.self) { try SnapshotRequest(decoding: Array(bytes[..<count])) }
      }
    }
    #expect(throws: WireError.self) { try SnapshotRequest(decoding: [3, 1, 0x80, 0x80, 4]) }
    #expect(throws: WireError.self) { try SnapshotRequest(decoding: [0]) }
    let answers: [(SnapshotAnswer, [UInt8])] = [
      (.nothing, [0]), (.offer(height: 5), [1, 5]), (.manifest([7]), [2, 1, 7]),
      (.part([8, 9]), [3, 2, 8, 9]),
    ]
    for (answer, bytes) in answers {
      #expect(answer.encoded == bytes)
      #expect(try SnapshotAnswer(decoding: bytes) == answer)
    }
    #expect(throws: WireError.self) { try SnapshotAnswer(decoding: [4]) }
    #expect(throws: WireError.self) { try SnapshotAnswer(decoding: [0, 0]) }
  }
}
