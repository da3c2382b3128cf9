internal import Records

extension Raft {
  /// The first numbered invariant that does not hold; for the simulator, after every step. Costs
  /// nothing per entry.
  package var brokenInvariant: String? {
    if applied > commit || commit > log.lastIndex {
      return "R8: applied \(applied), commit \(commit), last \(log.lastIndex)"
    }
    if disk.persistedIndex > log.lastIndex || disk.handedIndex > log.lastIndex {
      return "R8: durable \(disk.persistedIndex) of \(log.lastIndex)"
    }
    if disk.term > term || log.lastTerm > term {
      return "R1: term \(term), durable \(disk.term), last entry \(log.lastTerm)"
    }
    if log.baseIndex > snapshotIndex || log.baseIndex > applied {
      return "R3: log begins behind \(log.baseIndex), snapshot \(snapshotIndex)"
    }
    if let first = log.entries.first, first.index != log.baseIndex + 1 {
      return "R3: first entry \(first.index) behind \(log.baseIndex)"
    }
    if let last = log.entries.last, last.index != log.lastIndex {
      return "R3: last entry \(last.index) of \(log.lastIndex)"
    }
    if configurationIndex > log.lastIndex {
      return "R6: configuration \(configurationIndex) of \(log.lastIndex)"
    }
    if reads.count != reads.recount || reads.count > settings.pendingReadsMax {
      return "R10: \(reads.recount) reads counted as \(reads.count)"
    }
    return role == .leader ? brokenInvariantOfLeader : brokenInvariantOfFollower
  }

  private var brokenInvariantOfFollower: String? {
    if !progress.isEmpty || transfer != nil || isRoundDue || leader == id {
      return "R7: \(role) with the office of a leader"
    }
    if matched > log.lastIndex || acknowledged > matched {
      return "R2: acknowledged \(acknowledged), matched \(matched), last \(log.lastIndex)"
    }
    if let voteDue, vote != voteDue { return "R1: a vote due to \(voteDue)" }
    return nil
  }

  private var brokenInvariantOfLeader: String? {
    if leader != id || termLeader != id || vote != id || disk.term != term || incoming != nil {
      return "R1: a leader of term \(term) that \(String(describing: leader)) leads"
    }
    for (left, right) in zip(progress, progress.dropFirst()) where left.id >= right.id {
      return "R8: progress of \(right.id) out of order"
    }
    for peer in progress {
      if peer.match >= peer.next || peer.match > log.lastIndex || peer.next > log.lastIndex + 1 {
        return "R8: \(peer.id) has \(peer.match), next \(peer.next) of \(log.lastIndex)"
      }
      if peer.inflight.count - peer.inflightHead > settings.inflightMessagesMax {
        return "R10: \(peer.inflight.count) appends on their way to \(peer.id)"
      }
      if (peer.state == .snapshot) != (peer.snapshot != nil) {
        return "R8: \(peer.id) is to fetch a snapshot that is not kept"
      }
    }
    for member in configuration.members where member.id != id && place(of: member.id) == nil {
      return "R6: no progress of \(member.id)"
    }
    return nil
  }
}
