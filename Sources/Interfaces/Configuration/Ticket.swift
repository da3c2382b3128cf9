package import Crypto
package import Primitives
package import Records
internal import Wire

/// What a new node needs to join: the cluster, somebody who lets it in, and a key to knock with.
///
/// The text is `sot1_` and the base 32 of: version 1 · genesis · introducer key · introducer
/// address · guest seed · expiry · the introducer's signature over the hash of all before · eight
/// bytes of the hash of all before. Whoever holds the text can join until it expires: it is a
/// secret.
package struct Ticket: Hashable, SignedValue {
  package static let signatureDomain = SignatureDomain.ticket
  /// What the text starts with; the digit is the version of the form.
  package static let prefix = "sot1_"
  /// Characters of the longest text that is read.
  package static let textBytesMax = 32_768
  private static let version: UInt8 = 1
  private static let checksumBytes = 8

  /// The cluster's first document.
  package let genesis: Genesis
  /// The node that made the ticket and admits its bearer.
  package let introducer: NodeID
  /// Where the introducer is reached over QUIC.
  package let address: NetworkAddress
  /// The seed of the key with which the bearer connects before it is a member.
  package let guestSeed: Digest
  /// When the ticket ends, in milliseconds since 1970 in UTC.
  package let expiresMilliseconds: UInt64
  package let signature: Signature

  /// The cluster's name.
  package var cluster: ClusterID { genesis.cluster }
  /// The key with which the bearer connects before it is a member.
  package var guestKey: SigningKey { SigningKey(seed: guestSeed) }
  package var signer: Digest { introducer.key }
  package var signedDigest: Digest { Blake2b.hash(body, .ticket) }
  package var isConsistent: Bool { address.port != 0 && !address.isUnspecified }

  /// Issues a ticket in the name of `key`, the introducer's.
  package init(
    genesis: Genesis, address: NetworkAddress, guestSeed: Digest, expiresMilliseconds: UInt64,
    signedWith key: SigningKey
  ) {
    precondition(
      address.port != 0 && !address.isUnspecified, "nobody can connect to \(address)")
    self.genesis = genesis
    introducer = NodeID(key: key.publicKey)
    self.address = address
    self.guestSeed = guestSeed
    self.expiresMilliseconds = expiresMilliseconds
    let body = Ticket.body(genesis, introducer, address, guestSeed, expiresMilliseconds)
    signature = key.sign(Blake2b.hash(body, .ticket), as: .ticket)
  }

  /// Whether the ticket has ended at `milliseconds` since 1970.
  package func isExpired(atMilliseconds milliseconds: UInt64) -> Bool {
    milliseconds >= expiresMilliseconds
  }

  /// The text to hand over.
  package var text: String {
    let content = body + signature.bytes
    let checksum = Blake2b.hash(content, .ticket).bytes.prefix(Ticket.checksumBytes)
    return Ticket.prefix + Base32.text(content + checksum)
  }

  private var body: [UInt8] {
    Ticket.body(genesis, introducer, address, guestSeed, expiresMilliseconds)
  }

  private static func body(
    _ genesis: Genesis, _ introducer: NodeID, _ address: NetworkAddress, _ guestSeed: Digest,
    _ expiresMilliseconds: UInt64
  ) -> [UInt8] {
    var writer = WireWriter()
    writer.write(version)
    genesis.encode(into: &writer)
    writer.write(introducer.key)
    writer.writeText(address.description)
    writer.write(guestSeed)
    writer.write(expiresMilliseconds)
    return writer.bytes
  }
}

extension Ticket {
  /// Reads a text; surrounding white space is allowed, any other difference is refused.
  package init(text: String) throws {
    let trimmed = text.drop { $0.isWhitespace }
    let length = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) }
    let characters = trimmed[..<(length ?? trimmed.startIndex)]
    guard characters.utf8.count <= Ticket.textBytesMax else {
      throw Ticket.refusal("longer than \(Ticket.textBytesMax) characters; this is no ticket")
    }
    guard characters.hasPrefix(Ticket.prefix) else {
      throw Ticket.refusal("a ticket starts with \(Ticket.prefix)")
    }
    guard let bytes = Base32.bytes(characters.dropFirst(Ticket.prefix.count)),
      bytes.count > Ticket.checksumBytes
    else { throw Ticket.damaged }
    let content = Array(bytes.dropLast(Ticket.checksumBytes))
    let checksum = Blake2b.hash(content, .ticket).bytes.prefix(Ticket.checksumBytes)
    guard checksum.elementsEqual(bytes.suffix(Ticket.checksumBytes)) else { throw Ticket.damaged }
    do {
      try self.init(content: content)
    } catch {
      throw Ticket.refusal("its content is malformed: \(error)")
    }
    guard Verified(checking: self) != nil else {
      throw Ticket.refusal("the introducer's signature is not valid; ask for a new one")
    }
  }

  private init(content: [UInt8]) throws(WireError) {
    var cursor = WireCursor()
    let span = content.span.bytes
    let version = try cursor.readUInt8(span)
    guard version == Ticket.version else { throw .unknownTag(version) }
    genesis = try Genesis(from: span, at: &cursor)
    introducer = NodeID(key: try cursor.readDigest(span))
    address = try cursor.readAddress(span)
    guestSeed = try cursor.readDigest(span)
    expiresMilliseconds = try cursor.readUInt64(span)
    guard let signature = Signature(try cursor.readRaw(span, count: Signature.byteCount)) else {
      throw .truncated
    }
    self.signature = signature
    try cursor.expectEnd(span)
  }

  private static var damaged: ConfigurationError {
    refusal("damaged: a character is missing, added or changed; copy the whole text again")
  }

  private static func refusal(_ reason: String) -> ConfigurationError {
    ConfigurationError(source: "ticket", reason: reason)
  }
}
