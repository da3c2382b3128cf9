internal import ControlCore
internal import Histories
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// What the checkers of the control log remember: one history of entries, and who led.
struct ControlBook {
  /// The entries by index, counted from 1, as the first node applied them.
  var entries: [RaftEntry] = []
  /// Who led in which term. Election safety: nobody else may.
  var leaders: [UInt64: Int] = [:]
  /// When each node was crashed, for detection.
  var crashedAt: [Int: Instant] = [:]
  /// When a command was last confirmed, and the longest time without.
  var lastConfirmed: Instant?
  var longestGap = TimeSpan.zero
  /// What clients of the control state saw.
  var figures = Verdict.Commands()
  /// Until when leases last at least, by their renewals.
  var leasesUntil: [LeasePeriod: Instant] = [:]
  /// For whom each member voted.
  var ballots: [World.Ballot: RaftID] = [:]
  /// Disks whose node came back without them.
  var lostDisks: [SimulatedControlDisk] = []
  /// Every entry that a log took up, by index: one per term.
  var logged: [[LoggedEntry]] = []

  /// A lease from one renewal to the next.
  struct LeasePeriod: Hashable {
    let lease: LeaseID
    let renewals: UInt64
  }

  /// An entry as the first log took it up.
  struct LoggedEntry {
    let entry: RaftEntry
    /// The term of the entry before it.
    let previousTerm: UInt64
  }
}

/// Rules of the control log, restated over what nodes apply and what their disks hold.
extension World {
  /// Election safety: a term has one leader. Leader completeness: who leads has everything that
  /// was committed before.
  func noteLeader(_ index: Int, _ term: UInt64) {
    probes[.leaderElected] += 1
    if let other = control.leaders[term], other != index {
      report(.electionSafety, index, "leads term \(term), which node \(other + 1) led")
    }
    control.leaders[term] = index
    checkVote(of: nodes[index].memberID, for: nodes[index].memberID, inTerm: term, by: index)
    let committed = UInt64(control.entries.count)
    let log = nodes[index].withMachine {
      let first = max($0.control.raft.firstIndex, 1)
      return (
        last: $0.control.raft.lastIndex, entries: $0.control.raft.entries(first, through: committed)
      )
    }
    guard let log else { return }
    if log.last < committed {
      report(
        .leaderCompleteness, index,
        "leads term \(term) with a log up to \(log.last) of \(committed)")
      return
    }
    for entry in log.entries where entry != control.entries[Int(entry.index - 1)] {
      report(.leaderCompleteness, index, "leads term \(term) with another entry \(entry.index)")
    }
  }

  /// State machine safety: every node applies the same entry at an index. Durable commit: whatever
  /// is applied is on the disks of a quorum.
  func checkApplied(_ entry: RaftEntry, at index: Int) {
    audit.mix(0xca, UInt64(index), entry.index)
    let place = Int(entry.index - 1)
    if place < control.entries.count {
      if control.entries[place] != entry {
        report(
          .stateMachineSafety, index,
          "applies another entry \(entry.index): term \(entry.term) against term "
            + "\(control.entries[place].term)")
      }
      return
    }
    guard place == control.entries.count else {
      report(.stateMachineSafety, index, "applies entry \(entry.index) that nobody applied before")
      return
    }
    control.entries.append(entry)
    checkDurable(entry, at: index)
    checkLease(entry, at: index)
  }

  /// A disk counts that had the entry and was lost since: whoever counted it could not know.
  private func checkDurable(_ entry: RaftEntry, at index: Int) {
    guard let configuration = nodes[index].withMachine({ $0.control.raft.configuration }) else {
      return
    }
    let isOnQuorum = configuration.isQuorum { id in
      if let node = nodes.first(where: { $0.memberID == id }) {
        return node.controlDisk.holds(entry)
      }
      return control.lostDisks.contains { $0.member.id == id && $0.holds(entry) }
    }
    if !isOnQuorum {
      report(.durableCommit, index, "applies entry \(entry.index), which no quorum has on disk")
    }
  }

  /// Log matching, step by step: whoever takes up an entry of an index and term takes up the same
  /// one, behind an entry of the same term. So logs that share an entry agree up to there.
  func checkLogged(_ entries: [RaftEntry], at index: Int) {
    guard let first = entries.first else { return }
    var previous =
      first.index == 1
      ? 0 : nodes[index].withMachine { $0.control.raft.entryTerm(at: first.index - 1) } ?? nil
    for entry in entries {
      defer { previous = entry.term }
      // What was compacted already cannot be compared.
      guard let previousTerm = previous else { continue }
      let place = Int(entry.index - 1)
      while control.logged.count <= place { control.logged.append([]) }
      guard let known = control.logged[place].first(where: { $0.entry.term == entry.term }) else {
        control.logged[place].append(.init(entry: entry, previousTerm: previousTerm))
        continue
      }
      if known.entry != entry || known.previousTerm != previousTerm {
        report(
          .logMatching, index,
          "takes up another entry \(entry.index) of term \(entry.term), or behind another one")
      }
    }
  }

