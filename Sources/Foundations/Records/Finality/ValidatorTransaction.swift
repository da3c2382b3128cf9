package import Crypto
package import Primitives
package import Wire

/// Two statements of one validator that no honest one makes both.
///
/// Anybody can check it with the validators of the epoch alone.
package struct VoteEvidence: Hashable, Sendable {
  /// The vote whose kind, or hash where kinds are equal, is smaller.
  package let first: Vote
  /// The other vote.
  package let second: Vote

  /// Joins two votes in either order; `nil` when they do not contradict each other.
  package init?(_ one: Vote, _ other: Vote) {
    let isOrdered =
      one.statement.kind.rawValue < other.statement.kind.rawValue
      || (one.statement.kind == other.statement.kind && one.statement.hash < other.statement.hash)
    first = isOrdered ? one : other
    second = isOrdered ? other : one
    guard first.signer == second.signer, isContradiction else { return nil }
  }

  private var isContradiction: Bool {
    let left = first.statement
    let right = second.statement
    guard left.chain == right.chain, left.epoch == right.epoch, left.view == right.view else {
      return false
    }
    switch (left.kind, right.kind) {
    case (.notarize, .notarize), (.finalize, .finalize): return left.hash != right.hash
    case (.nullify, .finalize): return true
    case (.notarize, _), (.nullify, _), (.finalize, _), (.handover, _), (.reconfigure, _):
      return false
    }
  }
}

extension VoteEvidence: ListedSignedValue {
  package func signedParts(in validators: ValidatorSet) -> [SignedPart]? {
    guard let one = first.signedParts(in: validators),
      let other = second.signedParts(in: validators)
    else { return nil }
    return one + other
  }
}

/// A change of validators with the consent of a quorum of those that are.
package struct Reconfiguration: Hashable, Sendable {
  /// Nodes that one change may name.
  package static let nodesMax = 16

  /// Nodes to become validators, ascending.
  package let added: [NodeID]
  /// Validators to leave, ascending.
  package let removed: [NodeID]
  /// The consent: a certificate whose hash is that of the two lists.
  package let consent: Certificate

  /// Joins the parts.
  package init(added: [NodeID], removed: [NodeID], consent: Certificate) {
    self.added = added
    self.removed = removed
    self.consent = consent
  }

  /// What a validator consents to.
  package static func hash(added: [NodeID], removed: [NodeID]) -> Digest {
    var writer = WireWriter()
    write(added, into: &writer)
    write(removed, into: &writer)
    return Blake2b.hash(writer.bytes, .reconfiguration)
  }

  private static func write(_ nodes: [NodeID], into writer: inout WireWriter) {
    writer.writeVariable(UInt64(nodes.count))
    for node in nodes { writer.write(node.key) }
  }

  fileprivate func encode(into writer: inout WireWriter) {
    Reconfiguration.write(added, into: &writer)
    Reconfiguration.write(removed, into: &writer)
    consent.encode(into: &writer)
  }

  fileprivate init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    added = try Reconfiguration.readNodes(span, at: &cursor)
    removed = try Reconfiguration.readNodes(span, at: &cursor)
    consent = try Certificate(from: span, at: &cursor)
    guard !(added.isEmpty && removed.isEmpty) else { throw .invalid("a change of nothing") }
  }

  private static func readNodes(
    _ span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> [NodeID] {
    let count = try cursor.readCount(span, limit: nodesMax, bytesEach: 32)
    var nodes: [NodeID] = []
    for _ in 0..<count {
      let node = NodeID(key: try cursor.readDigest(span))
      if let last = nodes.last, node <= last { throw .notCanonical }
      nodes.append(node)
    }
    return nodes
  }
}

/// What validators put into blocks beside the cut.
package enum ValidatorTransaction: Hashable, Sendable {
  /// A validator of this epoch or of one of the two before it lied.
  indirect case evidence(VoteEvidence, epoch: UInt64)
  /// The validators change when the epoch ends.
  indirect case reconfigure(Reconfiguration)
}

extension ValidatorTransaction: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .evidence(let evidence, let epoch):
      writer.write(UInt8(1))
      writer.write(epoch)
      evidence.first.encode(into: &writer)
      evidence.second.encode(into: &writer)
    case .reconfigure(let change):
      writer.write(UInt8(2))
      change.encode(into: &writer)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1:
      let epoch = try cursor.readUInt64(span)
      let first = try Vote(from: span, at: &cursor)
      let second = try Vote(from: span, at: &cursor)
      guard let evidence = VoteEvidence(first, second), evidence.first == first,
        first.statement.epoch == epoch
      else { throw .invalid("evidence that proves nothing") }
      self = .evidence(evidence, epoch: epoch)
    case 2:
      self = .reconfigure(try Reconfiguration(from: span, at: &cursor))
    default: throw .unknownTag(tag)
    }
  }
}
