internal import Primitives
internal import Records

extension Raft {
  /// Does what a turn's events have led to, in an order in which nothing has to be done twice.
  mutating func endTurn(at now: Instant, into effects: inout RaftEffects) {
    precondition(
      effects.write == nil && effects.committed.isEmpty && effects.restored == nil,
      "the effects of the last turn are not yet carried out")
    if role == .leader {
      advanceCommit()
      leaveJoint(at: now, into: &effects)
    }
    emitCommitted(into: &effects)
    settleReads(at: now, into: &effects)
    wantSnapshot(into: &effects)
    if role == .leader {
      replicate(at: now, into: &effects)
      sendHeartbeats(at: now, into: &effects)
      retire(at: now, into: &effects)
    }
    effects.write = disk.nextWrite(term: term, vote: vote, commit: commit, log: log)
    answerWhatIsDurable(into: &effects)
  }

  /// Emits what is newly committed; after a start, the snapshot first.
  private mutating func emitCommitted(into effects: inout RaftEffects) {
    if let toRestore {
      effects.restored = toRestore
      self.toRestore = nil
    }
    guard applied < commit else { return }
    let entries = log.slice(applied + 1, commit)
    effects.committed.append(contentsOf: entries)
    var bytes = 0
    for entry in entries {
      bytes += entry.byteCount
      if entry.kind == .configuration {
        effects.notices.append(.configurationCommitted(index: entry.index))
      }
    }
    bytesSinceSnapshot += bytes
    uncommittedBytes = max(0, uncommittedBytes - bytes)
    applied = commit
  }

  /// Takes note of what is durable.
  mutating func markPersisted(
    through sequence: UInt64, at now: Instant, into effects: inout RaftEffects
  ) {
    disk.markPersisted(through: sequence)
    settleElection(at: now, into: &effects)
    if role != .leader, timers.election == nil { armElection(at: now) }
  }

  /// Sends the vote and the acknowledgement that wait for the disk, if they need not any more.
  private mutating func answerWhatIsDurable(into effects: inout RaftEffects) {
    guard disk.term == term else { return }
    if let candidate = voteDue, disk.vote == candidate {
      precondition(vote == candidate, "R1: a vote for \(candidate) in place of another")
      voteDue = nil
      send(.voteResponse(isGranted: true), to: candidate, into: &effects)
    }
    guard role == .follower, let leader, !disk.isInstalling else { return }
    let index = min(matched, disk.persistedIndex)
    guard index > acknowledged || (isAcknowledgementDue && index == matched),
      let entryTerm = log.term(at: index)
    else { return }
    acknowledged = index
    if index == matched { isAcknowledgementDue = false }
    send(.appendAccepted(index: index, entryTerm: entryTerm), to: leader, into: &effects)
  }

  /// Takes note that messages to a member arrive again.
  mutating func connect(_ peer: RaftID, at now: Instant) {
    if let place = place(of: peer) {
      if progress[place].state == .snapshot {
        progress[place].isOfferDue = true
      } else {
        progress[place].probe()
      }
    }
    if peer == leader { incoming?.deadline = now }
  }

  /// Takes note that messages to a member may be lost: what was on its way does not count.
  mutating func disconnect(_ peer: RaftID, into effects: inout RaftEffects) {
    if let place = place(of: peer), progress[place].state != .snapshot {
      progress[place].probe()
      progress[place].isPaused = true
    }
    if peer == leader { reads.loseLeader(newLeader: leader, into: &effects) }
  }
}
