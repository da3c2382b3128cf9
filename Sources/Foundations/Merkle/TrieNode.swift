internal import Crypto
package import Primitives

/// A place in a trie: the first hexadecimal digits of the keys below it.
package struct TriePath: Hashable, Comparable, Sendable {
  /// How many digits, 0 to 63.
  package let depth: Int
  /// The digits, followed by zeros.
  package let prefix: Digest

  /// The top of the trie.
  package static let top = TriePath(depth: 0, prefix: .zero)

  /// Names the place of the first `depth` digits of `key`.
  package init(depth: Int, of key: Digest) {
    precondition((0..<64).contains(depth), "a path of \(depth) digits")
    self.depth = depth
    func kept(_ word: UInt64, _ index: Int) -> UInt64 {
      let bits = min(max(depth * 4 - index * 64, 0), 64)
      return bits == 0 ? 0 : word & ~UInt64(0) << UInt64(64 - bits)
    }
    let words = key.words
    prefix = Digest(
      words: kept(words.0, 0), kept(words.1, 1), kept(words.2, 2), kept(words.3, 3))
  }

  private init(depth: Int, prefix: Digest) {
    self.depth = depth
    self.prefix = prefix
  }

  package static func < (left: TriePath, right: TriePath) -> Bool {
    left.depth != right.depth ? left.depth < right.depth : left.prefix < right.prefix
  }
}

extension Digest {
  /// Bit `index`, the most significant of the first byte being bit 0.
  func bit(_ index: Int) -> Bool {
    word(index >> 6) >> UInt64(63 - index & 63) & 1 == 1
  }

  /// Hexadecimal digit `index`, the first being digit 0.
  func digit(_ index: Int) -> Int {
    Int(truncatingIfNeeded: word(index >> 4) >> UInt64(60 - 4 * (index & 15)) & 15)
  }

  private func word(_ index: Int) -> UInt64 {
    switch index {
    case 0: words.0
    case 1: words.1
    case 2: words.2
    default: words.3
    }
  }
}

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
  /// The slots in the order of their digit.
  package private(set) var slots: [TrieSlot]
  /// The hashes of parts of two slots or more: the whole at 1, the halves of `n` at `2n` and
  /// `2n + 1`. Zero for a part that is not inner or not known; none until one was asked for.
  private var sums: [Digest] = []

  init() {
    slots = Array(repeating: .empty, count: 16)
  }

  /// Puts something else into a slot.
  mutating func set(_ slot: TrieSlot, at index: Int) {
    slots[index] = slot
    guard !sums.isEmpty else { return }
    var part = (16 + index) / 2
    while part > 0 {
      sums[part] = .zero
      part /= 2
    }
  }

  /// What the slots of a range amount to; its length is a power of two. Nothing kept is used.
  func sum(_ range: Range<Int>) -> TrieSlot {
    if range.count == 1 { return slots[range.lowerBound] }
    let middle = (range.lowerBound + range.upperBound) / 2
    return TrieNode.join(sum(range.lowerBound..<middle), sum(middle..<range.upperBound))
  }

  /// What the whole node amounts to. Hashes only what was changed since it was last asked, and
  /// keeps that.
  mutating func keepSum() -> TrieSlot {
    if sums.isEmpty { sums = Array(repeating: .zero, count: 16) }
    return keepSum(of: 1)
  }

  private mutating func keepSum(of part: Int) -> TrieSlot {
    guard part < 16 else { return slots[part - 16] }
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
    for index in 0..<16 where slots[index] != other.slots[index] {
      result.append((UInt8(index), slots[index]))
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
  package static func == (left: TrieNode, right: TrieNode) -> Bool { left.slots == right.slots }

  package func hash(into hasher: inout Hasher) { hasher.combine(slots) }
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
    var leaves: UInt16 = 0
    var inner: UInt16 = 0
    var rest: [UInt8] = []
    for (index, slot) in slots.enumerated() {
      switch slot {
      case .empty: break
      case .leaf(let key, let value):
        leaves |= 1 << UInt16(index)
        key.append(to: &rest)
        value.append(to: &rest)
      case .inner(let hash):
        inner |= 1 << UInt16(index)
        hash.append(to: &rest)
      }
    }
    let maps = [leaves, inner].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    return maps + rest
  }

  /// Reads the stored form; `nil` for anything else.
  package init?(bytes: [UInt8]) {
    guard bytes.count >= 4 else { return nil }
    let leaves = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
    let inner = UInt16(bytes[2]) | UInt16(bytes[3]) << 8
    let expected = 4 + 64 * leaves.nonzeroBitCount + 32 * inner.nonzeroBitCount
    guard leaves & inner == 0, leaves | inner != 0, bytes.count == expected else { return nil }
    self.init()
    var offset = 4
    func next() -> Digest? {
      defer { offset += 32 }
      return Digest(bytes[offset..<(offset + 32)])
    }
    for index in slots.indices {
      if leaves >> UInt16(index) & 1 == 1 {
        guard let key = next(), let value = next() else { return nil }
        slots[index] = .leaf(key: key, value: value)
      } else if inner >> UInt16(index) & 1 == 1 {
        guard let hash = next() else { return nil }
        slots[index] = .inner(hash)
      }
    }
  }
}
