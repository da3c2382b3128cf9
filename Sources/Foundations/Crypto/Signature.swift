internal import CSodium
package import Primitives

/// The sixty-four bytes of an Ed25519 signature (RFC 8032).
package struct Signature: Hashable, Sendable {
  /// The number of bytes in a signature.
  package static let byteCount = 64

  /// The bytes.
  package let bytes: [UInt8]

  /// Reads exactly 64 bytes; `nil` for any other count.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == Signature.byteCount else { return nil }
    self.bytes = bytes
  }
}

/// What a signature is for: signed with the message, so that no signature serves two purposes.
///
/// The signed bytes are the domain's name, a zero byte and the 32 bytes of the digest. No name
/// holds a zero byte, so the parts cannot be read in two ways.
package enum SignatureDomain: String, CaseIterable, Sendable {
  /// A bundle of a lane.
  case bundle = "swarmoracle.bundle.v1"
  /// A ticket that lets a node join.
  case ticket = "swarmoracle.ticket.v1"
  /// A request to join, by the new node's key.
  case join = "swarmoracle.join.v1"
  /// What a node says became of an operation.
  case receipt = "swarmoracle.receipt.v1"
}

/// An Ed25519 signing key, derived from its 32-byte seed.
package struct SigningKey: Sendable {
  /// The public half: a node's name.
  package let publicKey: Digest
  /// The seed: a secret, for the certificate that shows the same key to TLS.
  package let seed: Digest
  private let secret: [UInt8]

  /// Derives the key pair of `seed` (RFC 8032, section 5.1.5).
  package init(seed: Digest) {
    Sodium.initialize()
    var publicBytes = [UInt8](repeating: 0, count: 32)
    var secretBytes = [UInt8](repeating: 0, count: 64)
    let status = unsafe crypto_sign_ed25519_seed_keypair(&publicBytes, &secretBytes, seed.bytes)
    guard status == 0, let key = Digest(publicBytes) else {
      preconditionFailure("Ed25519 refused a seed")
    }
    publicKey = key
    self.seed = seed
    secret = secretBytes
  }

  /// Signs a message as is (RFC 8032): for vectors and certificates; messages use `sign(_:as:)`.
  package func signRaw(_ message: [UInt8]) -> Signature {
    var bytes = [UInt8](repeating: 0, count: Signature.byteCount)
    let status = unsafe crypto_sign_ed25519_detached(
      &bytes, nil, message, UInt64(message.count), secret)
    guard status == 0, let signature = Signature(bytes) else {
      preconditionFailure("Ed25519 refused to sign")
    }
    return signature
  }

  /// Signs a digest for one purpose.
  package func sign(_ digest: Digest, as domain: SignatureDomain) -> Signature {
    signRaw(SigningKey.message(digest, domain))
  }

  /// Whether `signature` is `key`'s over a message as is, by libsodium's acceptance rule: the one
  /// rule of the product, since batch and single verification differ on malformed points.
  package static func isValidRaw(
    _ signature: Signature, of message: [UInt8], by key: Digest
  ) -> Bool {
    Sodium.initialize()
    return key.withBytes { key in
      guard let key = key.baseAddress else { return false }
      return unsafe crypto_sign_ed25519_verify_detached(
        signature.bytes, message, UInt64(message.count),
        key.assumingMemoryBound(to: UInt8.self)) == 0
    }
  }

  /// Whether `signature` is `key`'s over `digest` for this purpose.
  package static func isValid(
    _ signature: Signature, of digest: Digest, as domain: SignatureDomain, by key: Digest
  ) -> Bool {
    isValidRaw(signature, of: message(digest, domain), by: key)
  }

  private static func message(_ digest: Digest, _ domain: SignatureDomain) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(domain.rawValue.utf8.count + 1 + Digest.byteCount)
    message.append(contentsOf: domain.rawValue.utf8)
    message.append(0)
    digest.append(to: &message)
    return message
  }
}

/// The library's one-time start.
enum Sodium {
  private static let started: Bool = sodium_init() >= 0

  static func initialize() {
    precondition(started, "libsodium did not start")
  }
}
