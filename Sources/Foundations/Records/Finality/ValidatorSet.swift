internal import Crypto
package import Primitives
package import Wire

/// The validators of one epoch, ordered by public key: one node, one vote.
///
/// With n of them, f = (n - 1) / 3 may lie, and a quorum is n - f: any two quorums share an honest
/// validator.
package struct ValidatorSet: Hashable, Sendable {
  /// Validators that a set may have.
  package static let countMax = 64

  /// The validators in ascending order.
  package let members: [NodeID]

  /// Takes 1 to 64 validators in any order; `nil` when one is named twice.
  package init?(_ nodes: [NodeID]) {
    let sorted = nodes.sorted()
    guard (1...ValidatorSet.countMax).contains(sorted.count),
      zip(sorted, sorted.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    members = sorted
  }

  /// How many there are: n.
  package var count: Int { members.count }
  /// How many of them may lie: f.
  package var faultsTolerated: Int { (members.count - 1) / 3 }
  /// How many make a quorum: n - f.
  package var quorum: Int { members.count - faultsTolerated }

  /// A validator's place.
  package func index(of node: NodeID) -> Int? { members.firstIndex(of: node) }

  /// The digest that headers name the set by.
  package var hash: Digest {
    var writer = WireWriter()
    encode(into: &writer)
    return Blake2b.hash(writer.bytes, .validatorSet)
  }
}

extension ValidatorSet: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(members.count))
    for member in members { writer.write(member.key) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let count = try cursor.readCount(span, limit: ValidatorSet.countMax, bytesEach: 32)
    var members: [NodeID] = []
    for _ in 0..<count {
      let node = NodeID(key: try cursor.readDigest(span))
      if let last = members.last, node <= last { throw .notCanonical }
      members.append(node)
    }
    guard !members.isEmpty else { throw .invalid("a set without validators") }
    self.members = members
  }
}
