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
    case .vote:
      checkVote(for: message.from, message, by: index)
    case .voteResponse(isGranted: true):
      checkVote(for: message.to, message, by: index)
      let durable = nodes[index].controlDisk.recovery.hardState
      if durable.term != message.term || durable.vote != message.to {
        report(
          .saidIsDurable, index,
          "votes in term \(message.term), and its disk is at term \(durable.term)")
      }
    case .appendAccepted(let last, let term):
      checkAccepted(last, term, message, by: index)
    case .preVote, .preVoteResponse, .voteResponse(isGranted: false), .append, .appendRejected,
      .heartbeat, .heartbeatResponse, .probe, .timeoutNow, .readIndex, .readIndexResponse,
      .snapshotOffer, .snapshotPull, .snapshotChunk:
      break
    }
  }

  /// One vote per term, whatever is forgotten.
  private func checkVote(for candidate: RaftID, _ message: RaftMessage, by index: Int) {
    let ballot = Ballot(member: message.from, term: message.term)
    let earlier = control.ballots[ballot] ?? candidate
    if earlier != candidate {
      report(.votesBind, index, "votes in term \(message.term) a second time, for somebody else")
    }
    control.ballots[ballot] = candidate
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
