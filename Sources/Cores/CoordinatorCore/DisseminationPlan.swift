internal import Crypto
internal import Primitives
package import Records

/// The tree by which one origin's bundles reach every member: a function of origin, members and
/// mode alone, so that all who see the same members compute the same tree.
///
/// Relays and gateways are chosen by rendezvous hashing (Thaler and Ravishankar 1998) over origin
/// and member: load spreads over origins, and a member that comes or goes moves few others. Of `n`
/// members in a region about √n relay to √n each; a relay takes at most a quarter more than its
/// share. A remote region is entered through one of two gateways, in different zones if there are.
///
/// ```
///  direct    origin ─► everybody
///  gateways  origin ─► everybody in its region
///            origin ─► gateway of a region ─► everybody else there
///  relays    origin ─► relay ─► its children
///            origin ─► gateway ─► relay ─► its children
/// ```
package struct DisseminationPlan: Hashable, Sendable {
  /// Whose bundles.
  package let origin: NodeID
  /// The first hops and what lies behind them.
  package let branches: [RelayBranch]

  /// The most hops from an origin to a member.
  package static let hopsMax = 3

  /// Plans the tree; `members` are in ascending order of node, with or without the origin.
  package static func make(
    origin: NodeID, members: [CoordinatorMember], mode: DisseminationMode
  ) -> DisseminationPlan {
    let planner = Planner(origin: origin, members: members, mode: mode)
    return DisseminationPlan(origin: origin, branches: planner.branches())
  }

  /// Whether regions are set: two members name different ones.
  package static func hasRegions(_ members: [CoordinatorMember]) -> Bool {
    members.contains { $0.region != members[0].region }
  }

  /// What `node` does for this origin's bundles; `nil` when it hands nothing on.
  package func duty(of node: NodeID) -> RelayDuty? {
    DisseminationPlan.duty(of: node, in: branches, parents: [])
  }

  private static func duty(
    of node: NodeID, in branches: [RelayBranch], parents: [NodeID]
  ) -> RelayDuty? {
    for branch in branches {
      let pair = [branch.node, branch.standIn].compactMap(\.self)
      if pair.contains(node) {
        let twin = pair.filter { $0 != node }.map { RelayBranch(node: $0) }
        let children = twin + branch.children
        return children.isEmpty ? nil : RelayDuty(parents: parents, children: children)
      }
      if let found = duty(of: node, in: branch.children, parents: pair) { return found }
    }
    return nil
  }
}

/// Plans one tree.
private struct Planner {
  struct Candidate {
    let member: CoordinatorMember
    /// Drawn for this origin: the words decide about relays, and about whose child it is.
    let draw: Digest
  }

  let home: [UInt8]
  let mode: DisseminationMode
  let others: [Candidate]

  init(origin: NodeID, members: [CoordinatorMember], mode: DisseminationMode) {
    self.mode = mode
    home = members.first { $0.node == origin }?.region ?? []
    others = members.filter { $0.node != origin }.map { member in
      var hash = Blake2b(.relay)
      hash.update(origin.key)
      hash.update(member.node.key)
      return Candidate(member: member, draw: mode == .direct ? .zero : hash.finalize())
    }
  }

  func branches() -> [RelayBranch] {
    guard mode != .direct else { return others.map { RelayBranch(node: $0.member.node) } }
    var result = spread(others.filter { $0.member.region == home })
    for region in remoteRegions() {
      result.append(enter(others.filter { $0.member.region == region }))
    }
    return result
  }

  private func remoteRegions() -> [[UInt8]] {
    var regions: [[UInt8]] = []
    for candidate in others where candidate.member.region != home {
      if !regions.contains(candidate.member.region) { regions.append(candidate.member.region) }
    }
    return regions.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Those who can relay: edges only when there is nobody else.
  private func able(_ group: [Candidate]) -> [Candidate] {
    let able = group.filter { $0.member.role != .edge }
    return able.isEmpty ? group : able
  }

  private func ranked(_ group: [Candidate]) -> [Candidate] {
    group.sorted { left, right in
      left.draw != right.draw ? left.draw > right.draw : left.member.node < right.member.node
    }
  }

  /// A remote region: two gateways by rank, the second in another zone than the first if possible.
  private func enter(_ group: [Candidate]) -> RelayBranch {
    let order = ranked(able(group))
    let first = order[0].member
    let rest = order.dropFirst()
    let second = (rest.first { $0.member.zone != first.zone } ?? rest.first)?.member
    let behind = group.filter { $0.member.node != first.node && $0.member.node != second?.node }
    return RelayBranch(node: first.node, standIn: second?.node, children: spread(behind))
  }

  /// The members of one region behind an origin or a gateway.
  private func spread(_ group: [Candidate]) -> [RelayBranch] {
    let flat = group.map { RelayBranch(node: $0.member.node) }
    guard mode == .relays else { return flat }
    let able = ranked(able(group))
    let count = min(squareRoot(group.count), able.count)
    guard count > 1 else { return flat }
    let relays = Array(able.prefix(count))
    let children = ranked(
      group.filter { one in !relays.contains { $0.member.node == one.member.node } })
    let room = children.count * 5 / (4 * count) + 1
    var behind = relays.map { _ in [RelayBranch]() }
    for child in children {
      let free = relays.indices.filter { behind[$0].count < room }
      guard var best = free.first else { preconditionFailure("no relay has room for a child") }
      for index in free where score(relays[index], child) > score(relays[best], child) {
        best = index
      }
      behind[best].append(RelayBranch(node: child.member.node))
    }
    return zip(relays, behind).map { RelayBranch(node: $0.member.node, children: $1) }
  }

  /// How much a child belongs to a relay: both draws mixed, by the finalizer of SplitMix64.
  private func score(_ relay: Candidate, _ child: Candidate) -> UInt64 {
    var mixed = relay.draw.words.1 ^ child.draw.words.2 &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// The integer square root.
  private func squareRoot(_ number: Int) -> Int {
    var root = 0
    while (root + 1) * (root + 1) <= number { root += 1 }
    return root
  }
}
