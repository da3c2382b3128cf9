internal import CSodium
package import Primitives

/// A homomorphic hash of a set: elements are added and removed in any order, in constant time.
///
/// LtHash16 of Bellare and Micciancio's lattice construction as described by Lewi, Kim, Maykov and
/// Weis, "Securing update propagation with homomorphic hashing" (2019): 1,024 sums modulo 2^16,
/// about 200 bits of collision resistance. Deviation: elements expand by ChaCha20 keyed with a
/// BLAKE2b digest of the element. It commits to a multiset but proves no membership: inserting
/// twice counts twice. Sums are little-endian, as is every machine the product runs on.
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

  /// Removes the element named by `digest`; removing what was never added leaves a debt that only
  /// adding it later repays.
  package mutating func remove(_ digest: Digest) {
    combine(digest, adding: false)
  }

  /// The set's digest.
  package var digest: Digest {
    lanes.withUnsafeBytes { Blake2b.hash($0, .rowSet, .none) }
  }

  private mutating func combine(_ digest: Digest, adding: Bool) {
    let key = digest.withBytes { Blake2b.hash($0, .rowElement, .none) }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: lanes.count) { stream in
      LatticeHash.expand(key, into: stream)
      // Four sums of 16 bits ride in one word: the high bit of each is handled apart, so that no
      // carry crosses into its neighbour.
      let high: UInt64 = 0x8000_8000_8000_8000
      lanes.withUnsafeMutableBufferPointer { lanes in
        for index in lanes.indices {
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

  /// Fills `stream` with the ChaCha20 key stream of `key` under the nonce zero.
  private static func expand(_ key: Digest, into stream: UnsafeMutableBufferPointer<UInt64>) {
    let nonce: UInt64 = 0
    let status = key.withBytes { key in
      withUnsafeBytes(of: nonce) { nonce in
        guard let output = UnsafeMutableRawPointer(stream.baseAddress),
          let key = key.baseAddress, let nonce = nonce.baseAddress
        else { return Int32(-1) }
        return unsafe crypto_stream_chacha20(
          output.assumingMemoryBound(to: UInt8.self), UInt64(stream.count * 8),
          nonce.assumingMemoryBound(to: UInt8.self), key.assumingMemoryBound(to: UInt8.self))
      }
    }
    precondition(status == 0, "ChaCha20 refused its parameters")
  }
}
