package import Records

/// What a member is.
package enum RaftRole: UInt8, Hashable, Sendable {
  /// It takes what a leader sends, or waits for one.
  case follower = 0
  /// It asks whether others would vote for it.
  case preCandidate = 1
  /// It asks for votes.
  case candidate = 2
  /// It appends.
  case leader = 3
}

/// A step to make durable, after all earlier ones; the parts are those of `ControlWrite`.
package struct RaftWrite: Sendable {
  /// Numbers the core's writes from 1 without gaps; `RaftEvent.persisted` names it.
  package let sequence: UInt64
  /// Term, vote and commit.
  package var hardState: RaftHardState?
  /// A snapshot received from a leader.
  package var installedSnapshot: RaftSnapshot?
  /// Entries to append.
  package var entries: [RaftEntry] = []
  /// A snapshot that this node made.
  package var takenSnapshot: RaftSnapshot?
  /// Entries that are not needed any more.
  package var compactedThrough: UInt64?

  /// Puts the parts into the node's step.
  package func fill(_ write: inout ControlWrite) {
    write.hardState = hardState
    write.installedSnapshot = installedSnapshot
    write.entries = entries
    write.takenSnapshot = takenSnapshot
    write.compactedThrough = compactedThrough
  }

  /// Whether there is nothing to do.
  var isEmpty: Bool {
    hardState == nil && installedSnapshot == nil && entries.isEmpty && takenSnapshot == nil
      && compactedThrough == nil
  }
}

/// What became of something that was asked with a ticket.
package enum RaftOutcome: Hashable, Sendable {
  /// The command or configuration stands at this place of the leader's log. It is committed when
  /// an entry of this index and term is; lost when one of this index and another term is; unknown
  /// until then, whatever happens to the leader.
  case placed(term: UInt64, index: UInt64)
  /// This node does not lead; who does, if it knows. Nothing was appended.
  case refused(leader: RaftID?)
  /// Too much is uncommitted, or waits. Nothing was appended.
  case dropped
  /// Not now: leadership is being handed over, another change is under way, or no entry of the
  /// leader's term is committed yet; or nothing would change. Nothing was appended.
  case busy
  /// What is applied with these effects answers the read; it reflects at least this index.
  case readable(index: UInt64)
  /// The leader is unknown, or was lost before it answered: ask again.
  case readFailed(leader: RaftID?)
}

/// What a member did that no honest one does, or that only a broken network leads to.
package enum RaftBreach: UInt8, Hashable, Sendable {
  /// The term is too far ahead to be true.
  case termLeap = 0
  /// It is addressed to somebody else, or claims to be from this node.
  case address = 1
  /// It claims to lead a term that another leads.
  case secondLeader = 2
  /// Appended entries do not follow each other, or are of a later term than their leader.
  case entries = 3
  /// It would change what is committed.
  case committed = 4
  /// It accepts what this leader never sent.
  case acknowledgement = 5
  /// A configuration or a snapshot that cannot be used.
  case content = 6
}

/// Something that the owner, operators or traces are to hear of.
package enum RaftNotice: Hashable, Sendable {
  /// This node's role or term changed.
  case role(RaftRole, term: UInt64)
  /// The leader that this node follows, or is, changed.
  case leader(RaftID?, term: UInt64)
  /// Another configuration is in force; it may still be rolled back.
  case configuration(index: UInt64)
  /// The configuration in force is committed.
  case configurationCommitted(index: UInt64)
  /// The office was handed over.
  case transferred(to: RaftID)
  /// The office was not handed over, and stays.
  case transferAborted(to: RaftID?)
  /// This leader gave up for want of a quorum.
  case quorumLost(term: UInt64)
  /// A hint that the leader is dead was believed.
  case leaderForgotten(RaftID)
  /// The election's wait was stretched because this process was not scheduled.
  case stalled(nanoseconds: UInt64)
  /// A member was offered a snapshot.
  case snapshotOffered(to: RaftID, index: UInt64)
  /// A snapshot came whole.
  case snapshotInstalled(index: UInt64)
  /// A message was thrown away.
  case breach(RaftBreach, from: RaftID)
}

/// What the control log asks its owner to do.
///
/// Nothing here has to wait for something else here: what may leave only after a write is held by
/// the core until it is durable. The owner applies `restored`, then `committed`, before it acts on
/// `answers`: a read is answered from the state after both.
package struct RaftEffects: Sendable {
  /// What became of a ticket.
  package struct Answer: Hashable, Sendable {
    /// The ticket.
    package let ticket: UInt64
    /// What became of it.
    package let outcome: RaftOutcome
  }

  /// A snapshot that the owner is to make.
  package struct SnapshotWanted: Hashable, Sendable {
    /// The state as of exactly this entry, which is the last one applied with these effects.
    package let index: UInt64
    /// That entry's term.
    package let term: UInt64
  }

  /// Messages, in order per receiver.
  package var sends: [RaftMessage] = []
  /// A step to make durable; at most one per turn.
  package var write: RaftWrite?
  /// The whole control state is to be replaced by this.
  package var restored: RaftSnapshot?
  /// Entries to apply, in order, each once in a life of the process or after `restored`.
  package var committed: [RaftEntry] = []
  /// What became of tickets.
  package var answers: [Answer] = []
  /// A snapshot to make, after `committed` is applied; answered by `RaftEvent.snapshotTaken`.
  package var snapshotWanted: SnapshotWanted?
  /// What others are to hear of.
  package var notices: [RaftNotice] = []

  /// No effects.
  package init() {}

  /// Whether nothing is asked for.
  package var isEmpty: Bool {
    sends.isEmpty && write == nil && restored == nil && committed.isEmpty && answers.isEmpty
      && snapshotWanted == nil && notices.isEmpty
  }

  /// Forgets everything and keeps the room.
  package mutating func removeAll() {
    sends.removeAll(keepingCapacity: true)
    write = nil
    restored = nil
    committed.removeAll(keepingCapacity: true)
    answers.removeAll(keepingCapacity: true)
    snapshotWanted = nil
    notices.removeAll(keepingCapacity: true)
  }
}
