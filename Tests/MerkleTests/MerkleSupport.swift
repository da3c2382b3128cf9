import CSodium
import Merkle
import Primitives

/// The hash of RFC 6962: SHA-256 with a first byte of 0 for leaves and 1 for nodes.
struct TransparencyHasher: NodeHasher {
  func node(_ left: Digest, _ right: Digest) -> Digest {
    TransparencyHasher.hash([1] + left.bytes + right.bytes)
  }

  static func leaf(_ bytes: [UInt8]) -> Digest { hash([0] + bytes) }

  private static func hash(_ bytes: [UInt8]) -> Digest {
    var output = [UInt8](repeating: 0, count: 32)
    crypto_hash_sha256(&output, bytes, UInt64(bytes.count))
    guard let digest = Digest(output) else { preconditionFailure("SHA-256 has 32 bytes") }
    return digest
  }
}

/// RFC 6962, section 2.1, word for word: slow and recursive.
struct NaiveTree<Hasher: NodeHasher> {
  let hasher: Hasher

  private func split(_ count: Int) -> Int {
    var power = 1
    while power * 2 < count { power *= 2 }
    return power
  }

  /// MTH(D[n]) for n > 0.
  func root(_ leaves: ArraySlice<Digest>) -> Digest {
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    let middle = leaves.startIndex + split(leaves.count)
    return hasher.node(root(leaves[..<middle]), root(leaves[middle...]))
  }

  /// PATH(m, D[n]).
  func path(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
    if leaves.count == 1 { return [] }
    let power = split(leaves.count)
    let middle = leaves.startIndex + power
    if index < power { return path(index, leaves[..<middle]) + [root(leaves[middle...])] }
    return path(index - power, leaves[middle...]) + [root(leaves[..<middle])]
  }

  /// SUBPROOF(m, D[n], b); PROOF(m, D[n]) is SUBPROOF(m, D[n], true).
  func proof(_ old: Int, _ leaves: ArraySlice<Digest>, _ whole: Bool = true) -> [Digest] {
    if old == leaves.count { return whole ? [] : [root(leaves)] }
    let power = split(leaves.count)
    let middle = leaves.startIndex + power
    if old <= power { return proof(old, leaves[..<middle], whole) + [root(leaves[middle...])] }
    return proof(old - power, leaves[middle...], false) + [root(leaves[..<middle])]
  }
}

/// A hasher that is cheap, so that exhaustive tests end; each word mixes both children.
struct MixingHasher: NodeHasher {
  func node(_ left: Digest, _ right: Digest) -> Digest {
    func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
      var value = (first &* 0x9e37_79b9_7f4a_7c15) ^ (second &+ 0xbf58_476d_1ce4_e5b9)
      value ^= value >> 29
      value = value &* 0x94d0_49bb_1331_11eb
      return value ^ value >> 32
    }
    return Digest(
      words: mix(left.words.0, right.words.0), mix(left.words.1, right.words.1),
      mix(left.words.2, right.words.2), mix(left.words.3, right.words.3))
  }
}

/// Leaves that differ.
func someLeaves(_ count: Int, seed: UInt64 = 1) -> [Digest] {
  var random = Xoshiro256(seed: seed)
  return (0..<count).map { _ in
    Digest(words: random.next(), random.next(), random.next(), random.next())
  }
}

/// The paths that differ from `path` by one small change: a flipped bit of each element, one
/// dropped, one added anywhere, two neighbours swapped.
func mutations(of path: [Digest]) -> [[Digest]] {
  var result: [[Digest]] = []
  let extra = Digest(words: 1, 2, 3, 4)
  for index in path.indices {
    var flipped = path
    let old = path[index].words
    flipped[index] = Digest(
      words: old.0 ^ (index.isMultiple(of: 2) ? 1 : 0), old.1, old.2,
      old.3 ^ (index.isMultiple(of: 2) ? 0 : 1 << 63))
    result.append(flipped)
    var dropped = path
    dropped.remove(at: index)
    result.append(dropped)
    var doubled = path
    doubled.insert(path[index], at: index)
    result.append(doubled)
    if index > 0 {
      var swapped = path
      swapped.swapAt(index, index - 1)
      result.append(swapped)
    }
  }
  for index in 0...path.count {
    var longer = path
    longer.insert(extra, at: index)
    result.append(longer)
    longer[index] = .zero
    result.append(longer)
  }
  return result
}
