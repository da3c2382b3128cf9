internal import AgentAPI
internal import ControlCore
internal import ControlStorage
internal import MembershipCore
internal import NodeCore
internal import RaftCore

/// The control plane's metrics.
extension NodeDriver {
  func writeControlMetrics(into text: inout MetricsText) {
    writeLogMetrics(into: &text)
    writeCommandMetrics(into: &text)
    writeStateMetrics(into: &text)
    writeControlStorageMetrics(into: &text)
    writeMembershipMetrics(into: &text)
    writeGossipMetrics(into: &text)
    writeCoordinatorMetrics(into: &text)
    text.family(
      "swarmoracle_members", .gauge, "Members as this node's membership sees them, by state.")
    for state in MemberState.allCases {
      let count = machine.control.membership.members.count { $0.state == state }
      text.sample(UInt64(count), [("state", "\(state)")])
    }
  }

  func write(
    _ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: UInt64,
    into text: inout MetricsText
  ) {
    text.family(name, kind, help)
    text.sample(value)
  }

  private func writeLogMetrics(into text: inout MetricsText) {
    let control = machine.control
    let raft = control.raft
    let plane = control.counters
    write(
      "swarmoracle_is_leader", .gauge, "Whether this node leads the control log: 1 or 0.",
      raft.isLeader ? 1 : 0, into: &text)
    write(
      "swarmoracle_leader_known", .gauge, "Whether this node knows a leader: 1 or 0.",
      control.leaderNode == nil ? 0 : 1, into: &text)
    write(
      "swarmoracle_control_term", .gauge, "The term of the control log.", raft.term, into: &text)
    write(
      "swarmoracle_control_commit_index", .gauge,
      "The last entry of the control log that is committed.", raft.commit, into: &text)
    write(
      "swarmoracle_control_applied_index", .gauge,
      "The last entry of the control log that is applied.", raft.applied, into: &text)
    write(
      "swarmoracle_control_revision", .gauge, "The revision of the control state.",
      control.state.revision, into: &text)
    write(
      "swarmoracle_control_entries_applied_total", .counter,
      "Entries of the control log that were applied.", plane.applied, into: &text)
    write(
      "swarmoracle_control_entries_malformed_total", .counter,
      "Committed entries that are no command.", plane.malformed, into: &text)
    write(
      "swarmoracle_control_reconfigurations_total", .counter,
      "Changes of members that this node began as leader.", plane.reconfigurations, into: &text)
    write(
      "swarmoracle_control_leases_expired_total", .counter,
      "Leases that this node let expire as leader.", plane.leasesExpired, into: &text)
    write(
      "swarmoracle_control_disk_handovers_total", .counter,
      "Times that this node, leading, handed over because its disk stood still.",
      plane.diskHandovers, into: &text)
    write(
      "swarmoracle_control_breaches_total", .counter,
      "Messages of members that break the rules of the control log.", counters.controlBreaches,
      into: &text)
  }

  private func writeCommandMetrics(into text: inout MetricsText) {
    let plane = machine.control.counters
    write(
      "swarmoracle_control_commands_submitted_total", .counter, "Commands submitted at this node.",
      plane.submitted, into: &text)
    write(
      "swarmoracle_control_commands_resent_total", .counter,
      "Commands sent again after their leader was lost or silent.", plane.resent, into: &text)
    write(
      "swarmoracle_control_commands_forwarded_total", .counter,
      "Commands that others forwarded to this node.", plane.forwarded, into: &text)
    write(
      "swarmoracle_control_forwards_refused_total", .counter,
      "Forwarded commands that were turned down.", plane.forwardsRefused, into: &text)
    write(
      "swarmoracle_control_commands_unknown_total", .counter,
      "Commands whose deadline passed with an unknown outcome.", plane.unknown, into: &text)
    write(
      "swarmoracle_control_requests_unavailable_total", .counter,
      "Commands and queries that no leader took in time.", plane.unavailable, into: &text)
    write(
      "swarmoracle_control_requests_overloaded_total", .counter,
      "Requests refused because too much was pending.", plane.overloaded, into: &text)
    write(
      "swarmoracle_control_sessions_reopened_total", .counter, "Sessions opened after the first.",
      plane.sessionsReopened, into: &text)
    write(
      "swarmoracle_control_messages_misdirected_total", .counter,
      "Messages meant for another life of this node, or before a greeting.", plane.misdirected,
      into: &text)
    write(
      "swarmoracle_control_frames_dropped_total", .counter,
      "Messages of the control plane for which a peer's channel had no room.",
      counters.consensusFramesDropped, into: &text)
    write(
      "swarmoracle_control_crash_hints_total", .counter,
      "Times that a peer's host said that nobody listens there.", counters.crashHints, into: &text)
  }

