internal import Crypto
package import Primitives

/// What a part of a trie amounts to for the levels above it: all leaves whose keys begin with some
/// bits, under one hash.
///
/// By these a trie is cut into parts that are checked one by one: parts of one length of bits, in
/// order, join to the root, and the leaves of each lead to it.
package enum TriePart: Hashable, Sendable {
  /// Nothing.
  case empty
  /// One leaf, wherever it would stand.
  case leaf(Digest)
  /// Two leaves or more.
  case inner(Digest)

  /// One leaf of a trie.
  package struct Leaf: Hashable, Sendable {
    /// The key.
    package let key: Digest
    /// The value.
    package let value: Digest

    /// Joins key and value.
    package init(key: Digest, value: Digest) {
      self.key = key
      self.value = value
    }
  }

  /// The hash that the levels above see.
  package var hash: Digest {
    switch self {
    case .empty: .zero
    case .leaf(let hash), .inner(let hash): hash
    }
  }

  /// What the leaves amount to, all of whose keys share their first `depth` bits; they are in
  /// strictly ascending order of key. O(leaves) hashes.
  package init(of leaves: ArraySlice<Leaf>, below depth: Int) {
    guard let first = leaves.first else {
      self = .empty
      return
    }
    guard leaves.count > 1 else {
      self = .leaf(Blake2b.hash(first.key, first.value, .trieLeaf))
      return
    }
    precondition(depth < 256, "\(leaves.count) leaves of one key")
    var low = leaves.startIndex
    var high = leaves.endIndex
    while low < high {
      let middle = (low + high) / 2
      if leaves[middle].key.bit(depth) { high = middle } else { low = middle + 1 }
    }
    self = TriePart.joined(
      TriePart(of: leaves[..<low], below: depth + 1), TriePart(of: leaves[low...], below: depth + 1)
    )
  }

  /// What two neighbours amount to together.
  package static func joined(_ left: TriePart, _ right: TriePart) -> TriePart {
    switch (left, right) {
    case (.empty, .empty): .empty
    case (.leaf, .empty): left
    case (.empty, .leaf): right
    case (.empty, .inner), (.leaf, .leaf), (.leaf, .inner), (.inner, .empty), (.inner, .leaf),
      (.inner, .inner):
      .inner(Blake2b.hash(left.hash, right.hash, .trieNode))
    }
  }

  /// What a whole trie amounts to: a power of two of parts, in the order of their bits.
  package static func joined(_ parts: [TriePart]) -> TriePart {
    precondition(parts.count.nonzeroBitCount == 1, "\(parts.count) parts make no tree")
    var level = parts
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { joined(level[$0], level[$0 + 1]) }
    }
    return level[0]
  }
}

extension Digest {
  /// The number that the first `count` bits make, most significant first; up to 32 bits.
  package func leadingBits(_ count: Int) -> Int {
    precondition((0...32).contains(count), "\(count) leading bits")
    return count == 0 ? 0 : Int(truncatingIfNeeded: bigEndianFirst >> UInt64(64 - count))
  }

  private var bigEndianFirst: UInt64 { words.0 }
}
