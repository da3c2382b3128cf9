package import Primitives

/// The periods and bounds of the control log: every one can be changed by who makes the core.
package struct RaftSettings: Hashable, Sendable {
  /// How often a leader shows itself while there is work.
  package var heartbeatActive = TimeSpan.milliseconds(15)
  /// How often a leader shows itself when idle.
  package var heartbeatIdle = TimeSpan.milliseconds(75)
  /// How often a leader shows itself to learners, who wait for nobody's death: what is committed
  /// they are told at once. Not more often than to voters.
  package var heartbeatLearner = TimeSpan.milliseconds(250)
  /// How long after the last proposal there still counts as being work.
  package var activeSpan = TimeSpan.seconds(1)
  /// How long a voter waits for its leader before it asks for another, at least; also how long a
  /// leader leads without hearing from a quorum. The same at all members.
  package var electionBase = TimeSpan.milliseconds(150)
  /// How much longer each voter waits than the one ranked before it: a round trip and a sync.
  package var rankStep = TimeSpan.milliseconds(30)
  /// The random part of a voter's wait.
  package var jitter = TimeSpan.milliseconds(10)
  /// How late a step may come before the core concludes that it was not scheduled.
  package var stallCap = TimeSpan.milliseconds(8)
  /// How often a follower whose leader is late asks it for a sign of life.
  package var probePeriod = TimeSpan.milliseconds(20)
  /// How often a hint that the leader is dead is believed, at most.
  package var hintPeriod = TimeSpan.milliseconds(100)
  /// How long a follower waits for the leader's answer to a read.
  package var readTimeout = TimeSpan.seconds(1)
  /// How long a member may be silent while it is to fetch a snapshot before it is probed again.
  package var snapshotTimeout = TimeSpan.seconds(2)
  /// How long a wanted chunk of a snapshot may take before it is asked for again.
  package var pullTimeout = TimeSpan.milliseconds(500)

  /// Bytes of entries in one message, unless one entry alone has more.
  package var entriesBytesPerMessageMax = 256 * 1_024
  /// Appends on their way to one member.
  package var inflightMessagesMax = 128
  /// Bytes of entries on their way to one member.
  package var inflightBytesMax = 4 << 20
  /// Bytes of entries that a leader has taken and not yet committed.
  package var uncommittedBytesMax = 16 << 20
  /// Reads that wait, of this node and, at a leader, forwarded by others.
  package var pendingReadsMax = 16_384
  /// Chunks of a snapshot that a follower asks for at once.
  package var pullWindow = 4
  /// Entries since the last snapshot after which the next one is wanted.
  package var snapshotAfterEntries: UInt64 = 20_000
  /// Bytes of entries since the last snapshot after which the next one is wanted.
  package var snapshotAfterBytes = 16 << 20
  /// Entries that stay in the log behind a snapshot, for members that lag a little.
  package var keepEntries: UInt64 = 5_000
  /// Bytes of entries that stay in the log behind a snapshot.
  package var keepBytes = 4 << 20
  /// For the random part of waits, and for numbers that no earlier start of the process may have
  /// used: another one with every start.
  package var seed: UInt64

  /// The defaults.
  package init(seed: UInt64) {
    self.seed = seed
  }
}

/// Bounds that are part of the protocol.
package enum RaftLimits {
  /// The largest term and index that a message may hold.
  package static let numberMax: UInt64 = 1 << 62
  /// How far a term may be ahead of the receiver's: an honest one never is by that much.
  package static let termLeapMax: UInt64 = 1 << 32
  /// Entries in one message.
  package static let entriesPerMessageMax = 65_536
  /// Bytes of one encoded message.
  package static let messageBytesMax = 1 << 20
  /// Bytes of the largest message that travels unordered.
  package static let datagramBytesMax = 1_100
  /// Voters that a heartbeat ranks.
  package static let ranksMax = 32
}
