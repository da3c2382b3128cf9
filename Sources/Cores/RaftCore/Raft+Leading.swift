internal import Primitives
internal import Records

/// Entries as they go to a member, and mostly to all.
struct Batch {
  var first: UInt64 = 0
  var entries: [RaftEntry] = []
  var byteCount = 0

  init() {}

  init(first: UInt64, entries: [RaftEntry]) {
    self.first = first
    self.entries = entries
    byteCount = entries.reduce(0) { $0 + $1.byteCount }
  }
}

extension Raft {
  /// Appends a command, or says why not.
  mutating func propose(
    _ command: [UInt8], _ ticket: UInt64, at now: Instant, into effects: inout RaftEffects
  ) {
    guard role == .leader else {
      effects.answers.append(.init(ticket: ticket, outcome: .refused(leader: leader)))
      return
    }
    guard transfer == nil else {
      effects.answers.append(.init(ticket: ticket, outcome: .busy))
      return
    }
    let bytes = command.count + RaftEntry.overheadBytes
    guard uncommittedBytes == 0 || uncommittedBytes + bytes <= settings.uncommittedBytesMax,
      log.lastIndex < RaftLimits.numberMax
    else {
      effects.answers.append(.init(ticket: ticket, outcome: .dropped))
      return
    }
    appendOwn(.command, command, at: now, into: &effects)
    effects.answers.append(
      .init(ticket: ticket, outcome: .placed(term: term, index: log.lastIndex)))
  }

  /// Appends an entry to the log that this member leads.
  mutating func appendOwn(
    _ kind: RaftEntry.Kind, _ payload: [UInt8], at now: Instant, into effects: inout RaftEffects
  ) {
    precondition(role == .leader, "R3: appending as \(role)")
    let entry = RaftEntry(term: term, index: log.lastIndex + 1, kind: kind, payload: payload)
    log.append(entry)
    uncommittedBytes += entry.byteCount
    noteWork(at: now)
  }

