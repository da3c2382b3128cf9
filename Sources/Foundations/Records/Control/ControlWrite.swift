/// One step of what a node's control plane makes durable, to be carried out after all earlier ones.
///
/// The parts of one step are carried out in the order in which they are declared here. A step is
/// durable when all of it is, and only after all earlier steps.
package struct ControlWrite: Sendable {
  /// Numbers steps from 1 without gaps in one run of a node.
  package let sequence: UInt64
  /// The incarnation that membership may announce once this is durable.
  package var incarnation: UInt64?
  /// Term, vote and commit; before any entry of that term.
  package var hardState: RaftHardState?
  /// A snapshot received from a leader: replaces the stored one, and the log is void.
  package var installedSnapshot: RaftSnapshot?
  /// Entries to append, contiguous; stored entries from the first one's index on are void.
  package var entries: [RaftEntry] = []
  /// A snapshot that this node made of its own state; the log stays as it is.
  package var takenSnapshot: RaftSnapshot?
  /// Entries up to this index are not needed any more, and may stay.
  package var compactedThrough: UInt64?

  /// An empty step.
  package init(sequence: UInt64) {
    self.sequence = sequence
  }

  /// Whether there is nothing to do.
  package var isEmpty: Bool {
    incarnation == nil && hardState == nil && installedSnapshot == nil && entries.isEmpty
      && takenSnapshot == nil && compactedThrough == nil
  }
}

/// What a node's control plane starts from: what its storage held.
package struct ControlRecovery: Sendable {
  /// The life of this control log (`RaftMember.life`).
  package var life: UInt64
  /// The last incarnation that may have been announced.
  package var incarnation: UInt64 = 0
  /// Term, vote and commit.
  package var hardState = RaftHardState()
  /// The newest snapshot.
  package var snapshot: RaftSnapshot?
  /// The entries after the snapshot, and those before it that were kept; contiguous.
  package var entries: [RaftEntry] = []

  /// What a node starts from whose control log never ran.
  package init(life: UInt64) {
    self.life = life
  }
}
