internal import CoordinatorCore
internal import Crypto
internal import Primitives
internal import Records

/// Relays, when the scenario uses them.
extension World {
  /// Plans every node's tree over all nodes: as each would with an egress budget of nothing.
  func makeRoutes() {
    let members = nodes.map { CoordinatorMember(node: $0.id) }.sorted { $0.node < $1.node }
    let plans = members.map {
      DisseminationPlan.make(origin: $0.node, members: members, mode: .relays)
    }
    routes = nodes.map { node in
      var routes = RelayRoutes.direct
      for plan in plans {
        if plan.origin == node.id {
          routes.own = plan.branches
        } else {
          routes.duties[plan.origin] = plan.duty(of: node.id)
        }
      }
      return routes
    }
  }

  /// Notes after how many hops of pushes a bundle comes to a node for the first time.
  func countHop(_ bytes: [UInt8], from: Int, to: Int) {
    guard scenario.usesRelays, let bundle = door.bundle(bytes, unsignedFrom: []) else { return }
    var hops = ledger.hops[bundle.value.digest] ?? Array(repeating: 0, count: nodes.count)
    if hops[to] == 0, to != ledger.authors[bundle.value.header.lane] {
      hops[to] = hops[from] + 1
      ledger.spread.hopsMax = max(ledger.spread.hopsMax, hops[to])
    }
    ledger.hops[bundle.value.digest] = hops
  }
}
