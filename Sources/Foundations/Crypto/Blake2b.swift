internal import CSodium
package import Primitives

/// The kind of identifier that salts a hash.
package enum HashSalt: Sendable {}

extension Identifier where Kind == HashSalt {
  /// No salt.
  package static var none: Identifier<HashSalt> { Identifier(high: 0, low: 0) }
}

/// BLAKE2b with 32-byte digests (RFC 7693) and the domain tag as personalization.
///
/// The salt field carries what must keep whole clusters apart; it is zero where a digest is meant
/// to be comparable across clusters. A value of this type collects the parts of one message; the
/// digest is that of their concatenation, so callers keep parts of fixed or stated length.
package struct Blake2b: Sendable {
  private let tag: HashTag
  private let salt: Identifier<HashSalt>
  private var message: [UInt8] = []

  /// Starts a message for one purpose.
  package init(_ tag: HashTag, salt: Identifier<HashSalt> = .none) {
    self.tag = tag
    self.salt = salt
    message.reserveCapacity(128)
  }

  /// Adds bytes.
  package mutating func update(_ bytes: [UInt8]) {
    message.append(contentsOf: bytes)
  }

  /// Adds a digest's bytes.
  package mutating func update(_ digest: Digest) {
    digest.append(to: &message)
  }

  /// Adds an identifier's bytes.
  package mutating func update<Kind>(_ identifier: Identifier<Kind>) {
    identifier.append(to: &message)
  }

  /// Adds a number as eight little-endian bytes.
  package mutating func update(_ number: UInt64) {
    withUnsafeBytes(of: number.littleEndian) { message.append(contentsOf: $0) }
  }

  /// The digest of what was added.
  package func finalize() -> Digest {
    Blake2b.hash(message, tag, salt: salt)
  }

  /// Hashes `bytes` for one purpose.
  package static func hash(
    _ bytes: [UInt8], _ tag: HashTag, salt: Identifier<HashSalt> = .none
  ) -> Digest {
    bytes.withUnsafeBytes { hash($0, tag, salt) }
  }

  /// Hashes two digests for one purpose: an inner node of a tree.
  package static func hash(_ left: Digest, _ right: Digest, _ tag: HashTag) -> Digest {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { words in
      words[0] = left.words.0.bigEndian
      words[1] = left.words.1.bigEndian
      words[2] = left.words.2.bigEndian
      words[3] = left.words.3.bigEndian
      words[4] = right.words.0.bigEndian
      words[5] = right.words.1.bigEndian
      words[6] = right.words.2.bigEndian
      words[7] = right.words.3.bigEndian
      return hash(UnsafeRawBufferPointer(words), tag, .none)
    }
  }

  /// Hashes borrowed bytes. The library is started first: until then it hashes with its slowest
  /// portable code.
  static func hash(
    _ message: UnsafeRawBufferPointer, _ tag: HashTag, _ salt: Identifier<HashSalt>
  ) -> Digest {
    Sodium.initialize()
    var output = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    var personal = tag.words
    var saltWords = (salt.high.bigEndian, salt.low.bigEndian)
    let status = withUnsafeMutableBytes(of: &output) { output in
      withUnsafeBytes(of: &personal) { personal in
        withUnsafeBytes(of: &saltWords) { saltWords in
          guard let output = output.baseAddress else { return Int32(-1) }
          return unsafe crypto_generichash_blake2b_salt_personal(
            output.assumingMemoryBound(to: UInt8.self), Digest.byteCount,
            message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count),
            nil, 0,
            saltWords.baseAddress?.assumingMemoryBound(to: UInt8.self),
            personal.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
      }
    }
    precondition(status == 0, "BLAKE2b refused its parameters")
    return Digest(
      words: UInt64(bigEndian: output.0), UInt64(bigEndian: output.1),
      UInt64(bigEndian: output.2), UInt64(bigEndian: output.3))
  }
}
