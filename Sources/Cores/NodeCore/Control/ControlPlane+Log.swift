internal import ControlCore
internal import CoreKit
internal import MembershipCore
internal import Primitives
internal import RaftCore
internal import Records
internal import Wire

extension ControlPlane {
  /// Carries out what the control log asked for, until it asks for nothing more.
  ///
  /// Doing so can make the log ask for more (a command that is placed, a read that asks again);
  /// each round takes what the last one left.
  mutating func takeRaft(at now: Moment, into effects: inout ControlPlaneEffects) {
    while !raftEffects.isEmpty {
      var taken = RaftEffects()
      swap(&taken, &spareRaftEffects)
      swap(&taken, &raftEffects)
      restore(taken.restored, at: now, into: &effects)
      for entry in taken.committed { apply(entry, at: now, into: &effects) }
      if !taken.committed.isEmpty || taken.restored != nil {
        releaseReads(at: now, into: &effects)
      }
      if let wanted = taken.snapshotWanted {
        effects.snapshotWanted = .init(index: wanted.index, state: state)
      }
      for send in taken.sends { self.send(send, into: &effects) }
      if let write = taken.write { addStep(write, into: &effects) }
      for notice in taken.notices { hear(notice, at: now, into: &effects) }
      for answer in taken.answers { self.answer(answer, at: now, into: &effects) }
      taken.removeAll()
      swap(&taken, &spareRaftEffects)
      noteFreshness(at: now)
      followLeader(at: now, into: &effects)
    }
  }

  private mutating func answer(
    _ answer: RaftEffects.Answer, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    switch Ticket(answer.ticket) {
    case .command(let sequence):
      take(answer.outcome, ofCommand: sequence, at: now, into: &effects)
    case .foreign(let number): answerForeign(number, answer.outcome, into: &effects)
    case .read(let number): take(answer.outcome, ofRead: number, at: now, into: &effects)
    case .reconfiguration: isReconfiguring = false
    }
  }

  private mutating func restore(
    _ snapshot: RaftSnapshot?, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    guard let snapshot else { return }
    do throws(WireError) {
      state = try ControlState(
        snapshot: snapshot.bytes, through: snapshot.head.index, founders: configuration.founders)
    } catch {
      effects.notices.append(
        .unusable("the snapshot at \(snapshot.head.index) cannot be read: \(error)"))
      return
    }
    effects.notices.append(.restored(revision: state.revision))
    followRemovals(at: now, into: &effects)
    hasMembersChanged = true
    isViewStale = true
    // What was pending may be part of the snapshot: sending it again finds out. Until then it
    // counts as sent twice, so that it is not taken for new should the session be forgotten by now.
    for entry in pending.entries where entry.value.sends > 0 {
      pending[entry.key]?.sends += 1
      pending[entry.key]?.resendAt = .origin
      commandsDue = .origin
    }
  }

  private mutating func apply(
    _ entry: RaftEntry, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    counters.applied += 1
    if configuration.showsApplied { effects.applied.append(entry) }
    guard entry.kind == .command else { return }
    let command: ControlCommand
    do throws(WireError) {
      command = try ControlCommand(decoding: entry.payload)
    } catch {
      // Every member decodes the same bytes alike, so every member skips it.
      counters.malformed += 1
      return
    }
    let result = state.apply(command, index: entry.index, into: &stateNotices)
    for notice in stateNotices { hear(notice, at: now, into: &effects) }
    stateNotices.removeAll(keepingCapacity: true)
    settle(command, result, at: now, into: &effects)
  }

  private mutating func hear(
    _ notice: ControlNotice, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    switch notice {
    case .eventsAdded(let revision):
      effects.notices.append(.eventsAdded(revision: revision))
    case .lockGranted(let name, let lease, let token):
      effects.notices.append(.lockWaitEnded(name: name, lease: lease, token: token))
    case .waitEnded(let name, let lease):
      effects.notices.append(.lockWaitEnded(name: name, lease: lease, token: nil))
    case .leaseArmed(let lease, let ttl, let renewals):
      guard raft.role == .leader else { return }
      leases.arm(lease, renewals: renewals, at: now.instant + .milliseconds(UInt64(ttl)))
    case .leaseGone(let lease):
      leases.disarm(lease)
    case .memberChanged(let member):
      follow(member, at: now)
      admitKnown(at: now)
      dropRemoved(into: &effects)
      hasMembersChanged = true
      isViewStale = true
      planReconciliation(at: now, after: .zero)
    case .sessionForgotten: break
    case .settingChanged:
      isViewStale = true
      planReconciliation(at: now, after: .zero)
    }
  }

  private mutating func hear(
    _ notice: RaftNotice, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    switch notice {
    case .role(let role, _):
      if role == .leader { beginTerm(at: now) } else { endTerm() }
    case .leader: isViewStale = true
    case .configuration:
      isViewStale = true
      hasMembersChanged = true
    case .configurationCommitted:
      dropRemoved(into: &effects)
      planReconciliation(at: now, after: .zero)
    case .breach, .leaderForgotten, .quorumLost, .snapshotInstalled, .snapshotOffered, .stalled,
      .transferAborted, .transferred:
      break
    }
    effects.notices.append(.raft(notice))
  }

  /// Notes whether everything that is known as committed is applied.
  private mutating func noteFreshness(at now: Moment) {
    let isCurrent =
      raft.isLeader
      ? raft.isTermEstablished
      : leaderHeardAt == now.instant && raft.applied >= raft.leaderCommit
        // A new leader learns what was committed before it with the first entry of its own term.
        && raft.entryTerm(at: raft.leaderCommit) == raft.term
    if isCurrent { freshAt = now.instant }
  }

  // MARK: Steps

  /// Adds a write of the log to the turn's step.
  private mutating func addStep(_ write: RaftWrite, into effects: inout ControlPlaneEffects) {
    precondition(effects.write == nil, "C4: a step is made before the last one was taken")
    var step = ControlWrite(sequence: nextStep)
    write.fill(&step)
    step.incarnation = incarnationWanted
    hand(step, raft: write.sequence, into: &effects)
  }

  /// Hands out a step for an incarnation alone, when no write of the log took it along.
  mutating func flushIncarnation(into effects: inout ControlPlaneEffects) {
    guard let incarnationWanted, effects.write == nil else { return }
    var step = ControlWrite(sequence: nextStep)
    step.incarnation = incarnationWanted
    hand(step, raft: nil, into: &effects)
  }

  private mutating func hand(
    _ step: ControlWrite, raft: UInt64?, into effects: inout ControlPlaneEffects
  ) {
    stepsInFlight.append(
      StepInFlight(sequence: step.sequence, raft: raft, incarnation: step.incarnation))
    incarnationWanted = nil
    nextStep += 1
    effects.write = step
  }

  /// Takes note that steps are durable.
  mutating func markPersisted(through sequence: UInt64, at now: Moment) {
    var write: UInt64?
    while let first = stepsInFlight.first, first.sequence <= sequence {
      write = first.raft ?? write
      if let incarnation = first.incarnation {
        membership.handle(
          .incarnationPersisted(incarnation), at: now, into: &membershipEffects)
      }
      stepsInFlight.removeFirst()
    }
    diskWaitsSince = stepsInFlight.isEmpty ? nil : now.instant
    guard let write else { return }
    raft.handle(.persisted(through: write), at: now, into: &raftEffects)
  }
}
