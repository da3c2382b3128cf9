internal import Primitives
internal import Records

extension Raft {
  /// Whether this member may campaign: it votes in the configuration in force, or voted in the
  /// committed one and its own removal is not committed. The latter matters when everybody else
  /// waits for what only this member has (a removed leader that crashed).
  var isPromotable: Bool {
    guard !disk.isInstalling, term < RaftLimits.numberMax else { return false }
    if configuration.isVoter(id) { return true }
    return configurationIndex > commit && committedConfiguration.isVoter(id)
  }

  /// Nobody leads as far as this member can tell: it campaigns, if it may.
  mutating func waitIsOver(at now: Instant, into effects: inout RaftEffects) {
    setLeader(nil, into: &effects)
    guard isPromotable else {
      armElection(at: now)
      return
    }
    switch role {
    case .preCandidate, .candidate: timers.failedRounds += 1
    case .follower, .leader: break
    }
    granted.removeAll(keepingCapacity: true)
    become(.preCandidate, into: &effects)
    armElection(at: now)
    let (index, entryTerm) = durableEnd
    ask(.preVote(lastIndex: index, lastTerm: entryTerm), inTerm: term + 1, into: &effects)
    settleElection(at: now, into: &effects)
  }

  /// Begins a new term and asks for votes in it.
  mutating func campaign(isTransfer: Bool, at now: Instant, into effects: inout RaftEffects) {
    precondition(role != .leader && isPromotable, "R1: a campaign as \(role) in term \(term)")
    setLeader(nil, into: &effects)
    advance(to: term + 1)
    vote = id
    granted.removeAll(keepingCapacity: true)
    become(.candidate, into: &effects)
    armElection(at: now)
    let (index, entryTerm) = durableEnd
    let body = RaftMessage.Body.vote(
      lastIndex: index, lastTerm: entryTerm, isTransfer: isTransfer)
    ask(body, inTerm: term, into: &effects)
  }

  /// What of the log is durable: what a campaign may speak of. An answer can come after a crash
  /// that took the rest.
  private var durableEnd: (index: UInt64, term: UInt64) {
    let index = disk.persistedIndex
    guard let term = log.term(at: index) else {
      preconditionFailure("R2: nothing is durable of \(log.baseIndex)...\(log.lastIndex)")
    }
    return (index, term)
  }

  private func ask(
    _ body: RaftMessage.Body, inTerm term: UInt64, into effects: inout RaftEffects
  ) {
    let current = configuration
    for voter in current.voters where voter != id {
      effects.sends.append(RaftMessage(from: id, to: voter, term: term, body: body))
    }
    for voter in current.outgoing where voter != id && !current.voters.contains(voter) {
      effects.sends.append(RaftMessage(from: id, to: voter, term: term, body: body))
    }
  }

  /// Goes on when a quorum has answered yes.
  mutating func settleElection(at now: Instant, into effects: inout RaftEffects) {
    switch role {
    case .follower, .leader: return
    case .preCandidate:
      if hasQuorum { campaign(isTransfer: false, at: now, into: &effects) }
    case .candidate:
      // Its own vote must be durable even when others suffice: the name must not win twice.
      if disk.term == term, disk.vote == id, hasQuorum { lead(at: now, into: &effects) }
    }
  }

  private var hasQuorum: Bool {
    configuration.isQuorum { $0 == id || granted.contains($0) }
  }

  /// Begins to lead the term it has won.
  private mutating func lead(at now: Instant, into effects: inout RaftEffects) {
    precondition(
      termLeader == nil && vote == id && disk.term == term,
      "R1: leading term \(term), durable is \(disk.term)")
    become(.leader, into: &effects)
    termLeader = id
    setLeader(id, into: &effects)
    timers.failedRounds = 0
    timers.fastRounds = 0
    timers.election = nil
    timers.heartbeat = now
    timers.learnerHeartbeat = now
    timers.quorum = now + settings.electionBase
    timers.stretched = .zero
    round = 0
    isRoundDue = true
    incoming = nil
    progress.removeAll()
    followConfiguration(at: now)
    uncommittedBytes = 0
    if commit < log.lastIndex {
      for entry in log.slice(commit + 1, log.lastIndex) { uncommittedBytes += entry.byteCount }
    }
    termStart = log.lastIndex + 1
    appendOwn(.empty, [], at: now, into: &effects)
  }

  // MARK: Answers

  /// Answers whether it would vote. Changes nothing: a question binds nobody.
  func answerPreVote(
    _ message: RaftMessage, _ lastIndex: UInt64, _ lastTerm: UInt64, at now: Instant,
    into effects: inout RaftEffects
  ) {
    let isGranted =
      message.term > term && isUpToDate(lastIndex, lastTerm)
      && !isLoyal(against: message.from, at: now)
    effects.sends.append(
      RaftMessage(
        from: id, to: message.from, term: isGranted ? message.term : term,
        body: .preVoteResponse(isGranted: isGranted)))
  }

