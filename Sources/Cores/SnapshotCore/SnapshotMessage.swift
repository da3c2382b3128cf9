internal import Primitives
package import Wire

/// What a node that joins asks of a peer, one request per stream.
package enum SnapshotRequest: Hashable, Sendable {
  /// Which snapshot do you have?
  case offer
  /// The manifest of the snapshot at a height.
  case manifest(height: UInt64)
  /// One of its parts.
  case part(height: UInt64, index: UInt32)

  /// The longest encoded request, in bytes.
  package static let encodedBytesMax = 32
}

/// What a peer answers.
package enum SnapshotAnswer: Hashable, Sendable {
  /// It has no such snapshot, or none.
  case nothing
  /// It has the snapshot at this height.
  case offer(height: UInt64)
  /// A manifest in its wire form.
  case manifest([UInt8])
  /// A part in its wire form.
  case part([UInt8])

  /// The longest encoded answer, in bytes.
  package static let encodedBytesMax = SnapshotLimits.manifestBytesMax + 16
}

extension SnapshotRequest: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .offer: writer.write(UInt8(1))
    case .manifest(let height):
      writer.write(UInt8(2))
      writer.writeVariable(height)
    case .part(let height, let index):
      writer.write(UInt8(3))
      writer.writeVariable(height)
      writer.writeVariable(UInt64(index))
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1: self = .offer
    case 2: self = .manifest(height: try cursor.readVariable(span))
    case 3:
      let height = try cursor.readVariable(span)
      let limit = UInt64(1) << UInt64(SnapshotLimits.depthMax)
      let index = try cursor.readVariable(span, limit: limit - 1)
      self = .part(height: height, index: UInt32(index))
    // open set: tags of later versions
    default: throw .unknownTag(tag)
    }
  }
}

extension SnapshotAnswer: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .nothing: writer.write(UInt8(0))
    case .offer(let height):
      writer.write(UInt8(1))
      writer.writeVariable(height)
    case .manifest(let bytes):
      writer.write(UInt8(2))
      writer.writeBytes(bytes)
    case .part(let bytes):
      writer.write(UInt8(3))
      writer.writeBytes(bytes)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 0: self = .nothing
    case 1: self = .offer(height: try cursor.readVariable(span))
    case 2:
      self = .manifest(try cursor.readBytes(span, limit: SnapshotLimits.manifestBytesMax))
    case 3: self = .part(try cursor.readBytes(span, limit: SnapshotLimits.partBytesMax))
    // open set: tags of later versions
    default: throw .unknownTag(tag)
    }
  }
}
