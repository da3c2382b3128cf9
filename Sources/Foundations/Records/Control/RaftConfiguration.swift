package import Wire

/// Who takes part in the control log, and as what.
///
/// While `outgoing` is not empty the configuration is joint: elections and commits need a majority
/// of `voters` and one of `outgoing` (Ongaro 2014, section 4.3).
package struct RaftConfiguration: Hashable, Sendable, WireCodable {
  /// Members that a configuration may list.
  package static let membersMax = 512

  /// Everybody named below, in ascending order of name.
  package private(set) var members: [RaftMember]
  /// The voters, or those to be, in ascending order.
  package private(set) var voters: [RaftID]
  /// The voters until the change is over, in ascending order; empty when no change is under way.
  package private(set) var outgoing: [RaftID]
  /// Members that receive the log and do not vote, in ascending order.
  package private(set) var learners: [RaftID]

  /// Joins the parts; each member must appear in `members`, and be voter or learner, not both.
  package init(
    members: [RaftMember], voters: [RaftID], outgoing: [RaftID] = [], learners: [RaftID] = []
  ) {
    self.members = members.sorted()
    self.voters = voters.sorted()
    self.outgoing = outgoing.sorted()
    self.learners = learners.sorted()
    precondition(problem == nil, "a control configuration: \(problem ?? "")")
  }

  /// Nobody.
  package init() {
    members = []
    voters = []
    outgoing = []
    learners = []
  }

  /// Whether a change of voters is under way.
  package var isJoint: Bool { !outgoing.isEmpty }

  /// The member with a name.
  package func member(_ id: RaftID) -> RaftMember? { members.first { $0.id == id } }

  /// The members that are lives of a node; more than one only while one replaces the other.
  package func members(of node: NodeID) -> [RaftMember] { members.filter { $0.node == node } }

  /// Whether somebody votes, in either half.
  package func isVoter(_ id: RaftID) -> Bool { voters.contains(id) || outgoing.contains(id) }

  /// Whether somebody receives the log and does not vote.
  package func isLearner(_ id: RaftID) -> Bool { learners.contains(id) }

  /// Whether those for whom `holds` is true are a majority, of both halves when joint.
  package func isQuorum(_ holds: (RaftID) -> Bool) -> Bool {
    RaftConfiguration.isMajority(voters, holds)
      && (outgoing.isEmpty || RaftConfiguration.isMajority(outgoing, holds))
  }

  private static func isMajority(_ voters: [RaftID], _ holds: (RaftID) -> Bool) -> Bool {
    voters.count(where: holds) > voters.count / 2
  }

  /// Why the parts do not fit together.
  private var problem: String? {
    if members.count > RaftConfiguration.membersMax { return "\(members.count) members" }
    for list in [members.map(\.id), voters, outgoing, learners] {
      for (left, right) in zip(list, list.dropFirst()) where left >= right {
        return "\(right) is listed twice or out of order"
      }
    }
    let known = Set(members.map(\.id))
    for id in voters + outgoing + learners where !known.contains(id) { return "\(id) is unknown" }
    for id in learners where voters.contains(id) { return "\(id) votes and learns" }
    let used = Set(voters + outgoing + learners)
    if used.count != known.count { return "a member that is neither voter nor learner" }
    return nil
  }

  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(members.count))
    for member in members { member.encode(into: &writer) }
    for list in [voters, outgoing, learners] {
      writer.writeVariable(UInt64(list.count))
      for id in list { writer.write(id.value) }
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let limit = RaftConfiguration.membersMax
    let count = try cursor.readCount(span, limit: limit, bytesEach: 40)
    members = []
    for _ in 0..<count { members.append(try RaftMember(from: span, at: &cursor)) }
    var lists: [[RaftID]] = []
    for _ in 0..<3 {
      let length = try cursor.readCount(span, limit: limit, bytesEach: 8)
      var list: [RaftID] = []
      for _ in 0..<length {
        guard let id = RaftID(try cursor.readUInt64(span)) else {
          throw .invalid("a member without a name")
        }
        list.append(id)
      }
      lists.append(list)
    }
    voters = lists[0]
    outgoing = lists[1]
    learners = lists[2]
    if problem != nil { throw .invalid("a control configuration whose parts do not fit") }
  }
}
