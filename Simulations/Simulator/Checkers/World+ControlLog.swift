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
  var confirmed = 0
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
    guard let raft = nodes[index].machine?.control.raft else { return }
    let committed = UInt64(control.entries.count)
    if raft.lastIndex < committed {
      report(
        .leaderCompleteness, index,
        "leads term \(term) with a log up to \(raft.lastIndex) of \(committed)")
      return
    }
    for entry in raft.entries(committed > 64 ? committed - 64 : 1, through: committed)
    where entry != control.entries[Int(entry.index - 1)] {
      report(.leaderCompleteness, index, "leads term \(term) with another entry \(entry.index)")
    }
  }

  /// State machine safety: every node applies the same entry at an index. Durable commit: whatever is
  /// applied is on the disks of a quorum.
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
  }

  private func checkDurable(_ entry: RaftEntry, at index: Int) {
    guard let configuration = nodes[index].machine?.control.raft.configuration else { return }
    let isOnQuorum = configuration.isQuorum { id in
      guard let node = nodes.first(where: { $0.memberID == id }) else { return false }
      if let snapshot = node.controlDisk.recovery.snapshot, snapshot.head.index >= entry.index {
        return true
      }
      return node.controlDisk.entry(entry.index) == entry
    }
    if !isOnQuorum {
      report(.durableCommit, index, "applies entry \(entry.index), which no quorum has on disk")
    }
  }

  /// Log matching: two logs with an entry of one index and term agree up to there.
  func checkLogMatching() {
    for (left, one) in nodes.enumerated() {
      for other in nodes.dropFirst(left + 1) {
        checkMatching(one, other)
      }
    }
  }

  private func checkMatching(_ one: SimulatedNode, _ other: SimulatedNode) {
    guard let first = one.machine?.control.raft, let second = other.machine?.control.raft else {
      return
    }
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
  func noteCommandEnd(_ result: HistoryResult, at index: Int) {
    switch result {
    case .written, .deleted, .conflict:
      if let last = control.lastConfirmed, !isHealing {
        control.longestGap = max(control.longestGap, now.since(last))
      }
      control.lastConfirmed = now
      control.confirmed += 1
    case .unknown:
      probes[.commandUnknown] += 1
    case .refused, .absent, .value, .acquired, .held, .released, .lost, .observed:
      break
    }
  }

  /// The end of the first phase: the gap that is still open counts too.
  func checkCommandGap() {
    guard let bound = scenario.orderedGap else { return }
    let open = now.since(control.lastConfirmed ?? .origin)
    let longest = max(control.longestGap, open)
    if longest > bound {
      report(
        .commandsGoOn, nil,
        "nothing was confirmed for \(longest.nanoseconds / 1_000_000) ms, and "
          + "\(control.confirmed) commands in all")
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
      let member = node.machine?.control.membership.member(nodes[index].id)
      if member?.state.isPresent == true {
        report(
          .crashesAreDetected, node.index,
          "takes node \(index + 1), which crashed, for \(member.map { "\($0.state)" } ?? "")")
      }
    }
  }

  // MARK: Convergence

  /// What still keeps the control planes from being one, after everything is well again.
  func findControlDifference() -> (node: Int?, text: String)? {
    guard nodes.contains(where: { $0.machine?.control.raft.isTermEstablished == true }) else {
      return (nil, "nobody leads the control log")
    }
    var reference: (index: UInt64, digest: UInt64)?
    for node in nodes where !removed.contains(node.index) && !node.isEdge {
      guard let plane = node.machine?.control else { return (node.index, "is not running") }
      if plane.raft.configuration.isJoint { return (node.index, "is still changing voters") }
      if plane.raft.applied != plane.raft.lastIndex {
        return (node.index, "has applied \(plane.raft.applied) of \(plane.raft.lastIndex)")
      }
      if let other = nodes.first(where: { plane.membership.member($0.id)?.state != .alive }),
        !removed.contains(other.index)
      {
        return (node.index, "does not take node \(other.index + 1) for alive")
      }
      let digest = plane.state.digest.words.0
      if let reference, reference != (plane.raft.applied, digest) {
        return (node.index, "is at entry \(plane.raft.applied) with another state")
      }
      reference = reference ?? (plane.raft.applied, digest)
    }
    let open = commands.clients.count { $0.open != nil }
    return open == 0 ? nil : (nil, "\(open) requests are not answered")
  }
}
