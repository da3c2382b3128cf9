package import Primitives

/// A branch of the tree by which the bundles of one origin spread: who is handed a bundle, and
/// whom that node hands it on to.
package struct RelayBranch: Hashable, Sendable {
  /// Who is handed the bundle.
  package let node: NodeID
  /// Who is handed it when that node cannot be reached. Whichever of the two takes the branch hands
  /// the bundle to the other one as well.
  package let standIn: NodeID?
  /// What lies behind it.
  package let children: [RelayBranch]

  /// Joins the parts.
  package init(node: NodeID, standIn: NodeID? = nil, children: [RelayBranch] = []) {
    precondition(standIn != node, "a node stands in for itself")
    self.node = node
    self.standIn = standIn
    self.children = children
  }
}

/// What one node does for the bundles of one origin.
package struct RelayDuty: Hashable, Sendable {
  /// From whom, besides the origin itself, a bundle comes that is to be handed on.
  package let parents: [NodeID]
  /// To whom it is handed on.
  package let children: [RelayBranch]

  /// Joins the parts.
  package init(parents: [NodeID], children: [RelayBranch]) {
    self.parents = parents
    self.children = children
  }
}

/// A node's part in spreading bundles: the first hops of its own, and its duties for others.
package struct RelayRoutes: Hashable, Sendable {
  /// The first hops of own bundles; `nil` pushes them to every connected peer.
  package var own: [RelayBranch]?
  /// The duties by origin. An origin without an entry reaches everybody without help from here.
  package var duties: SortedMap<NodeID, RelayDuty>

  /// Joins the parts.
  package init(own: [RelayBranch]?, duties: SortedMap<NodeID, RelayDuty>) {
    self.own = own
    self.duties = duties
  }

  /// Every node pushes to every other one, and nobody hands anything on.
  package static let direct = RelayRoutes(own: nil, duties: SortedMap())

  package func hash(into hasher: inout Hasher) {
    hasher.combine(own)
    for entry in duties.entries {
      hasher.combine(entry.key)
      hasher.combine(entry.value)
    }
  }
}
