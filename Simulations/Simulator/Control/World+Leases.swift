internal import ControlCore
internal import CoreKit
internal import Histories
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

/// Leases and watches, as their clients see them.
extension World {
  /// What a client learns of its lease, beside what the history tells.
  func noteLease(_ reply: ControlReply, _ open: CommandClients.Open, _ client: Int) {
    guard commands.clients[client].purpose == .locker, case .result(let result) = reply else {
      return
    }
    switch result.outcome {
    case .leaseGranted(let lease, let ttl):
      commands.clients[client].lease = lease
      promise(lease, renewals: 0, ttl, from: open.calledAt)
    case .leaseRenewed(let lease, let ttl, let renewals):
      promise(lease, renewals: renewals, ttl, from: open.calledAt)
    case .refused(.leaseUnknown):
      commands.clients[client].lease = nil
      commands.clients[client].hold = nil
    case .put, .deleted, .leaseEnded, .lockHeld, .lockQueued, .lockReleased, .waitCancelled,
      .memberChanged, .settingChanged, .unchanged, .refused:
      break
    }
  }

  /// The lease lasts at least its time from the call on, if it is not renewed.
  private func promise(
    _ lease: LeaseID, renewals: UInt64, _ milliseconds: UInt32, from call: Instant
  ) {
    let period = ControlBook.LeasePeriod(lease: lease, renewals: renewals)
    control.leasesUntil[period] = call + .milliseconds(UInt64(milliseconds))
  }

  /// Leases last: one is not ended for its time before that is over.
  func checkLease(_ entry: RaftEntry, at index: Int) {
    guard scenario.commands.lockers > 0, entry.kind == .command else { return }
    let command: ControlCommand
    do throws(WireError) {
      command = try ControlCommand(decoding: entry.payload)
    } catch {
      report(.stateMachineSafety, index, "entry \(entry.index) is no command: \(error)")
      return
    }
    guard case .expireLease(let lease, let renewals) = command.operation else { return }
    probes[.leaseExpired] += 1
    let period = ControlBook.LeasePeriod(lease: lease, renewals: renewals)
    if let until = control.leasesUntil[period], now < until {
      let early = until.since(now).nanoseconds / 1_000_000
      report(.leasesLast, index, "lease \(lease) is ended \(early) ms before its time")
    }
  }

  /// A client reads what changed since it last looked, from whatever node it comes to.
  func watch(_ client: Int, after: UInt64, at node: Int) {
    let filter = ControlFilter(keyPrefixes: [Array(CommandClients.prefix.utf8)])
    guard
      let (answer, revision) = nodes[node].withMachine({
        ($0.control.state.events(after: after, matching: filter), $0.control.state.revision)
      })
    else { return }
    switch answer {
    case .compacted: commands.clients[client].watched = max(after, revision)
    case .events(let events, let through):
      let record = HistoryRecord(
        client: UInt64(client), key: CommandClients.prefix, operation: .watch(after: after),
        result: .observed(through: through, events: events.compactMap(World.watchEvent)),
        call: now.nanoseconds, answered: now.nanoseconds)
      guard commands.history.append(record) else { return }
      commands.clients[client].watched = through
      if !events.isEmpty { probes[.changesWatched] += 1 }
    }
  }

  private static func watchEvent(_ record: ControlEventRecord) -> WatchEvent? {
    switch record.event {
    case .put(let key, let value, _, _):
      WatchEvent(
        revision: record.revision, key: String(decoding: key.bytes, as: UTF8.self),
        value: String(decoding: value, as: UTF8.self))
    case .deleted(let key, _):
      WatchEvent(
        revision: record.revision, key: String(decoding: key.bytes, as: UTF8.self), value: nil)
    case .leaseGone, .lockGranted, .lockReleased: nil
    }
  }
}
