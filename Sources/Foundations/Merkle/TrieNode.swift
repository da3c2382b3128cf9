internal import Crypto
package import Primitives

/// What a part of a trie holds.
package enum TrieSlot: Hashable, Sendable {
  /// Nothing.
  case empty
  /// One leaf.
  case leaf(key: Digest, value: Digest)
  /// Two leaves or more, under this hash.
  case inner(Digest)

  /// The hash that the levels above see.
  package var hash: Digest {
    switch self {
    case .empty: .zero
    case .leaf(let key, let value): Blake2b.hash(key, value, .trieLeaf)
    case .inner(let hash): hash
    }
  }
}

/// A stored node of a trie: four binary levels, so sixteen slots.
///
/// Invariants:
/// - N1: a kept sum is zero or what `sum` hashes that part to.
package struct TrieNode: Sendable {
  /// Which slots are leaves.
  private var leaves: UInt16 = 0
  /// Which slots are inner.
  private var inner: UInt16 = 0
  /// The slots in the order of their digit, a leaf as key and value and an inner one as its hash:
  /// most nodes have few, and an array of sixteen is too large for the allocator's quick lists.
  private var content: [Digest] = []
  /// The hashes of parts of two slots or more: the whole at 1, the halves of `n` at `2n` and
  /// `2n + 1`. Zero for a part that is not inner or not known; none until one was asked for.
  private var sums: [Digest] = []
  /// Slots in use from which on sums are kept; below, there is little to hash.
  private static let keptFrom = 8

  init() {}

  /// The slot of a digit.
  package subscript(index: Int) -> TrieSlot {
    let bit = UInt16(1) << UInt16(index)
    let place = place(of: index)
    if leaves & bit != 0 { return .leaf(key: content[place], value: content[place + 1]) }
    return inner & bit != 0 ? .inner(content[place]) : .empty
  }

  /// The slots in the order of their digit.
  package var slots: [TrieSlot] { (0..<16).map { self[$0] } }

  private func place(of index: Int) -> Int {
    let below = UInt16(1) << UInt16(index) &- 1
    return 2 * (leaves & below).nonzeroBitCount + (inner & below).nonzeroBitCount
  }

  /// Puts something else into a slot.
  mutating func set(_ slot: TrieSlot, at index: Int) {
    let bit = UInt16(1) << UInt16(index)
    let place = place(of: index)
    let count = leaves & bit != 0 ? 2 : inner & bit != 0 ? 1 : 0
    leaves &= ~bit
    inner &= ~bit
    switch slot {
    case .empty: resize(place, from: count, to: 0)
    case .leaf(let key, let value):
      leaves |= bit
      resize(place, from: count, to: 2)
      content[place] = key
      content[place + 1] = value
    case .inner(let hash):
      inner |= bit
      resize(place, from: count, to: 1)
      content[place] = hash
    }
    forgetSums(of: index)
  }

  private mutating func resize(_ place: Int, from old: Int, to new: Int) {
    if new < old { content.removeSubrange(place..<(place + old - new)) }
    if new > old {
      content.insert(contentsOf: repeatElement(.zero, count: new - old), at: place)
    }
  }

  private mutating func forgetSums(of index: Int) {
    guard !sums.isEmpty else { return }
    var part = (16 + index) / 2
    while part > 0 {
      sums[part] = .zero
      part /= 2
    }
  }

  /// What the slots of a range amount to; its length is a power of two. Nothing kept is used.
  func sum(_ range: Range<Int>) -> TrieSlot {
    if range.count == 1 { return self[range.lowerBound] }
    let middle = (range.lowerBound + range.upperBound) / 2
    return TrieNode.join(sum(range.lowerBound..<middle), sum(middle..<range.upperBound))
  }

  /// What the whole node amounts to. Hashes only what was changed since it was last asked, and
  /// keeps that.
  mutating func keepSum() -> TrieSlot {
    if (leaves | inner).nonzeroBitCount < TrieNode.keptFrom {
      sums = []
      return sum
    }
    if sums.isEmpty { sums = Array(repeating: .zero, count: 16) }
    return keepSum(of: 1)
  }

  private mutating func keepSum(of part: Int) -> TrieSlot {
    guard part < 16 else { return self[part - 16] }
    if sums[part] != .zero { return .inner(sums[part]) }
    let sum = TrieNode.join(keepSum(of: 2 * part), keepSum(of: 2 * part + 1))
    if case .inner(let hash) = sum { sums[part] = hash }
    return sum
  }

  /// What two halves amount to.
  private static func join(_ left: TrieSlot, _ right: TrieSlot) -> TrieSlot {
    switch (left, right) {
    case (_, .empty) where !left.isInner: return left
    case (.empty, _) where !right.isInner: return right
    case (.empty, _), (.leaf, _), (.inner, _):
      return .inner(Blake2b.hash(left.hash, right.hash, .trieNode))
    }
  }

  /// The slots that differ from another node's, with what they are here.
  package func slots(otherThan other: TrieNode) -> [(index: UInt8, slot: TrieSlot)] {
    var result: [(index: UInt8, slot: TrieSlot)] = []
    for index in 0..<16 where self[index] != other[index] {
      result.append((UInt8(index), self[index]))
    }
    return result
  }

  /// This node with some of its slots as they are given.
  package func with(_ some: [(index: UInt8, slot: TrieSlot)]) -> TrieNode {
    var node = self
    for (index, slot) in some { node.set(slot, at: Int(index)) }
    return node
  }

  /// What the whole node amounts to.
  package var sum: TrieSlot { sum(0..<16) }
}

extension TrieNode: Hashable {
  // What is kept of the hashes follows from the slots.
  package static func == (left: TrieNode, right: TrieNode) -> Bool {
    left.leaves == right.leaves && left.inner == right.inner && left.content == right.content
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(leaves)
    hasher.combine(inner)
    hasher.combine(content)
  }
}

extension TrieSlot {
  var isInner: Bool {
    switch self {
    case .inner: true
    case .empty, .leaf: false
    }
  }
}

extension TrieNode {
  /// The stored form: two little-endian maps of bits, which slots are leaves and which are inner,
  /// then the slots in order, a leaf as key and value and an inner one as its hash.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 + 32 * content.count)
    for map in [leaves, inner] {
      bytes.append(UInt8(truncatingIfNeeded: map))
      bytes.append(UInt8(map >> 8))
    }
    for digest in content { digest.append(to: &bytes) }
    return bytes
  }

  /// Reads the stored form; `nil` for anything else.
  package init?(bytes: [UInt8]) {
    guard bytes.count >= 4 else { return nil }
    let leaves = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
    let inner = UInt16(bytes[2]) | UInt16(bytes[3]) << 8
    let expected = 4 + 64 * leaves.nonzeroBitCount + 32 * inner.nonzeroBitCount
    guard leaves & inner == 0, leaves | inner != 0, bytes.count == expected else { return nil }
    self.init()
    self.leaves = leaves
    self.inner = inner
    content.reserveCapacity((expected - 4) / 32)
    for offset in stride(from: 4, to: expected, by: 32) {
      guard let digest = Digest(bytes[offset..<(offset + 32)]) else { return nil }
      content.append(digest)
    }
  }
}
