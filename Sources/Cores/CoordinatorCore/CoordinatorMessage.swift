internal import Primitives
package import Records
package import Wire

/// What coordinators and the members they coordinate say to each other.
///
/// Both kinds state something anew each time; one that is lost is made good by the next.
package enum CoordinatorMessage: Hashable, Sendable {
  /// A coordinator names the receiver's partner of the round. Sent each round, fit for a datagram.
  case assignment(Assignment)
  /// A member says how its own bundles spread from now on, so that relays and gateways know of
  /// their duties. Sent on a change and from time to time; it should arrive in order.
  case dissemination(DisseminationMode)

  /// A pair of one round, as one of the two is told of it.
  package struct Assignment: Hashable, Sendable {
    /// Who says so.
    package let identity: CoordinatorIdentity
    /// The coordinator's priority: what a lesser one yields to before it knows the member.
    package let priority: UInt32
    /// The round.
    package let round: UInt64
    /// With whom to compare; `nil` for who is left over when their number is odd.
    package let partner: NodeID?

    /// Joins the parts.
    package init(
      identity: CoordinatorIdentity, priority: UInt32, round: UInt64, partner: NodeID?
    ) {
      self.identity = identity
      self.priority = priority
      self.round = round
      self.partner = partner
    }
  }

  /// The largest encoded message, in bytes.
  package static let bytesMax = 128
}

extension CoordinatorMessage: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .assignment(let assignment):
      writer.write(UInt8(1))
      writer.write(assignment.identity.viewHash)
      writer.writeVariable(assignment.identity.baseTerm)
      writer.writeVariable(assignment.identity.baseCommitIndex)
      writer.writeVariable(assignment.identity.sequence)
      writer.write(assignment.identity.node.key)
      writer.write(assignment.priority)
      writer.writeVariable(assignment.round)
      writer.write(UInt8(assignment.partner == nil ? 0 : 1))
      if let partner = assignment.partner { writer.write(partner.key) }
    case .dissemination(let mode):
      writer.write(UInt8(2))
      writer.write(mode.rawValue)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1:
      let viewHash = try cursor.readUInt64(span)
      let term = try cursor.readVariable(span)
      let commitIndex = try cursor.readVariable(span)
      let sequence = try cursor.readVariable(span)
      let identity = CoordinatorIdentity(
        viewHash: viewHash, baseTerm: term, baseCommitIndex: commitIndex, sequence: sequence,
        node: NodeID(key: try cursor.readDigest(span)))
      let priority = try cursor.readUInt32(span)
      let round = try cursor.readVariable(span)
      let count = try cursor.readUInt8(span)
      guard count < 2 else { throw .notCanonical }
      let partner = count == 0 ? nil : NodeID(key: try cursor.readDigest(span))
      self = .assignment(
        Assignment(identity: identity, priority: priority, round: round, partner: partner))
    case 2:
      let raw = try cursor.readUInt8(span)
      guard let mode = DisseminationMode(rawValue: raw) else { throw .unknownTag(raw) }
      self = .dissemination(mode)
    // open set: tags of later versions
    default:
      throw .unknownTag(tag)
    }
  }
}
