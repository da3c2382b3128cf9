package import Crypto
package import Primitives

/// How the inner nodes of one kind of tree are hashed.
package protocol NodeHasher: Sendable {
  /// The hash of an inner node over its two children.
  func node(_ left: Digest, _ right: Digest) -> Digest
}

/// BLAKE2b with a tag of its own for the inner nodes of one kind of tree.
package struct TaggedHasher: NodeHasher {
  private let tag: HashTag

  /// Makes the hasher of the trees whose inner nodes carry `tag`.
  package init(_ tag: HashTag) {
    self.tag = tag
  }

  package func node(_ left: Digest, _ right: Digest) -> Digest {
    Blake2b.hash(left, right, tag)
  }
}

/// The hash of one complete subtree: `2^level` leaves starting at leaf `index << level`.
package struct SubtreeReference: Hashable, Sendable {
  /// The height: 0 is a leaf.
  package let level: Int

  /// The position among the subtrees of that height.
  package let index: UInt64

  /// Names the subtree of height `level` at `index`.
  package init(level: Int, index: UInt64) {
    self.level = level
    self.index = index
  }
}

/// Roots and proofs of binary trees in the shape of RFC 6962, section 2.1 (restated in RFC 9162):
/// the left subtree is the largest power of two below the count, an odd node is promoted.
///
/// Leaves are digests that their owner has hashed under a tag of its own, so a leaf can never pass
/// for an inner node. Functions read complete subtrees through a closure, so that a log of a
/// million leaves proves from a few stored hashes.
package struct MerkleTree<Hasher: NodeHasher>: Sendable {
  /// Where hashes of complete subtrees come from.
  package typealias Source = (SubtreeReference) throws -> Digest

  private let hasher: Hasher

  /// Makes the functions for one kind of tree.
  package init(_ hasher: Hasher) {
    self.hasher = hasher
  }

  /// The root over `leaves`; zero for none. O(n) hashes.
  package func root(of leaves: [Digest]) -> Digest {
    var level = leaves
    if level.isEmpty { return .zero }
    while level.count > 1 {
      var next: [Digest] = []
      next.reserveCapacity((level.count + 1) / 2)
      var index = 0
      while index + 1 < level.count {
        next.append(hasher.node(level[index], level[index + 1]))
        index += 2
      }
      if index < level.count { next.append(level[index]) }
      level = next
    }
    return level[0]
  }

  /// The hash over the leaves of `range`, read from complete subtrees.
  package func hash(of range: Range<UInt64>, from source: Source) throws -> Digest {
    precondition(!range.isEmpty, "a hash over no leaves was asked for at \(range.lowerBound)")
    let count = range.upperBound - range.lowerBound
    let level = count.trailingZeroBitCount
    if count == 1 << level && range.lowerBound.isMultiple(of: count) {
      return try source(SubtreeReference(level: level, index: range.lowerBound >> level))
    }
    let middle = range.lowerBound + MerkleTree.split(count)
    return hasher.node(
      try hash(of: range.lowerBound..<middle, from: source),
      try hash(of: middle..<range.upperBound, from: source))
  }

  /// The hashes, leaf end first, that lead from leaf `index` to the root over `count` leaves
  /// (RFC 9162, section 2.1.3).
  package func inclusionPath(
    of index: UInt64, in count: UInt64, from source: Source
  ) throws -> [Digest] {
    precondition(index < count, "no leaf \(index) in a tree of \(count)")
    var path: [Digest] = []
    var range: Range<UInt64> = 0..<count
    while range.upperBound - range.lowerBound > 1 {
      let middle = range.lowerBound + MerkleTree.split(range.upperBound - range.lowerBound)
      if index < middle {
        path.append(try hash(of: middle..<range.upperBound, from: source))
        range = range.lowerBound..<middle
      } else {
        path.append(try hash(of: range.lowerBound..<middle, from: source))
        range = middle..<range.upperBound
      }
    }
    return path.reversed()
  }

  /// The root that `path` leads to from `leaf`, or `nil` when the path does not fit the place
  /// (RFC 9162, section 2.1.3.2).
  package func root(
    from leaf: Digest, at index: UInt64, in count: UInt64, through path: [Digest]
  ) -> Digest? {
    guard index < count else { return nil }
    var first = index
    var last = count - 1
    var hash = leaf
    for sibling in path {
      guard last > 0 else { return nil }
      if first & 1 == 1 || first == last {
        hash = hasher.node(sibling, hash)
        while first & 1 == 0 && first != 0 {
          first >>= 1
          last >>= 1
        }
      } else {
        hash = hasher.node(hash, sibling)
      }
      first >>= 1
      last >>= 1
    }
    return last == 0 ? hash : nil
  }

  /// The hashes that show that the tree over `old` leaves is a prefix of that over `count`
  /// (RFC 9162, section 2.1.4).
  package func consistencyPath(
    from old: UInt64, to count: UInt64, from source: Source
  ) throws -> [Digest] {
    precondition(old > 0 && old <= count, "no consistency from \(old) to \(count) leaves")
    var path: [Digest] = []
    var range: Range<UInt64> = 0..<count
    var isWhole = true
    while old != range.upperBound {
      let middle = range.lowerBound + MerkleTree.split(range.upperBound - range.lowerBound)
      if old <= middle {
        path.append(try hash(of: middle..<range.upperBound, from: source))
        range = range.lowerBound..<middle
      } else {
        path.append(try hash(of: range.lowerBound..<middle, from: source))
        range = middle..<range.upperBound
        isWhole = false
      }
    }
    if !isWhole { path.append(try hash(of: range, from: source)) }
    return path.reversed()
  }

  /// Whether `path` shows that `oldRoot` over `old` leaves is a prefix of `root` over `count`
  /// (RFC 9162, section 2.1.4.2).
  package func isConsistent(
    oldRoot: Digest, old: UInt64, root: Digest, count: UInt64, path: [Digest]
  ) -> Bool {
    guard old > 0, old <= count else { return false }
    if old == count { return path.isEmpty && oldRoot == root }
    var hashes = path
    if old.nonzeroBitCount == 1 { hashes.insert(oldRoot, at: 0) }
    guard let start = hashes.first else { return false }
    var first = old - 1
    var last = count - 1
    while first & 1 == 1 {
      first >>= 1
      last >>= 1
    }
    var oldHash = start
    var newHash = start
    for sibling in hashes.dropFirst() {
      guard last > 0 else { return false }
      if first & 1 == 1 || first == last {
        oldHash = hasher.node(sibling, oldHash)
        newHash = hasher.node(sibling, newHash)
        while first & 1 == 0 && first != 0 {
          first >>= 1
          last >>= 1
        }
      } else {
        newHash = hasher.node(newHash, sibling)
      }
      first >>= 1
      last >>= 1
    }
    return last == 0 && oldHash == oldRoot && newHash == root
  }

  /// The largest power of two below `count`, which must exceed 1.
  private static func split(_ count: UInt64) -> UInt64 {
    1 << UInt64(63 - (count - 1).leadingZeroBitCount)
  }
}
