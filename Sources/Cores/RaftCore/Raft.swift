package import CoreKit
internal import Primitives
package import Records

/// One member of the control log: elects a leader and replicates what the leader appends.
///
/// Purpose: whatever one member emits as committed, every other emits at the same index, in the
/// same order, whichever minority crashes, is cut off or forgets what it had not yet synced.
///
/// Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (2014), and
/// Ongaro, "Consensus: bridging theory and practice" (2014): elections, replication, snapshots,
/// joint consensus (4.3), read index (6.4), disk in parallel (10.2.1). The messages and the order
/// of persisting and sending are those of etcd's raft. Deviations:
/// - A configuration is in force once appended; all changes are joint, but of learners alone.
/// - PreVote and CheckQuorum always; a leader without a quorum stops, and is silent about it.
/// - Voters wait by rank, which the leader publishes, and draw lots only after a failed round.
/// - A hint that the leader died makes a follower forget it, no more: term, vote and log decide.
/// - A candidate leads only after its own vote is durable, and tells of its log only what is: the
///   same name could otherwise win one term twice, or win by promises made to a longer log.
/// - A member that is in no configuration it knows of answers and never asks.
///
/// ```
///             waited in vain           a quorum           a quorum does, and
///             or a hint                would              the own vote is durable
///   follower ───────────► preCandidate ───────► candidate ───────────► leader
///     ▲  ▲                  │   ▲ waited in vain │  │                    │
///     │  │                  │   └────────────────┘  │                    │
///     │  └──────────────────┴───────────────────────┘                    │
///     │     a leader of this term, or a later term                       │
///     └──────────────────────────────────────────────────────────────────┘
///           a later term, no quorum heard, or removed
///   follower ── told by its leader to take over ──► candidate
/// ```
///
/// Invariants:
/// - R1: the term never falls; a vote leaves after it is durable, and there is one per term.
/// - R2: what a member accepts, and the term it accepts it in, are durable before it says so.
/// - R3: a leader only appends to its log; nobody removes what is committed.
/// - R4: a leader commits by counting only entries of its own term, on a quorum's disks.
/// - R5: committed entries are emitted in order, each once.
/// - R6: the last configuration in the log is in force; a leader begins a change only when the last
///   one, and an entry of its own term, are committed.
/// - R7: who does not lead sends nothing that only a leader sends.
/// - R8: `applied <= commit <= lastIndex`, `persistedIndex <= lastIndex`; a member's `match` never
///   falls, and is below its `next`.
/// - R9: a read is answered by an index that was committed when it came, after a quorum has
///   answered a round begun later, and after that index is applied.
/// - R10: everything that waits has a bound.
package struct Raft: ProtocolCore {
  /// This node's name in the log.
  package let member: RaftMember
  /// The periods and bounds.
  package let settings: RaftSettings
  var random: Xoshiro256

  // The promises.
  /// The latest term this member knows of.
  package internal(set) var term: UInt64
  var vote: RaftID?
  var log: RaftLog
  var configurations: ConfigurationHistory
  /// The last entry known to be committed.
  package internal(set) var commit: UInt64
  /// The last entry emitted as committed, or reflected by what was restored.
  package internal(set) var applied: UInt64
  var snapshot: RaftSnapshot?
  var toRestore: RaftSnapshot?

  // The disk.
  var disk: RaftDisk
  /// The candidate of this term whose granted vote waits for the disk.
  var voteDue: RaftID?

  // The role.
  /// What this member is.
  package internal(set) var role = RaftRole.follower
  /// Whom it follows, itself when it leads; `nil` when it knows nobody, or has forgotten.
  package internal(set) var leader: RaftID?
  /// Who was seen to lead this term: nobody else can.
  var termLeader: RaftID?
  var granted: [RaftID] = []

  // As a follower.
  /// Everything up to here is as in the log of this term's leader.
  var matched: UInt64 = 0
  /// How far this term's leader last said that its log is committed.
  package internal(set) var leaderCommit: UInt64 = 0
  var acknowledged: UInt64 = 0
  var isAcknowledgementDue = false
  var ranks: [RaftID] = []
  var heartbeatInterval: TimeSpan
  var incoming: IncomingSnapshot?

  // As a leader.
  var progress: [RaftProgress] = []
  var uncommittedBytes = 0
  /// The entry with which this leader's term began.
  var termStart: UInt64 = 0
  var round: UInt64 = 0
  var isRoundDue = false
  var transfer: LeadershipTransfer?
  /// To whom this member was handing its office when it lost it.
  var handedTo: RaftID?
  var scratch: [UInt64] = []

  // Reads.
  var reads: PendingReads

  // Snapshots of its own.
  var bytesSinceSnapshot = 0
  var snapshotUnderWay: UInt64?

  // Time.
  var timers = RaftTimers()

  /// Makes a member from what its storage held.
  ///
  /// `bootstrap` is the configuration that the genesis document names: the one in force before any
  /// entry. All founders pass the same one, always; everybody else passes `nil`.
  package init(
    node: NodeID, settings: RaftSettings, recovery: ControlRecovery,
    bootstrap: RaftConfiguration?
  ) throws(RaftRecoveryFault) {
    let start = try RecoveredLog(recovery, bootstrap: bootstrap)
    member = RaftMember(node: node, life: recovery.life)
    self.settings = settings
    random = Xoshiro256(seed: settings.seed, purpose: "raft")
    reads = PendingReads(firstContext: random.next(below: RaftLimits.numberMax / 2))
    term = recovery.hardState.term
    vote = recovery.hardState.vote
    log = start.log
    configurations = start.configurations
    snapshot = recovery.snapshot
    toRestore = recovery.snapshot
    applied = recovery.snapshot?.head.index ?? 0
    commit = max(recovery.hardState.commit, applied)
    disk = RaftDisk(recovery.hardState, lastIndex: start.log.lastIndex)
    heartbeatInterval = settings.heartbeatIdle
  }

  package mutating func handle(
    _ event: consuming RaftEvent, at now: Moment, into effects: inout RaftEffects
  ) {
    let now = now.instant
    noteTime(now, into: &effects)
    switch event {
    case .received(let message):
      receive(message, at: now, into: &effects)
    case .propose(let command, let ticket):
      propose(command, ticket, at: now, into: &effects)
    case .read(let ticket):
      read(ticket, at: now, into: &effects)
    case .changeConfiguration(let change, let ticket):
      begin(change, ticket, at: now, into: &effects)
    case .transferLeadership(let target):
      transferLeadership(to: target, at: now, into: &effects)
    case .suspectLeader(let node):
      suspect(node, at: now, into: &effects)
    case .connected(let peer):
      connect(peer, at: now)
    case .disconnected(let peer):
      disconnect(peer, into: &effects)
    case .persisted(let sequence):
      markPersisted(through: sequence, at: now, into: &effects)
    case .snapshotTaken(let index, let bytes):
      takeSnapshot(index, bytes, into: &effects)
    case .deadline:
      handleDeadline(at: now, into: &effects)
    case .turnEnded:
      endTurn(at: now, into: &effects)
    }
  }
}
