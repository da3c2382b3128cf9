internal import GossipCore
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records

/// Whether all nodes hold the same, once everything is well again.
extension World {
  func checkConvergence() {
    let difference = findDifference()
    guard let difference else {
      convergedAt = now
      note { "all nodes hold the same" }
      return
    }
    let limit = Instant.origin + scenario.duration + scenario.convergence
    if now >= limit {
      report(.convergence, difference.node, difference.text)
    } else {
      queue.add(.check, at: min(limit, now + .milliseconds(10)))
    }
  }

  /// The first difference between the nodes, if there is one.
  private func findDifference() -> (node: Int?, text: String)? {
    var reference: Frontier?
    for node in nodes {
      guard
        let (frontier, synced) = node.withMachine({ ($0.gossip.frontier, $0.gossip.syncedFrontier) }
        )
      else { return (node.index, "the node is not running") }
      let applied = withoutLiars(frontier)
      if withoutLiars(synced) != applied {
        return (node.index, "not all that is applied is durable")
      }
      if let reference, reference != applied {
        return (node.index, describe(applied, against: reference))
      }
      reference = reference ?? applied
      if liars.isEmpty, rowsDigest(of: nodes[0]) != rowsDigest(of: node) {
        return (node.index, "the frontiers are equal and the rows are not")
      }
      for liar in liars.keys.sorted() where !isFrozen(nodes[liar].lane, at: node) {
        return (node.index, "the node has no proof against node \(liar + 1)")
      }
    }
    let count = ledger.open.count
    if count > 0 { return (nil, "\(count) writes are not reported") }
    return findFinalityDifference() ?? findControlDifference()
  }

  private func rowsDigest(of node: SimulatedNode) -> Digest? {
    node.withMachine { $0.tables.rowsDigest }
  }

  private func isFrozen(_ lane: LaneID, at node: SimulatedNode) -> Bool {
    guard case .equivocation = node.withMachine({ $0.gossip.fault(of: lane) }) ?? nil else {
      return false
    }
    return true
  }

  /// A frontier without the lanes of nodes that lied: no two nodes need agree on those.
  private func withoutLiars(_ frontier: Frontier) -> Frontier {
    var rest = Frontier()
    for entry in frontier.entries {
      if let author = ledger.authors[entry.lane], liars[author] != nil { continue }
      rest[entry.lane] = entry.number
    }
    return rest
  }

  private func describe(_ frontier: Frontier, against reference: Frontier) -> String {
    for lane in ledger.authors.sorted(by: { $0.value < $1.value }).map(\.key)
    where frontier[lane] != reference[lane] {
      let author = (ledger.authors[lane] ?? 0) + 1
      return "the node holds \(frontier[lane]) bundles of node \(author)'s lane, node 1 holds "
        + "\(reference[lane])"
    }
    return "the frontiers differ in a foreign lane"
  }
}
