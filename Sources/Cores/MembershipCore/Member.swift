package import Primitives
package import Records

/// What a node believes of a member.
package enum MemberState: UInt8, Hashable, Sendable, CaseIterable {
  /// It answers.
  case alive = 1
  /// It did not answer somebody, and has time to object.
  case suspect = 2
  /// It did not object in time, or was never heard of: incarnation 0.
  case down = 3
  /// It said that it goes.
  case left = 4
  /// The owner removed it from the cluster; final.
  case removed = 5

  /// Whether the member takes part: suspicion alone changes nothing.
  package var isPresent: Bool {
    switch self {
    case .alive, .suspect: true
    case .down, .left, .removed: false
    }
  }
}

/// One member as a node sees it.
package struct Member: Hashable, Sendable {
  /// The node.
  package let node: NodeID
  /// What is believed of it.
  package var state: MemberState
  /// The number by which it outvotes what is said of it; 0 while it was never heard of.
  package var incarnation: UInt64
  /// What it last said of itself, or what the owner knew beforehand.
  package var attributes: MemberAttributes
  /// How loaded it last said it is; in whatever unit the owners agree on.
  package var load: UInt16
  /// Since when the state holds, by this node's clock.
  package var since: Instant
  /// Whether there is a connection to it.
  package var isConnected: Bool
  /// The smoothed time of a question and its answer; `nil` before the first one.
  package var roundTrip: TimeSpan?

  /// Joins the parts.
  package init(
    node: NodeID, state: MemberState, incarnation: UInt64, attributes: MemberAttributes,
    load: UInt16, since: Instant, isConnected: Bool, roundTrip: TimeSpan?
  ) {
    self.node = node
    self.state = state
    self.incarnation = incarnation
    self.attributes = attributes
    self.load = load
    self.since = since
    self.isConnected = isConnected
    self.roundTrip = roundTrip
  }
}

/// A member as the owner lists it: from the genesis document or the control log.
package struct KnownMember: Hashable, Sendable {
  /// The node.
  package let node: NodeID
  /// What is known of it before it speaks for itself.
  package let attributes: MemberAttributes

  /// Joins the parts.
  package init(node: NodeID, attributes: MemberAttributes) {
    self.node = node
    self.attributes = attributes
  }
}
