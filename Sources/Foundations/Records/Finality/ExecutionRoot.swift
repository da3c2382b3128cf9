internal import Crypto
package import Primitives

/// What the blocks up to a height led to, as later headers vouch for it.
package enum ExecutionRoot {
  /// `H(execution tag, height u64le || root over rows || root over lanes)`.
  package static func root(height: UInt64, rows: Digest, lanes: Digest) -> Digest {
    var hash = Blake2b(.execution)
    hash.update(height)
    hash.update(rows)
    hash.update(lanes)
    return hash.finalize()
  }
}
