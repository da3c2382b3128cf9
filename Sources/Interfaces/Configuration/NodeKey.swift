package import Crypto
package import Primitives
package import Records

/// A node's Ed25519 key and the file that keeps its seed: 64 hexadecimal digits and a line end.
package struct NodeKey: Sendable {
  /// The file's usual name inside a node's directory.
  package static let fileName = "node.key"

  /// The key that signs for the node.
  package let signingKey: SigningKey

  /// The node's name: the public half.
  package var node: NodeID { NodeID(key: signingKey.publicKey) }

  /// Makes a fresh key and writes its seed to a file that must not exist yet, readable by its
  /// owner alone.
  package static func create(at path: String) throws -> NodeKey {
    let seed = Entropy.digest()
    try Files.create(path, Array("\(seed.hexadecimal)\n".utf8), mode: 0o600)
    return NodeKey(signingKey: SigningKey(seed: seed))
  }

  /// Loads the key of a file that nobody but its owner may read or write.
  package init(contentsOf path: String) throws {
    let text = try SecretFile.read(path)
    guard let seed = Digest(hexadecimal: text) else {
      throw ConfigurationError(
        source: path, reason: "expected a seed of 64 hexadecimal digits and a line end")
    }
    signingKey = SigningKey(seed: seed)
  }

  private init(signingKey: SigningKey) {
    self.signingKey = signingKey
  }
}

/// The token that lets an operator administer a node: text in a file readable by its owner alone.
package struct OperatorToken: Sendable {
  /// The file's usual name inside a node's directory.
  package static let fileName = "operator.token"
  private static let prefix = "so_operator_"

  /// The token as sent in `Authorization: Bearer …`.
  package let text: String

  /// What a node compares: the hash of the text.
  package var digest: Digest { Blake2b.hash(Array(text.utf8), .bearerToken) }

  /// Makes a fresh token of 256 random bits.
  package static func make() -> OperatorToken {
    OperatorToken(text: prefix + Entropy.digest().hexadecimal)
  }

  /// Loads the token of a file that nobody but its owner may read or write.
  package init(contentsOf path: String) throws {
    let text = try SecretFile.read(path)
    guard text.hasPrefix(OperatorToken.prefix),
      Digest(hexadecimal: text.dropFirst(OperatorToken.prefix.count)) != nil
    else {
      throw ConfigurationError(
        source: path, reason: "expected \(OperatorToken.prefix) and 64 hexadecimal digits")
    }
    self.text = text
  }

  /// Writes the token to a file that must not exist yet.
  package func create(at path: String) throws {
    try Files.create(path, Array("\(text)\n".utf8), mode: 0o600)
  }

  private init(text: String) {
    self.text = text
  }
}

/// Files whose content must stay with their owner.
package enum SecretFile {
  /// Bytes of the longest secret that is read.
  static let bytesMax = 65_536

  /// Reads one line, refusing a file that group or others may touch.
  package static func read(_ path: String) throws -> String {
    let mode = try Files.mode(of: path)
    guard mode & 0o077 == 0 else {
      throw ConfigurationError(
        source: path, value: "mode \(String(mode, radix: 8))",
        reason: "others may read or write this secret; run: chmod 600 \(path)")
    }
    var bytes = try Files.read(path, limit: bytesMax)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
