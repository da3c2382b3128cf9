package import Primitives
internal import Records

/// When things are due. What does not apply to a role is `nil` or not looked at.
struct RaftTimers: Sendable {
  /// When the last step was taken; `nil` before the first.
  var lastStep: Instant?
  /// When this member stops waiting for its leader, or for the answers to its campaign.
  var election: Instant?
  /// How far a late process has pushed `election` since it was set.
  var stretched = TimeSpan.zero
  /// When the leader was last heard.
  var leaderHeard = Instant.origin
  var lastProbe = Instant.origin
  /// When the last hint of the leader's death was believed.
  var lastHint: Instant?
  /// Rounds of a campaign that found no quorum, since a leader was last heard.
  var failedRounds = 0
  /// Rounds that may yet follow each other fast, after a hint.
  var fastRounds = 0

  /// A leader's next round of heartbeats.
  var heartbeat = Instant.origin
  /// The next heartbeat to learners.
  var learnerHeartbeat = Instant.origin
  /// When a leader looks again whether a quorum is heard.
  var quorum = Instant.origin
  /// When there was last something to do.
  var lastWork = Instant.origin
}

extension Raft {
  /// The next instant at which the core wants `RaftEvent.deadline`.
  package var nextDeadline: Instant? {
    guard timers.lastStep != nil else { return .origin }
    var next: Instant? = reads.deadline
    switch role {
    case .leader:
      next = earlier(next, timers.quorum)
      if !progress.isEmpty { next = earlier(next, timers.heartbeat) }
      next = earlier(next, transfer?.deadline)
      for peer in progress where peer.state == .snapshot {
        next = earlier(next, peer.snapshotActivity + settings.snapshotTimeout)
      }
    case .follower, .preCandidate, .candidate:
      next = earlier(next, timers.election)
      next = earlier(next, probeDue)
      next = earlier(next, incoming?.deadline)
    }
    return next
  }

  /// When a follower asks its leader for a sign of life.
  private var probeDue: Instant? {
    guard role == .follower, let leader, leader != id else { return nil }
    return max(
      timers.leaderHeard + heartbeatInterval.part(6, of: 5),
      timers.lastProbe + settings.probePeriod)
  }

  /// Starts the clock with the first step; later, finds out whether this process was not scheduled,
  /// and if so suspects nobody for as long, so that what is queued is handled first.
  mutating func noteTime(_ now: Instant, into effects: inout RaftEffects) {
    guard let last = timers.lastStep else {
      timers.lastStep = now
      armElection(at: now)
      if isPromotable, configuration.voters == [id], !configuration.isJoint {
        timers.election = now
      }
      return
    }
    precondition(last <= now, "time went from \(last.nanoseconds) to \(now.nanoseconds)")
    defer { timers.lastStep = now }
    guard let asked = nextDeadline else { return }
    let late = now.since(max(asked, last))
    guard late > settings.stallCap else { return }
    let room = settings.electionBase.nanoseconds - timers.stretched.nanoseconds
    let shift = TimeSpan(nanoseconds: min(late.nanoseconds, room))
    guard shift > .zero else { return }
    timers.stretched = TimeSpan(
      nanoseconds: timers.stretched.nanoseconds + shift.nanoseconds)
    timers.leaderHeard = timers.leaderHeard + shift
    let soonest = now + settings.stallCap
    timers.election = timers.election.map { max($0 + shift, soonest) }
    timers.quorum = max(timers.quorum + shift, soonest)
    for place in progress.indices {
      progress[place].lastHeard = progress[place].lastHeard + shift
    }
    effects.notices.append(.stalled(nanoseconds: late.nanoseconds))
  }

  /// Sets when this member stops waiting, by its role and what went before.
  mutating func armElection(at now: Instant) {
    timers.stretched = .zero
    guard isPromotable || leader != nil else {
      timers.election = nil
      return
    }
    // A learner hears of its leader seldom, and what it gives up is only whom to ask.
    let base =
      isPromotable
      ? settings.electionBase : max(settings.electionBase, settings.heartbeatLearner * 3)
    let wait: Instant
    switch role {
    case .follower where timers.failedRounds == 0:
      wait = now + base + settings.rankStep * UInt64(rank)
    case .preCandidate where timers.fastRounds > 0:
      timers.fastRounds -= 1
      wait = now + settings.rankStep
    case .follower, .preCandidate, .candidate, .leader:
      wait = now + base + base.drawn(with: &random)
    }
    timers.election = wait + settings.jitter.drawn(with: &random)
  }

  /// This member's place in the order of succession: as the leader last said, or by name.
  private var rank: Int {
    ranks.firstIndex(of: id) ?? (ranks.isEmpty ? configuration.voters.firstIndex(of: id) : nil)
      ?? ranks.count
  }

  /// Takes note that the leader was heard.
  mutating func touchLeader(at now: Instant) {
    timers.leaderHeard = now
    timers.failedRounds = 0
    timers.fastRounds = 0
    armElection(at: now)
  }

  /// Does what is due.
  mutating func handleDeadline(at now: Instant, into effects: inout RaftEffects) {
    reads.expire(at: now, leader: leader, into: &effects)
    switch role {
    case .leader:
      checkQuorum(at: now, into: &effects)
      guard role == .leader else { return }
      if let transfer, transfer.deadline <= now { abortTransfer(into: &effects) }
      if timers.heartbeat <= now { isRoundDue = true }
      for place in progress.indices
      where progress[place].state == .snapshot
        && progress[place].snapshotActivity + settings.snapshotTimeout <= now
      {
        progress[place].probe()
        progress[place].isPaused = true
      }
    case .follower, .preCandidate, .candidate:
      if let due = timers.election, due <= now { waitIsOver(at: now, into: &effects) }
      if let due = probeDue, due <= now, let leader {
        timers.lastProbe = now
        send(.probe, to: leader, into: &effects)
      }
      if let due = incoming?.deadline, due <= now { pullAgain(at: now, into: &effects) }
    }
  }

  /// Believes a hint that the leader is dead: forgets it and asks the others, in the order of
  /// succession. Term, vote and log stay as they are, so a false hint costs a few messages.
  mutating func suspect(_ node: NodeID, at now: Instant, into effects: inout RaftEffects) {
    guard role == .follower, let leader, leader != id,
      configuration.member(leader)?.node == node
    else { return }
    if let last = timers.lastHint, now < last + settings.hintPeriod { return }
    timers.lastHint = now
    effects.notices.append(.leaderForgotten(leader))
    setLeader(nil, into: &effects)
    guard isPromotable else { return }
    timers.fastRounds = 4
    timers.stretched = .zero
    timers.election = now + settings.rankStep.part(UInt64(rank), of: 2)
    if rank == 0 { waitIsOver(at: now, into: &effects) }
  }

  /// Whether there was work lately: then heartbeats are frequent.
  func isActive(at now: Instant) -> Bool {
    commit < log.lastIndex || now < timers.lastWork + settings.activeSpan
  }

  /// Takes note of work, for which heartbeats become frequent.
  mutating func noteWork(at now: Instant) {
    timers.lastWork = now
    timers.heartbeat = min(timers.heartbeat, now + settings.heartbeatActive)
  }
}
