internal import Primitives
internal import Records

extension Raft {
  /// Takes a message, after checking what every message must keep.
  mutating func receive(
    _ message: RaftMessage, at now: Instant, into effects: inout RaftEffects
  ) {
    guard message.to == id, message.from != id else {
      return refuse(message, .address, into: &effects)
    }
    if message.term > term, message.term - term > RaftLimits.termLeapMax {
      return refuse(message, .termLeap, into: &effects)
    }
    switch message.body {
    case .preVote(let lastIndex, let lastTerm):
      answerPreVote(message, lastIndex, lastTerm, at: now, into: &effects)
    case .vote(let lastIndex, let lastTerm, let isTransfer):
      answerVote(
        message, lastIndex, lastTerm, isTransfer: isTransfer, at: now, into: &effects)
    case .preVoteResponse(let isGranted):
      count(message, isGranted: isGranted, as: .preCandidate, at: now, into: &effects)
    case .voteResponse(let isGranted):
      count(message, isGranted: isGranted, as: .candidate, at: now, into: &effects)
    case .append(let append):
      guard follow(message, at: now, into: &effects) else { return }
      take(append, message, into: &effects)
    case .heartbeat(let heartbeat):
      guard follow(message, at: now, into: &effects) else { return }
      take(heartbeat, from: message.from, at: now, into: &effects)
    case .snapshotOffer(let head):
      guard follow(message, at: now, into: &effects) else { return }
      take(head, message, at: now, into: &effects)
    case .timeoutNow:
      guard follow(message, at: now, into: &effects), isPromotable else { return }
      campaign(isTransfer: true, at: now, into: &effects)
    case .snapshotChunk(let index, let entryTerm, let chunk, let bytes):
      take(chunk: chunk, of: (index, entryTerm), bytes, message, at: now, into: &effects)
    case .readIndexResponse(let context, let index):
      guard message.term == term, message.from == leader else { return }
      reads.confirm(context: context, index: index)
    case .appendAccepted, .appendRejected, .heartbeatResponse, .probe, .readIndex, .snapshotPull:
      takeAsLeader(message, at: now, into: &effects)
    }
  }

  /// Whether a message comes from the leader of this term, which is followed from now on.
  private mutating func follow(
    _ message: RaftMessage, at now: Instant, into effects: inout RaftEffects
  ) -> Bool {
    if message.term < term {
      // Whoever leads a term that is over learns of it, and is freed.
      send(.heartbeatResponse(round: 0, isBehind: false), to: message.from, into: &effects)
      return false
    }
    if message.term == term, role == .leader || (termLeader ?? message.from) != message.from {
      refuse(message, .secondLeader, into: &effects)
      return false
    }
    if message.term > term || role != .follower {
      becomeFollower(inTerm: message.term, of: message.from, at: now, into: &effects)
    } else {
      setLeader(message.from, into: &effects)
    }
    termLeader = message.from
    touchLeader(at: now)
    return true
  }

  /// Takes what only a leader is told.
  private mutating func takeAsLeader(
    _ message: RaftMessage, at now: Instant, into effects: inout RaftEffects
  ) {
    if message.term > term {
      guard configuration.member(message.from) != nil else { return }
      becomeFollower(inTerm: message.term, of: nil, at: now, into: &effects)
      return
    }
    guard role == .leader, message.term == term, let place = place(of: message.from) else {
      return
    }
    progress[place].lastHeard = now
    switch message.body {
    case .appendAccepted(let index, let entryTerm):
      accepted(place, index, entryTerm, message, into: &effects)
    case .appendRejected(let previous, let hintIndex, let hintTerm):
      let agreement = log.lastIndex(through: hintIndex, termAtMost: hintTerm)
      progress[place].reject(previous, agreeingUpTo: agreement)
    case .heartbeatResponse(let answered, let isBehind):
      guard answered <= round else {
        return refuse(message, .acknowledgement, into: &effects)
      }
      progress[place].round = max(progress[place].round, answered)
      progress[place].isPaused = false
      progress[place].isProbeDue =
        isBehind || progress[place].match < log.lastIndex || progress[place].state == .probe
    case .probe:
      progress[place].isBeatDue = true
    case .readIndex(let context):
      reads.gather(context, from: message.from, settings)
    case .snapshotPull(let index, let entryTerm, let chunk):
      pulled(place, (index, entryTerm), chunk, at: now)
    case .preVote, .preVoteResponse, .vote, .voteResponse, .append, .heartbeat, .timeoutNow,
      .readIndexResponse, .snapshotOffer, .snapshotChunk:
      preconditionFailure("not for leaders: \(message.body)")
    }
  }