  /// Log matching over whole logs: two with an entry of one index and term agree up to there.
  func checkLogMatching() {
    for (left, one) in nodes.enumerated() {
      for other in nodes.dropFirst(left + 1) {
        checkMatching(one, other)
      }
    }
  }

  private func checkMatching(_ one: SimulatedNode, _ other: SimulatedNode) {
    guard let first = one.withMachine({ $0.control.raft }),
      let second = other.withMachine({ $0.control.raft })
    else { return }
    var index = min(first.lastIndex, second.lastIndex)
    let least = max(first.firstIndex, second.firstIndex)
    while index >= least, index > 0, first.entryTerm(at: index) != second.entryTerm(at: index) {
      index -= 1
    }
    guard index >= least, index > 0 else { return }
    let from = index > 128 + least ? index - 128 : least
    if first.entries(from, through: index) != second.entries(from, through: index) {
      report(
        .logMatching, one.index,
        "differs from node \(other.index + 1) below entry \(index) of one term")
    }
  }

  // MARK: Commands

  /// Notes the end of a client's operation: how long nothing was confirmed.
  func noteCommandEnd(_ result: HistoryResult) {
    switch result {
    case .written, .deleted, .conflict, .acquired, .held, .released, .lost:
      if let last = control.lastConfirmed, !isHealing {
        control.longestGap = max(control.longestGap, now.since(last))
      }
      control.lastConfirmed = now
      control.figures.confirmed += 1
    case .absent, .value: control.figures.read += 1
    case .unknown:
      control.figures.unknown += 1
      probes[.commandUnknown] += 1
    case .refused: control.figures.refused += 1
    case .observed: break
    }
  }

  /// The end of the first phase: the gap that is still open counts too.
  func checkCommandGap() {
    if let most = scenario.leadersMax, control.leaders.count > most {
      report(
        .leadersStay, nil, "\(control.leaders.count) terms had a leader, where \(most) may have")
    }
    let open = now.since(control.lastConfirmed ?? .origin)
    let longest = max(control.longestGap, open)
    control.figures.longestGap = longest
    if let bound = scenario.orderedGap, longest > bound {
      report(
        .commandsGoOn, nil,
        "nothing was confirmed for \(longest.nanoseconds / 1_000_000) ms, and "
          + "\(control.figures.confirmed) commands in all")
    }
  }

  /// At the end: the clients' history is that of one register per key.
  func checkHistory() {
    guard !commands.clients.isEmpty else { return }
    let verdict = Linearizability.check(commands.history)
    switch verdict.outcome {
    case .linearizable: break
    case .violated:
      report(
        .linearizability, nil,
        verdict.explanation.map { $0.lines.joined(separator: "; ") } ?? "no order fits")
    case .undecided:
      report(.linearizability, nil, "undecided for \(verdict.undecidedKeys.count) keys")
    }
    if let fault = RevisionCheck.check(commands.history).kept.first {
      report(.linearizability, nil, fault.line)
    }
    if let fault = LockCheck.check(commands.history).kept.first {
      report(.locksExclude, nil, fault.line)
    }
    if let fault = WatchCheck.check(commands.history).kept.first {
      report(.watchesAreWhole, nil, fault.line)
    }
  }

  // MARK: Membership

  /// A node changed its mind about another.
  func noteBelief(_ change: MembershipEffects.Change, at index: Int) {
    guard change.new == .down, let subject = nodes.firstIndex(where: { $0.id == change.node })
    else { return }
    probes[.memberDown] += 1
    guard scenario.forbidsFalseDown, nodes[subject].isAlive, !isHealing else { return }
    report(.nobodyIsBuriedAlive, index, "takes node \(subject + 1) for down, which is alive")
  }

  /// A crash must be known everywhere within the scenario's bound.
  func checkDetection(of index: Int, _ life: UInt64) {
    guard !nodes[index].isAlive, nodes[index].life == life else { return }
    for node in nodes where node.isAlive && node.pausedUntil <= now {
      let subject = nodes[index].id
      let member = node.withMachine { $0.control.membership.member(subject) } ?? nil
      if member?.state.isPresent == true {
        report(
          .crashesAreDetected, node.index,
          "takes node \(index + 1), which crashed, for \(member.map { "\($0.state)" } ?? "")")
      }
    }
  }
}
