internal import ControlCore
internal import CoordinatorCore
internal import CoreKit
internal import GossipCore
internal import LedgerCore
internal import MembershipCore
internal import Primitives
internal import RaftCore
internal import Records

/// Where lanes and control plane meet: members, voters, and the ways that bundles take.
extension NodeMachine {
  /// Everybody whose lanes are accepted: founders and announced members; removed ones keep what
  /// they wrote.
  mutating func updateMembers(at now: Moment, into effects: inout ControlPlaneEffects) {
    let own = configuration.control.node
    var known = SortedMap<NodeID, KnownMember>()
    for founder in configuration.control.founders {
      known[founder] = KnownMember(node: founder, attributes: .unknown)
    }
    for member in tables.members {
      let attributes = MemberAttributes(
        address: member.transportAddress, apiAddress: member.apiAddress, region: "", zone: "",
        role: member.role == .voter ? .voter : .learner, protocolVersion: 0)
      known[member.node] = KnownMember(node: member.node, attributes: attributes ?? .unknown)
    }
    known[own] = KnownMember(node: own, attributes: configuration.control.attributes)
    gossip.setMembers(known.entries.map(\.key))
    control.setKnown(known.entries.map(\.value), at: now, into: &effects)
  }

  /// Counts quorums over the voters of the control log: over both halves while they change, so that
  /// every quorum shares a node with every quorum before and after.
  mutating func updateVoters() {
    let current = control.raft.configuration
    let halves = [current.voters, current.outgoing].filter { !$0.isEmpty }
    voterSets = halves.map { half in half.compactMap { control.node(of: $0) } }
    if voterSets.isEmpty { voterSets = [configuration.control.founders] }
    waitersDue = true
  }

  /// Tells the coordinator about once a second how much this node has to say, from which follows
  /// whether relays are needed, and the other members how many writes it takes.
  mutating func tellDemand(at now: Moment) {
    guard let since = demandToldAt else {
      demandToldAt = now.instant
      return
    }
    let span = now.instant.since(since)
    guard span >= .seconds(1) else { return }
    let milliseconds = span.nanoseconds / 1_000_000
    control.noteDemand(bytesPerSecond: bytesMade * 1_000 / milliseconds, at: now)
    let taken = operationsWritten + control.counters.submitted
    control.noteLoad((taken - takenBefore) * 1_000 / milliseconds, at: now)
    takenBefore = taken
    bytesMade = 0
    demandToldAt = now.instant
  }

  /// Takes what the control plane says that concerns lanes.
  mutating func takeControl(at now: Moment, into effects: inout NodeEffects) {
    if control.hasMembersChanged {
      control.hasMembersChanged = false
      updateVoters()
      effects.notices.append(.membersChanged)
    }
    switch effects.control.comparePeer {
    case .node(let node): gossip.setComparePeer(node)
    case .anyone: gossip.setComparePeer(nil)
    case nil: break
    }
    if let routes = effects.control.routes { gossip.setRoutes(routes) }
    effects.control.comparePeer = nil
    effects.control.routes = nil
  }
}

extension MemberAttributes {
  /// What is known of a member that has not spoken for itself.
  static var unknown: MemberAttributes {
    guard
      let attributes = MemberAttributes(
        address: "", apiAddress: "", region: "", zone: "", role: .learner, protocolVersion: 0)
    else { preconditionFailure("empty texts exceed a limit") }
    return attributes
  }
}
