internal import ControlCore
package import CoreKit
internal import Primitives
internal import RaftCore
internal import Records

/// A query of this node that is not yet answered.
struct PendingRead: Sendable {
  /// What it waits for.
  enum Wait: Hashable, Sendable {
    /// The log's word how far this node must have applied.
    case index
    /// A leader, or the time to ask again.
    case leader(again: Instant)
    /// That the state reaches a revision.
    case revision(UInt64)
  }

  let request: ControlRequestID
  let query: ControlQuery
  let deadline: Instant
  var wait: Wait
}

extension ControlPlane {
  mutating func read(
    _ request: ControlRequestID, _ query: ControlQuery, _ level: ControlReadLevel,
    deadline: Instant, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    switch level {
    case .local:
      reply(to: request, query, isFresh: false, at: now, into: &effects)
      return
    case .after(let revision) where state.revision >= revision:
      reply(to: request, query, isFresh: false, at: now, into: &effects)
      return
    case .after, .linearizable: break
    }
    guard reads.count < configuration.readsMax else {
      counters.overloaded += 1
      effects.replies.append((request, .overloaded))
      return
    }
    let ticket = nextTicket
    nextTicket += 1
    var pending = PendingRead(request: request, query: query, deadline: deadline, wait: .index)
    if case .after(let revision) = level { pending.wait = .revision(revision) }
    reads[ticket] = pending
    noteRead(due: deadline)
    if case .linearizable = level {
      raft.handle(
        .read(ticket: Ticket.read(ticket).value), at: now, into: &raftEffects)
    }
  }

  private mutating func noteRead(due: Instant) {
    readsDue = min(readsDue ?? due, due)
  }

  private func reply(
    to request: ControlRequestID, _ query: ControlQuery, isFresh: Bool, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    let freshness = ControlFreshness(
      staleMilliseconds: isFresh ? 0 : staleMilliseconds(at: now), index: raft.applied,
      leader: leaderNode)
    effects.replies.append((request, .answer(state.answer(query), freshness)))
  }

  /// For how long this node has not known whether it is up to date; `nil` when it never was.
  package func staleMilliseconds(at now: Moment) -> UInt64? {
    freshAt.map { now.instant.since($0).nanoseconds / 1_000_000 }
  }

  /// The log's answer to a ticket of a read.
  mutating func take(
    _ outcome: RaftOutcome, ofRead ticket: UInt64, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    guard let read = reads[ticket], read.wait == .index else { return }
    switch outcome {
    case .readable(let index):
      precondition(raft.applied >= index, "C3: a read at \(index) before it is applied")
      reads[ticket] = nil
      reply(to: read.request, read.query, isFresh: true, at: now, into: &effects)
    case .readFailed, .refused, .dropped, .busy:
      let again = now.instant + .milliseconds(25)
      reads[ticket]?.wait = .leader(again: again)
      noteRead(due: again)
    case .placed: preconditionFailure("a read was answered as a command")
    }
  }

  /// Lets reads that wait for a leader ask again at once.
  mutating func retryReads(at now: Moment) {
    for entry in reads.entries {
      guard case .leader = entry.value.wait else { continue }
      reads[entry.key]?.wait = .index
      raft.handle(
        .read(ticket: Ticket.read(entry.key).value), at: now, into: &raftEffects)
    }
  }

  /// Answers reads that waited for a revision that is there now.
  mutating func releaseReads(at now: Moment, into effects: inout ControlPlaneEffects) {
    for entry in reads.entries {
      guard case .revision(let revision) = entry.value.wait, state.revision >= revision else {
        continue
      }
      reads[entry.key] = nil
      reply(to: entry.value.request, entry.value.query, isFresh: false, at: now, into: &effects)
    }
  }

  /// Ends reads whose time is over, and asks again for those that had no leader.
  mutating func expireReads(at now: Moment, into effects: inout ControlPlaneEffects) {
    guard let due = readsDue, due <= now.instant else { return }
    readsDue = nil
    for entry in reads.entries {
      if entry.value.deadline <= now.instant {
        reads[entry.key] = nil
        counters.unavailable += 1
        effects.replies.append((entry.value.request, .unavailable(leader: leaderNode)))
        continue
      }
      noteRead(due: entry.value.deadline)
      guard case .leader(let again) = entry.value.wait else { continue }
      if again <= now.instant {
        reads[entry.key]?.wait = .index
        raft.handle(
          .read(ticket: Ticket.read(entry.key).value), at: now, into: &raftEffects)
      } else {
        noteRead(due: again)
      }
    }
  }
}
