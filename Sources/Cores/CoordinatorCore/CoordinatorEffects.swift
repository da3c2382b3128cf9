package import Primitives
package import Records

/// What happened to a coordinator.
package enum CoordinatorEvent: Sendable {
  /// These members are alive, this node among them, and have been so since an instant.
  case members([CoordinatorMember], stableSince: Instant)
  /// What the control log says about leadership changed.
  case leader(CoordinatorLeader)
  /// How many bytes of own bundles this node makes in a second.
  case demand(bytesPerSecond: UInt64)
  /// An operator changed the settings.
  case settings(CoordinatorSettings)
  /// A message came over the connection of a member.
  case received(CoordinatorMessage, from: NodeID)
  /// An instant that the core asked for has come.
  case deadline
}

/// With whom a node compares its whole frontier next.
package enum ComparePeer: Hashable, Sendable {
  /// Nobody said: the node chooses by chance.
  case anyone
  /// The partner of the round.
  case node(NodeID)
}

/// Something that operators and metrics are to hear of.
package enum CoordinatorNotice: Hashable, Sendable {
  /// Who coordinates changed.
  case status(CoordinatorStatus)
  /// This node coordinates from now on.
  case tenureBegan(CoordinatorIdentity)
  /// This node coordinates no longer.
  case tenureEnded(CoordinatorIdentity)
  /// How this node spreads its own bundles changed.
  case mode(DisseminationMode)
}

/// What a coordinator asks its owner to do.
package struct CoordinatorEffects: Sendable {
  /// A message for one member.
  package struct Send: Hashable, Sendable {
    /// The member.
    package let to: NodeID
    /// The message.
    package let message: CoordinatorMessage
  }

  /// Messages, in order per member.
  package var sends: [Send] = []
  /// With whom to compare frontiers from now on, when that changed.
  package var comparePeer: ComparePeer?
  /// Which way bundles go from now on, when that changed.
  package var routes: RelayRoutes?
  /// What others are to hear of.
  package var notices: [CoordinatorNotice] = []

  /// No effects.
  package init() {}

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    comparePeer = nil
    routes = nil
    notices.removeAll(keepingCapacity: true)
  }
}

/// What a coordinator counted since it was made; for metrics.
package struct CoordinatorCounters: Hashable, Sendable {
  /// Tenures of this node.
  package var tenures: UInt64 = 0
  /// Rounds of pairs that this node made.
  package var rounds: UInt64 = 0
  /// Assignments that were followed.
  package var assignmentsFollowed: UInt64 = 0
  /// Assignments of somebody whom this node does not take for the coordinator, or that name nobody
  /// to compare with.
  package var assignmentsIgnored: UInt64 = 0
  /// Times this node gave way to a greater partition coordinator.
  package var yields: UInt64 = 0
  /// Changes of the way in which own bundles spread.
  package var modeChanges: UInt64 = 0

  /// Nothing counted.
  package init() {}
}
