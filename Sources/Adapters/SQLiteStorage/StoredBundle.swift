internal import Crypto
internal import Primitives
package import Records
internal import Wire

/// A stored value that cannot have been written by this program.
package struct StoredValueError: Error, Hashable, Sendable {
  /// The bundle it belongs to.
  package let position: LanePosition?
  /// What is wrong with it.
  package let reason: String

  init(_ reason: String, at position: LanePosition? = nil) {
    self.reason = reason
    self.position = position
  }
}

extension StoredValueError: CustomStringConvertible {
  package var description: String {
    guard let position else { return reason }
    return "lane \(position.lane.digest.short) bundle \(position.number): \(reason)"
  }
}

/// A bundle as its row holds it.
struct StoredBundle {
  let header: [UInt8]
  let signature: [UInt8]
  let body: [UInt8]

  /// Takes the parts of a row.
  init(header: [UInt8], signature: [UInt8], body: [UInt8]) {
    self.header = header
    self.signature = signature
    self.body = body
  }

  /// Reads the columns `header`, `signature` and `body`, which start at `column`.
  init(_ statement: SQLiteStatement, from column: Int) {
    header = statement.bytes(column)
    signature = statement.bytes(column + 1)
    body = statement.bytes(column + 2)
  }

  /// The header's digest: the leaf of the lane's tree.
  var digest: Digest { Blake2b.hash(header, .bundleHeader) }

  /// The bundle at `position`; checks place and content, not the signature.
  func decoded(at position: LanePosition) throws(StoredValueError) -> SignedBundle {
    let bundle: SignedBundle
    do throws(WireError) {
      guard let signature = Signature(signature) else { throw .truncated }
      bundle = SignedBundle(
        signedHeader: SignedHeader(
          header: try BundleHeader(decoding: header), signature: signature),
        operations: try SignedBundle.operations(inBody: body))
    } catch {
      throw StoredValueError("the stored bytes are no bundle: \(error)", at: position)
    }
    guard bundle.header.lane == position.lane, bundle.header.number == position.number else {
      throw StoredValueError("the header names another place", at: position)
    }
    guard bundle.isConsistent else {
      throw StoredValueError("the operations are not those of the header", at: position)
    }
    return bundle
  }

  /// The header at `position`; checks the place, not the signature.
  static func header(
    _ header: [UInt8], _ signature: [UInt8], at position: LanePosition
  ) throws(StoredValueError) -> SignedHeader {
    let decoded: SignedHeader
    do throws(WireError) {
      guard let signature = Signature(signature) else { throw .truncated }
      decoded = SignedHeader(header: try BundleHeader(decoding: header), signature: signature)
    } catch {
      throw StoredValueError("the stored bytes are no header: \(error)", at: position)
    }
    guard decoded.header.lane == position.lane, decoded.header.number == position.number else {
      throw StoredValueError("the header names another place", at: position)
    }
    return decoded
  }

  /// Appends the wire form of `SignedBundle`.
  func encode(into writer: inout WireWriter) {
    writer.writeBytes(header)
    writer.writeRaw(signature)
    writer.writeBytes(body)
  }
}
