internal import ControlCore
internal import CoreKit
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// Planted bugs of the control log: what a member with the bug would have done is made of what a
/// sound one is told, or of what it finds on its disk.
extension World {
  /// What a member is told instead of a message.
  func distort(_ message: RaftMessage, from: Int, at index: Int) -> [RaftMessage.Body] {
    switch (options.mutant, message.body) {
    case (.preVoteBinds, .preVote):
      // Nobody votes for an empty log, but everybody begins the term of one who asks for votes.
      return [message.body, .vote(lastIndex: 0, lastTerm: 0, isTransfer: true)]
    case (.doubleVote, .voteResponse): return [.voteResponse(isGranted: true)]
    case (.commitUncounted, .append(let append)):
      return [append.with(commit: append.previousIndex + UInt64(append.entries.count))]
    case (.commitOldTerms, .append(let append)):
      let last = append.previousIndex + UInt64(append.entries.count)
      return [append.with(commit: min(last, max(append.commit, countedIndex(at: from))))]
    case (.skipConfigurations, .append(let append)):
      let entries = append.entries.map { entry in
        entry.kind == .configuration
          ? RaftEntry(term: entry.term, index: entry.index, kind: .empty, payload: []) : entry
      }
      return [
        .append(
          RaftMessage.Append(
            previousIndex: append.previousIndex, previousTerm: append.previousTerm,
            commit: append.commit, entries: entries))
      ]
    default: return [message.body]
    }
  }

  /// The last entry of a leader's log that a quorum has on disk, whatever its term.
  private func countedIndex(at leader: Int) -> UInt64 {
    let view = nodes[leader].withMachine { machine in
      (
        machine.control.raft.configuration, machine.control.raft.lastIndex,
        machine.control.raft.commit
      )
    }
    guard let (configuration, last, commit) = view else { return 0 }
    var index = last
    while index > commit {
      let term = nodes[leader].withMachine { $0.control.raft.entryTerm(at: index) } ?? nil
      let isHeld = configuration.isQuorum { id in
        guard let node = nodes.first(where: { $0.memberID == id }) else { return false }
        return node.controlDisk.entry(index)?.term == term
      }
      if isHeld { return index }
      index -= 1
    }
    return commit
  }

  /// Whether a step that was just handed to the disk is reported durable at once.
  func isReportedEarly(_ write: ControlWrite, isDiskIdle: Bool) -> Bool {
    switch options.mutant {
    case .loseControlSync: true
    case .voteBeforePersist: isDiskIdle && write.entries.isEmpty && write.hardState != nil
    default: false
    }
  }

  /// What a member with a bug finds on its disk.
  func distort(_ recovery: inout ControlRecovery) {
    switch options.mutant {
    case .forgetVote: recovery.hardState.vote = nil
    case .forgetTail: recovery.entries.removeLast(min(3, recovery.entries.count))
    default: break
    }
  }
}

extension RaftMessage.Append {
  fileprivate func with(commit: UInt64) -> RaftMessage.Body {
    .append(
      RaftMessage.Append(
        previousIndex: previousIndex, previousTerm: previousTerm, commit: commit, entries: entries))
  }
}
