internal import CSodium
package import Primitives

/// A homomorphic hash of a set: elements are added and removed in any order, in constant time.
///
/// LtHash16 of Bellare and Micciancio's lattice construction as described by Lewi, Kim, Maykov and
/// Weis, "Securing update propagation with homomorphic hashing" (2019): 1,024 sums modulo 2^16,
/// about 200 bits of collision resistance. Deviation: elements expand by ChaCha20 keyed with a
/// BLAKE2b digest of the element. It commits to a set but proves no membership.
package struct LatticeHash: Hashable, Sendable {
  /// The number of bytes of the state.
  package static let byteCount = 2_048
  private var lanes: [UInt64]

  /// The hash of the empty set.
  package init() {
    // Without it libsodium expands elements by its portable code, at a third of the speed.
    Sodium.initialize()
    lanes = [UInt64](repeating: 0, count: LatticeHash.byteCount / 8)
  }

  /// Reads a stored state of exactly 2,048 bytes; `nil` for any other count.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == LatticeHash.byteCount else { return nil }
    Sodium.initialize()
    lanes = (0..<(LatticeHash.byteCount / 8)).map { index in
      bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
    }
  }

  /// The state, to be stored.
  package var bytes: [UInt8] {
    lanes.withUnsafeBytes { Array($0) }
  }

  /// Adds the element named by `digest`.
  package mutating func insert(_ digest: Digest) {
    combine(digest, adding: true)
  }

  /// Removes the element named by `digest`; removing what was never added spoils the hash.
  package mutating func remove(_ digest: Digest) {
    combine(digest, adding: false)
  }

  /// The set's digest.
  package var digest: Digest {
    Blake2b.hash(bytes, .rowSet)
  }

  private mutating func combine(_ digest: Digest, adding: Bool) {
    var hash = Blake2b(.rowElement)
    hash.update(digest)
    let key = hash.finalize().bytes
    let nonce = [UInt8](repeating: 0, count: 8)
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: lanes.count) { stream in
      guard let base = UnsafeMutableRawPointer(stream.baseAddress) else { return }
      _ = unsafe crypto_stream_chacha20(
        base.assumingMemoryBound(to: UInt8.self), UInt64(LatticeHash.byteCount), nonce, key)
      // Four sums of 16 bits ride in one word: the high bit of each is handled apart, so that no
      // carry crosses into its neighbour.
      let high: UInt64 = 0x8000_8000_8000_8000
      for index in 0..<lanes.count {
        let left = lanes[index]
        let right = stream[index]
        lanes[index] =
          adding
          ? ((left & ~high) &+ (right & ~high)) ^ ((left ^ right) & high)
          : ((left | high) &- (right & ~high)) ^ ((left ^ ~right) & high)
      }
    }
  }
}
