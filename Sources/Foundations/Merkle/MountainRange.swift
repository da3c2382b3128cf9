internal import Crypto
package import Primitives

/// The peaks of an append-only tree: enough to append to it and to name its root.
///
/// A Merkle mountain range (Todd 2012) whose peaks are the complete subtrees of the RFC 6962 tree
/// over the same leaves, so that its proofs are those of RFC 9162. The root binds the count:
/// `H(root tag, count || tree hash)`.
///
/// Invariants:
/// - R1: there is one peak for every 1 bit of `count`, tallest first.
/// - R2: bagging the peaks from the right gives the RFC 6962 tree hash.
package struct MountainRange: Hashable, Sendable {
  /// The number of leaves.
  package private(set) var count: UInt64

  /// The roots of the complete subtrees, tallest first.
  package private(set) var peaks: [Digest]

  /// Makes an empty range.
  package init() {
    count = 0
    peaks = []
  }

  /// Restores a stored range; `nil` when the peaks do not fit the count (R1).
  package init?(count: UInt64, peaks: [Digest]) {
    guard peaks.count == count.nonzeroBitCount else { return nil }
    self.count = count
    self.peaks = peaks
  }

  /// Appends a leaf and reports each complete subtree that this closes, lowest first, leaf
  /// excluded. Amortised O(1) hashes.
  package mutating func append(
    _ leaf: Digest, closing report: (SubtreeReference, Digest) -> Void = { _, _ in }
  ) {
    let hasher = TaggedHasher(.rangeNode)
    var hash = leaf
    var level = 0
    var rest = count
    while rest & 1 == 1 {
      hash = hasher.node(peaks.removeLast(), hash)
      rest >>= 1
      level += 1
      report(SubtreeReference(level: level, index: rest), hash)
    }
    peaks.append(hash)
    count += 1
  }

  /// The RFC 6962 tree hash; zero for no leaves.
  package var treeHash: Digest {
    guard var hash = peaks.last else { return .zero }
    let hasher = TaggedHasher(.rangeNode)
    for peak in peaks.dropLast().reversed() {
      hash = hasher.node(peak, hash)
    }
    return hash
  }

  /// The root: the tree hash bound to the count.
  package var root: Digest { MountainRange.root(count: count, treeHash: treeHash) }

  /// Binds a tree hash to its count of leaves.
  package static func root(count: UInt64, treeHash: Digest) -> Digest {
    var hash = Blake2b(.rangeRoot)
    hash.update(count)
    hash.update(treeHash)
    return hash.finalize()
  }
}
