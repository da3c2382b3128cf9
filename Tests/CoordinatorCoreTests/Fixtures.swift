import CoordinatorCore
import CoreKit
import Primitives
import Records

/// A moment so many milliseconds after the start.
func moment(_ milliseconds: UInt64) -> Moment {
  Moment(instant: instant(milliseconds), wallMilliseconds: 1_700_000_000_000 + milliseconds)
}

/// An instant so many milliseconds after the start.
func instant(_ milliseconds: UInt64) -> Instant { .origin + .milliseconds(milliseconds) }

/// Nodes with keys by chance, in ascending order.
func someNodes(_ count: Int, seed: UInt64) -> [NodeID] {
  var random = Xoshiro256(seed: seed, purpose: "nodes")
  return (0..<count).map { _ in
    NodeID(key: Digest(words: random.next(), random.next(), random.next(), random.next()))
  }.sorted()
}

/// Members without regions.
func someMembers(_ count: Int, seed: UInt64) -> [CoordinatorMember] {
  someNodes(count, seed: seed).map { CoordinatorMember(node: $0) }
}

/// A coordinator, what it asked for, and what it was given.
struct Rig {
  var core: Coordinator
  var effects = CoordinatorEffects()

  init(_ node: NodeID) {
    core = Coordinator(node: node, at: moment(0))
  }

  /// Gives an event; what was asked for before is forgotten.
  mutating func give(_ event: CoordinatorEvent, at milliseconds: UInt64) {
    effects.removeAll()
    core.handle(event, at: moment(milliseconds), into: &effects)
  }

  mutating func see(_ members: [CoordinatorMember], at milliseconds: UInt64) {
    give(.members(members, stableSince: instant(milliseconds)), at: milliseconds)
  }

  mutating func follow(_ leader: NodeID?, hasQuorum: Bool, at milliseconds: UInt64) {
    give(
      .leader(
        CoordinatorLeader(node: leader, isQuorumAlive: hasQuorum, term: 7, commitIndex: 70)),
      at: milliseconds)
  }

  /// The partners named in assignments, by receiver.
  var assignments: [NodeID: CoordinatorMessage.Assignment] {
    var found: [NodeID: CoordinatorMessage.Assignment] = [:]
    for send in effects.sends {
      if case .assignment(let assignment) = send.message { found[send.to] = assignment }
    }
    return found
  }

  /// To whom which mode was announced.
  var announcements: [NodeID: DisseminationMode] {
    var found: [NodeID: DisseminationMode] = [:]
    for send in effects.sends {
      if case .dissemination(let mode) = send.message { found[send.to] = mode }
    }
    return found
  }
}
