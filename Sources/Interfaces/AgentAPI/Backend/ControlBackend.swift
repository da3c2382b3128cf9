package import ControlCore
package import NodeCore
package import Primitives
package import Records

/// The control plane of the node as the agents' door needs it; called as `AgentBackend` is.
package protocol ControlBackend: AnyObject {
  /// Hands a command or a query to the control plane, under the name that it is given; completes
  /// once, at the deadline of the event at the latest.
  func request(
    _ make: (ControlRequestID) -> ControlPlaneEvent,
    completion: @escaping (ControlReply) -> Void)
  /// What a watch is to show of the history after a revision, at most so many events besides those
  /// that share the last one's revision.
  func events(after revision: UInt64, _ filter: ControlFilter, limit: Int) -> ControlWatchAnswer
  /// The latest revision of the control state here.
  var controlRevision: UInt64 { get }
  /// Who is told when the control state moves; held weakly.
  var controlWatch: (any ControlWatching)? { get set }
  /// Calls `timeReached` once at this instant, or in the loop's next turn when it has passed, and
  /// at no other that was asked for before.
  func wakeControlWatch(at instant: Instant)
  /// Hands leadership over, when it is here: to the node named, or to whoever is best.
  func transferLeadership(to node: NodeID?)
  /// What the control plane says about itself.
  var controlStatus: ControlStatus { get }
}

/// Hears of what the control state did, on the loop thread, between requests.
package protocol ControlWatching: AnyObject {
  /// There are new events: ask for those that are wanted.
  func eventsAdded()
  /// The whole state was replaced: the history before it is gone.
  func restored()
  /// A lease that waited for a lock holds it, with that token, or waits no more.
  func lockWaitEnded(_ name: ControlName, _ lease: LeaseID, token: UInt64?)
  /// The instant that `wakeControlWatch` was asked for has come.
  func timeReached()
}

/// What the control plane says about itself.
package struct ControlStatus: Sendable {
  /// A member of the control log.
  package struct Voter: Sendable {
    /// The node.
    package var node: NodeID
    /// Which life of its control log.
    package var life: UInt64
    /// Whether it votes; otherwise it learns.
    package var isVoter: Bool
    /// How far its log is known to match this node's, which leads; `nil` elsewhere.
    package var match: UInt64?

    /// Describes a member.
    package init(node: NodeID, life: UInt64, isVoter: Bool, match: UInt64?) {
      self.node = node
      self.life = life
      self.isVoter = isVoter
      self.match = match
    }
  }

  /// `follower`, `preCandidate`, `candidate` or `leader`.
  package var role: String
  /// The term.
  package var term: UInt64
  /// The leader, as far as this node knows.
  package var leader: NodeID?
  /// The last entry that is committed.
  package var commit: UInt64
  /// The last entry that is applied.
  package var applied: UInt64
  /// The last entry of the log.
  package var lastIndex: UInt64
  /// The revision of the control state.
  package var revision: UInt64
  /// For how long this node has not known whether it is up to date, in milliseconds.
  package var staleMilliseconds: UInt64?
  /// The members of the log.
  package var members: [Voter]
  /// Whether voters are changing at present.
  package var isChanging: Bool
  /// `led`, `partitioned` or `settling`.
  package var coordination: String
  /// Who coordinates the nodes that this one reaches.
  package var coordinator: NodeID?
  /// How own bundles spread: `direct`, `gateways` or `relays`.
  package var dissemination: String
  /// Who lives, as this node sees it.
  package var view: [MemberView]

  /// A node as membership sees it.
  package struct MemberView: Sendable {
    /// The node.
    package var node: NodeID
    /// `alive`, `suspect`, `down`, `left` or `removed`.
    package var state: String
    /// What it is to be: `voter`, `learner`, `edge`; `nil` when it was removed.
    package var role: String?
    /// The number by which it objects to what is said of it.
    package var incarnation: UInt64
    /// Its region; empty when there is only one.
    package var region: String
    /// Its zone.
    package var zone: String
    /// How loaded it last said it is.
    package var load: UInt16
    /// For how long it has been so, in milliseconds.
    package var sinceMilliseconds: UInt64

    /// Describes a node.
    package init(
      node: NodeID, state: String, role: String?, incarnation: UInt64, region: String,
      zone: String, load: UInt16, sinceMilliseconds: UInt64
    ) {
      self.node = node
      self.state = state
      self.role = role
      self.incarnation = incarnation
      self.region = region
      self.zone = zone
      self.load = load
      self.sinceMilliseconds = sinceMilliseconds
    }
  }

  /// Describes a control plane.
  package init(
    role: String, term: UInt64, leader: NodeID?, commit: UInt64, applied: UInt64,
    lastIndex: UInt64, revision: UInt64, staleMilliseconds: UInt64?, members: [Voter],
    isChanging: Bool, coordination: String, coordinator: NodeID?, dissemination: String,
    view: [MemberView]
  ) {
    self.role = role
    self.term = term
    self.leader = leader
    self.commit = commit
    self.applied = applied
    self.lastIndex = lastIndex
    self.revision = revision
    self.staleMilliseconds = staleMilliseconds
    self.members = members
    self.isChanging = isChanging
    self.coordination = coordination
    self.coordinator = coordinator
    self.dissemination = dissemination
    self.view = view
  }
}
