/// A bug planted on purpose in what drives the cores here, to show that the checkers find it.
///
/// The product's code is not touched: each one breaks a promise that a driver owes the core.
package enum Mutant: String, CaseIterable, Sendable {
  /// A batch is reported durable before the disk has it.
  case skipFsync = "skip-fsync"
  /// The door lets bundles in whose signature is not their node's.
  case acceptUnsigned = "accept-unsigned"
  /// What a lane lacks is never fetched: pulls end at once with nothing.
  case dropGaps = "drop-gaps"
  /// Own bundles are sent when they are made, not when they are durable.
  case pushBeforeDurable = "push-before-durable"
  /// Steps of the control log are reported durable before the disk has them.
  case loseControlSync = "lose-control-sync"
  /// A node forgets whom it voted for when it starts.
  case forgetVote = "forget-vote"
  /// A node forgets the last entries of its log when it starts.
  case forgetTail = "forget-tail"
  /// A node's steps that hold no entries, votes among them, are reported durable before they are.
  case voteBeforePersist = "vote-before-persist"
  /// A node gives every candidate of a term its vote.
  case doubleVote = "double-vote"
  /// A question whether one would vote has the receiver begin the term that is asked about.
  case preVoteBinds = "pre-vote-binds"
  /// A node that believes it leads answers reads without asking anybody.
  case leaseReads = "lease-reads"
  /// Followers take everything they are sent for committed.
  case commitUncounted = "commit-uncounted"
  /// Leaders count the disks that hold an entry of an earlier term.
  case commitOldTerms = "commit-old-terms"
  /// Members take a change of voters for nothing.
  case skipConfigurations = "skip-configurations"
  /// Local writes are reported when their batch is handed to the disk.
  case acknowledgeBeforeDurable = "acknowledge-before-durable"
}
