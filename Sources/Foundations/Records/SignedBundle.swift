package import Crypto
internal import Merkle
package import Primitives
package import Wire

/// A bundle as it travels and is stored: signed header and body.
///
/// The body is the operations, each with its length. The header commits to them by the root of an
/// RFC 6962-shaped tree, so one operation can be shown without the others.
package struct SignedBundle: Hashable, SignedValue, WireCodable {
  package static let signatureDomain = SignatureDomain.bundle

  /// The signed header.
  package let signedHeader: SignedHeader
  /// The operations in order.
  package let operations: [[UInt8]]

  /// The header.
  package var header: BundleHeader { signedHeader.header }
  /// The header's digest.
  package var digest: Digest { signedHeader.digest }
  package var signer: Digest { signedHeader.signer }
  package var signedDigest: Digest { signedHeader.signedDigest }
  package var signature: Signature { signedHeader.signature }

  package var isConsistent: Bool {
    operations.count == header.operationCount
      && SignedBundle.bodyByteCount(of: operations) == header.bodyByteCount
      && operations.allSatisfy { $0.count <= BundleLimits.operationBytesMax }
      && SignedBundle.operationsRoot(of: operations) == header.operationsRoot
  }

  /// Joins a signed header and its operations; `isConsistent` tells whether they belong together.
  package init(signedHeader: SignedHeader, operations: [[UInt8]]) {
    self.signedHeader = signedHeader
    self.operations = operations
  }

  /// The length of the body of `operations`, without making it.
  package static func bodyByteCount(of operations: [[UInt8]]) -> Int {
    operations.reduce(0) { $0 + WireWriter.byteCount(ofBytes: $1.count) }
  }

  /// The body as it is stored and sent: each operation after its length.
  package static func body(of operations: [[UInt8]]) -> [UInt8] {
    var writer = WireWriter(capacity: bodyByteCount(of: operations))
    for operation in operations {
      writer.writeBytes(operation)
    }
    return writer.bytes
  }

  /// Splits a body; refuses what is longer or more than `BundleLimits` allow.
  package static func operations(inBody body: [UInt8]) throws(WireError) -> [[UInt8]] {
    guard body.count <= BundleLimits.bodyBytesMax else { throw .overLimit }
    var operations: [[UInt8]] = []
    var cursor = WireCursor()
    let span = body.span.bytes
    while cursor.offset < body.count {
      guard operations.count < BundleLimits.operationsMax else { throw .overLimit }
      operations.append(
        try cursor.readBytes(span, limit: BundleLimits.operationBytesMax))
    }
    return operations
  }

  /// The leaf of one operation.
  package static func leaf(of operation: [UInt8]) -> Digest {
    Blake2b.hash(operation, .operationLeaf)
  }

  /// The root over all operations.
  package static func operationsRoot(of operations: [[UInt8]]) -> Digest {
    MerkleTree(TaggedHasher(.operationNode)).root(of: operations.map(leaf(of:)))
  }

  package func encode(into writer: inout WireWriter) {
    signedHeader.encode(into: &writer)
    writer.writeVariable(UInt64(SignedBundle.bodyByteCount(of: operations)))
    for operation in operations {
      writer.writeBytes(operation)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    signedHeader = try SignedHeader(from: span, at: &cursor)
    let body = try cursor.readBytes(span, limit: BundleLimits.bodyBytesMax)
    operations = try SignedBundle.operations(inBody: body)
  }
}

/// The place of one operation: a bundle of a lane and an index within it.
package struct OperationID: Hashable, Sendable {
  /// The bundle.
  package let bundle: LanePosition
  /// The index within the bundle, from 0.
  package let index: Int

  /// Names operation `index` of a bundle.
  package init(bundle: LanePosition, index: Int) {
    self.bundle = bundle
    self.index = index
  }

  /// Reads `lane-number-index`, the lane in 64 hexadecimal digits, the others in decimal digits
  /// without sign or leading zeros; `nil` for anything else.
  package init?(text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let lane = Digest(hexadecimal: parts[0]),
      let number = OperationID.decimal(parts[1]), (1...BundleLimits.numberMax).contains(number),
      let index = OperationID.decimal(parts[2]), index < UInt64(BundleLimits.operationsMax)
    else { return nil }
    self.init(bundle: LanePosition(lane: LaneID(digest: lane), number: number), index: Int(index))
  }

  /// Reads the one decimal form of a number: the library's parser also takes signs and zeros.
  private static func decimal(_ text: some StringProtocol) -> UInt64? {
    guard let value = UInt64(text), String(value).utf8.elementsEqual(text.utf8) else { return nil }
    return value
  }
}

extension OperationID: CustomStringConvertible {
  /// The form `lane-number-index`.
  package var description: String {
    "\(bundle.lane.digest.hexadecimal)-\(bundle.number)-\(index)"
  }
}
