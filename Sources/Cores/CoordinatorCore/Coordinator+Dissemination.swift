internal import Primitives
internal import Records

extension Coordinator {
  /// The mode that needs no relays.
  private var plainMode: DisseminationMode {
    DisseminationPlan.hasRegions(members) ? .gateways : .direct
  }

  /// Whether the first hops of a mode take more than this part of the budget, in quarters.
  private func exceeds(_ mode: DisseminationMode, quarters: UInt64) -> Bool {
    let plan = DisseminationPlan.make(origin: node, members: members, mode: mode)
    let needed = demand.multipliedReportingOverflow(by: UInt64(plan.branches.count))
    let budget = settings.egressBytesPerSecond
    return needed.overflow || needed.partialValue > budget - budget / 4 * (4 - quarters)
  }

  /// Chooses how own bundles spread: relays at once when the budget is exceeded, and none again
  /// when the demand has been well below it for a while.
  mutating func chooseMode(at now: Instant, into effects: inout CoordinatorEffects) {
    let plain = plainMode
    guard mode == .relays else {
      calmSince = nil
      change(to: exceeds(plain, quarters: 4) ? .relays : plain, at: now, into: &effects)
      return
    }
    guard !exceeds(plain, quarters: 3) else {
      calmSince = nil
      return
    }
    let since = calmSince ?? now
    calmSince = since
    if since + settings.calmPeriod <= now {
      calmSince = nil
      change(to: plain, at: now, into: &effects)
    }
  }

  private mutating func change(
    to other: DisseminationMode, at now: Instant, into effects: inout CoordinatorEffects
  ) {
    guard mode != other else { return }
    mode = other
    counters.modeChanges += 1
    refreshAt = other == .direct ? nil : now + settings.refreshPeriod
    effects.notices.append(.mode(other))
    announceMode(to: members.map(\.node), into: &effects)
    reroute(into: &effects)
  }

  func announceMode(to nodes: [NodeID], into effects: inout CoordinatorEffects) {
    for other in nodes where other != node {
      effects.sends.append(.init(to: other, message: .dissemination(mode)))
    }
  }

  /// Takes note of how a member's bundles spread.
  mutating func note(
    _ mode: DisseminationMode, of origin: NodeID, at now: Instant,
    into effects: inout CoordinatorEffects
  ) {
    guard origin != node, isAlive(origin) else { return }
    let known = announced[origin]?.mode ?? .direct
    announced[origin] = mode == .direct ? nil : (mode, now + settings.modeSpan)
    if known != mode { reroute(into: &effects) }
  }

  /// The routes that follow from members and modes (K3).
  func makeRoutes() -> RelayRoutes {
    var routes = RelayRoutes.direct
    if mode != .direct {
      routes.own = DisseminationPlan.make(origin: node, members: members, mode: mode).branches
    }
    for entry in announced.entries {
      let plan = DisseminationPlan.make(
        origin: entry.key, members: members, mode: entry.value.mode)
      routes.duties[entry.key] = plan.duty(of: node)
    }
    return routes
  }

  /// Brings the routes up to date.
  mutating func reroute(into effects: inout CoordinatorEffects) {
    let made = makeRoutes()
    guard made != routes else { return }
    routes = made
    effects.routes = made
  }
}
