/// The bounds of single values of the control state, on the wire and in the state.
package enum ControlLimits {
  /// Bytes of a key's or lock's name.
  package static let nameBytes = 1...512
  /// Bytes of a value.
  package static let valueBytesMax = 64 * 1_024
  /// Milliseconds that a lease may be granted for.
  package static let leaseMilliseconds: ClosedRange<UInt32> = 500...86_400_000
  /// Leases that wait for one lock; beyond: `tooManyWaiters`.
  package static let waitersPerLockMax = 1_024
  /// Members, removed ones included; beyond: `tooManyMembers`.
  package static let membersMax = 4_096
  /// Entries of one answer.
  package static let answerEntriesMax = 1_000
  /// Bytes of one answer after which no further entry is added.
  package static let answerBytesMax = 512 * 1_024
}

/// The bounds of a whole control state. What reaches one is refused or leaves, as each says.
///
/// Part of the rules: states that are to agree have equal bounds. A node uses `standard`, whose
/// snapshot stays below the 128 MiB that a `RaftSnapshot` may have; smaller ones let simulations
/// and tests reach them.
package struct ControlBounds: Hashable, Sendable {
  /// Bytes of all keys, values and names of locks; beyond: `storeFull`.
  package var storeBytes = 64 * 1_024 * 1_024
  /// Keys; beyond: `storeFull`.
  package var keyCount = 1_000_000
  /// Leases; beyond: `tooManyLeases`.
  package var leases = 100_000
  /// Keys attached to one lease and locks that it holds or waits for; beyond: `leaseFull`. Bounds
  /// what the end of a lease does at once.
  package var attachmentsPerLease = 4_096
  /// Locks that are held; beyond: `storeFull`.
  package var locks = 100_000
  /// Leases that wait, counted once per lock; beyond: `tooManyWaiters`.
  package var waiters = 200_000
  /// Sessions; beyond, the least recently used leaves.
  package var sessions = 1_024
  /// Results that a session keeps; beyond: `tooManyUnacknowledged`.
  package var resultsPerSession = 4_096
  /// Results that all sessions keep; beyond, the least recently used session leaves.
  package var results = 262_144
  /// Results that are remembered by idempotency name; beyond, the oldest leaves.
  package var idempotencyNames = 16_384
  /// Events in the history; beyond, the oldest revisions leave.
  package var historyEvents = 65_536
  /// Bytes of the history, by `ControlEvent.byteCount`; beyond, the oldest revisions leave.
  package var historyBytes = 16 * 1_024 * 1_024

  /// The bounds that nodes use.
  package static let standard = ControlBounds()

  /// Starts from the bounds that nodes use.
  package init() {}
}
