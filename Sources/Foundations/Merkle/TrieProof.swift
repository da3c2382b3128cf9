internal import Crypto
package import Primitives

/// What shows that a key has a value under a root, or none.
package struct TrieProof: Hashable, Sendable {
  /// What the way of the key ends in.
  package enum Ending: Hashable, Sendable {
    /// The key's own leaf.
    case leaf
    /// A part without leaves.
    case empty
    /// The leaf of another key, alone where the key would be.
    case other(key: Digest, value: Digest)
  }

  /// The hashes beside the way, at most 256, the leaf's end first.
  package let siblings: [Digest]
  /// What the way ends in.
  package let ending: Ending

  /// Joins the parts.
  package init(siblings: [Digest], ending: Ending) {
    self.siblings = siblings
    self.ending = ending
  }

  /// Whether this shows that under `root`, `key` has `value`, or no value where that is `nil`.
  package func shows(_ value: Digest?, of key: Digest, under root: Digest) -> Bool {
    guard siblings.count <= 256, var hash = start(value, key) else { return false }
    for (index, sibling) in siblings.enumerated() {
      hash =
        key.bit(siblings.count - 1 - index)
        ? Blake2b.hash(sibling, hash, .trieNode) : Blake2b.hash(hash, sibling, .trieNode)
    }
    return hash == root
  }

  /// The hash that the way ends in, if the ending can show what it is to show.
  private func start(_ value: Digest?, _ key: Digest) -> Digest? {
    switch (ending, value) {
    case (.leaf, .some(let value)): return Blake2b.hash(key, value, .trieLeaf)
    case (.empty, .none): return .zero
    case (.other(let other, let its), .none):
      guard other != key, (0..<siblings.count).allSatisfy({ other.bit($0) == key.bit($0) }) else {
        return nil
      }
      return Blake2b.hash(other, its, .trieLeaf)
    case (.leaf, .none), (.empty, .some), (.other, .some): return nil
    }
  }
}

extension SparseMerkleTrie {
  /// The proof of what `nodes` hold for a key: its value, or that it has none.
  package static func proof(of key: Digest, in nodes: some TrieNodes) throws -> TrieProof {
    var siblings: [Digest] = []
    guard var node = try nodes.node(at: .top) else {
      return TrieProof(siblings: [], ending: .empty)
    }
    for depth in 0..<64 {
      var range = 0..<16
      var level = depth * 4
      while range.count > 1, node.sum(range).isInner {
        let middle = (range.lowerBound + range.upperBound) / 2
        let (left, right) = (range.lowerBound..<middle, middle..<range.upperBound)
        range = key.bit(level) ? right : left
        siblings.append(node.sum(key.bit(level) ? left : right).hash)
        level += 1
      }
      switch node.sum(range) {
      case .empty: return TrieProof(siblings: siblings.reversed(), ending: .empty)
      case .leaf(let other, let value):
        let ending: TrieProof.Ending = other == key ? .leaf : .other(key: other, value: value)
        return TrieProof(siblings: siblings.reversed(), ending: ending)
      case .inner(let hash):
        guard depth < 63 else { break }
        node = try read(TriePath(depth: depth + 1, of: key), hash, nodes)
      }
    }
    throw TrieError.damaged(TriePath(depth: 63, of: key))
  }
}
