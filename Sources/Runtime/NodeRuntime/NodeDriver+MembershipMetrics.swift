internal import AgentAPI
internal import CoordinatorCore
internal import MembershipCore
internal import NodeCore

/// Metrics of membership and coordination.
extension NodeDriver {
  func writeMembershipMetrics(into text: inout MetricsText) {
    let swim = machine.control.membership.counters
    write(
      "swarmoracle_membership_probes_total", .counter, "Members asked whether they are alive.",
      swim.probes, into: &text)
    write(
      "swarmoracle_membership_probes_failed_total", .counter, "Probes without any answer.",
      swim.probesFailed, into: &text)
    write(
      "swarmoracle_membership_probes_rescued_total", .counter,
      "Probes that only others' help or the reliable channel answered.", swim.probesRescued,
      into: &text)
    write(
      "swarmoracle_membership_suspicions_total", .counter,
      "Suspicions that began here, own and heard of.", swim.suspicions, into: &text)
    write(
      "swarmoracle_membership_suspicions_refuted_total", .counter,
      "Suspicions that ended because the member objected.", swim.suspicionsRefuted, into: &text)
    write(
      "swarmoracle_membership_suspicions_held_total", .counter,
      "Suspicions that began anew because the member was heard meanwhile.", swim.suspicionsHeld,
      into: &text)
    write(
      "swarmoracle_membership_downs_total", .counter, "Members that this node itself found down.",
      swim.downs, into: &text)
    write(
      "swarmoracle_membership_refutations_total", .counter,
      "Times this node objected to what was said of it.", swim.refutations, into: &text)
    write(
      "swarmoracle_membership_stalls_total", .counter,
      "Times the node woke up so late that it forgave everybody.", swim.stalls, into: &text)
    write(
      "swarmoracle_membership_exchanges_total", .counter, "Whole states sent.", swim.exchanges,
      into: &text)
  }

  func writeGossipMetrics(into text: inout MetricsText) {
    let swim = machine.control.membership.counters
    write(
      "swarmoracle_membership_strangers_total", .counter,
      "Messages of nodes that are no members, and updates about such.", swim.strangers, into: &text)
    write(
      "swarmoracle_membership_updates_stale_total", .counter, "Updates that said nothing new.",
      swim.stale, into: &text)
    write(
      "swarmoracle_membership_updates_implausible_total", .counter,
      "Updates whose incarnation is too far ahead to be believed from hearsay.", swim.implausible,
      into: &text)
    write(
      "swarmoracle_membership_misdirected_total", .counter,
      "Messages that were meant for another node.", swim.misdirected, into: &text)
    write(
      "swarmoracle_membership_unasked_total", .counter, "Answers to no question of this node.",
      swim.unasked, into: &text)
    write(
      "swarmoracle_membership_overflows_total", .counter,
      "Times a bound of membership was reached.", swim.overflows, into: &text)
    write(
      "swarmoracle_membership_datagrams_total", .counter, "Datagrams sent.", swim.datagrams,
      into: &text)
    write(
      "swarmoracle_membership_reliables_total", .counter, "Messages sent on the reliable channel.",
      swim.reliables, into: &text)
  }

  func writeCoordinatorMetrics(into text: inout MetricsText) {
    let coordinator = machine.control.coordinator.counters
    write(
      "swarmoracle_coordinator_tenures_total", .counter, "Times this node began to coordinate.",
      coordinator.tenures, into: &text)
    write(
      "swarmoracle_coordinator_rounds_total", .counter, "Rounds of pairs that this node made.",
      coordinator.rounds, into: &text)
    write(
      "swarmoracle_coordinator_assignments_followed_total", .counter,
      "Assignments that were followed.", coordinator.assignmentsFollowed, into: &text)
    write(
      "swarmoracle_coordinator_assignments_ignored_total", .counter,
      "Assignments of somebody who does not coordinate, or that name nobody.",
      coordinator.assignmentsIgnored, into: &text)
    write(
      "swarmoracle_coordinator_yields_total", .counter,
      "Times this node gave way to a greater coordinator.", coordinator.yields, into: &text)
    write(
      "swarmoracle_coordinator_mode_changes_total", .counter,
      "Changes of the way in which own bundles spread.", coordinator.modeChanges, into: &text)
  }
}
