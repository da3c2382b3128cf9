internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// What a member of the control log says, held against its disk and against what it said before.
extension World {
  /// A vote of one member in one term.
  struct Ballot: Hashable {
    let member: RaftID
    let term: UInt64
  }

  /// Checks a message as it leaves.
  func checkSaid(_ message: RaftMessage, by index: Int) {
    switch message.body {
    case .voteResponse(isGranted: true):
      checkVote(of: message.from, for: message.to, inTerm: message.term, by: index)
      let durable = nodes[index].controlDisk.recovery.hardState
      if durable.term != message.term || durable.vote != message.to {
        report(
          .saidIsDurable, index,
          "votes in term \(message.term), and its disk is at term \(durable.term)")
      }
    case .appendAccepted(let last, let term):
      checkAccepted(last, term, message, by: index)
    // Asking for votes promises nothing: a candidate's own vote counts when it leads.
    case .preVote, .preVoteResponse, .vote, .voteResponse(isGranted: false), .append,
      .appendRejected,
      .heartbeat, .heartbeatResponse, .probe, .timeoutNow, .readIndex, .readIndexResponse,
      .snapshotOffer, .snapshotPull, .snapshotChunk:
      break
    }
  }

  /// One vote per term, whatever is forgotten.
  func checkVote(
    of member: RaftID, for candidate: RaftID, inTerm term: UInt64, by index: Int
  ) {
    let ballot = Ballot(member: member, term: term)
    let earlier = control.ballots[ballot] ?? candidate
    if earlier != candidate {
      report(.votesBind, index, "votes in term \(term) a second time, for somebody else")
    }
    control.ballots[ballot] = candidate
  }

  /// A durable vote stands for its term: no step takes it back.
  func checkKept(_ write: ControlWrite, by index: Int) {
    let durable = nodes[index].controlDisk.recovery.hardState
    guard let next = write.hardState, let vote = durable.vote, next.term <= durable.term else {
      return
    }
    if next.term < durable.term || next.vote != vote {
      report(.votesBind, index, "takes back what its disk says of term \(durable.term)")
    }
  }

  private func checkAccepted(
    _ last: UInt64, _ term: UInt64, _ message: RaftMessage, by index: Int
  ) {
    let recovery = nodes[index].controlDisk.recovery
    let isHeld =
      recovery.snapshot.map { $0.head.index >= last } == true
      || nodes[index].controlDisk.entry(last)?.term == term
    if last > 0, !isHeld {
      report(.saidIsDurable, index, "accepts entry \(last), which is not on its disk")
    }
    if recovery.hardState.term != message.term {
      report(
        .saidIsDurable, index,
        "accepts in term \(message.term), and its disk is at term \(recovery.hardState.term)")
    }
  }
}
