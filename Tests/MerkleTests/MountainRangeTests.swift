import Crypto
import Merkle
import Primitives
import Testing

@Suite struct MountainRangeTests {
  private static let leaves = someLeaves(300, seed: 2)
  private let naive = NaiveTree(hasher: TaggedHasher(.rangeNode))

  @Test func `appending gives the tree of the definition at every count`() throws {
    let tree = MerkleTree(TaggedHasher(.rangeNode))
    var range = MountainRange()
    var stored: [SubtreeReference: Digest] = [:]
    for count in 1...MountainRangeTests.leaves.count {
      let leaf = MountainRangeTests.leaves[count - 1]
      stored[SubtreeReference(level: 0, index: UInt64(count - 1))] = leaf
      range.append(leaf) { reference, hash in
        #expect(stored[reference] == nil)
        stored[reference] = hash
      }
      #expect(range.count == UInt64(count))
      #expect(range.peaks.count == count.nonzeroBitCount)
      guard count <= 70 || count.isMultiple(of: 37) else { continue }
      let expected = naive.root(MountainRangeTests.leaves[..<count])
      #expect(range.treeHash == expected)
      #expect(tree.root(of: Array(MountainRangeTests.leaves[..<count])) == expected)
      let hash = try tree.hash(of: 0..<UInt64(count)) { try #require(stored[$0]) }
      #expect(hash == expected)
    }
  }

  @Test func `closing reports exactly the complete subtrees, lowest first`() {
    var range = MountainRange()
    for count in 1...MountainRangeTests.leaves.count {
      var reported: [SubtreeReference] = []
      range.append(MountainRangeTests.leaves[count - 1]) { reference, hash in
        reported.append(reference)
        let width = 1 << reference.level
        let start = Int(reference.index) * width
        #expect(
          hash == naive.root(MountainRangeTests.leaves[start..<(start + width)]))
      }
      // The complete subtrees that end with the new leaf.
      let expected = (1..<10).filter { count.isMultiple(of: 1 << $0) }
        .map { SubtreeReference(level: $0, index: UInt64(count >> $0 - 1)) }
      #expect(reported == expected)
    }
  }

  @Test func `the root binds the count`() {
    let hash = MountainRangeTests.leaves[0]
    let message = [5, 0, 0, 0, 0, 0, 0, 0] + hash.bytes
    #expect(MountainRange.root(count: 5, treeHash: hash) == Blake2b.hash(message, .rangeRoot))
    #expect(
      MountainRange.root(count: 5, treeHash: hash) != MountainRange.root(count: 6, treeHash: hash))
    var range = MountainRange()
    #expect(range.root == MountainRange.root(count: 0, treeHash: .zero))
    range.append(hash)
    #expect(range.root == MountainRange.root(count: 1, treeHash: hash))
  }

  @Test(arguments: 0..<40)
  func `a restored range goes on like the original`(count: Int) throws {
    var range = MountainRange()
    for leaf in MountainRangeTests.leaves[..<count] { range.append(leaf) }
    var restored = try #require(MountainRange(count: range.count, peaks: range.peaks))
    #expect(restored == range)
    for leaf in MountainRangeTests.leaves[count...] {
      range.append(leaf)
      restored.append(leaf)
      #expect(restored == range)
    }
    #expect(MountainRange(count: UInt64(count), peaks: range.peaks + range.peaks) == nil)
  }
}
