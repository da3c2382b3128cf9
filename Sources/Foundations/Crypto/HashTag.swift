/// The sixteen bytes that keep one use of the hash apart from every other.
///
/// The tag goes into BLAKE2b's personalization field (RFC 7693, section 2.8 and the BLAKE2 paper),
/// so that equal bytes hashed for two purposes never give equal digests, and no purpose pays for a
/// prefix. Every tag of the product is listed here and nowhere else.
package enum HashTag: String, CaseIterable, Sendable {
  /// A lane's name, of its node key, epoch and swarm.
  case lane = "so.lane.v1"
  /// One operation as a leaf of its bundle's tree.
  case operationLeaf = "so.op.leaf.v1"
  /// An inner node of a bundle's tree of operations.
  case operationNode = "so.op.node.v1"
  /// A bundle header: the leaf of its lane's mountain range.
  case bundleHeader = "so.bundle.v1"
  /// An inner node of a lane's mountain range.
  case rangeNode = "so.mmr.node.v1"
  /// A lane's mountain range with its size.
  case rangeRoot = "so.mmr.root.v1"
  /// The head of a lane as a leaf of the tree over lanes.
  case laneHeadLeaf = "so.head.leaf.v1"
  /// An inner node of the tree over lanes.
  case laneHeadNode = "so.head.node.v1"
  /// One row of the live tables.
  case row = "so.row.v1"
  /// The expansion of a row's digest into a set-hash element.
  case rowElement = "so.row.elem.v1"
  /// The set of all rows.
  case rowSet = "so.row.set.v1"
  /// A cluster's name, of its genesis document.
  case cluster = "so.cluster.v1"
  /// A swarm's name.
  case swarm = "so.swarm.v1"
  /// An agent's bearer token as it is stored.
  case bearerToken = "so.token.v1"
  /// A ticket that lets a node join.
  case ticket = "so.ticket.v1"
  /// An identifier made of an idempotency key.
  case idempotency = "so.idem.v1"
  /// A canonical answer.
  case answerKey = "so.answer.v1"
  /// A seed derived from another.
  case seed = "so.seed.v1"
  /// What a test or simulation audits.
  case audit = "so.audit.v1"

  /// The sixteen bytes, the name padded with zeros, as two words in memory order.
  var words: (UInt64, UInt64) {
    precondition(rawValue.utf8.count <= 16, "hash tag \(rawValue) is longer than 16 bytes")
    var words = (UInt64(0), UInt64(0))
    withUnsafeMutableBytes(of: &words) { bytes in
      for (index, byte) in rawValue.utf8.enumerated() {
        bytes[index] = byte
      }
    }
    return words
  }
}