  /// Votes, or does not.
  mutating func answerVote(
    _ message: RaftMessage, _ lastIndex: UInt64, _ lastTerm: UInt64, isTransfer: Bool,
    at now: Instant, into effects: inout RaftEffects
  ) {
    if message.term > term {
      // A leader that lives is not left for whoever did not ask first.
      guard isTransfer || !isLoyal(against: message.from, at: now) else { return }
      becomeFollower(inTerm: message.term, of: nil, at: now, into: &effects)
    }
    let isFree = vote == message.from || (vote == nil && termLeader == nil)
    guard message.term == term, isFree, isUpToDate(lastIndex, lastTerm) else {
      send(.voteResponse(isGranted: false), to: message.from, into: &effects)
      return
    }
    if role != .follower { becomeFollower(inTerm: term, of: nil, at: now, into: &effects) }
    vote = message.from
    voteDue = message.from
    armElection(at: now)
  }

  private func isUpToDate(_ lastIndex: UInt64, _ lastTerm: UInt64) -> Bool {
    (lastTerm, lastIndex) >= (log.lastTerm, log.lastIndex)
  }

  /// Whether this member has a leader that was heard lately and is not the candidate itself. The
  /// window is shorter than the shortest wait, so that the first to wait in vain is not refused by
  /// those that heard the last heartbeat a little later.
  private func isLoyal(against candidate: RaftID, at now: Instant) -> Bool {
    guard let leader, leader != candidate else { return false }
    return role == .leader || now < timers.leaderHeard + settings.electionBase.part(4, of: 5)
  }

  /// Counts an answer to a campaign.
  mutating func count(
    _ message: RaftMessage, isGranted: Bool, as asked: RaftRole, at now: Instant,
    into effects: inout RaftEffects
  ) {
    let askedTerm = asked == .preCandidate && isGranted ? term + 1 : term
    if message.term > askedTerm {
      // A refusal that knows a later term frees whoever lags behind; a late yes means nothing.
      if !isGranted { becomeFollower(inTerm: message.term, of: nil, at: now, into: &effects) }
      return
    }
    guard isGranted, role == asked, message.term == askedTerm,
      configuration.isVoter(message.from), !granted.contains(message.from)
    else { return }
    granted.append(message.from)
    settleElection(at: now, into: &effects)
  }

  // MARK: Changes of role

  mutating func become(_ role: RaftRole, into effects: inout RaftEffects) {
    self.role = role
    effects.notices.append(.role(role, term: term))
  }

  /// Enters a later term, in which nothing is promised yet.
  private mutating func advance(to later: UInt64) {
    precondition(later > term, "R1: from term \(term) to \(later)")
    term = later
    vote = nil
    voteDue = nil
    termLeader = nil
    matched = 0
    leaderCommit = 0
    acknowledged = 0
    isAcknowledgementDue = false
  }

  /// Follows somebody, or waits for somebody, in this term or a later one. Whatever only a leader
  /// does ends here.
  mutating func becomeFollower(
    inTerm later: UInt64, of leader: RaftID?, at now: Instant, into effects: inout RaftEffects
  ) {
    let isNewTerm = later > term
    if isNewTerm { advance(to: later) }
    let wasLeader = role == .leader
    if wasLeader { dropOffice(into: &effects) }
    let isChange = role != .follower || isNewTerm
    role = .follower
    granted.removeAll(keepingCapacity: true)
    if isChange { effects.notices.append(.role(.follower, term: term)) }
    setLeader(leader, into: &effects)
    // A wait goes on unless there was none: only a leader or a vote given prolong it.
    if wasLeader || timers.election == nil { armElection(at: now) }
  }

  /// Ends what only a leader has; what was proposed stays undecided.
  private mutating func dropOffice(into effects: inout RaftEffects) {
    progress.removeAll()
    uncommittedBytes = 0
    isRoundDue = false
    reads.loseOffice(leader: nil, into: &effects)
    handedTo = transfer?.to ?? handedTo
    transfer = nil
  }

  mutating func setLeader(_ new: RaftID?, into effects: inout RaftEffects) {
    guard leader != new else { return }
    leader = new
    effects.notices.append(.leader(new, term: term))
    reads.loseLeader(newLeader: new, into: &effects)
    if let new, let to = handedTo {
      handedTo = nil
      effects.notices.append(new == to ? .transferred(to: to) : .transferAborted(to: to))
    }
  }
}