  func send(_ body: RaftMessage.Body, to peer: RaftID, into effects: inout RaftEffects) {
    effects.sends.append(RaftMessage(from: id, to: peer, term: term, body: body))
  }

  func refuse(
    _ message: RaftMessage, _ breach: RaftBreach, into effects: inout RaftEffects
  ) {
    effects.notices.append(.breach(breach, from: message.from))
  }

  // MARK: As a follower

  private mutating func take(
    _ heartbeat: RaftMessage.Heartbeat, from sender: RaftID, at now: Instant,
    into effects: inout RaftEffects
  ) {
    heartbeatInterval = .milliseconds(UInt64(heartbeat.intervalMilliseconds))
    if ranks != heartbeat.ranks {
      ranks = heartbeat.ranks
      armElection(at: now)
    }
    // The door lets 2^62 in at most; a sum that does not fit is a lie in any case.
    let (latest, isLie) = heartbeat.commit.addingReportingOverflow(heartbeat.lag)
    if !isLie { leaderCommit = max(leaderCommit, latest) }
    learnCommit(heartbeat.commit)
    // After a restart it does not know any more how far the logs agree: the leader is to ask.
    let isBehind = matched < heartbeat.commit
    send(
      .heartbeatResponse(round: heartbeat.round, isBehind: isBehind), to: sender, into: &effects)
  }

  /// Takes over the leader's commit, as far as the logs are known to agree.
  private mutating func learnCommit(_ told: UInt64) {
    commit = max(commit, min(told, matched))
  }

  /// Takes entries: finds where the logs agree, and makes its own the leader's from there on.
  private mutating func take(
    _ append: RaftMessage.Append, _ message: RaftMessage, into effects: inout RaftEffects
  ) {
    guard isWellFormed(append, inTerm: message.term) else {
      return refuse(message, .entries, into: &effects)
    }
    leaderCommit = max(leaderCommit, append.commit)
    var entries = append.entries[...]
    if append.previousIndex < commit {
      // What is committed is as in every leader's log.
      entries = entries.dropFirst(Int(min(commit - append.previousIndex, UInt64(entries.count))))
      matched = max(matched, commit)
    } else if log.term(at: append.previousIndex) != append.previousTerm {
      return reject(append, message, into: &effects)
    }
    while let first = entries.first, log.term(at: first.index) == first.term {
      entries.removeFirst()
    }
    let last = append.previousIndex + UInt64(append.entries.count)
    if let first = entries.first {
      // Within one term a leader's log only grows; and its terms do not fall behind what is
      // committed here, of which a message that reaches further back may say something else.
      guard first.index > matched, let before = log.term(at: first.index - 1), first.term >= before
      else {
        return refuse(message, .entries, into: &effects)
      }
      guard let named = configurationsNamed(in: entries) else {
        return refuse(message, .content, into: &effects)
      }
      if first.index <= log.lastIndex { truncate(after: first.index - 1, into: &effects) }
      log.append(contentsOf: entries)
      for (index, configuration) in named { adopt(configuration, index, into: &effects) }
    }
    matched = max(matched, last)
    isAcknowledgementDue = true
    learnCommit(append.commit)
  }

  private func isWellFormed(_ append: RaftMessage.Append, inTerm term: UInt64) -> Bool {
    guard append.previousIndex <= RaftLimits.numberMax else { return false }
    var (index, last) = (append.previousIndex, append.previousTerm)
    for entry in append.entries {
      guard entry.index == index + 1, entry.term >= last, entry.term <= term else {
        return false
      }
      (index, last) = (entry.index, entry.term)
    }
    return true
  }

  private func reject(
    _ append: RaftMessage.Append, _ message: RaftMessage, into effects: inout RaftEffects
  ) {
    let found = log.lastIndex(through: append.previousIndex, termAtMost: append.previousTerm)
    let hint = max(found, commit)
    guard let hintTerm = log.term(at: hint) else {
      preconditionFailure("R8: commit \(commit) of \(log.baseIndex)...\(log.lastIndex)")
    }
    send(
      .appendRejected(
        previousIndex: append.previousIndex, hintIndex: hint, hintTerm: hintTerm),
      to: message.from, into: &effects)
  }

  private mutating func truncate(after index: UInt64, into effects: inout RaftEffects) {
    precondition(
      role == .follower && index >= commit, "R3: truncating after \(index) of \(commit)")
    log.truncate(after: index)
    disk.truncate(after: index)
    if configurations.truncate(after: index) {
      effects.notices.append(.configuration(index: configurationIndex))
    }
  }
}