  private func writeStateMetrics(into text: inout MetricsText) {
    let counts = machine.control.state.counts
    write(
      "swarmoracle_control_keys", .gauge, "Keys.", UInt64(counts.keys), into: &text)
    write(
      "swarmoracle_control_store_bytes", .gauge, "Bytes of keys, values and names of locks.",
      UInt64(counts.storeBytes), into: &text)
    write(
      "swarmoracle_control_leases", .gauge, "Leases.", UInt64(counts.leases), into: &text)
    write(
      "swarmoracle_control_locks", .gauge, "Locks that are held.", UInt64(counts.locks), into: &text
    )
    write(
      "swarmoracle_control_waiters", .gauge, "Leases that wait for a lock, once per lock.",
      UInt64(counts.waiters), into: &text)
    write(
      "swarmoracle_control_sessions", .gauge, "Sessions of nodes that are remembered.",
      UInt64(counts.sessions), into: &text)
    write(
      "swarmoracle_control_history_events", .gauge, "Events that watches can go back to.",
      UInt64(counts.historyEvents), into: &text)
    write(
      "swarmoracle_control_history_bytes", .gauge, "Bytes of those events.",
      UInt64(counts.historyBytes), into: &text)
  }

  private func writeControlStorageMetrics(into text: inout MetricsText) {
    let disk = controlStorage.statistics
    write(
      "swarmoracle_control_storage_queued_steps", .gauge,
      "Steps of the control plane that wait for the disk.", UInt64(disk.queuedSteps), into: &text)
    write(
      "swarmoracle_control_storage_queued_bytes", .gauge, "Bytes of those steps.",
      UInt64(disk.queuedBytes), into: &text)
    write(
      "swarmoracle_control_storage_refusals_total", .counter,
      "Steps refused because too much waited; they are handed over again.", disk.refusals,
      into: &text)
    write(
      "swarmoracle_control_storage_groups_total", .counter, "Groups of steps written.", disk.groups,
      into: &text)
    write(
      "swarmoracle_control_storage_steps_total", .counter, "Steps made durable.", disk.steps,
      into: &text)
    write(
      "swarmoracle_control_storage_syncs_total", .counter, "Times the disk was waited for.",
      disk.syncs, into: &text)
    write(
      "swarmoracle_control_storage_sync_nanoseconds_total", .counter,
      "How long all of that took together.", disk.syncNanoseconds, into: &text)
    write(
      "swarmoracle_control_storage_sync_longest_nanoseconds", .gauge,
      "How long the longest wait for the disk took.", disk.longestSyncNanoseconds, into: &text)
    write(
      "swarmoracle_control_storage_log_bytes", .gauge, "Bytes of the control log on disk.",
      UInt64(disk.logBytes), into: &text)
    write(
      "swarmoracle_control_storage_segments", .gauge, "Segments of the control log.",
      UInt64(disk.segments), into: &text)
    write(
      "swarmoracle_control_storage_snapshot_bytes", .gauge, "Bytes of the stored snapshot.",
      UInt64(disk.snapshotBytes), into: &text)
  }
}
