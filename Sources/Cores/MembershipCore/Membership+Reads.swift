package import Primitives
package import Records

/// What the owner reads.
extension Membership {
  /// Every member, this node and removed ones included, in ascending order of node.
  package var members: [Member] {
    var members = entries.map(Membership.member)
    let place = position(of: node)
    members.insert(own, at: place)
    return members
  }

  /// This node; down until its first incarnation is durable.
  package var own: Member {
    let state: MemberState = hasLeft ? .left : incarnation > 0 ? .alive : .down
    return Member(
      node: node, state: state, incarnation: incarnation, attributes: attributes, load: load,
      since: since, isConnected: true, roundTrip: .zero)
  }

  /// One member; `nil` when it is not listed.
  package func member(_ wanted: NodeID) -> Member? {
    if wanted == node { return own }
    return index(of: wanted).map { Membership.member(entries[$0]) }
  }

  private static func member(_ entry: MemberEntry) -> Member {
    Member(
      node: entry.node, state: entry.state, incarnation: entry.incarnation,
      attributes: entry.attributes, load: entry.load, since: entry.since,
      isConnected: entry.isConnected, roundTrip: entry.roundTrip.smoothed)
  }

  /// Who takes part, this node included, in ascending order: alive or only suspected.
  package var present: [NodeID] {
    var nodes = entries.filter(\.state.isPresent).map(\.node)
    if isSpeaking { nodes.insert(node, at: nodes.firstIndex { $0 > node } ?? nodes.count) }
    return nodes
  }

  /// How many members are in a state, this node included.
  package func count(_ state: MemberState) -> Int {
    entries.count { $0.state == state } + (own.state == state ? 1 : 0)
  }

  /// A number that is the same on all nodes whose `present` is, and hardly ever otherwise.
  package var viewHash: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    // A hash is meant to wrap.
    func mix(_ word: UInt64) {
      hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
    }
    for node in present {
      mix(node.key.words.0)
      mix(node.key.words.1)
      mix(node.key.words.2)
      mix(node.key.words.3)
    }
    return hash
  }

  /// How much this node doubts itself, from 1, which is not at all, to `limits.healthMax`.
  package var health: Int { healthScore + 1 }

  /// How often one member is probed now, health included.
  package var probePeriod: TimeSpan { period * healthFactor }

  /// Updates that are still being spread.
  package var queuedUpdates: Int { queue.count }

  /// The first numbered invariant that does not hold; for the simulator, after every step.
  package var brokenInvariant: String? {
    if incarnation > durableIncarnation { return "M1: \(incarnation) of \(durableIncarnation)" }
    // By index: a copy of every member would cost more than the checks.
    var presentCount = 0
    for index in entries.indices {
      if let broken = brokenInvariant(ofEntry: index) { return broken }
      if entries[index].state.isPresent { presentCount += 1 }
      if index > 0, entries[index - 1].node >= entries[index].node {
        return "M7: \(entries[index].node.key.short) is out of order"
      }
    }
    if order.count != presentCount { return "M6: a round of \(order.count)" }
    for place in order.indices {
      guard let index = index(of: order[place]), entries[index].state.isPresent else {
        return "M6: \(order[place].key.short) has a place in the round"
      }
      for earlier in 0..<place where order[earlier] == order[place] {
        return "M6: \(order[place].key.short) has two places in the round"
      }
    }
    if orderPosition > order.count { return "M6: place \(orderPosition) of \(order.count)" }
    if queue.count > limits.queueMax || relays.count > limits.relaysMax {
      return "M7: \(queue.count) updates, \(relays.count) relays"
    }
    if connections.count > limits.connectionsMax { return "M7: \(connections.count) connections" }
    return nil
  }

  private func brokenInvariant(ofEntry index: Int) -> String? {
    if (entries[index].suspicion != nil) != (entries[index].state == .suspect) {
      return "M5: \(entries[index].node.key.short) is \(entries[index].state)"
    }
    if let count = entries[index].suspicion?.accusers.count,
      count == 0 || count > limits.confirmationsMax + 1
    {
      return "M5: \(entries[index].node.key.short) has \(count) accusers"
    }
    if entries[index].attributesIncarnation > entries[index].incarnation {
      return "M2: \(entries[index].node.key.short) has attributes of a later incarnation"
    }
    return nil
  }
}
