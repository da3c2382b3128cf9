/// A peer as a core knows it: a small number, handed out by the node and never reused while the
/// core lives.
package struct PeerIndex: Hashable, Comparable, Sendable {
  /// The number.
  package let value: UInt16

  /// Takes a number.
  package init(_ value: UInt16) {
    self.value = value
  }

  package static func < (left: PeerIndex, right: PeerIndex) -> Bool { left.value < right.value }
}
