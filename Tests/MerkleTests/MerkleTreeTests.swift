import Merkle
import Primitives
import Testing

@Suite struct MerkleTreeTests {
  static let countMax = 70
  private static let leaves = someLeaves(countMax)
  private let tree = MerkleTree(MixingHasher())
  private let naive = NaiveTree(hasher: MixingHasher())

  private func subtree(_ reference: SubtreeReference) -> Digest {
    let count = 1 << reference.level
    let start = Int(reference.index) * count
    return naive.root(MerkleTreeTests.leaves[start..<(start + count)])
  }

  private func root(_ count: Int) -> Digest {
    naive.root(MerkleTreeTests.leaves[..<count])
  }

  @Test func `the root over no leaves is zero`() {
    #expect(tree.root(of: []) == .zero)
    #expect(MountainRange().treeHash == .zero)
  }

  @Test(arguments: 1...countMax)
  func `roots follow the recursive definition`(count: Int) throws {
    let leaves = Array(MerkleTreeTests.leaves[..<count])
    #expect(tree.root(of: leaves) == root(count))
    for start in 0..<count {
      let range = UInt64(start)..<UInt64(count)
      // Ranges of the definition start at a multiple of a power of two that covers them.
      guard start == 0 || count - start <= start & -start else { continue }
      #expect(try tree.hash(of: range, from: subtree) == naive.root(leaves[start...]))
    }
  }

  @Test(arguments: 1...countMax)
  func `every inclusion path verifies and every changed one fails`(count: Int) throws {
    let root = root(count)
    for index in 0..<count {
      let leaf = MerkleTreeTests.leaves[index]
      let path = try tree.inclusionPath(of: UInt64(index), in: UInt64(count), from: subtree)
      #expect(path == naive.path(index, MerkleTreeTests.leaves[..<count]))
      func leads(_ leaf: Digest, _ index: Int, _ path: [Digest]) -> Bool {
        tree.root(from: leaf, at: UInt64(index), in: UInt64(count), through: path) == root
      }
      #expect(leads(leaf, index, path))
      let wrong = mutations(of: path).filter { leads(leaf, index, $0) }
      #expect(wrong.isEmpty)
      for other in 0...count where other != index {
        #expect(!leads(leaf, other, path))
      }
      #expect(!leads(MerkleTreeTests.leaves[(index + 1) % count], index, path) || count == 1)
    }
  }

  @Test(arguments: 1...countMax)
  func `an inclusion path for another count fails unless it is the same path`(count: Int) throws {
    for index in 0..<count {
      let path = try tree.inclusionPath(of: UInt64(index), in: UInt64(count), from: subtree)
      let leaf = MerkleTreeTests.leaves[index]
      for other in 0...(MerkleTreeTests.countMax + 60) where other != count {
        let found = tree.root(
          from: leaf, at: UInt64(index), in: UInt64(other), through: path)
        // The count steers the walk only: where it steers alike the hash is the same, which is why
        // a root is bound to its count before anybody signs it.
        if let found, found == root(count) {
          #expect(other > index)
          #expect(try alike(index, count, other))
        }
      }
    }
  }

  /// Whether the walks from `index` in trees of both counts take the same sides.
  private func alike(_ index: Int, _ count: Int, _ other: Int) throws -> Bool {
    sides(index, count) == sides(index, other)
  }

  /// The sides on which siblings stand on the way up, by the recursive definition.
  private func sides(_ index: Int, _ count: Int) -> [Bool] {
    if count == 1 { return [] }
    var power = 1
    while power * 2 < count { power *= 2 }
    if index < power { return sides(index, power) + [true] }
    return sides(index - power, count - power) + [false]
  }

  @Test(arguments: 1...countMax)
  func `every consistency path verifies and every changed one fails`(count: Int) throws {
    let root = root(count)
    for old in 1...count {
      let oldRoot = self.root(old)
      let path = try tree.consistencyPath(from: UInt64(old), to: UInt64(count), from: subtree)
      #expect(path == naive.proof(old, MerkleTreeTests.leaves[..<count]))
      func holds(_ oldRoot: Digest, _ root: Digest, _ path: [Digest]) -> Bool {
        tree.isConsistent(
          oldRoot: oldRoot, old: UInt64(old), root: root, count: UInt64(count), path: path)
      }
      #expect(holds(oldRoot, root, path))
      let wrong = mutations(of: path).filter { holds(oldRoot, root, $0) }
      #expect(wrong.isEmpty)
      let other = Digest(words: 9, 9, 9, 9)
      #expect(!holds(other, root, path))
      #expect(!holds(oldRoot, other, path))
      #expect(old == count || !holds(root, oldRoot, path))
    }
  }

  @Test(arguments: 1...countMax)
  func `a consistency path for another old count fails`(count: Int) throws {
    let root = root(count)
    for old in 1...count {
      let path = try tree.consistencyPath(from: UInt64(old), to: UInt64(count), from: subtree)
      for other in 0...(count + 1) where other != old {
        #expect(
          !tree.isConsistent(
            oldRoot: self.root(old), old: UInt64(other), root: root, count: UInt64(count),
            path: path))
      }
    }
  }

  @Test func `numbers far beyond any tree neither crash nor pass`() {
    let leaf = MerkleTreeTests.leaves[0]
    let path = Array(MerkleTreeTests.leaves[..<65])
    let largest = UInt64.max
    for (index, count) in [
      (0, 0), (largest, largest), (largest - 1, largest), (0, largest), (5, 5), (1 << 63, largest),
    ] as [(UInt64, UInt64)] {
      for length in [0, 1, 63, 64, 65] {
        let part = Array(path.prefix(length))
        let found = tree.root(from: leaf, at: index, in: count, through: part)
        #expect(found == nil || (length == 64 || length == 63) && index < count)
        #expect(
          !tree.isConsistent(oldRoot: leaf, old: index, root: leaf, count: count, path: part)
            || (index == count && length == 0 && index > 0))
      }
    }
  }

  @Test func `an error of the source is passed on`() {
    struct Missing: Error {}
    #expect(throws: Missing.self) {
      try tree.inclusionPath(of: 3, in: 9) { _ in throw Missing() }
    }
    #expect(throws: Missing.self) {
      try tree.consistencyPath(from: 3, to: 9) { _ in throw Missing() }
    }
  }

  @Test func `proofs of nothing stop the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = try MerkleTree(MixingHasher()).inclusionPath(of: 3, in: 3) { _ in .zero }
    }
    await #expect(processExitsWith: .failure) {
      _ = try MerkleTree(MixingHasher()).consistencyPath(from: 0, to: 3) { _ in .zero }
    }
    await #expect(processExitsWith: .failure) {
      _ = try MerkleTree(MixingHasher()).consistencyPath(from: 4, to: 3) { _ in .zero }
    }
    await #expect(processExitsWith: .failure) {
      _ = try MerkleTree(MixingHasher()).hash(of: 3..<3) { _ in .zero }
    }
  }
}
