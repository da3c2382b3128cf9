internal import CSodium
package import Primitives

/// Unpredictable bytes from the operating system: for keys and tokens, never inside a core.
package enum Entropy {
  /// Fresh random bytes.
  package static func bytes(_ count: Int) -> [UInt8] {
    Sodium.initialize()
    var result = [UInt8](repeating: 0, count: count)
    unsafe randombytes_buf(&result, count)
    return result
  }

  /// A fresh random digest.
  package static func digest() -> Digest {
    guard let digest = Digest(bytes(Digest.byteCount)) else {
      preconditionFailure("entropy returned a wrong count of bytes")
    }
    return digest
  }

  /// A fresh random identifier.
  package static func identifier<Kind>(_ kind: Kind.Type = Kind.self) -> Identifier<Kind> {
    Identifier(truncating: digest())
  }
}

/// Comparison of secrets in time that does not depend on their content.
package enum ConstantTime {
  /// Whether two byte strings are equal; lengths are not secret.
  package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe sodium_memcmp(left, right, left.count) == 0
  }
}
