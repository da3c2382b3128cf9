import Crypto
import Merkle
import Primitives
import Records
import SQLiteStorage
import Testing
import Wire

/// Proofs made from tiles and headers, checked with the functions of the trees alone.
struct ProofTests {
  private static let tree = MerkleTree(TaggedHasher(.rangeNode))

  /// A lane of `count` bundles, of which bundle n has n % 5 + 1 operations.
  private func lane(
    _ count: Int
  ) throws -> (directory: TemporaryDirectory, storage: SwarmStorage, author: LaneAuthor) {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    var author = LaneAuthor(4)
    var written = 0
    var sequence: UInt64 = 0
    while written < count {
      sequence += 1
      var batch = StorageBatch(sequence: sequence)
      for _ in 0..<min(100, count - written) {
        written += 1
        author.append((0...(written % 5)).map { [UInt8($0), UInt8(written & 0xff)] }, to: &batch)
      }
      #expect(storage.submit(batch) == .accepted)
    }
    try storage.flush()
    return (directory, storage, author)
  }

  /// Checks a proof from the operation up to the lane's root.
  private func expectSound(_ proof: OperationProofParts, root: Digest) throws {
    let header = try BundleHeader(decoding: proof.header)
    let operationRoot = MerkleTree(TaggedHasher(.operationNode)).root(
      from: SignedBundle.leaf(of: proof.operation), at: UInt64(proof.place.index),
      in: UInt64(header.operationCount), through: proof.operationPath)
    #expect(operationRoot == header.operationsRoot)
    let signature = try #require(Signature(proof.signature))
    let signed = SignedHeader(header: header, signature: signature)
    #expect(Verified(checking: signed) != nil)
    let treeHash = try #require(
      ProofTests.tree.root(
        from: signed.digest, at: proof.place.bundle.number - 1, in: proof.headCount,
        through: proof.lanePath))
    #expect(MountainRange.root(count: proof.headCount, treeHash: treeHash) == root)
  }

  @Test(arguments: [1, 2, 3, 7, 100, 255, 256, 257, 511, 512, 513, 1_000])
  func `every operation is proven against every head`(count: Int) async throws {
    let (directory, storage, author) = try lane(count)
    let lane = author.lane
    var random = Xoshiro256(seed: UInt64(count), purpose: "places")
    let borders: [UInt64] = [1, 2, 255, 256, 257, 511, 512, 513, 768, UInt64(count)]
    for head in Set(borders + [1 + random.next(below: UInt64(count))]) where head <= count {
      let numbers = borders + (0..<4).map { _ in 1 + random.next(below: head) }
      for number in Set(numbers) where number <= head {
        let place = OperationID(
          bundle: LanePosition(lane: lane, number: number),
          index: random.next(below: Int(number) % 5 + 1))
        let proof = try await storage.reading { try $0.operationProof(place, at: head) }
        try expectSound(try #require(proof), root: author.roots[Int(head) - 1])
      }
    }
    try storage.close()
    withExtendedLifetime(directory) {}
  }

  @Test(arguments: [1, 255, 256, 257, 700])
  func `every head is proven to continue every earlier one`(count: Int) async throws {
    let (directory, storage, author) = try lane(count)
    let lane = author.lane
    var hashes: [Digest] = []
    let digests = try await storage.reading { reader in
      try (1...count).map {
        try reader.bundle(at: LanePosition(lane: lane, number: UInt64($0)))?.digest
      }
    }
    var range = MountainRange()
    for digest in digests {
      range.append(try #require(digest))
      hashes.append(range.treeHash)
    }
    var random = Xoshiro256(seed: UInt64(count), purpose: "places")
    let borders: [UInt64] = [1, 255, 256, 257, 512, UInt64(count)]
    for head in Set(borders + [1 + random.next(below: UInt64(count))]) where head <= count {
      for old in Set(borders + [1 + random.next(below: head)]) where old <= head {
        let path = try await storage.reading {
          try $0.consistencyPath(of: lane, from: old, to: head)
        }
        #expect(
          ProofTests.tree.isConsistent(
            oldRoot: hashes[Int(old) - 1], old: old, root: hashes[Int(head) - 1], count: head,
            path: try #require(path)))
      }
    }
    try storage.close()
    withExtendedLifetime(directory) {}
  }

  @Test func `what is not held is not proven`() async throws {
    let (directory, storage, author) = try lane(3)
    let lane = author.lane
    let cases: [(number: UInt64, index: Int, head: UInt64)] = [
      (4, 0, 4), (3, 0, 4), (3, 0, 2), (1, 2, 3), (1, 900, 3),
    ]
    for (number, index, head) in cases {
      let place = OperationID(bundle: LanePosition(lane: lane, number: number), index: index)
      #expect(try await storage.reading { try $0.operationProof(place, at: head) } == nil)
    }
    for (old, head) in [(0, 3), (2, 4), (3, 2)] as [(UInt64, UInt64)] {
      #expect(
        try await storage.reading { try $0.consistencyPath(of: lane, from: old, to: head) } == nil)
    }
    try storage.close()
    withExtendedLifetime(directory) {}
  }
}
