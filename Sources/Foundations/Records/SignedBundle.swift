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
      && SignedBundle.body(of: operations).count == header.bodyByteCount
      && SignedBundle.operationsRoot(of: operations) == header.operationsRoot
  }

  /// Joins a signed header and its operations; `isConsistent` tells whether they belong together.
  package init(signedHeader: SignedHeader, operations: [[UInt8]]) {
    self.signedHeader = signedHeader
    self.operations = operations
  }

  /// The body as it is stored and sent.
  package static func body(of operations: [[UInt8]]) -> [UInt8] {
    var writer = WireWriter(capacity: operations.reduce(0) { $0 + $1.count + 3 })
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
    writer.writeBytes(SignedBundle.body(of: operations))
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

  /// Reads `lane-number-index`, the lane in hexadecimal; `nil` for anything else.
  package init?(text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let lane = Digest(hexadecimal: parts[0]),
      let number = UInt64(parts[1]), number > 0, let index = Int(parts[2]),
      (0..<BundleLimits.operationsMax).contains(index)
    else { return nil }
    self.init(bundle: LanePosition(lane: LaneID(digest: lane), number: number), index: index)
  }
}

extension OperationID: CustomStringConvertible {
  /// The form `lane-number-index`.
  package var description: String {
    "\(bundle.lane.digest.hexadecimal)-\(bundle.number)-\(index)"
  }
}
