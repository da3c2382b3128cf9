/// Something rare that a set of scenarios must make happen, or what handles it goes untested.
package enum Probe: String, CaseIterable, Sendable {
  /// A bundle came before what it needs and waited.
  case bundleParked = "bundle-parked"
  /// A bundle came that was held already.
  case duplicateReceived = "duplicate-received"
  /// A pull brought what pushes had missed.
  case pullRepaired = "pull-repaired"
  /// A pull failed: cut, crash or time-out.
  case pullFailed = "pull-failed"
  /// A bundle stamped ahead of the wall clock was delayed.
  case futureDelayed = "future-delayed"
  /// A peer became pull-only because its push channel was full.
  case pushBlocked = "push-blocked"
  /// A write's deadline passed first.
  case writeUndecided = "write-undecided"
  /// A write was refused.
  case writeOverloaded = "write-overloaded"
  /// A crash took writes that nobody had been told of.
  case writeLostInCrash = "write-lost-in-crash"
  /// A crash took a part of a group and left the rest.
  case groupTorn = "group-torn"
  /// A crash left the log ahead of the rows, and bundles were replayed into the tables.
  case replayedAfterCrash = "replayed-after-crash"
  /// A node came back and held less than a peer had been told.
  case appliedWentBack = "applied-went-back"
  /// The door refused bytes that are no sound bundle.
  case forgeryRefused = "forgery-refused"
  /// A well-signed bundle of a stranger was refused.
  case strangerRefused = "stranger-refused"
  /// A lane's fork was proven.
  case equivocationProven = "equivocation-proven"
  /// The other half of a proof was read from the log.
  case headerLoaded = "header-loaded"
  /// A restarted node connected before its peer had noticed that it was gone.
  case connectionReplaced = "connection-replaced"
  /// Somebody was elected.
  case leaderElected = "leader-elected"
  /// A leader gave up for want of a quorum.
  case quorumLost = "quorum-lost"
  /// A follower believed a hint that its leader is dead.
  case leaderForgotten = "leader-forgotten"
  /// A host said that nobody listens there.
  case crashHinted = "crash-hinted"
  /// Leadership was handed over.
  case leadershipTransferred = "leadership-transferred"
  /// A change of the control log's members was committed.
  case configurationCommitted = "configuration-committed"
  /// A node executed a final block.
  case blockExecuted = "block-executed"
  /// A node held a version of a forked bundle that did not become final.
  case versionLost = "version-lost"
  /// A node executed the last block of an epoch.
  case epochEnded = "epoch-ended"
  /// A node saw a quorum's word on the end of an epoch.
  case epochHandedOver = "epoch-handed-over"
  /// A node that had lost its votes learned what it may have signed.
  case amnesiaEnded = "amnesia-ended"
  /// A node made a snapshot of its control state.
  case snapshotTaken = "snapshot-taken"
  /// A node took a snapshot in.
  case snapshotInstalled = "snapshot-installed"
  /// A crash left a part of a step of the control log.
  case controlStepTorn = "control-step-torn"
  /// A process died around the end of a commit of its control log.
  case crashedAtCommit = "crashed-at-commit"
  /// A node found its control log damaged.
  case controlLogDamaged = "control-log-damaged"
  /// A node lost its data and came back in another life.
  case nodeWiped = "node-wiped"
  /// A command's outcome was not known to its client.
  case commandUnknown = "command-unknown"
  /// A lease was ended for its time.
  case leaseExpired = "lease-expired"
  /// A watch delivered changes.
  case changesWatched = "changes-watched"
  /// A member was taken for down.
  case memberDown = "member-down"
  /// A node fetched more than a hundred bundles by pulls in one life.
  case caughtUp = "caught-up"
}

/// How often each probe was hit.
package struct ProbeCounts: Sendable, Hashable {
  private var counts = [UInt64](repeating: 0, count: Probe.allCases.count)

  /// Nothing hit yet.
  package init() {}

  /// How often `probe` was hit.
  package subscript(probe: Probe) -> UInt64 {
    get { counts[ProbeCounts.place(of: probe)] }
    set { counts[ProbeCounts.place(of: probe)] = newValue }
  }

  /// Adds another run's counts.
  package mutating func add(_ other: ProbeCounts) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  private static let places = Dictionary(
    uniqueKeysWithValues: Probe.allCases.enumerated().map { ($1, $0) })

  private static func place(of probe: Probe) -> Int { places[probe] ?? 0 }
}
