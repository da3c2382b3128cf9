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
