internal import Crypto
internal import Primitives
package import Wire

/// One life of one node as the control log's protocol knows it.
///
/// The number is a hash of the node's key and of the life of its control log. A node that loses its
/// disk therefore comes back as somebody else, who has promised nothing (Ongaro 2014 assumes that a
/// server keeps its state; whoever lost it must not vote again under its old name).
package struct RaftID: Hashable, Comparable, Sendable {
  /// The number, never zero.
  package let value: UInt64

  /// Takes a number as read from the wire or the disk; `nil` for zero.
  package init?(_ value: UInt64) {
    guard value != 0 else { return nil }
    self.value = value
  }

  /// Derives the number.
  package init(node: NodeID, life: UInt64) {
    var hash = Blake2b(.controlMember)
    hash.update(node.key)
    var writer = WireWriter()
    writer.write(life)
    hash.update(writer.bytes)
    value = max(1, hash.finalize().words.0)
  }

  package static func < (left: RaftID, right: RaftID) -> Bool { left.value < right.value }
}

extension RaftID: CustomStringConvertible {
  package var description: String { Hexadecimal.text(Array(bigEndianBytes.prefix(4))) }

  private var bigEndianBytes: [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}

/// A member of the control log: a node and the life of its control log.
package struct RaftMember: Hashable, Comparable, Sendable, WireCodable {
  /// The node.
  package let node: NodeID
  /// Which life: 0 for a node that the genesis document lists and that never lost its disk.
  package let life: UInt64
  /// The name that follows from both.
  package let id: RaftID

  /// Names one life of a node.
  package init(node: NodeID, life: UInt64) {
    self.node = node
    self.life = life
    id = RaftID(node: node, life: life)
  }

  package static func < (left: RaftMember, right: RaftMember) -> Bool { left.id < right.id }

  package func encode(into writer: inout WireWriter) {
    writer.write(node.key)
    writer.write(life)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let node = NodeID(key: try cursor.readDigest(span))
    self.init(node: node, life: try cursor.readUInt64(span))
  }
}