  /// Where the progress of a member is.
  func place(of peer: RaftID) -> Int? {
    var low = 0
    var high = progress.count
    while low < high {
      let middle = (low + high) / 2
      if progress[middle].id < peer {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < progress.count && progress[low].id == peer ? low : nil
  }

  /// The largest value that a quorum has or exceeds; in a joint configuration, one of each half.
  mutating func quorumValue(own: UInt64, _ value: (RaftProgress) -> UInt64) -> UInt64 {
    let current = configuration
    let incoming = majorityValue(current.voters, own: own, value)
    guard current.isJoint else { return incoming }
    return min(incoming, majorityValue(current.outgoing, own: own, value))
  }

  private mutating func majorityValue(
    _ voters: [RaftID], own: UInt64, _ value: (RaftProgress) -> UInt64
  ) -> UInt64 {
    guard !voters.isEmpty else { return 0 }
    scratch.removeAll(keepingCapacity: true)
    for voter in voters {
      if voter == id {
        scratch.append(own)
      } else {
        scratch.append(place(of: voter).map { value(progress[$0]) } ?? 0)
      }
    }
    scratch.sort(by: >)
    return scratch[scratch.count / 2]
  }

  /// Commits what is on a quorum's disks, this leader's own counted like any other; only entries
  /// of its own term are counted, and those before come with them.
  mutating func advanceCommit() {
    let index = quorumValue(own: disk.persistedIndex) { $0.match }
    guard index > commit, log.term(at: index) == term else { return }
    commit = index
  }

  /// Steps down when no quorum was heard for as long as a voter waits.
  mutating func checkQuorum(at now: Instant, into effects: inout RaftEffects) {
    guard timers.quorum <= now else { return }
    let heard = quorumValue(own: now.nanoseconds) { $0.lastHeard.nanoseconds }
    let end = Instant(nanoseconds: heard) + settings.electionBase
    guard end <= now else {
      timers.quorum = end
      timers.stretched = .zero
      return
    }
    effects.notices.append(.quorumLost(term: term))
    becomeFollower(inTerm: term, of: nil, at: now, into: &effects)
  }

  /// Takes note that a member has everything up to an entry.
  mutating func accepted(
    _ place: Int, _ index: UInt64, _ entryTerm: UInt64, _ message: RaftMessage,
    into effects: inout RaftEffects
  ) {
    guard index <= log.lastIndex else {
      return refuse(message, .acknowledgement, into: &effects)
    }
    // An entry that was replaced meanwhile is not the one that was accepted. What is compacted is
    // committed, and stands once.
    if let known = log.term(at: index), known != entryTerm { return }
    let before = progress[place].match
    progress[place].accept(index)
    precondition(
      progress[place].match >= before && progress[place].match < progress[place].next,
      "R8: match \(progress[place].match), next \(progress[place].next)")
    switch progress[place].state {
    case .probe:
      if index >= before { progress[place].replicate() }
    case .snapshot:
      if progress[place].match >= log.baseIndex { progress[place].replicate() }
    case .replicate:
      break
    }
    if let transfer, transfer.to == message.from { handOver(into: &effects) }
  }

  // MARK: Sending

  /// Sends to every member what it lacks.
  mutating func replicate(at now: Instant, into effects: inout RaftEffects) {
    var shared = Batch()
    for place in progress.indices {
      switch progress[place].state {
      case .probe:
        if !progress[place].isPaused {
          sendAppend(place, &shared, at: now, into: &effects)
          progress[place].isPaused = true
        }
      case .replicate:
        stream(place, &shared, at: now, into: &effects)
      case .snapshot:
        sendChunks(place, at: now, into: &effects)
      }
      progress[place].isProbeDue = false
    }
  }

  private mutating func stream(
    _ place: Int, _ shared: inout Batch, at now: Instant,
    into effects: inout RaftEffects
  ) {
    var isToldAll = false
    while progress[place].state == .replicate, progress[place].next <= log.lastIndex,
      progress[place].hasRoom(settings)
    {
      sendAppend(place, &shared, at: now, into: &effects)
      isToldAll = true
    }
    if isToldAll || progress[place].state != .replicate { return }
    let news = min(commit, progress[place].next - 1)
    if progress[place].isProbeDue || news > progress[place].commitTold {
      sendEmpty(place, at: now, into: &effects)
    }
  }

  /// Sends one message of entries, or offers a snapshot when they are not there any more.
  private mutating func sendAppend(
    _ place: Int, _ shared: inout Batch, at now: Instant,
    into effects: inout RaftEffects
  ) {
    let next = progress[place].next
    guard next <= log.lastIndex, log.term(at: next - 1) != nil else {
      return sendEmpty(place, at: now, into: &effects)
    }
    if shared.first != next {
      let end = log.end(
        from: next, bytesMax: settings.entriesBytesPerMessageMax,
        countMax: RaftLimits.entriesPerMessageMax)
      shared = Batch(first: next, entries: Array(log.slice(next, end)))
    }
    let last = next + UInt64(shared.entries.count) - 1
    send(place, next - 1, shared.entries, into: &effects)
    if progress[place].state == .replicate {
      progress[place].sent(through: last, bytes: shared.byteCount)
    }
  }

  /// Sends no entries: what a member lacks shows in its answer.
  private mutating func sendEmpty(
    _ place: Int, at now: Instant, into effects: inout RaftEffects
  ) {
    let previous = progress[place].next - 1
    if log.term(at: previous) == nil {
      offerSnapshot(place, at: now, into: &effects)
    } else {
      send(place, previous, [], into: &effects)
    }
  }

  private mutating func send(
    _ place: Int, _ previous: UInt64, _ entries: [RaftEntry], into effects: inout RaftEffects
  ) {
    guard let previousTerm = log.term(at: previous) else {
      preconditionFailure("R3: entry \(previous) of \(log.baseIndex)...\(log.lastIndex)")
    }
    progress[place].commitTold = min(commit, previous + UInt64(entries.count))
    send(
      .append(
        .init(
          previousIndex: previous, previousTerm: previousTerm, commit: commit, entries: entries)),
      to: progress[place].id, into: &effects)
  }

  /// Begins a round of heartbeats when one is due; answers those who asked for one.
  mutating func sendHeartbeats(at now: Instant, into effects: inout RaftEffects) {
    if isRoundDue {
      isRoundDue = false
      round += 1
      let interval = isActive(at: now) ? settings.heartbeatActive : settings.heartbeatIdle
      heartbeatInterval = interval
      timers.heartbeat = now + interval
      ranks = succession()
      let isLearnerTurn = timers.learnerHeartbeat <= now
      if isLearnerTurn { timers.learnerHeartbeat = now + settings.heartbeatLearner }
      for place in progress.indices
      where isLearnerTurn || configuration.isVoter(progress[place].id) {
        progress[place].isBeatDue = true
      }
    }
    for place in progress.indices where progress[place].isBeatDue {
      progress[place].isBeatDue = false
      let peer = progress[place].id
      // Learners hear after their interval, rounded up to a round.
      let nanoseconds =
        configuration.isVoter(peer)
        ? heartbeatInterval.nanoseconds
        : settings.heartbeatLearner.nanoseconds + settings.heartbeatIdle.nanoseconds
      let held = min(commit, progress[place].match)
      let heartbeat = RaftMessage.Heartbeat(
        commit: held, lag: commit - held, round: round,
        intervalMilliseconds: UInt16(clamping: nanoseconds / 1_000_000), ranks: ranks)
      send(.heartbeat(heartbeat), to: peer, into: &effects)
    }
  }

  /// The other voters, the best successor first.
  private func succession() -> [RaftID] {
    var voters = progress.filter { configuration.voters.contains($0.id) }
    voters.sort { ($1.match, $0.id) < ($0.match, $1.id) }
    return voters.prefix(RaftLimits.ranksMax).map(\.id)
  }
}
