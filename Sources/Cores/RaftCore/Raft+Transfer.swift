internal import Primitives
internal import Records

/// A leader's attempt to hand over its office.
struct LeadershipTransfer: Sendable {
  let to: RaftID
  let deadline: Instant
  var isTold = false
}

extension Raft {
  /// Begins to hand over: brings the successor up to date, then tells it to campaign. Meanwhile
  /// nothing is proposed.
  mutating func transferLeadership(
    to target: RaftID?, at now: Instant, into effects: inout RaftEffects
  ) {
    guard role == .leader, let successor = target ?? bestSuccessor(at: now),
      successor != id, configuration.voters.contains(successor), place(of: successor) != nil
    else {
      effects.notices.append(.transferAborted(to: target))
      return
    }
    if let transfer {
      if transfer.to == successor { return }
      abortTransfer(into: &effects)
    }
    transfer = LeadershipTransfer(to: successor, deadline: now + settings.electionBase)
    handOver(into: &effects)
  }

  /// Tells the successor to campaign, once it has everything.
  mutating func handOver(into effects: inout RaftEffects) {
    guard let current = transfer, !current.isTold, let place = place(of: current.to),
      progress[place].match == log.lastIndex
    else { return }
    transfer?.isTold = true
    send(.timeoutNow, to: current.to, into: &effects)
  }

  /// Keeps the office.
  mutating func abortTransfer(into effects: inout RaftEffects) {
    guard let current = transfer else { return }
    transfer = nil
    effects.notices.append(.transferAborted(to: current.to))
  }

  /// The voter that has most and was heard lately.
  func bestSuccessor(at now: Instant) -> RaftID? {
    var best: RaftProgress?
    for peer in progress
    where configuration.voters.contains(peer.id)
      && now < peer.lastHeard + settings.electionBase && peer.state != .snapshot
    {
      if let known = best, known.match >= peer.match { continue }
      best = peer
    }
    return best?.id
  }
}
