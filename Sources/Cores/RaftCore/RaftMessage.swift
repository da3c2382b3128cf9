package import Records

/// What one member of the control log says to another; the vocabulary is that of etcd's raft.
package struct RaftMessage: Hashable, Sendable {
  /// Entries for a follower, to stand behind an entry that both must have.
  package struct Append: Hashable, Sendable {
    /// The entry before the first.
    package let previousIndex: UInt64
    /// That entry's term.
    package let previousTerm: UInt64
    /// How far the leader knows the log to be committed.
    package let commit: UInt64
    /// Contiguous entries, maybe none.
    package let entries: [RaftEntry]

    /// Joins the parts.
    package init(
      previousIndex: UInt64, previousTerm: UInt64, commit: UInt64, entries: [RaftEntry]
    ) {
      self.previousIndex = previousIndex
      self.previousTerm = previousTerm
      self.commit = commit
      self.entries = entries
    }
  }

  /// A leader's sign of life.
  package struct Heartbeat: Hashable, Sendable {
    /// How far the log is committed, as far as the receiver has it.
    package let commit: UInt64
    /// How far the receiver's log lags behind what is committed: 0 when it has all of it.
    package let lag: UInt64
    /// The number of this round in the leader's term; answers repeat it.
    package let round: UInt64
    /// When the next one is to come, in milliseconds.
    package let intervalMilliseconds: UInt16
    /// The voters but the leader, the one that should succeed it first.
    package let ranks: [RaftID]

    /// Joins the parts.
    package init(
      commit: UInt64, lag: UInt64, round: UInt64, intervalMilliseconds: UInt16, ranks: [RaftID]
    ) {
      self.commit = commit
      self.lag = lag
      self.round = round
      self.intervalMilliseconds = intervalMilliseconds
      self.ranks = ranks
    }
  }

  /// What a message says.
  package enum Body: Hashable, Sendable {
    /// Would you vote for me in this message's term? Binds nobody. What it says of the log is what
    /// is durable.
    case preVote(lastIndex: UInt64, lastTerm: UInt64)
    /// Yes, with the term that was asked about; or no, with the speaker's own term.
    case preVoteResponse(isGranted: Bool)
    /// Vote for me in this message's term. What it says of the log is what is durable.
    case vote(lastIndex: UInt64, lastTerm: UInt64, isTransfer: Bool)
    /// A vote; when granted it is durable.
    case voteResponse(isGranted: Bool)
    /// Entries, from the leader.
    case append(Append)
    /// Everything up to an entry of that term is the leader's, and durable.
    case appendAccepted(index: UInt64, entryTerm: UInt64)
    /// The entry before the appended ones is not there; the logs may agree up to the hint.
    case appendRejected(previousIndex: UInt64, hintIndex: UInt64, hintTerm: UInt64)
    /// The leader lives.
    case heartbeat(Heartbeat)
    /// The follower lives, and follows; it may not know yet that it has what is committed.
    case heartbeatResponse(round: UInt64, isBehind: Bool)
    /// Do you live? A dead process's kernel answers that a port is unreachable.
    case probe
    /// Campaign at once: your leader hands its office to you.
    case timeoutNow
    /// How far must one have applied to answer a read that begins now?
    case readIndex(context: UInt64)
    /// That far.
    case readIndexResponse(context: UInt64, index: UInt64)
    /// What you miss is not in the log any more: fetch this.
    case snapshotOffer(RaftSnapshotHead)
    /// Send a chunk of the snapshot with this last entry.
    case snapshotPull(index: UInt64, entryTerm: UInt64, chunk: UInt32)
    /// A chunk of the snapshot with this last entry.
    case snapshotChunk(index: UInt64, entryTerm: UInt64, chunk: UInt32, bytes: [UInt8])
  }

  /// Who says it.
  package let from: RaftID
  /// To whom.
  package let to: RaftID
  /// The speaker's term; of a `preVote` and a granted answer to it, the term asked about.
  package let term: UInt64
  /// What is said.
  package let body: Body

  /// Joins the parts.
  package init(from: RaftID, to: RaftID, term: UInt64, body: Body) {
    self.from = from
    self.to = to
    self.term = term
    self.body = body
  }

  /// Whether the message is small, and loses its worth by waiting: it may travel unordered and be
  /// lost. All others belong on the ordered stream.
  package var prefersDatagram: Bool {
    switch body {
    case .preVote, .preVoteResponse, .vote, .voteResponse, .heartbeat, .heartbeatResponse, .probe:
      true
    case .append, .appendAccepted, .appendRejected, .timeoutNow, .readIndex, .readIndexResponse,
      .snapshotOffer, .snapshotPull, .snapshotChunk:
      false
    }
  }
}
