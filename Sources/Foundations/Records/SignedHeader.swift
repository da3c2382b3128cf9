package import Crypto
package import Primitives
package import Wire

/// A bundle header with its signature: what proves that a node said something at a place.
package struct SignedHeader: Hashable, SignedValue, WireCodable {
  package static let signatureDomain = SignatureDomain.bundle

  /// The header.
  package let header: BundleHeader
  /// The header's digest: what is signed, what the next header names, the lane's tree leaf.
  package let digest: Digest
  package let signature: Signature

  package var signer: Digest { header.node.key }
  package var signedDigest: Digest { digest }
  package var isConsistent: Bool { true }

  /// Joins a header and its signature; only `Verified` tells whether it is the node's.
  package init(header: BundleHeader, signature: Signature) {
    self.header = header
    self.signature = signature
    digest = Blake2b.hash(header.encoded, .bundleHeader)
  }

  /// Signs a header with its node's key.
  package init(signing header: BundleHeader, with key: SigningKey) {
    precondition(
      header.node.key == key.publicKey, "header names \(header.node.key), not the signing key")
    self.header = header
    digest = Blake2b.hash(header.encoded, .bundleHeader)
    signature = key.sign(digest, as: SignedHeader.signatureDomain)
  }

  package func encode(into writer: inout WireWriter) {
    writer.writeBytes(header.encoded)
    writer.writeRaw(signature.bytes)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let bytes = try cursor.readBytes(span, limit: BundleLimits.headerBytesMax)
    let signatureBytes = try cursor.readRaw(span, count: Signature.byteCount)
    guard let signature = Signature(signatureBytes) else { throw .truncated }
    self.header = try BundleHeader(decoding: bytes)
    self.signature = signature
    digest = Blake2b.hash(bytes, .bundleHeader)
  }
}

/// Two headers that one node signed for one place of one lane: proof that it lied to somebody.
///
/// Anybody can check it with the two headers alone; it cannot be made against an honest node.
package struct EquivocationProof: Hashable, Sendable {
  /// The header with the smaller digest.
  package let first: SignedHeader
  /// The header with the larger digest.
  package let second: SignedHeader

  /// Checks both signatures and that the headers contradict each other; `nil` otherwise.
  package init?(checking one: SignedHeader, against other: SignedHeader) {
    guard one.header.lane == other.header.lane, one.header.number == other.header.number,
      one.digest != other.digest, Verified(checking: one) != nil, Verified(checking: other) != nil
    else { return nil }
    first = one.digest < other.digest ? one : other
    second = one.digest < other.digest ? other : one
  }

  /// The lane that forked.
  package var lane: LaneID { first.header.lane }
  /// The number at which it forked, or later.
  package var number: UInt64 { first.header.number }

  /// The wire form: both headers.
  package var encoded: [UInt8] {
    var writer = WireWriter()
    first.encode(into: &writer)
    second.encode(into: &writer)
    return writer.bytes
  }

  /// Decodes and checks a proof, whose headers must stand in the order of their digests; `nil` when
  /// the bytes are sound but prove nothing.
  package static func decode(_ bytes: [UInt8]) throws(WireError) -> EquivocationProof? {
    var cursor = WireCursor()
    let span = bytes.span.bytes
    let first = try SignedHeader(from: span, at: &cursor)
    let second = try SignedHeader(from: span, at: &cursor)
    try cursor.expectEnd(span)
    guard first.digest <= second.digest else { throw .notCanonical }
    return EquivocationProof(checking: first, against: second)
  }
}
