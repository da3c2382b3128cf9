package import Records
package import Wire

/// What somebody says of a member.
package struct MembershipUpdate: Hashable, Sendable {
  /// What is said.
  package enum Claim: Hashable, Sendable {
    /// It answers, and says this of itself.
    case alive(MemberAttributes)
    /// It did not answer this node.
    case suspect(by: NodeID)
    /// It did not object in time.
    case down
    /// It went by itself.
    case left
  }

  /// The highest incarnation. Nobody gets there by refuting, and there is room to count beyond.
  package static let incarnationMax: UInt64 = 1 << 62

  /// The member.
  package let node: NodeID
  /// The incarnation of which it is said; never zero.
  package let incarnation: UInt64
  /// What is said.
  package let claim: Claim

  /// Joins the parts.
  package init(node: NodeID, incarnation: UInt64, claim: Claim) {
    precondition(
      incarnation > 0 && incarnation <= MembershipUpdate.incarnationMax,
      "an update of incarnation \(incarnation)")
    self.node = node
    self.incarnation = incarnation
    self.claim = claim
  }

  /// The state that is claimed.
  package var state: MemberState {
    switch claim {
    case .alive: .alive
    case .suspect: .suspect
    case .down: .down
    case .left: .left
    }
  }
}

extension MembershipUpdate: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(state.rawValue)
    writer.write(node.key)
    writer.writeVariable(incarnation)
    switch claim {
    case .alive(let attributes): attributes.encode(into: &writer)
    case .suspect(let accuser): writer.write(accuser.key)
    case .down, .left: break
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    node = NodeID(key: try cursor.readDigest(span))
    incarnation = try cursor.readVariable(span, limit: MembershipUpdate.incarnationMax)
    guard incarnation > 0 else { throw .invalid("an update without an incarnation") }
    switch tag {
    case 1: claim = .alive(try MemberAttributes(from: span, at: &cursor))
    case 2: claim = .suspect(by: NodeID(key: try cursor.readDigest(span)))
    case 3: claim = .down
    case 4: claim = .left
    // open set: tags of later versions
    default: throw .unknownTag(tag)
    }
  }

  /// How many bytes the canonical form takes.
  var byteCount: Int {
    let head = 33 + WireWriter.byteCount(ofVariable: incarnation)
    switch claim {
    case .alive(let attributes): return head + attributes.byteCount
    case .suspect: return head + 32
    case .down, .left: return head
    }
  }
}
